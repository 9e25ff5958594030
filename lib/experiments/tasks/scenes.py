"""Images with the labels of all fifteen tasks: drawn rooms, or NYU Depth v2 (Sec. 4.4)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import torch
from torch import Tensor
from torch.nn import functional

from lib.data import depth_maps, registry, rooms, task_labels
from lib.data.drawn import rooms as rendered_rooms
from lib.data.drawn.rooms import render
from lib.data.drawn.rooms.solids import CLASSES
from lib.data.task_labels import VOID
from lib.engine import runs

FIELDS = ("data", "images", "height", "width", "folds")  # of a config: all that `load` reads

# The usual reduction of NYUv2's 40 classes to 13: name -> positions among the 40 ("other prop", the last, is
# VOID here). Small things without a class of their own are "objects".
THIRTEEN: dict[str, tuple[int, ...]] = {
    "bed": (3,), "books": (22,), "ceiling": (21,), "chair": (4,), "floor": (1, 19),
    "furniture": (2, 9, 11, 14, 16, 23, 31, 38),
    "objects": (17, 18, 20, 25, 26, 27, 28, 29, 30, 32, 33, 34, 35, 36, 37),
    "picture": (10,), "sofa": (5,), "table": (6, 13), "television": (24,), "wall": (0, 7),
    "window": (8, 12, 15),
}  # fmt: skip
# Object: which of these covers the most pixels of a frame, or none.
OBJECTS: dict[str, int] = {
    "cabinet": 2, "bed": 3, "chair": 4, "sofa": 5, "table": 6, "bookshelf": 9, "counter": 11, "desk": 13,
    "shelves": 14, "dresser": 16,
}  # fmt: skip
# Scene: this copy of NYUv2 has no scene labels, so the first rule that fits gives one. A rule is a list of
# groups of classes, and each group must cover a hundredth of the frame.
SCENES: dict[str, tuple[tuple[int, ...], ...]] = {
    "bathroom": ((27, 32, 35),),  # shower curtain, toilet, bathtub
    "bedroom": ((3,),),  # bed
    "kitchen": ((23,),),  # refrigerator
    "kitchen, by its counter": ((11,), (2,)),  # counter and cabinet
    "living room": ((5,),),  # sofa
    "office": ((13, 29),),  # desk, whiteboard
    "dining room": ((6,), (4,)),  # table and chair
    "library": ((9, 14),),  # bookshelf, shelves
}
COVER = 0.01
SCENE_NAMES = [*dict.fromkeys(name.partition(",")[0] for name in SCENES), "other"]
NYUV2_CLASSES = {
    "Segmentation-Semantic": list(THIRTEEN),
    "Object-Classification": [*OBJECTS, "none of them"],
    "Scene-Classification": SCENE_NAMES,
}


@dataclass(frozen=True)
class Labelled:
    """rgb uint8 (N, 3, H, W), task -> labels (N, ...), task -> names of its classes where it has classes.

    `folds` are positions of images; neighbouring photographs are in the same one.
    """

    rgb: Tensor
    labels: dict[str, Tensor]
    classes: Mapping[str, Sequence[str]]
    folds: tuple[Tensor, ...]

    def __len__(self) -> int:
        return len(self.rgb)


def load(config: Any) -> Labelled:
    """The images of a run, in its size, with every label; kept in memory for the next call."""
    size = config.height, config.width
    if config.data == "drawn":
        return _drawn(config.images, size, config.folds)
    return _photographed(size, config.folds, registry.root())


def halves(scenes: Labelled, fold: int) -> tuple[Tensor, Tensor]:
    """(train, test) positions: a fold is tested on itself and trained on all others."""
    others = [f for k, f in enumerate(scenes.folds) if k != fold]
    return torch.cat(others), scenes.folds[fold]


def _maps(count: int, size: tuple[int, int]) -> dict[str, Tensor]:
    found = rendered_rooms.rooms(count, size=size)
    return {"rgb": found.rgb, **found.labels()}


@cache
def _drawn(count: int, size: tuple[int, int], folds: int) -> Labelled:
    maps = runs.step("", _maps, count, size)  # once for all jobs: no record counts its seconds
    classes = dict(zip(NYUV2_CLASSES, (CLASSES, render.OBJECTS, render.SCENES)))
    return Labelled(maps.pop("rgb"), maps, classes, tuple(torch.arange(count).tensor_split(folds)))


def photograph(row: int, size: tuple[int, int] = (48, 64)) -> tuple[Tensor, dict[str, Tensor]] | None:
    """One frame of NYUv2, uint8 (3, H, W), with its derived labels; None if the data set is not here."""
    if not registry.present("nyuv2"):
        return None
    rgb, labels = _derived(rooms.nyuv2().select(torch.tensor([row])), size)
    return rgb[0], {name: values[0] for name, values in labels.items()}


@cache
def _photographed(size: tuple[int, int], folds: int, root: Path) -> Labelled:
    found = rooms.nyuv2(root)
    rgb, labels = _derived(found, size)
    return Labelled(rgb, labels, NYUV2_CLASSES, tuple(rooms.folds(found, folds)))


def _derived(found: rooms.Rooms, size: tuple[int, int]) -> tuple[Tensor, dict[str, Tensor]]:
    """Frames in another size, and what image, depth and classes say of them: all fifteen tasks."""
    rgb = _shrunk(found.rgb.float(), size).round().to(torch.uint8)
    depth = _shrunk(found.metres()[:, None], size)[:, 0]
    semantic = functional.interpolate(found.classes[:, None].float(), size, mode="nearest-exact")[:, 0]
    return rgb, task_labels.labels(
        rgb, **task_labels.from_depth(depth, *depth_maps.nyuv2_camera(*size)),
        semantic=thirteen(semantic.to(torch.uint8)), scene=scene(found.classes),
        object=task_labels.dominant(found.classes, list(OBJECTS.values())),
    )  # fmt: skip


def thirteen(semantic: Tensor) -> Tensor:
    """NYUv2's classes as positions in THIRTEEN, VOID where there is none; any shape."""
    table = torch.full((256,), VOID)
    for position, members in enumerate(THIRTEEN.values()):
        table[list(members)] = position
    return table[semantic.long()]


def scene(semantic: Tensor) -> Tensor:
    """The first rule of SCENES that a frame's classes (N, H, W) satisfy, int64 (N,) into SCENE_NAMES."""

    def covered(group: tuple[int, ...]) -> Tensor:
        found = torch.isin(semantic, torch.tensor(group, dtype=semantic.dtype))
        return found.flatten(1).float().mean(1) > COVER

    found = torch.full((len(semantic),), len(SCENE_NAMES) - 1)
    for name, groups in reversed(SCENES.items()):
        fits = torch.stack([covered(group) for group in groups]).all(0)
        found[fits] = SCENE_NAMES.index(name.partition(",")[0])
    return found


def _shrunk(maps: Tensor, size: tuple[int, int]) -> Tensor:
    """The mean over each new pixel's area."""
    return functional.interpolate(maps, size, mode="area")
