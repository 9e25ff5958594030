"""Rooms and tasks (Sec. 4.4): NYU Depth v2, Taskonomy's published affinities, the task-bank weights."""

from __future__ import annotations

import csv
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Any

import numpy as np
import torch
from torch import Tensor

from lib.data import cache, registry, splits
from lib.data.formats import archives, unpickle
from lib.data.formats.pixels import grey, rgb
from lib.data.task_labels import TASKS, VOID

UNITS = 102.0  # stored depth a metre
BLOCK = 20  # neighbouring frames often show the same room: they stay together


@dataclass(frozen=True)
class Rooms:
    """rgb uint8 (N, 3, 120, 160); depth int16 in 1/102 m, classes uint8 (N, 120, 160); frame numbers (N,)."""

    rgb: Tensor
    depth: Tensor
    classes: Tensor
    frames: Tensor

    def __len__(self) -> int:
        return len(self.frames)

    def metres(self, index: Tensor | slice = slice(None)) -> Tensor:
        """Depth in metres, float32; the source has steps of 4 cm."""
        return self.depth[index].float() / UNITS

    def select(self, index: Tensor) -> Rooms:
        """The rooms at these positions, copied out of the map."""
        return Rooms(self.rgb[index], self.depth[index], self.classes[index], self.frames[index])


def nyuv2(root: Path | None = None) -> Rooms:
    """The 1,449 labelled frames of NYU Depth v2 in the order of their numbers.

    Class 39 of the 40 stands for "other" and for unlabelled pixels at once, and becomes VOID.
    """

    def build(folder: Path) -> None:
        archive = registry.path("nyuv2", root=root)
        frames = sorted(int(PurePosixPath(n).stem) for n in archives.names(archive) if "/rgb/" in n)
        if len(frames) != registry.get("nyuv2").items:
            raise registry.Corrupt(
                f"{archive} has {len(frames):,} frames, not {registry.get('nyuv2').items:,}"
            )
        place = {frame: row for row, frame in enumerate(frames)}
        number = len(frames)
        images = cache.new(folder, "rgb", (number, 3, 120, 160))
        depth = cache.new(folder, "depth", (number, 120, 160), np.int16)
        classes = cache.new(folder, "classes", (number, 120, 160))
        for name, content in archives.members(archive, lambda n: n.endswith((".jpg", ".png"))):
            kind, row = PurePosixPath(name).parent.name, place[int(PurePosixPath(name).stem)]
            if kind == "rgb":
                images[row] = rgb(content)
            elif kind == "depth":
                depth[row] = grey(content)
            else:
                label = grey(content)
                classes[row] = np.where(label == 39, VOID, label)
        for array in (images, depth, classes):
            array.flush()
        np.save(folder / "frames.npy", np.array(frames))

    return Rooms(**cache.arrays("nyuv2", build, root))


def folds(rooms: Rooms, number: int = 2, seed: int = 0) -> list[Tensor]:
    """Positions of each fold: blocks of 20 neighbouring frames are dealt, so that few rooms are in two folds.

    With two folds each model is tested on the other's half, and every frame is a test frame once.
    """
    frames = {f"{frame:04d}": frame // BLOCK for frame in rooms.frames.tolist()}
    place = {f"{frame:04d}": row for row, frame in enumerate(rooms.frames.tolist())}
    return [torch.tensor([place[item] for item in fold]) for fold in splits.folds(frames, number, seed)]


def affinities(
    table: str = "affinity_16k", root: Path | None = None
) -> dict[tuple[tuple[str, ...], str], float]:
    """(source tasks, target task) -> value, from one of the nine published tables; higher is a better source.

    Values may be compared within one target of one table only.
    """
    with open(registry.path("taskonomy_affinity", root=root), encoding="utf-8", newline="") as stream:
        rows = list(csv.DictReader(stream))
    if table not in (known := sorted({row["table"] for row in rows})):
        raise ValueError(f"the published tables are {', '.join(known)}; got {table!r}")
    chosen = (row for row in rows if row["table"] == table)
    return {(tuple(r["source_tasks"].split("+")), r["target_task"]): float(r["value"]) for r in chosen}


def published(
    file: str = "all_affinities_16k.pkl", root: Path | None = None
) -> dict[tuple[tuple[str, ...], str], float]:
    """The same as :func:`affinities`, from a pickle as published: {"source__...__target": value}."""
    found = unpickle.loads(registry.path("taskonomy_pickles", file, root).read_bytes(), "latin1")
    rows = {tuple(key.split("__")): float(value) for key, value in found.items()}
    return {(names[:-1], names[-1]): value for names, value in rows.items()}


def first_order(table: str = "affinity_16k", root: Path | None = None) -> Tensor:
    """The paper's fifteen tasks as (source, target), float64 (15, 15), in their order.

    affinity_main has no class_places; the 16k and 1k tables have all fifteen. Raises ValueError for a gap.
    """
    values = affinities(table, root)
    names = [task.published for task in TASKS]
    if gaps := [f"{s} to {t}" for s in names for t in names if ((s,), t) not in values]:
        raise ValueError(f"{table} lacks {len(gaps)} of the 225 pairs, first {gaps[0]}; affinity_16k has all")
    return torch.tensor(
        [[values[(source,), target] for target in names] for source in names], dtype=torch.float64
    )


def task_bank(name: str, root: Path | None = None) -> Any:
    """The published weights of "<task>_encoder" or "<task>_decoder": tensors only, read with weights_only."""
    return torch.load(registry.path("taskbank", f"{name}.pth", root), map_location="cpu", weights_only=True)
