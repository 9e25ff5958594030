"""One Sphinx build at a time over one folder, and what it was made of, by content.

Sphinx decides by time stamps what to read and write again: a page cut short by a kill would stay as it is,
and a picture, an included file or the bibliography that was restored under an older time would go unseen.
"""

from __future__ import annotations

import hashlib
import json
import shutil
import sys
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from functools import cache
from pathlib import Path

from filelock import FileLock, Timeout

from lib.engine import store

SHARED = ""
_NOTE, _UNFINISHED = ".files.json", ".unfinished"


@dataclass
class Note:
    """What builds left: {file: sha256} of all that they wrote, and of what each of them read.

    `read` has, for each kind of pages (html, singlehtml) and each page, the files that it is made of; those
    of the page SHARED are what every page depends on.
    """

    files: dict[str, str] = field(default_factory=dict)
    read: dict[str, dict[str, dict[str, str]]] = field(default_factory=dict)


@cache
def lock(folder: Path) -> FileLock:
    """The one lock of a build folder: this process may take it again while it has it."""
    folder.mkdir(parents=True, exist_ok=True)
    return FileLock(folder / ".chapters.lock")


@contextmanager
def held(folder: Path) -> Iterator[None]:
    """Hold the lock of `folder`; where another process has it, say so and wait."""
    acquire(folder)
    try:
        yield
    finally:
        lock(folder).release()


def acquire(folder: Path) -> None:
    """Take the lock of `folder`; where another process has it, say so and wait."""
    try:
        lock(folder).acquire(timeout=0)
    except Timeout:
        print(f"another build is at {folder}: waiting for it (is it stopped?)", file=sys.stderr, flush=True)
        lock(folder).acquire()


def begin(folder: Path, parts: Iterable[Path], kind: str, shared: Mapping[str, str]) -> None:
    """Take the lock of `folder`; drop its `parts` (pages, parsed chapters) if they are not to be trusted.

    They are if they are as they were left, and the pages of that kind were made of the same `shared`. Call
    `started` before the first page is touched.
    """
    acquire(folder)
    parts = list(parts)
    problem = _files(parts) and _problem(folder, parts, kind, shared)
    if problem:
        print(f"warning: {problem}; every page is made again", file=sys.stderr)
        for part in parts:
            shutil.rmtree(part, ignore_errors=True)


def started(folder: Path) -> None:
    """From here on a build that does not come to its `end` is not to be trusted."""
    (folder / _UNFINISHED).touch()


def end(folder: Path, parts: Iterable[Path], kind: str, read: Mapping[str, Mapping[str, str]] | None) -> None:
    """Note what was built and of what it was made, if the build was done (else None); drop the lock."""
    if read is not None:
        last = note(folder)
        kept = {name: sha for name, sha in last.files.items() if (folder / name).exists()}
        kept |= {_name(folder, path): sha256(path) for path in _files(parts)}
        made = last.read | {kind: {page: dict(files) for page, files in read.items()}}
        _replace(folder / _NOTE, json.dumps(asdict(Note(kept, made)), indent=0).encode())
        (folder / _UNFINISHED).unlink(missing_ok=True)
    lock(folder).release(force=True)


def note(folder: Path) -> Note:
    """What the last build noted; an empty one where there is none that can be read."""
    try:
        found = Note(**json.loads((folder / _NOTE).read_text(encoding="utf-8")))
        read = [page for pages in found.read.values() for page in pages.values()]
        whole = all(map(_plain, [found.files, *read]))
    except (OSError, ValueError, TypeError, AttributeError):
        return Note()
    return found if whole else Note()


def difference(before: Mapping[str, str], now: Mapping[str, str]) -> str:
    """What has changed, as a sentence about the first of it; "" if nothing has."""
    other = [name for name in before.keys() | now.keys() if before.get(name) != now.get(name)]
    return f"{min(other)} has changed" if other else ""


def contents(paths: Iterable[Path]) -> dict[str, str]:
    """{path: sha256} of files, "" for those that are not there."""
    return {str(path): sha256(path) for path in sorted(set(paths))}


def sha256(path: Path) -> str:
    """Of a file's content; "" where there is none."""
    try:
        return hashlib.sha256(path.read_bytes()).hexdigest()
    except (FileNotFoundError, IsADirectoryError, NotADirectoryError):
        return ""


def _problem(folder: Path, parts: list[Path], kind: str, shared: Mapping[str, str]) -> str:
    if (folder / _UNFINISHED).exists():
        return "the last build was stopped"
    last = note(folder)
    if not last.files:
        return "nothing is known about the last build"
    for path in _files(parts):
        if (known := last.files.get(_name(folder, path))) and known != sha256(path):
            return f"{path} is damaged"
    for name in last.files:
        path = folder / name
        if any(path.is_relative_to(part) for part in parts if part.exists()) and not path.is_file():
            return f"{path} is missing"
    before = last.read.get(kind, {}).get(SHARED, shared)
    return difference(before, shared)


def _replace(path: Path, content: bytes) -> None:
    if path.is_dir():
        shutil.rmtree(path)
    store.write(path, content)


def _plain(value: object) -> bool:
    return isinstance(value, dict) and all(isinstance(each, str) for each in value.values())


def _name(folder: Path, path: Path) -> str:
    return path.relative_to(folder).as_posix()


def _files(parts: Iterable[Path]) -> list[Path]:
    return [path for part in parts for path in part.rglob("*") if path.is_file()]
