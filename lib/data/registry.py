"""Where the data sets are, and whether they are what they should be.

Everything lies under one root, ``<root>/<data set>/<file>``: ``data/`` in the project, or the folder named by
the environment variable TRANSFER_DATA. The list itself is :mod:`lib.data.catalogue`.
"""

from __future__ import annotations

import hashlib
import json
import os
import warnings
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from lib.base import project
from lib.data.catalogue import CATALOGUE
from lib.data.entry import Dataset, File

__all__ = ["CATALOGUE", "Corrupt", "Dataset", "File", "Missing"]

Record = dict[str, dict[str, Any]]
AGAIN = "Fetch it again with --force, or delete it."
RECORD = "checksums.json"  # beside the files: sha256, bytes and modification time of each, as last hashed
ENTRY = {"first": str, "sha256": str, "bytes": int, "mtime_ns": int}


class Missing(FileNotFoundError):
    """A data set is not here; the message says which command brings it."""


class Corrupt(ValueError):
    """A file is not the one that was published or first downloaded."""


def root() -> Path:
    """The folder of all data sets: TRANSFER_DATA, else ``data/`` of the project or of the working folder."""
    if named := os.environ.get("TRANSFER_DATA"):
        return Path(named).expanduser()
    return project.ROOT / "data"


def get(name: str) -> Dataset:
    """The entry called ``name``; ValueError lists the known names."""
    if name not in CATALOGUE:
        raise ValueError(f"no data set is called {name!r}; known: {', '.join(sorted(CATALOGUE))}")
    return CATALOGUE[name]


@dataclass(frozen=True)
class Needed:
    """A data set that a run reads, as the engine asks about it (`lib.engine.experiment.DataSet`)."""

    name: str

    @property
    def items(self) -> int:
        """How many it holds."""
        return get(self.name).items

    def digest(self) -> str | None:
        """sha256 of what is here, None if it is absent."""
        return digest(self.name)

    def remedy(self) -> str:
        """The sentence that tells how to get it."""
        return remedy(get(self.name))


def needed(*names: str) -> tuple[Needed, ...]:
    """The data sets of these names, each once: what an experiment's `datasets` returns."""
    return tuple(Needed(get(name).name) for name in dict.fromkeys(names))


def for_use(use: str) -> list[Dataset]:
    """Entries used by "images/reduced", or by a whole preset ("reduced") or experiment ("images")."""
    return [d for d in CATALOGUE.values() if any(use == u or use in u.split("/") for u in d.used_by)]


def location(name: str, file: str | None = None, root: Path | None = None) -> Path:
    """Where a file is or would be; ``file`` may be left out where there is one. Nothing is checked."""
    entry = get(name)
    if entry.packaged:
        return _packaged(entry.packaged)
    names = [f.name for f in entry.files]
    file = names[0] if file is None and len(names) == 1 else file
    if file not in names:
        raise ValueError(f"{name} has the files {', '.join(names)}; got {file!r}")
    return Path(root or globals()["root"]()) / name / file


def present(name: str, root: Path | None = None) -> bool:
    """True if every file of the data set is here with its known length. Nothing is hashed."""
    entry = get(name)
    if entry.packaged:
        return _packaged(entry.packaged).exists()
    paths = [(f, location(name, f.name, root)) for f in entry.files]
    return all(p.is_file() and (not f.bytes or p.stat().st_size == f.bytes) for f, p in paths)


def digest(name: str, root: Path | None = None) -> str | None:
    """sha256 of what is here, None if it is absent or cut short; of several files, the sha256 of their list.

    A file is hashed once and again whenever its length or modification time changes.
    """
    if not present(name, root):
        return None
    entry = get(name)
    if entry.packaged:
        place = _packaged(entry.packaged)
        return (
            sha256(place)
            if place.is_file()
            else _joined([(p.name, sha256(p)) for p in place.rglob("*") if p.is_file()])
        )
    found = [(f.name, file_digest(location(name, f.name, root))) for f in entry.files]
    return found[0][1] if len(found) == 1 else _joined(found)


def digests(root: Path | None = None) -> dict[str, str | None]:
    """The digest of every data set, None for what is absent: what a page about all of them depends on."""
    return {name: digest(name, root) for name in CATALOGUE}


def path(name: str, file: str | None = None, root: Path | None = None) -> Path:
    """The file, present and verified: what every loader opens.

    Raises :class:`Missing` if it is not here and :class:`Corrupt` if it is not what it should be.
    """
    place = location(name, file, root)
    if not place.exists():
        raise Missing(f"{name}: {place} is not here. {remedy(get(name))}")
    if not get(name).packaged:
        stamp = place, place.stat().st_size, place.stat().st_mtime_ns
        verify(next(f for f in get(name).files if f.name == place.name), place, afresh=stamp not in _opened)
        _opened.add(stamp)
    return place


_opened: set[tuple[Path, int, int]] = set()  # files that this process has hashed itself: times can lie


def verify(file: File, place: Path, *, afresh: bool = False) -> str:
    """sha256 of a file in its place, after comparing it with the registry and with its first download.

    ``afresh`` hashes again even if length and time have not changed. Raises :class:`Corrupt`.
    """
    found = file_digest(place, afresh=afresh)
    first = _record(place).get(place.name, {}).get("first", found)
    compare(file, place, found)
    if not file.digest and found != first:
        raise Corrupt(f"{place}: sha256 is {found}, but the first download had {first}. {AGAIN}")
    return found


def compare(file: File, place: Path, sha: str | None = None) -> None:
    """Raise :class:`Corrupt` unless length and digest are the published ones, as far as they are known."""
    size = place.stat().st_size
    if file.bytes and size != file.bytes:
        raise Corrupt(f"{place} has {size:,} bytes, but {file.bytes:,} were published. {AGAIN}")
    kind, _, wanted = file.digest.partition(":")
    found = sha if sha and kind == "sha256" else sha256(place, kind) if kind else wanted
    if found != wanted:
        raise Corrupt(f"{place}: {kind} is {found}, but {wanted} was published. {AGAIN}")


def remedy(entry: Dataset) -> str:
    """The sentence that tells how to get a data set."""
    if entry.packaged:
        return f"Install the package {entry.packaged.partition(':')[0]}, which ships it."
    if entry.manual:
        return f"{entry.manual} Then: {entry.command} --mirror FOLDER (the folder with the files)."
    if any(not f.url for f in entry.files):
        return f"Take it from a folder that has it: {entry.command} --mirror FOLDER."
    return f"Fetch it: {entry.command}"


def file_digest(place: Path, *, afresh: bool = False) -> str:
    """sha256 of one file, remembered beside it under its length and modification time."""
    stat, record = place.stat(), _record(place)
    known = record.get(place.name, {})
    if not afresh and (known.get("bytes"), known.get("mtime_ns")) == (stat.st_size, stat.st_mtime_ns):
        return str(known["sha256"])
    found = sha256(place)
    entry = {"sha256": found, "bytes": stat.st_size, "mtime_ns": stat.st_mtime_ns}
    _write_record(place, record | {place.name: {"first": known.get("first", found)} | entry})
    return found


def forget(place: Path) -> None:
    """Drop what is remembered about a file, its first digest too (before it is replaced on purpose)."""
    _write_record(place, {k: v for k, v in _record(place).items() if k != place.name})


def sha256(place: Path, kind: str = "sha256") -> str:
    """Hexadecimal digest of a file's bytes."""
    with open(place, "rb") as stream:
        return hashlib.file_digest(stream, kind).hexdigest()


def remembered(note: Path) -> dict[str, Any]:
    """What a file of json holds, {} if it is absent or damaged: everything is then hashed or made again.

    A file that holds no json object gives a warning.
    """
    try:
        found = json.loads(note.read_text())
    except OSError:
        return {}
    except (ValueError, RecursionError):
        found = None
    if not isinstance(found, dict):
        warnings.warn(f"{_short(note)} is damaged; it is written anew", stacklevel=2)
        return {}
    return found


def _record(place: Path) -> Record:
    """What is remembered about the files of a folder, each entry whole; others are dropped with a warning."""
    note = place.parent / RECORD
    found = remembered(note)
    whole = {name: entry for name, entry in found.items() if _is_whole(entry)}
    if cut := sorted(found.keys() - whole):
        warnings.warn(f"{_short(note)}: what it says of {', '.join(cut)} is damaged", stacklevel=2)
    return whole


def _is_whole(entry: object) -> bool:
    return isinstance(entry, dict) and all(isinstance(entry.get(key), kind) for key, kind in ENTRY.items())


def _short(note: Path) -> str:
    return f"{note.parent.name}/{note.name}"  # a warning is shown on pages, where no machine's path belongs


def _write_record(place: Path, record: Record) -> None:
    target = place.parent / RECORD
    draft = target.with_name(f"{RECORD}.{os.getpid()}")
    try:
        draft.write_text(json.dumps(record, indent=1, sort_keys=True))
        os.replace(draft, target)
    except OSError:
        draft.unlink(missing_ok=True)  # a read-only root: hash every time


def _joined(parts: list[tuple[str, str]]) -> str:
    return hashlib.sha256("\n".join(f"{n} {d}" for n, d in sorted(parts)).encode()).hexdigest()


def _packaged(where: str) -> Path:
    package, _, inside = where.partition(":")
    spec = find_spec(package)  # of a top-level package: nothing is imported
    if spec is None or spec.origin is None:
        return Path(package) / inside / "not installed"
    return Path(spec.origin).parent / inside
