"""What is made from a data set once and opened ever after: decoded arrays mapped into memory, unpacked files.

A cache is a folder of files and a note. The note names the digest of the source and the version of the maker;
if either differs, the folder is made anew. It is written aside and renamed, so it is whole or absent.
"""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Callable
from pathlib import Path
from tempfile import mkdtemp
from typing import TYPE_CHECKING, Any

import numpy as np
from filelock import FileLock

from lib.data import registry

if TYPE_CHECKING:  # the data scripts need no torch, and start in a fraction of a second without it
    from torch import Tensor

NOTE = "note.json"
Build = Callable[[Path], None]  # fills the folder that it is given


def folder(name: str, kind: str, version: int, build: Build, root: Path | None = None) -> Path:
    """The folder <root>/<name>/<kind>, filled by ``build(folder)`` unless it is there already and fits.

    Raises :class:`lib.data.registry.Missing` if the data set is not here.
    """
    source = registry.digest(name, root)
    if source is None:
        raise registry.Missing(f"{name} is not here. {registry.remedy(registry.get(name))}")
    place = (root or registry.root()) / name / kind
    wanted = {"source": source, "version": version}
    if not _fits(place, wanted):
        with FileLock(f"{place}.lock"):
            if not _fits(place, wanted):  # another process may have made it meanwhile
                _remake(place, wanted, build)
    return place


def arrays(
    name: str, version: int, build: Build, root: Path | None = None, kind: str = "decoded"
) -> dict[str, Tensor]:
    """The arrays that ``build(folder)`` writes as <key>.npy, as tensors mapped from disk, by key.

    The maps are copy-on-write: changing such a tensor in place never reaches the file.
    """
    import torch

    place = folder(name, kind, version, build, root)
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
        if known.get("source") != registry.digest(name, root):
            wrong.append(f"{place} was made from another file; it will be made anew")
            continue
        found = _digests(place)
        changed = sorted({key for key, _ in known["files"].items() ^ found.items()})
        advice = f"has changed since it was made; delete the folder {place.name}"
        wrong += [f"{place / key} {advice}" for key in changed]
    return wrong


def _remake(place: Path, wanted: dict[str, Any], build: Build) -> None:
    draft = Path(mkdtemp(prefix="making-", dir=place.parent))
    old = draft.with_name(draft.name + ".old")
    try:
        build(draft)
        (draft / NOTE).write_text(json.dumps(wanted | {"files": _digests(draft)}, indent=1))
        if place.exists():
            os.replace(place, old)
        os.replace(draft, place)
    finally:
        shutil.rmtree(draft, ignore_errors=True)
        shutil.rmtree(old, ignore_errors=True)


def _digests(place: Path) -> dict[str, str]:
    return {p.name: registry.sha256(p) for p in sorted(place.iterdir()) if p.is_file() and p.name != NOTE}


def _fits(place: Path, wanted: dict[str, Any]) -> bool:
    note = registry.remembered(place / NOTE)
    whole = all((place / key).exists() for key in note.get("files", ()))
    return whole and all(note.get(key) == value for key, value in wanted.items())
