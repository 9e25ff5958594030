"""One chapter: jupytext reads it, papermill executes it, and its digest says whether that still holds.

An executed chapter carries the digest of all that its numbers depend on. `refresh` executes those whose
digest has changed, and only those; `extension` hands their outputs over to Sphinx.
"""

from __future__ import annotations

import ast
import hashlib
import json
import re
import shutil
import subprocess
import sys
from collections.abc import Mapping
from functools import partial
from pathlib import Path
from tempfile import TemporaryFile
from typing import Any

from lib.base import fingerprint, project
from lib.chapters import kernels
from lib.chapters.kernels import TIMEOUT, ChapterError
from lib.data import registry
from lib.engine import parameters, store
from lib.engine.results import FOLDER as RESULTS
from lib.engine.results import MEASURED, check_path, names_of

BOOK = project.ROOT / "book"
BUILD = project.ROOT / "_build"
EXECUTED = BUILD / "executed"
MARK = "transferability"  # where an executed notebook carries its digest
_configured = parameters.configured
# What the store says where it computes a damaged record again is for the builder, not for the reader: it
# names a path of this machine. The lines of Python's warning, the second with the code that gave it.
_DAMAGE = re.compile(r"^.*Warning: (.* is damaged \(.*\); .*computed again)\n(?:  .*\n)?", re.MULTILINE)


def toc() -> list[str]:
    """The pages of the book, in order, from `_toc.yml`."""
    text = (project.need_book() / "_toc.yml").read_text(encoding="utf-8")
    return re.findall(r"^[\s-]*(?:root|file):\s*(\S+)\s*$", text, re.MULTILINE)


def names() -> list[str]:
    """The chapters: pages of the book that have code cells, in the book's order."""
    pages = [name for name in toc() if source(name).exists()]
    return [name for name in pages if re.search(r"^```\{code-cell\}", source(name).read_text("utf-8"), re.M)]


def notebook(name: str) -> Any:
    """The chapter as a notebook without outputs.

    Raises:
        ValueError: there is no such chapter; the message lists those there are.
    """
    import jupytext

    if Path(name).name != name or not source(name).is_file():
        raise ValueError(f"no chapter is called {name!r}; there are: {', '.join(names())}")
    return jupytext.read(source(name))


def defaults(name: str) -> dict[str, Any]:
    """The names and default values in the cell that is tagged `parameters`."""
    found: dict[str, Any] = {}
    for cell in code_cells(notebook(name)):
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
    cells = code_cells(notebook(name))
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
        found = content["metadata"].pop(MARK)
        return found if found["sha256"] == store.digest(content) else {}
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return {}


def execute(
    name: str, values: Mapping[str, Any] | None = None, out: Path | None = None, timeout: float = TIMEOUT
) -> Path:
    """Execute a chapter with papermill, with `values` for its parameters, and return the notebook's path.

    The notebook appears whole or not at all. Without `values` and `out` it is the one that the book shows.
    A cell may take `timeout` seconds of processor time, and may stand still for as long.

    Raises:
        ValueError, TypeError: a parameter's name, type or value is wrong, the timeout is not positive, or
            `out` is no place for a notebook; found before a kernel starts.
        ChapterError: a cell failed or took too long.
    """
    values = dict(values or {})
    need_own_code()
    check_timeout(timeout)
    if out is not None:
        check_place(out)
    check(name, values)
    before = digest(name)
    default = executed(name) if not values else BUILD / "parameterised" / f"{name}.ipynb"
    with kernels.home() as folder:
        work = partial(run, name, values, folder=folder)
        ((_, done),) = kernels.side_by_side({name: work}, 1, timeout)
    if isinstance(done, Exception):
        raise done
    return keep(done, before, values, (out or default).resolve())


def keep(book: Any, before: str, values: Mapping[str, Any], path: Path) -> Path:
    """Write an executed notebook with its digest, which it had `before` it was executed."""
    told = book.metadata.pop(MARK) | {"sha256": store.digest(book)}
    book.metadata[MARK] = {"digest": before, "parameters": dict(values), **told}
    if path.is_dir() and path.is_relative_to(BUILD):  # nobody's but ours
        shutil.rmtree(path)
    store.write(path, (json.dumps(book, indent=1, ensure_ascii=False) + "\n").encode())
    return path


def need_own_code() -> None:
    """Refuse to execute chapters with another `lib` than the one that lies beside them.

    Raises:
        ChapterError: this is that of another clone or worktree, which the environment has installed.
    """
    own = project.ROOT / project.PACKAGE.name
    if own != project.PACKAGE and (own / "__init__.py").is_file() and own.resolve() != project.PACKAGE:
        raise ChapterError(
            f"the chapters of {project.ROOT} would show what the code of {project.PACKAGE.parent} computes, "
            f"which is installed here: run `python -m lib chapters build` in {project.ROOT}, or set "
            f"PYTHONPATH={project.ROOT}"
        )


def check_timeout(timeout: float) -> None:
    """Raise ValueError unless it is a positive number of seconds."""
    if not timeout > 0:
        raise ValueError(f"timeout = {timeout} must be a positive number of seconds")


def check_place(out: Path) -> None:
    """Refuse a place for an executed notebook before its chapter runs, not after.

    Raises:
        ValueError: it is a folder, is not called a notebook, cannot be written, or belongs to the sources.
    """
    out = out.expanduser()
    if out.is_dir():
        raise ValueError(f"{out} is a folder: name a file in it, such as {out / 'chapter.ipynb'}")
    if out.suffix != ".ipynb" or out.resolve().suffix != ".ipynb":
        raise ValueError(f"{out} is not the name of a notebook: name another, such as {out.stem}.ipynb")
    if _tracked(out.resolve()):
        raise ValueError(f"{out} is kept by git, and would be overwritten: name another place with -o")
    try:
        out.parent.mkdir(parents=True, exist_ok=True)
        with TemporaryFile(dir=out.parent):
            pass
    except OSError as error:
        raise ValueError(f"{out} cannot be written ({error.strerror}): name another place with -o") from None


def _tracked(path: Path) -> bool:
    command = ["git", "-C", str(path.parent), "ls-files", "--error-unmatch", "--", path.name]
    try:
        return subprocess.run(command, capture_output=True, check=False, timeout=10).returncode == 0
    except (OSError, subprocess.SubprocessError):  # no git, no folder
        return False


def check(name: str, values: Mapping[str, Any]) -> None:
    """Refuse parameters that the chapter does not have, or that it or its experiment does not accept.

    Raises:
        ValueError, TypeError: see `parameters.build` and `parameters.plain`.
    """
    from lib.base import devices
    from lib.engine import audit

    known, code = defaults(name), _python(code_cells(notebook(name)))
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


def run(name: str, values: Mapping[str, Any], kernel: kernels.Kernel, folder: Path) -> Any:
    """The executed notebook, which tells of seconds and memory in its metadata; `folder`: of `kernels.home`.

    Raises:
        ChapterError: a cell failed or took too long, or not every cell was executed.
    """
    import papermill
    from jupyter_core.utils import ensure_event_loop
    from nbclient.exceptions import DeadKernelError

    options: dict[str, Any] = {
        "kernel_name": "python3",
        "resources": {"metadata": {"path": str(BOOK)}},
        "kernel_manager_class": kernel.manager(folder / name),
        "on_cell_start": kernel.begins,
        "on_cell_executed": kernel.ended,
        # Level 50: a kernel would call its end an error. What a cell raises comes back with the cell.
        "extra_arguments": ["--IPKernelApp.log_level=50"],
    }
    try:
        done = papermill.execute_notebook(notebook(name), None, dict(values), progress_bar=False, **options)
    except papermill.PapermillExecutionError as error:
        raise _failed(name, kernel, error.cell_index, f"{error.ename}: {error.evalue}") from None
    except DeadKernelError:
        raise _ended(name, kernel) from None
    finally:
        ensure_event_loop().close()  # that of this thread, which Jupyter opened and leaves open
    for index, cell in enumerate(done.cells):
        if cell.cell_type == "code" and cell.source.strip():
            _check_executed(name, kernel, index, cell)
    told = {"seconds": done.metadata.papermill.duration, "processor": kernel.total, "memory": kernel.memory}
    done.metadata[MARK] = told
    return done


def _check_executed(name: str, kernel: kernels.Kernel, index: int, cell: Any) -> None:
    """Papermill takes `sys.exit(0)` for a good end, whatever comes after it."""
    error = next((output for output in cell.outputs if output.output_type == "error"), None)
    if error is not None:
        what = f"{error.ename}: {error.evalue}\nThe cell ends the program, so no later cell can run."
        raise _failed(name, kernel, index, what)
    if cell.execution_count is None:
        raise _failed(name, kernel, index, "The cell was not executed.")
    for output in cell.outputs:
        if output.output_type == "stream" and output.name == "stderr":
            for told in _DAMAGE.findall(output.text):
                print(f"chapter {name}: {told}", file=sys.stderr)
            output.text = _DAMAGE.sub("", output.text)
    cell.outputs = [o for o in cell.outputs if o.output_type != "stream" or o.text]


def _failed(name: str, kernel: kernels.Kernel, index: int, what: str) -> ChapterError:
    source = kernel.cells[index].source if index in kernel.cells else ""
    return ChapterError(f"chapter {name} failed in cell {index + 1}:\n{source}\n\n{what}", kernel.cells)


def _ended(name: str, kernel: kernels.Kernel) -> ChapterError:
    """The kernel was stopped, or has died."""
    index, cell = max(kernel.cells.items(), default=(0, None))
    why = kernel.stopped or f"its kernel died, with {kernel.memory} MiB of memory at most"
    allowed = f", {kernel.limit:g} s allowed a cell (--timeout)" if kernel.stopped else ""
    message = f"chapter {name} stopped{allowed}: {why}, after {kernel.times}, in cell {index + 1}"
    return ChapterError(f"{message}:\n{cell.source if cell else ''}", kernel.cells)


def source(name: str) -> Path:
    """The file of a page."""
    return BOOK / f"{name}.md"


def code_cells(book: Any) -> list[Any]:
    """The cells of a notebook that are code."""
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
    from lib.engine import audit

    found = set(registry.digests().items()) if fingerprint.calls(code, "digests") else set()
    for module in map(audit.experiment, fingerprint.experiments(code)):
        config = module.PRESETS.get(given.get("preset", "quick"))
        found |= {(each.name, each.digest()) for each in (module.datasets(config) if config else ())}
    return sorted(found, key=str)
