"""Rooms as images and exact maps: one function from (seed, index) to everything known about a picture."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import Tensor

from lib.data import task_labels
from lib.data.drawn import whole
from lib.data.drawn.rooms.kinds import KINDS
from lib.data.drawn.rooms.layout import scene
from lib.data.drawn.rooms.shading import picture
from lib.data.drawn.rooms.solids import CLASSES, FURNITURE, SPHERE, Scene
from lib.data.drawn.rooms.tracing import Hits, Pack, pack, trace

SCENES = tuple(KINDS)
OBJECTS = (*FURNITURE, "nothing")


@dataclass(frozen=True)
class RenderedRooms:
    """N rooms of (H, W) pixels; every map is exact at the centre of its pixel.

    The camera frame has x to the right, y up and z towards the viewer, in metres.
    """

    rgb: Tensor  # uint8 (N, 3, H, W)
    depth: Tensor  # float32 (N, H, W): z-depth in metres
    distance: Tensor  # float32 (N, H, W): Euclidean distance from the camera in metres
    normals: Tensor  # float32 (N, 3, H, W): unit, in the camera frame, towards the viewer
    curvature: Tensor  # float32 (N, 2, H, W): principal curvatures in 1/m, larger first, convex positive
    instance: Tensor  # int64 (N, H, W): walls 0 to 3, floor 4, ceiling 5, then each thing
    semantic: Tensor  # int64 (N, H, W) into classes
    scene: Tensor  # int64 (N,) into scenes: decides what furniture there is
    object: Tensor  # int64 (N,) into objects: the kind of furniture with the most pixels
    focal: Tensor  # float32 (N,): focal length in pixels; the principal point is the image's centre
    classes: tuple[str, ...] = CLASSES
    scenes: tuple[str, ...] = SCENES
    objects: tuple[str, ...] = OBJECTS

    def __len__(self) -> int:
        return len(self.scene)

    def labels(self, tasks: Sequence[str] | None = None) -> dict[str, Tensor]:
        """Labels of the fifteen tasks, or of those named: see :func:`lib.data.task_labels.labels`."""
        known = ("rgb", "depth", "distance", "normals", "curvature", "focal", "semantic", "object", "scene")
        return task_labels.labels(**{name: getattr(self, name) for name in known}, tasks=tasks)


def rooms(
    n_or_indices: int | Iterable[int], *, size: tuple[int, int] = (48, 64), seed: int = 0, samples: int = 2
) -> RenderedRooms:
    """Render rooms 0 .. n-1, or the rooms with these indices, of the world ``seed``; ``size`` is (H, W).

    Room i depends on (seed, i) only. The photograph takes samples^2 rays a pixel, the maps one.
    Raises TypeError for what is not an int, ValueError for no room, a negative index, a side below 8 pixels
    or samples below 1.
    """
    indices = _indices(n_or_indices)
    height, width = (whole("a side of size", side, 8) for side in size)
    whole("samples", samples, 1)
    whole("seed", seed)
    done = (render(scene(seed, index), height, width, samples) for index in indices)
    maps: dict[str, np.ndarray] = {}
    for i, room in enumerate(done):
        for key, value in room.items():
            maps.setdefault(key, np.empty((len(indices), *value.shape), value.dtype))[i] = value
    tensors: dict[str, Any] = {key: torch.from_numpy(value) for key, value in maps.items()}
    furniture = range(len(CLASSES) - len(FURNITURE), len(CLASSES))
    return RenderedRooms(**tensors, object=task_labels.dominant(tensors["semantic"], furniture))


def render(room: Scene, height: int, width: int, samples: int = 2) -> dict[str, np.ndarray]:
    """One room as the arrays of :class:`RenderedRooms`, all but ``object``, without their first axis."""
    packed = pack(room)
    hits = trace(packed, height, width)
    basis = packed.basis * np.array([1.0, 1.0, -1.0])[:, None]  # forward becomes backward: z to the viewer
    x, y = packed.grid(height, width)
    maps = {
        "rgb": picture(room, height, width, samples),
        "depth": hits.depth,
        "distance": hits.depth * np.sqrt(1 + x * x + (y * y)[:, None]),
        "normals": np.tensordot(basis, hits.normal, 1),
        "curvature": _curvature(packed, hits),
        "instance": packed.instance[hits.row],
        "semantic": packed.semantic[hits.row],
        "scene": np.array(SCENES.index(room.kind)),
        "focal": np.array(room.camera.focal(width)),
    }
    return {key: v.astype(np.float32) if v.dtype == np.float64 else v for key, v in maps.items()}


def _curvature(packed: Pack, hits: Hits) -> np.ndarray:
    """(1/r, 1/r) on a sphere, (1/r, 0) on a cylinder's side, 0 on whatever is flat; edges are left out."""
    shape, round_ = packed.shape[hits.row], hits.axis == 3
    bend = 1 / packed.half[hits.row, 0]
    return np.stack([np.where(round_, bend, 0), np.where(round_ & (shape == SPHERE), bend, 0)])


def _indices(n_or_indices: int | Iterable[int]) -> list[int]:
    if isinstance(n_or_indices, int):
        return list(range(whole("the number of rooms", n_or_indices, 1)))
    found = n_or_indices.tolist() if isinstance(n_or_indices, Tensor) else list(n_or_indices)
    if not found:
        raise ValueError("no room is asked for: give a number of rooms, at least 1, or their indices")
    return [whole("an index", index, 0) for index in found]
