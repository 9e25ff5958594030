"""What is made from a data set once and opened ever after: decoded arrays mapped into memory, unpacked files.

A cache is a folder of files and a note. The note names the digests of the source, of the code that made it
and of every file. If one differs, the folder is made anew; a process looks at the files' digests once, and
again when a file's length or time changes. It is written aside and renamed, so it is whole or absent.
"""

from __future__ import annotations

import json
import os
import shutil
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from filelock import FileLock

from lib.base import fingerprint
from lib.data import registry

if TYPE_CHECKING:  # the data scripts need no torch, and start in a fraction of a second without it
    from torch import Tensor

NOTE, DRAFT = "note.json", "making-"
FORM = 1  # of the note
Build = Callable[[Path], None]  # fills the folder that it is given


def folder(name: str, kind: str, build: Build, root: Path | None = None, settings: object = ()) -> Path:
    """The folder <root>/<name>/<kind>, filled by ``build(folder)`` unless it is there already and fits.

    ``settings`` is all that ``build`` depends on besides its code and the data set; its repr must be stable.
    A folder that was damaged is made again, with a warning. Raises :class:`lib.data.registry.Missing` if the
    data set is not here.
    """
    source = registry.digest(name, root)
    if source is None:
        raise registry.Missing(f"{name} is not here. {registry.remedy(registry.get(name))}")
    place = (root or registry.root()) / name / kind
    code = fingerprint.digest(Path(build.__code__.co_filename))
    wanted = {"source": source, "version": FORM, "code": code, "settings": repr(settings)}
    if not _fits(place, wanted):
        with FileLock(f"{place}.lock"):
            if not _fits(place, wanted):  # another process may have made it meanwhile
                if _made_from(place, wanted):
                    warnings.warn(f"{name}/{kind} was damaged; it is made again", stacklevel=3)
                _remake(place, wanted, build)
    return place


def arrays(
    name: str, build: Build, root: Path | None = None, kind: str = "decoded", settings: object = ()
) -> dict[str, Tensor]:
    """The arrays that ``build(folder)`` writes as <key>.npy, as tensors mapped from disk, by key.

    The maps are copy-on-write: changing such a tensor in place never reaches the file.
    """
    import torch

    place = folder(name, kind, build, root, settings)
    return {p.stem: torch.from_numpy(np.load(p, mmap_mode="c")) for p in sorted(place.glob("*.npy"))}


def lines(name: str, file: str, root: Path | None = None) -> list[str]:
    """The lines of a text that was written beside the arrays."""
    return ((root or registry.root()) / name / "decoded" / file).read_text().split("\n")


def new(folder: Path, key: str, shape: tuple[int, ...], dtype: type | str = np.uint8) -> np.memmap:
    """A fresh <key>.npy of zeros, to be filled in place: the decoded set is never held in memory."""
    return np.lib.format.open_memmap(folder / f"{key}.npy", mode="w+", dtype=dtype, shape=shape)


def problems(name: str, root: Path | None = None) -> list[str]:
    """What is wrong with what was made from a data set, every byte hashed again; empty if all is well."""
    wrong = []
    for note in sorted(((root or registry.root()) / name).glob(f"*/{NOTE}")):
        place, known = note.parent, registry.remembered(note)
        if place.name.startswith(DRAFT):
            continue
        if known.get("source") != registry.digest(name, root):
            wrong.append(f"{place} was made from another file; it will be made anew")
            continue
        files, found = known.get("files"), _digests(place)
        listed = files if isinstance(files, dict) else {}
        changed = sorted(key for key in listed.keys() | found if listed.get(key) != found.get(key))
        advice = f"has changed since it was made; delete the folder {place.name}"
        wrong += [f"{place / key} {advice}" for key in changed]
    return wrong


def _remake(place: Path, wanted: dict[str, Any], build: Build) -> None:
    """Make the folder, whose lock is held: drafts of its name are those of makers that were killed."""
    draft, old = (place.with_name(f"{DRAFT}{place.name}{end}") for end in ("", ".old"))
    shutil.rmtree(draft, ignore_errors=True)
    shutil.rmtree(old, ignore_errors=True)
    draft.mkdir()
    try:
        build(draft)
        (draft / NOTE).write_text(json.dumps(wanted | {"files": _digests(draft)}, indent=1))
        if place.exists():
            os.replace(place, old)
        os.replace(draft, place)
    finally:
        shutil.rmtree(draft, ignore_errors=True)
        shutil.rmtree(old, ignore_errors=True)


def _files(place: Path) -> list[Path]:
    return [p for p in sorted(place.iterdir()) if p.is_file() and p.name != NOTE]


def _digests(place: Path) -> dict[str, str]:
    return {p.name: registry.sha256(p) for p in _files(place)}


def _made_from(place: Path, wanted: dict[str, Any]) -> bool:
    note = registry.remembered(place / NOTE)
    return all(note.get(key) == value for key, value in wanted.items())


_whole: dict[Path, list[tuple[str, int, int]]] = {}  # folders whose digests this process has looked at


def _fits(place: Path, wanted: dict[str, Any]) -> bool:
    if not _made_from(place, wanted):
        return False
    files = [place / NOTE, *_files(place)]
    stamps = [(p.name, p.stat().st_size, p.stat().st_mtime_ns) for p in files]
    if _whole.get(place) != stamps:
        if registry.remembered(place / NOTE).get("files") != _digests(place):
            return False
        _whole[place] = stamps
    return True
