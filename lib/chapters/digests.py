"""The digests of all chapters, remembered on disk under the content of everything that they could depend on.

A digest takes a second: syntax trees of `lib`, imports of experiments, versions of packages. That nothing has
changed since is seen in a tenth of it, from contents alone: times lie, after a checkout or a restored backup.
"""

from __future__ import annotations

import hashlib
import json
import os
import sys
from collections.abc import Iterable, Iterator
from pathlib import Path

from lib.base import project
from lib.chapters import execution
from lib.data import registry
from lib.engine import results, store

_MADE = {"__pycache__", ".ipynb_checkpoints"}


def current(names: Iterable[str]) -> dict[str, str | Exception]:
    """{chapter: its digest}, or why it has none: its code is no Python, an experiment cannot be imported.

    Raises:
        OSError: a file cannot be read.
    """
    state, place = _state(), execution.BUILD / ".digests.json"
    known, found = _known(place), dict[str, str | Exception]()
    for name in names:
        key = hashlib.sha256(state + execution.source(name).read_bytes()).hexdigest()
        if (entry := known.get(name)) and entry[0] == key:
            found[name] = entry[1]
            continue
        try:
            found[name] = digest = execution.digest(name)
            known[name] = [key, digest]
        except OSError:
            raise
        except Exception as error:  # whatever a chapter's code or an experiment does
            found[name] = error
    _remember(place, known)
    return found


def _state() -> bytes:
    """sha256 over all that a digest could read, but for the text of the chapter itself."""
    folders = (project.PACKAGE, results.FOLDER, execution.BOOK)
    files = {path: path.read_bytes() for folder in folders for path in _files(folder)}
    parts: list[object] = [
        [(str(path), hashlib.sha256(content).hexdigest()) for path, content in files.items()],
        _environment([*execution.BOOK.glob("*.md"), *files]),
        sorted(registry.digests().items()),
        sys.version,
        distributions(),
    ]
    return hashlib.sha256(repr(parts).encode()).digest()


def distributions() -> list[str]:
    """What is installed, with versions, by the names of the folders that say so."""
    folders = {path for entry in sys.path for path in Path(entry or ".").glob("*.*-info")}
    return sorted(path.name for path in folders)


def _files(folder: Path) -> Iterator[Path]:
    """In a fixed order; a chapter's prose is no other chapter's business."""
    for path in sorted(folder.rglob("*")):
        chapter = path.suffix == ".md" and path.parent == execution.BOOK
        if path.is_file() and not chapter and not _MADE & set(path.relative_to(folder).parts):
            yield path


def _environment(paths: Iterable[Path]) -> list[tuple[str, str]]:
    """The variables of the environment that code could read: those whose names occur in it."""
    code = b"\n".join(path.read_bytes() for path in paths if path.suffix in {".py", ".md"})
    return sorted(
        (name, value) for name, value in os.environ.items() if len(name) > 3 and name.encode() in code
    )


def _known(place: Path) -> dict[str, list[str]]:
    try:
        found = json.loads(place.read_text(encoding="utf-8"))
        digests = found["digests"]
        return dict(digests) if found["sha256"] == store.digest(digests) else {}
    except (OSError, ValueError, KeyError, TypeError):
        return {}


def _remember(place: Path, known: dict[str, list[str]]) -> None:
    """Write it down where that is possible: what cannot be remembered is found out again."""
    content = {"digests": known, "sha256": store.digest(known)}
    if place.parent.is_dir() and _known(place) != known and not place.is_dir():
        store.write(place, json.dumps(content).encode())
