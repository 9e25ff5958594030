"""What a record, a stored step or a chapter depends on: the files of `lib` that it imports, and the versions.

Read from the syntax tree: nothing is imported or executed. There are two reaches. A record or a step depends
on what can change a number: files that are `OUTSIDE` leave it, and so does what only they import. A page,
`shown=True`, depends on all that it displays. The digest decides whether what is stored is still what the
present code would compute.
"""

from __future__ import annotations

import ast
import hashlib
import sys
from collections.abc import Iterable, Iterator
from functools import cache
from importlib import metadata
from pathlib import Path

from lib.base import project

PACKAGE, ROOT = project.PACKAGE, project.ROOT

# What can change no number, and why: files, and rooms with a slash. `tests/engine/test_reach.py` checks that
# the code of a record takes nothing from them but what is named there.
OUTSIDE = {
    "__init__.py": "the public face: names, and the module behind each",
    "__main__.py": "the command line",
    "engine/": "calls run_job, and stores and compares what it gives",
    "base/": "what is displayed, and the device, whose kind is in the key; on the CPU a job has one thread",
    **dict.fromkeys(
        [f"data/{name}.py" for name in ("catalogue", "originals", "entry", "registry", "fetch", "commands")],
        "where bytes come from: a file is opened if its sha256 is the one in the key, else refused",
    ),
    "data/figures.py": "pictures of the data",
}
DRAWS = "base/streams.py"  # but this: random numbers
# Of those, what no page shows either.
HIDDEN = (
    "__init__.py",
    "__main__.py",
    "engine/",
    "base/devices.py",
    "base/machine.py",
    "base/project.py",
    "base/fingerprint.py",
)
CAPTIONS = "engine/results.py"  # but this: captions, and what stands in place of a run that is absent

TOOLS = {"filelock", "pydantic", "tqdm"}  # packages that change no number
_DYNAMIC = {"import_module", "__import__", "resolve_name"}
Source = str | Path
Stamp = tuple[int, int, int, int] | None


def files(source: Source, *, shown: bool = False) -> list[Path]:
    """The files of `lib` that `source` imports, transitively, sorted; a path inside `lib` counts itself.

    `source` is the text of a program (a chapter's code) or the path of a Python file. Imports inside
    functions, relative ones and the packages' `__init__` files count, and names of the public face
    (`lib.rank`). A dynamic import counts every module that it could reach. Files beside the modules that are
    not Python (a style sheet) count too.

    Raises:
        SyntaxError: a file or the text is not Python; the message names the file.
    """
    return [path for path in _closure(source, shown) if isinstance(path, Path)]


def third_party(source: Source, *, shown: bool = False) -> list[str]:
    """The top-level packages outside `lib` and the standard library that the closure imports, sorted."""
    return [name for name in _closure(source, shown) if isinstance(name, str)]


def versions(source: Source, *, shown: bool = False) -> dict[str, str]:
    """{distribution: version} of the installed distributions that the closure imports."""
    by_package = _distributions()
    names = {dist for package in third_party(source, shown=shown) for dist in by_package.get(package, ())}
    return {name: metadata.version(name) for name in sorted(names)}


def digest(source: Source, *, shown: bool = False, extra: object = ()) -> str:
    """sha256 over the source, the files of its closure, the versions it imports, Python's minor and `extra`.

    `extra` is anything whose `repr` is stable: data checksums, tags, parameters. For a file the answer is
    remembered until a file or a folder of the closure changes.
    """
    if isinstance(source, str):
        return _digest(source, shown, extra)
    _closure(source, shown)
    stamps, key = _known[source, shown][1], (source, shown, repr(extra))
    if key not in _digests or _digests[key][0] != stamps:
        _digests[key] = stamps, _digest(source, shown, extra)
    return _digests[key][1]


def changed(source: Source) -> list[Path]:
    """Files that can change a number of `source`, edited since this process started: what runs may be others.

    Told by time stamp, size and inode then and now, not by a clock, which may be set back.
    """
    return [path for path in files(source) if _stamp(path) != _AT_START.get(path)]


def outside(path: Path) -> bool:
    """Can this file of `lib` change no number?"""
    return relative(path) != DRAWS and _listed(path, OUTSIDE)


def inside(path: Source) -> bool:
    """Is it a file of `lib`?"""
    return Path(path).resolve().is_relative_to(PACKAGE)


def relative(path: Path) -> str:
    """A file of `lib` as a path inside it; of a file elsewhere, the whole path."""
    path = path.resolve()
    return path.relative_to(PACKAGE).as_posix() if path.is_relative_to(PACKAGE) else str(path)


def experiments(source: Source | None = None) -> list[str]:
    """The experiments in the closure, or all there are: folders of `lib/experiments` with a record."""
    folder = PACKAGE / "experiments"
    found = folder.glob("*/record.py") if source is None else files(source, shown=True)
    return sorted(
        path.parent.name for path in found if path.name == "record.py" and path.parent.parent == folder
    )


def calls(source: Source, name: str) -> list[str | None]:
    """First arguments of all calls of `name` in the source and its closure; None where it is no literal."""
    reached = (path for path in files(source, shown=True) if path.suffix == ".py")
    found = [node for each in (source, *reached) for node in _nodes(each) if _called(node) == name]
    return [_literal(node.args[0]) if node.args else None for node in found if isinstance(node, ast.Call)]


def _listed(path: Path, places: Iterable[str]) -> bool:
    name = relative(path)
    return any(name.startswith(place) if place.endswith("/") else name == place for place in places)


def _counts(path: Path, shown: bool) -> bool:
    return relative(path) == CAPTIONS or not _listed(path, HIDDEN) if shown else not outside(path)


def _walk(source: Source, shown: bool) -> set[Path | str]:
    """Files of `lib` (paths) and third-party packages (strings) reached from `source`.

    Numbers do not go through a file that is outside; what a page shows may come through one that is hidden.
    """
    reached: set[Path | str] = {source.resolve()} if isinstance(source, Path) and inside(source) else set()
    todo: list[Source] = [source]
    while todo:
        for found in set(_imports(todo.pop())) - reached:
            if isinstance(found, str):
                reached.add(found)
            elif shown or not outside(found):
                reached.add(found)
                todo.append(found)
    return reached


def _imports(source: Source) -> Iterator[Path | str]:
    """What one file imports directly: files of `lib` and names of third-party packages."""
    for node in _nodes(source):
        if isinstance(node, ast.Import):
            for alias in node.names:
                yield from _named(alias.name)
        elif isinstance(node, ast.ImportFrom):
            base = _absolute(node, source)
            yield from _resolve(base)
            for alias in node.names:
                yield from _named(f"{base}.{alias.name}", only_lib=True)
        elif isinstance(node, ast.Attribute):
            yield from _named(f"{PACKAGE.name}.{node.attr}", only_lib=True)
        elif _called(node) in _DYNAMIC and not (isinstance(source, Path) and _face(source, _stamp(source))):
            yield from _reachable(node, source)


def _named(dotted: str, *, only_lib: bool = False) -> Iterator[Path | str]:
    """The files behind a name; of a room with a public face, such as `lib.attacks`, all that it may hand out.

    A module of such a room (`lib.attacks.projected`) does not count its neighbours.
    """
    found = _faced(dotted)
    yield from _resolve(found, only_lib=only_lib)
    if found != PACKAGE.name:  # of which only the names that follow count
        for module in _face_of(found).values():
            yield from _resolve(module.partition(":")[0])


def _resolve(dotted: str, *, only_lib: bool = False) -> Iterator[Path | str]:
    """The files of `lib.a.b` and of the packages above it; or the top-level name of anything else."""
    head, *rest = dotted.split(".")
    if head != PACKAGE.name:
        if not only_lib and head not in sys.stdlib_module_names:
            yield head
        return
    for depth in range(len(rest) + 1):
        stem = PACKAGE.joinpath(*rest[:depth])
        yield from (path for path in (stem / "__init__.py", stem.with_suffix(".py")) if path.is_file())


def _faced(dotted: str) -> str:
    """The module behind a name of a package's face (`FACE`), such as `lib.rank`; else the name itself."""
    package, _, name = dotted.rpartition(".")
    return _face_of(package).get(name, dotted).partition(":")[0]


def _face_of(package: str) -> dict[str, str]:
    head, *rest = package.split(".")
    path = PACKAGE.joinpath(*rest, "__init__.py")
    return _face(path, _stamp(path)) if head == PACKAGE.name else {}


@cache
def _face(path: Path, _stamp: Stamp) -> dict[str, str]:
    body = ast.parse(path.read_text(encoding="utf-8")).body if path.is_file() else []
    found = [node.value for node in body if isinstance(node, ast.Assign) and _target(node) == "FACE"]
    return ast.literal_eval(found[0]) if found else {}


def _target(node: ast.Assign) -> str | None:
    return getattr(node.targets[0], "id", None)


def _absolute(node: ast.ImportFrom, source: Source) -> str:
    """`from ..a import b` as an absolute dotted name."""
    if not node.level:
        return node.module or ""
    if isinstance(source, str):
        raise SyntaxError(
            f"line {node.lineno}: a chapter has no relative imports; write `from lib import ...`"
        )
    package = source.resolve().relative_to(PACKAGE.parent).with_suffix("").parts[: -node.level]
    return ".".join([*package, *([node.module] if node.module else [])])


def _reachable(node: ast.AST, source: Source) -> Iterator[Path | str]:
    """Every module that a dynamic import could name, as far as its first argument tells."""
    argument = node.args[0] if isinstance(node, ast.Call) and node.args else None
    known = _literal(argument)
    if known is not None and not known.startswith("."):
        yield from _resolve(known.partition(":")[0])
        return
    start = argument.values[0] if isinstance(argument, ast.JoinedStr) and argument.values else None
    prefix = (_literal(start) or "").rpartition(".")[0]  # f"lib.experiments.{name}" -> lib.experiments
    if prefix and not prefix.startswith("."):
        yield from _resolve(prefix)
        folder = PACKAGE.joinpath(*prefix.split(".")[1:]) if prefix.split(".")[0] == PACKAGE.name else None
    else:
        folder = PACKAGE if isinstance(source, str) else source.resolve().parent
    if folder is not None:
        yield from folder.rglob("*.py")


def _called(node: ast.AST) -> str | None:
    """The last name of the function that `node` calls, if it is a call of a name or an attribute."""
    function = node.func if isinstance(node, ast.Call) else None
    return getattr(function, "attr", getattr(function, "id", None))


def _literal(node: ast.AST | None) -> str | None:
    return node.value if isinstance(node, ast.Constant) and isinstance(node.value, str) else None


def _nodes(source: Source) -> list[ast.AST]:
    """The imports and calls of a program, and what it takes from `lib` by `lib.name`, wherever they stand."""
    return _read(source, None if isinstance(source, str) else _stamp(source))


@cache
def _read(source: Source, _stamp: Stamp) -> list[ast.AST]:
    if isinstance(source, str):
        return _parsed(source, "the chapter's code")
    return _parsed(source.read_text(encoding="utf-8"), str(source))


def _parsed(text: str, name: str) -> list[ast.AST]:
    found: list[ast.AST] = []
    todo: list[ast.AST] = [ast.parse(text, name)]
    while todo:
        node = todo.pop()
        if isinstance(node, ast.If) and getattr(node.test, "id", None) == "TYPE_CHECKING":
            todo.extend(node.orelse)  # what only a type checker reads changes no number
            continue
        todo.extend(ast.iter_child_nodes(node))
        if isinstance(node, ast.Import | ast.ImportFrom | ast.Call | ast.Attribute):
            found.append(node)
    imports = [alias for node in found if isinstance(node, ast.Import) for alias in node.names]
    known = {PACKAGE.name, *(alias.asname for alias in imports if alias.name == PACKAGE.name)}
    return [n for n in found if not isinstance(n, ast.Attribute) or getattr(n.value, "id", None) in known]


def _closure(source: Source, shown: bool) -> list[Path | str]:
    """Files of `lib`, sorted, then third-party packages, sorted; looked up again when one of them changed."""
    known = _known.get((source, shown))
    if known is None or known[1] != _stamps(known[0]):  # a folder's stamp changes with the names in it
        found = _walk(source, shown)
        reached = {path for path in found if isinstance(path, Path)}
        files = {path for path in reached if _counts(path, shown) or path == source}
        beside = {path for folder in {path.parent for path in files} for path in folder.glob("[!.]*[!~]")}
        files |= {path for path in beside if path.is_file() and path.suffix not in {".py", ".pyc"}}
        own = {source} if isinstance(source, Path) else set()
        watched = sorted({PACKAGE / "__init__.py", *own, *reached, *files, *(path.parent for path in files)})
        names = sorted(name for name in found if isinstance(name, str) and name not in TOOLS)
        _known[source, shown] = known = watched, _stamps(watched), [*sorted(files), *names]
    return known[2]


def _digest(source: Source, shown: bool, extra: object) -> str:
    text = source if isinstance(source, str) else source.read_text(encoding="utf-8")
    parts = [text, f"python {sys.version_info.major}.{sys.version_info.minor}", repr(extra)]
    parts += [f"{name} {version}" for name, version in versions(source, shown=shown).items()]
    parts += [f"{relative(path)} {_sha256(path)}" for path in files(source, shown=shown)]
    return hashlib.sha256("\0".join(parts).encode()).hexdigest()


def _stamp(path: Path) -> Stamp:
    try:
        found = path.stat()
    except FileNotFoundError:
        return None
    return found.st_ctime_ns, found.st_mtime_ns, found.st_size, found.st_ino  # ctime: mtime may be set back


def _stamps(paths: list[Path]) -> list[Stamp]:
    return [_stamp(path) for path in paths]


_AT_START = {path: _stamp(path) for path in PACKAGE.rglob("*") if path.suffix != ".pyc" and path.is_file()}
_Known = tuple[list[Path], list[Stamp], list[Path | str]]  # watched, their stamps, the closure
_known: dict[tuple[Source, bool], _Known] = {}
_digests: dict[tuple[Source, bool, str], tuple[list[Stamp], str]] = {}


def _sha256(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


@cache
def _distributions() -> dict[str, list[str]]:
    return {package: sorted(set(names)) for package, names in metadata.packages_distributions().items()}
