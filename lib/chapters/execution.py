"""Chapters are executed here and nowhere else: jupytext reads, papermill runs, jupyter-cache hands over.

An executed chapter carries the digest of all that its numbers depend on. Both `python -m lib chapters
refresh` and the Sphinx build (through `setup`) execute the chapters whose digest has changed, and only
those; the build itself finds every output in the cache and re-reads every page whose output is new.
"""

from __future__ import annotations

import ast
import hashlib
import json
import re
import shutil
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any

from lib.base import devices, project
from lib.chapters import build, kernels
from lib.chapters.kernels import TIMEOUT, ChapterError
from lib.data import registry
from lib.engine import audit, fingerprint, parameters, store
from lib.engine.results import FOLDER as RESULTS
from lib.engine.results import MEASURED, check_path, names_of

BOOK = project.ROOT / "book"
BUILD = project.ROOT / "_build"
EXECUTED = BUILD / "executed"
CACHE = BUILD / ".jupyter_cache"
_configured = parameters.configured
_MARK = "transferability"  # where an executed notebook carries its digest


def toc() -> list[str]:
    """The pages of the book, in order, from `_toc.yml`."""
    text = (project.need_book() / "_toc.yml").read_text(encoding="utf-8")
    return re.findall(r"^[\s-]*(?:root|file):\s*(\S+)\s*$", text, re.MULTILINE)


def names() -> list[str]:
    """The chapters: pages of the book that have code cells, in the book's order."""
    pages = [name for name in toc() if _path(name).exists()]
    return [name for name in pages if re.search(r"^```\{code-cell\}", _path(name).read_text("utf-8"), re.M)]


def notebook(name: str) -> Any:
    """The chapter as a notebook without outputs.

    Raises:
        ValueError: there is no such chapter; the message lists those there are.
    """
    import jupytext

    if Path(name).name != name or not _path(name).is_file():
        raise ValueError(f"no chapter is called {name!r}; there are: {', '.join(names())}")
    return jupytext.read(_path(name))


def defaults(name: str) -> dict[str, Any]:
    """The names and default values in the cell that is tagged `parameters`."""
    found: dict[str, Any] = {}
    for cell in _code_cells(notebook(name)):
        if "parameters" in cell.metadata.get("tags", []):
            for item in ast.parse(cell.source).body:
                if isinstance(item, ast.Assign) and isinstance(item.targets[0], ast.Name):
                    found[item.targets[0].id] = ast.literal_eval(item.value)
    return found


def digest(name: str) -> str:
    """sha256 over what the chapter's outputs depend on, and nothing else: a change in prose leaves it.

    That is its code and tags, the import closure and the versions it uses, the recorded runs that it could
    read, and the data sets of its experiments at its preset.
    """
    cells = _code_cells(notebook(name))
    tags = [sorted(cell.metadata.get("tags", [])) for cell in cells]
    code = _python(cells)
    return fingerprint.digest(
        code, shown=True, extra=[tags, _recorded_runs(code), _data(code, defaults(name))]
    )


def executed(name: str) -> Path:
    """Where the executed chapter lies, at its default parameters."""
    return EXECUTED / f"{name}.ipynb"


def fresh(name: str) -> bool:
    """True if the executed chapter is whole, and what the present code and data give."""
    return about(name).get("digest") == digest(name)


def about(name: str) -> dict[str, Any]:
    """What an executed chapter tells of itself: digest, parameters, seconds, memory (MiB); {} if damaged."""
    try:
        content = json.loads(executed(name).read_text(encoding="utf-8"))
        found = content["metadata"].pop(_MARK)
        return found if found["sha256"] == store.digest(content) else {}
    except (FileNotFoundError, ValueError, KeyError, TypeError, AttributeError):
        return {}


def execute(
    name: str, values: Mapping[str, Any] | None = None, out: Path | None = None, timeout: int = TIMEOUT
) -> Path:
    """Execute a chapter with papermill, with `values` for its parameters, and return the notebook's path.

    The notebook appears whole or not at all. Without `values` and `out` it is the one that the book shows.
    `timeout` is in seconds a cell.

    Raises:
        ValueError, TypeError: a parameter's name, type or value is wrong, or the timeout is not positive;
            found before a kernel starts.
        ChapterError: a cell failed or took too long.
    """
    values = dict(values or {})
    if timeout <= 0:
        raise ValueError(f"timeout = {timeout} must be a positive number of seconds")
    check(name, values)
    before = digest(name)
    done, memory = _papermill(name, values, timeout)
    told = {"seconds": done.metadata.papermill.duration, "memory": memory, "sha256": store.digest(done)}
    done.metadata[_MARK] = {"digest": before, "parameters": values, **told}
    default = executed(name) if not values else BUILD / "parameterised" / f"{name}.ipynb"
    path = (out or default).resolve()
    store.write(path, (json.dumps(done, indent=1, ensure_ascii=False) + "\n").encode())
    return path


def check(name: str, values: Mapping[str, Any]) -> None:
    """Refuse parameters that the chapter does not have, or that it or its experiment does not accept.

    Raises:
        ValueError, TypeError: see `parameters.build` and `parameters.plain`.
    """
    known, code = defaults(name), _python(_code_cells(notebook(name)))
    parameters.check_names(values, known, f"chapter {name}")
    given = known | dict(values)
    if (configured := _configured(code)) in fingerprint.experiments():
        parameters.build(audit.experiment(configured), given)
    for parameter, hint in parameters.declared(code).items():
        parameters.coerce(parameter, given.get(parameter), hint)
    devices.resolve_device(given.get("device"))
    if "folder" in known:  # a page on the reader's own models
        from lib.ranking import examples

        examples.check(given["folder"], given["models"], given["weights"])


def refresh(
    chosen: Iterable[str] | None = None, timeout: int = TIMEOUT, log: Callable[[str], None] = print
) -> list[str]:
    """Execute the chapters that are not fresh, put all into the cache of the build; return those executed.

    One process at a time: a second one waits, and then finds everything fresh.

    Raises:
        ChapterError: a chapter failed (those before it are kept), or its code changed while it ran.
    """
    chosen = names() if chosen is None else list(chosen)
    if timeout <= 0:
        raise ValueError(f"timeout = {timeout} must be a positive number of seconds")
    with build.lock(BUILD):
        stale = [name for name in chosen if not fresh(name)]
        for name in stale:
            log(f"executing {name}" + (" again: it was damaged" if _damaged(name) else ""))
            execute(name, timeout=timeout)
            if not fresh(name):
                raise ChapterError(f"chapter {name}: what it depends on changed while it ran; start again")
            log(f"  {about(name)['seconds']:.0f} s, at most {about(name)['memory']} MiB")
        shutil.rmtree(CACHE, ignore_errors=True)  # it may be damaged, and old entries would stay for ever
        for name in chosen:
            _seed(name)
    return stale


def setup(app: Any) -> dict[str, Any]:
    """The Sphinx extension: refresh before anything is read, then re-read every page with new outputs."""

    def prepare(app: Any, config: Any) -> None:
        if config.nb_execution_mode == "cache":
            build.begin(BUILD, _parts(app))
            config.nb_execution_cache_path = str(CACHE)
            refresh()
            build.started(BUILD)

    def outdated(app: Any, env: Any, added: set[str], changed: set[str], removed: set[str]) -> list[str]:
        now = {name: _content(name) for name in toc()}
        before, env.lib_chapters = getattr(env, "lib_chapters", {}), now
        return [name for name in now if name in env.found_docs and now[name] != before.get(name)]

    def finished(app: Any, error: Exception | None) -> None:
        if app.config.nb_execution_mode == "cache":
            build.end(BUILD, _parts(app), done=error is None)

    app.connect("config-inited", prepare, priority=1)  # before MyST-NB looks at its configuration
    app.connect("env-get-outdated", outdated)
    app.connect("build-finished", finished, priority=999)
    return {"version": "1", "parallel_read_safe": True, "parallel_write_safe": True}


def _parts(app: Any) -> list[Path]:
    """What Sphinx writes: the parsed chapters, the pages."""
    return [path for path in map(Path, (app.doctreedir, app.outdir)) if path.is_relative_to(BUILD)]


def _content(name: str) -> list[str]:
    """Checksums of a page's source and outputs. Sphinx itself goes by the clock, which may be set back."""
    found = [path for path in (_path(name), executed(name)) if path.exists()]
    return [hashlib.sha256(path.read_bytes()).hexdigest() for path in found]


def _damaged(name: str) -> bool:
    return executed(name).exists() and not about(name)


def _papermill(name: str, values: dict[str, Any], timeout: int) -> tuple[Any, int]:
    """The executed notebook, and the MiB that its kernel took at most."""
    import papermill
    from nbclient.exceptions import CellTimeoutError, DeadKernelError

    memory = [0]
    options: dict[str, Any] = {"kernel_name": "python3", "cwd": str(BOOK), "execution_timeout": timeout}
    # Level 50: a kernel would warn of its unencrypted sockets, which only this machine can reach, and call
    # its end an error. What a cell raises comes back with the cell.
    options["extra_arguments"] = ["--IPKernelApp.log_level=50"]
    options["on_cell_executed"] = lambda **cell: memory.append(kernels.peak_memory())
    try:
        with kernels.home():
            done = papermill.execute_notebook(notebook(name), None, values, progress_bar=False, **options)
        return done, max(memory)
    except papermill.PapermillExecutionError as error:
        cell = f"cell {error.cell_index + 1}:\n{error.source}\n\n{error.ename}: {error.evalue}"
        raise ChapterError(f"chapter {name} failed in {cell}") from None
    except (CellTimeoutError, DeadKernelError) as error:
        raise ChapterError(f"chapter {name} stopped, {timeout} s allowed a cell: {error}") from None


def _seed(name: str) -> None:
    """Put the outputs of the executed chapter into the cache, under the notebook as MyST-NB will read it."""
    import nbformat
    from jupyter_cache import get_cache
    from jupyter_cache.base import CacheBundleIn
    from myst_nb.core.read import read_myst_markdown_notebook
    from myst_parser.config.main import MdParserConfig

    path = _path(name)
    done = nbformat.read(executed(name), as_version=4)  # type: ignore[no-untyped-call]
    target = read_myst_markdown_notebook(
        path.read_text(encoding="utf-8"), config=MdParserConfig(), add_source_map=True, path=str(path)
    )
    pairs = list(zip(_code_cells(target), _code_cells(done), strict=True))
    for cell, with_outputs in pairs:
        if cell.source != with_outputs.source:
            raise ChapterError(f"chapter {name}: jupytext and MyST-NB read different code:\n{cell.source}")
        cell.outputs, cell.execution_count = with_outputs.outputs, with_outputs.execution_count
    data = {"execution_seconds": done.metadata.papermill.duration}
    bundle = CacheBundleIn(target, str(path), data=data)
    get_cache(CACHE).cache_notebook_bundle(bundle, check_validity=False, overwrite=True)


def _path(name: str) -> Path:
    return BOOK / f"{name}.md"


def _code_cells(book: Any) -> list[Any]:
    return [cell for cell in book.cells if cell.cell_type == "code"]


def _python(cells: list[Any]) -> str:
    """The code of the cells, without IPython's magics."""
    return re.sub(r"^(\s*)[%!].*$", r"\1pass", "\n".join(cell.source for cell in cells), flags=re.MULTILINE)


def _recorded_runs(code: str) -> list[tuple[str, str]]:
    """(file, sha256) of the recorded runs, with their checks, that the code could read."""
    wanted = [
        *fingerprint.experiments(code),
        *fingerprint.calls(code, "recorded"),
        *fingerprint.calls(code, "one"),
    ]
    patterns = [f"{each}-*.json" if each else "*.json" for name in wanted for each in names_of(name or "")]
    found = {path for pattern in patterns for path in RESULTS.glob(pattern)}
    found |= {check_path(path) for path in found}
    found |= set((RESULTS / MEASURED.name).glob("*.json")) if fingerprint.calls(code, "benchmarks") else set()
    kept = [path for path in sorted(found) if path.exists()]
    return [(path.name, hashlib.sha256(path.read_bytes()).hexdigest()) for path in kept]


def _data(code: str, given: dict[str, Any]) -> list[tuple[str, str | None]]:
    """(data set, sha256): what the experiments in the closure read at the chapter's preset.

    All data sets, where the code asks for `registry.digests()`: that is how a page says that it shows them.
    """
    found = set(registry.digests().items()) if fingerprint.calls(code, "digests") else set()
    for module in map(audit.experiment, fingerprint.experiments(code)):
        config = module.PRESETS.get(given.get("preset", "quick"))
        found |= {(each.name, each.digest()) for each in (module.datasets(config) if config else ())}
    return sorted(found, key=str)
