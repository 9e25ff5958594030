"""The Sphinx extension: chapters refreshed before anything is read, pages that show what was computed.

Whichever command builds the book, `python -m lib chapters build` or `jupyter-book build book/`.
"""

from __future__ import annotations

import json
import re
import shutil
from pathlib import Path
from typing import Any

from lib.chapters import build, execution, pages, refresh
from lib.chapters.kernels import ChapterError

CACHE = execution.BUILD / ".jupyter_cache"


def setup(app: Any) -> dict[str, Any]:
    """Connect the steps of a build with Sphinx."""
    steps = _Build()
    app.connect("config-inited", steps.prepare, priority=1)  # before MyST-NB looks at its configuration
    app.connect("env-get-outdated", steps.outdated)
    app.connect("env-before-read-docs", steps.seed)
    app.connect("source-read", steps.tell)
    app.connect("env-updated", steps.renamed)
    app.connect("build-finished", steps.finish, priority=999)
    return {"version": "2", "parallel_read_safe": True, "parallel_write_safe": True}


class _Build:
    """One build, from the configuration to the last page."""

    def __init__(self) -> None:
        self.failed: dict[str, str] = {}
        self.shared: dict[str, str] = {}
        self.working = False

    def prepare(self, app: Any, config: Any) -> None:
        """Refresh the chapters; Sphinx starts afresh where its pages are not to be trusted.

        Raises:
            ChapterError: the pages are not those of this project, or its code is not what would run.
        """
        if config.nb_execution_mode != "cache":
            return
        if Path(app.srcdir).resolve() != execution.BOOK.resolve():
            raise ChapterError(
                f"the chapters of {execution.BOOK} would be executed for the pages of {app.srcdir}: build in "
                f"{Path(app.srcdir).parent}"
            )
        execution.need_own_code()
        self.shared, self.working = pages.shared(), True
        build.begin(execution.BUILD, _parts(app), Path(app.outdir).name, self.shared)
        config.nb_execution_cache_path = str(CACHE)
        self.failed = refresh.refresh().failed
        build.started(execution.BUILD)

    def outdated(
        self, app: Any, env: Any, added: set[str], changed: set[str], removed: set[str]
    ) -> list[str]:
        """The pages of which something that they were made of has another content."""
        known = build.note(execution.BUILD).read.get(Path(app.outdir).name, {})
        return [name for name in env.found_docs if self._read(env, name) != known.get(name)]

    def seed(self, app: Any, env: Any, names: list[str]) -> None:
        """Put the outputs of the chapters that are to be read into a new cache: an old one may be damaged."""
        if self.working and names:
            shutil.rmtree(CACHE, ignore_errors=True)
            for name in set(names) & set(execution.names()):
                _seed(name, failed=name in self.failed)

    def tell(self, app: Any, name: str, text: list[str]) -> None:
        """A chapter that failed says so at its top."""
        if name in self.failed:
            title = re.compile(r"^# .*$", re.MULTILINE)
            text[0] = title.sub(lambda found: f"{found[0]}\n\n{_notice(name)}", text[0], count=1)

    def renamed(self, app: Any, env: Any) -> list[str]:
        """Every page has the titles of all others in its margin."""
        now = {name: title.astext() for name, title in env.titles.items()}
        before, env.lib_titles = getattr(env, "lib_titles", now), now
        return sorted(env.found_docs) if now != before else []

    def finish(self, app: Any, error: Exception | None) -> None:
        """Make the pages lighter and note what they are made of; a failed chapter makes the build fail."""
        if error is None and app.builder.format == "html":
            pages.lighten(Path(app.outdir))
        if self.working:
            read = {build.SHARED: self.shared}
            read |= {} if error else {name: self._read(app.env, name) for name in app.env.found_docs}
            build.end(execution.BUILD, _parts(app), Path(app.outdir).name, None if error else read)
        if self.failed:
            app.statuscode = 1

    def _read(self, env: Any, name: str) -> dict[str, str]:
        """{file: checksum} of what a page is made of: its text, its outputs, pictures, included files."""
        made = refresh.failed(name) if name in self.failed else execution.executed(name)
        dependencies = [Path(env.srcdir) / each for each in env.dependencies.get(name, ())]
        return build.contents([execution.source(name), made, *dependencies])


def _parts(app: Any) -> list[Path]:
    """What Sphinx writes: the parsed chapters, the pages."""
    both = map(Path, (app.doctreedir, app.outdir))
    return [path for path in both if path.is_relative_to(execution.BUILD)]


def _notice(name: str) -> str:
    """What a reader and a builder need: the error, the command that goes on."""
    told = refresh.failure(name).get("error", "").rstrip()
    fence = "`" * (1 + max((len(run) for run in re.findall("`+", told)), default=2))
    what = "This chapter could not be executed. What stands below ends at the cell that failed."
    go_on = f"To go on: `{refresh.remedy(name)}` until it runs, then build the book again."
    return "\n".join(["::::{error}", what, "", f"{fence}text", told, fence, "", go_on, "::::"])


def _seed(name: str, *, failed: bool) -> None:
    """Put the outputs of a chapter into the cache, under the notebook as MyST-NB will read it."""
    from jupyter_cache import get_cache
    from jupyter_cache.base import CacheBundleIn
    from myst_nb.core.read import read_myst_markdown_notebook
    from myst_parser.config.main import MdParserConfig

    path = execution.source(name)
    done: Any = _as_it_failed(name) if failed else _notebook(name)
    target = read_myst_markdown_notebook(
        path.read_text(encoding="utf-8"), config=MdParserConfig(), add_source_map=True, path=str(path)
    )
    for cell, made in zip(execution.code_cells(target), execution.code_cells(done), strict=True):
        if cell.source != made.source:
            message = f"chapter {name}: jupytext and MyST-NB read different code:\n{cell.source}"
            raise ChapterError(message)
        cell.outputs, cell.execution_count = made.outputs, made.execution_count
    data = {"execution_seconds": done.metadata.get("papermill", {}).get("duration")}
    bundle = CacheBundleIn(target, str(path), data=data)
    get_cache(CACHE).cache_notebook_bundle(bundle, check_validity=False, overwrite=True)


def _notebook(name: str) -> Any:
    return _node(json.loads(execution.executed(name).read_text(encoding="utf-8")))


def _node(value: Any) -> Any:
    """Plain data as nbformat has it: with attributes."""
    from nbformat.notebooknode import from_dict

    return from_dict(value)  # type: ignore[no-untyped-call]


def _as_it_failed(name: str) -> Any:
    """The chapter with the outputs that it had, and of the error what it says, not where."""
    book, outputs = execution.notebook(name), refresh.failure(name).get("outputs", {})
    for index, cell in enumerate(book.cells):
        if cell.cell_type == "code":
            cell.outputs = [_node(output) for output in outputs.get(str(index), ())]
            for output in cell.outputs:
                if output.output_type == "error":
                    output.traceback = [f"{output.ename}: {output.evalue}"]
    return book
