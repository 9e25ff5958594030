"""One Sphinx build at a time over one folder; what a killed one left, or what was damaged since, is dropped.

Sphinx decides by time stamps what to read and write again, so a page cut short by a kill would stay as it is.
"""

from __future__ import annotations

import hashlib
import json
import shutil
import sys
from collections.abc import Iterable
from functools import cache
from pathlib import Path

from filelock import FileLock, Timeout

from lib.engine import store

_NOTE, _UNFINISHED = ".files.json", ".unfinished"


@cache
def lock(folder: Path) -> FileLock:
    """The one lock of a build folder: this process may take it again while it has it."""
    folder.mkdir(parents=True, exist_ok=True)
    return FileLock(folder / ".chapters.lock")


def begin(folder: Path, parts: Iterable[Path]) -> None:
    """Take the lock of `folder`; drop its `parts` (pages, parsed chapters) if they are not as they were left.

    A second build waits, and says so. Call `started` before the first page is touched.
    """
    try:
        lock(folder).acquire(timeout=0)
    except Timeout:
        print(f"another build is at {folder}: waiting for it", file=sys.stderr)
        lock(folder).acquire()
    parts = [part for part in parts if part.exists()]
    if problem := parts and _problem(folder, parts):
        print(f"warning: {problem}; every page is made again", file=sys.stderr)
        for part in parts:
            shutil.rmtree(part)


def started(folder: Path) -> None:
    """From here on a build that does not come to its `end` is not to be trusted."""
    (folder / _UNFINISHED).touch()


def end(folder: Path, parts: Iterable[Path], *, done: bool) -> None:
    """Note what was built, if it was `done`, and drop the lock."""
    if done:
        kept = {name: sha for name, sha in _note(folder).items() if (folder / name).exists()}
        kept |= {path.relative_to(folder).as_posix(): _sha256(path) for path in _files(parts)}
        store.write(folder / _NOTE, json.dumps(kept, indent=0).encode())
        (folder / _UNFINISHED).unlink(missing_ok=True)
    lock(folder).release(force=True)


def _problem(folder: Path, parts: list[Path]) -> str:
    if (folder / _UNFINISHED).exists():
        return "the last build was stopped"
    known = _note(folder)
    for path in _files(parts):
        name = path.relative_to(folder).as_posix()
        if name in known and known[name] != _sha256(path):
            return f"{path} is damaged"
    return "" if known else "nothing is known about the last build"


def _note(folder: Path) -> dict[str, str]:
    try:
        found: dict[str, str] = json.loads((folder / _NOTE).read_text(encoding="utf-8"))
    except (FileNotFoundError, ValueError):
        return {}
    return found


def _files(parts: Iterable[Path]) -> list[Path]:
    return [path for part in parts for path in part.rglob("*") if path.is_file()]


def _sha256(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()
