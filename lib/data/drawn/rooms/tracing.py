"""Rays against solids: which surface each pixel sees, how far, and how that surface lies (exact, float64).

Each solid is mapped to the unit cube, cylinder or sphere. Its rays are affine in the pixel's position, so
they are formed by broadcasting, and only in the window of pixels where the solid can appear.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import cast

import numpy as np

from lib.data.drawn.rooms.solids import CLASSES, CYLINDER, FACES, SHELL, SPHERE, Scene

NEAR = 0.02  # metres; nothing closer to the camera is seen
TINY = 1e-30  # keeps a ray along the axis of a cylinder from dividing by zero


@dataclass(frozen=True)
class Pack:
    """The scene as arrays, one row a surface: the room's six faces first, then every solid.

    ``to_unit`` (K, 3, 3) and ``shift`` (K, 3) map the world to the unit shape, ``turn`` (K, 3, 3) turns its
    axes back to the world's, ``centre`` and ``half`` (K, 3) are its place and half extents.
    """

    scene: Scene
    shape: np.ndarray
    instance: np.ndarray
    semantic: np.ndarray
    centre: np.ndarray
    half: np.ndarray
    turn: np.ndarray
    to_unit: np.ndarray
    shift: np.ndarray
    eye: np.ndarray
    basis: np.ndarray

    def grid(self, height: int, width: int) -> tuple[np.ndarray, np.ndarray]:
        """The camera's grid of pixel centres."""
        x, y = self.scene.camera.grid(height, width)
        return x.astype(self.half.dtype), y.astype(self.half.dtype)


def pack(scene: Scene, dtype: type = np.float64) -> Pack:
    """Gather a scene into arrays of ``dtype``. Instances: walls 0-3, floor 4, ceiling 5, then the things."""
    parts = [(number, thing, s) for number, thing in enumerate(scene.things, 6) for s in thing.solids]
    middle = np.array(scene.size) / 2
    centre = np.array([middle] * 6 + [s.centre for _, _, s in parts])
    half = np.array([middle] * 6 + [s.half for _, _, s in parts])
    yaw = np.array([0.0] * 6 + [s.yaw for _, _, s in parts])
    turn = np.zeros((len(yaw), 3, 3))
    turn[:, 0, 0] = turn[:, 1, 1] = np.cos(yaw)
    turn[:, 1, 0] = np.sin(yaw)
    turn[:, 0, 1] = -turn[:, 1, 0]
    turn[:, 2, 2] = 1
    to_unit = turn.transpose(0, 2, 1) / half[:, :, None]
    labels = [*FACES, *(thing.label for _, thing, _ in parts)]
    return Pack(
        scene,
        shape=np.array([SHELL] * 6 + [s.shape for _, _, s in parts]),
        instance=np.array([*range(6), *(number for number, _, _ in parts)]),
        semantic=np.array([CLASSES.index(label) for label in labels]),
        centre=centre.astype(dtype),
        half=half.astype(dtype),
        turn=turn.astype(dtype),
        to_unit=to_unit.astype(dtype),
        shift=-np.einsum("kij,kj->ki", to_unit, centre).astype(dtype),
        eye=np.array(scene.camera.position, dtype),
        basis=scene.camera.basis().astype(dtype),
    )


@dataclass(frozen=True)
class Hits:
    """What the pixels see: z-depth and row of the pack (h, w); there, as (3, h, w), the point in the world
    and in the unit shape, and the outward normal in the world; the face's axis, 3 where it is round (h, w).
    """

    depth: np.ndarray
    row: np.ndarray
    point: np.ndarray
    unit: np.ndarray
    normal: np.ndarray
    axis: np.ndarray


def trace(packed: Pack, height: int, width: int) -> Hits:
    """The nearest surface through the centre of every pixel."""
    x, y = packed.grid(height, width)
    origin = packed.to_unit @ packed.eye + packed.shift
    step = packed.to_unit @ packed.basis.T  # columns: along x, along y, forward
    depth, row = _shell(origin[0], _rays(step[0], x, y))
    for k, (top, bottom, left, right) in _windows(packed, height, width):
        rays = _rays(step[k], x[left:right], y[top:bottom])
        enter, leave = interval(packed.shape[k], origin[k], rays)
        seen, seen_row = depth[top:bottom, left:right], row[top:bottom, left:right]
        closer = (enter <= leave) & (enter > NEAR) & (enter < seen)
        np.copyto(seen, enter, where=closer)
        seen_row[closer] = k
    return _surface(packed, depth, row, x, y)


def interval(shape: int, origin: np.ndarray, rays: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Where origin + t rays enters and leaves a unit shape; enter > leave (or NaN) where it misses.

    ``rays`` (3, ...) and ``origin`` (3,) or of the same shape, in the coordinates of the unit shape.
    """
    if origin.ndim == 1:
        origin = origin.reshape(3, *(1,) * (rays.ndim - 1))
    if shape == SPHERE:
        return _round(origin, rays)
    if shape == CYLINDER:
        side, caps = _round(origin[:2], rays[:2]), _slabs(origin[2:], rays[2:])
        return np.maximum(side[0], caps[0]), np.minimum(side[1], caps[1])
    return _slabs(origin, rays)


def _slabs(origin: np.ndarray, rays: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    with np.errstate(divide="ignore", invalid="ignore"):  # parallel to a face: infinite, as it should be
        inverse = 1 / rays
        low, high = (-1 - origin) * inverse, (1 - origin) * inverse
    return np.minimum(low, high).max(0), np.maximum(low, high, out=high).min(0)


def _round(origin: np.ndarray, rays: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    square = (rays * rays).sum(0) + TINY
    middle = (rays * -origin).sum(0) / square
    with np.errstate(invalid="ignore"):  # the root of a negative number, NaN, is a miss
        reach = np.sqrt(middle * middle - ((origin * origin).sum(0) - 1) / square)
    return middle - reach, middle + reach


def _rays(step: np.ndarray, x: np.ndarray, y: np.ndarray) -> np.ndarray:
    along, up, forward = step.T[:, :, None, None]
    return cast(np.ndarray, (along * x + forward) + up * y[:, None])


def _shell(origin: np.ndarray, rays: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    with np.errstate(divide="ignore"):
        leave = (np.copysign(1, rays) - origin[:, None, None]) / rays
    axis = leave.argmin(0)
    positive = np.take_along_axis(rays, axis[None], 0)[0] > 0
    return leave.min(0), 2 * axis + positive


def _windows(packed: Pack, height: int, width: int) -> list[tuple[int, tuple[int, ...]]]:
    """(row, (top, bottom, left, right)) of every solid that can be in the picture."""
    signs = np.array(np.meshgrid([-1, 1], [-1, 1], [-1, 1])).reshape(3, 8)
    centre, half = packed.centre[6:, :, None], packed.half[6:, :, None]  # of the solids, without the room
    corners = centre + packed.turn[6:] @ (half * signs)
    x, y, z = np.moveaxis(packed.basis @ (corners - packed.eye[:, None]), 1, 0)
    ahead = z.min(1) > NEAR
    z = np.maximum(z, NEAR)
    f = packed.scene.camera.focal(width)
    columns, rows = f * x / z + width / 2, height / 2 - f * y / z
    top, left = (np.where(ahead, v.min(1), 0) for v in (rows, columns))
    bottom, right = np.where(ahead, rows.max(1), height), np.where(ahead, columns.max(1), width)
    limits = (height, height, width, width)
    edges = [np.clip(v, 0, limit).astype(int) for v, limit in zip((top, bottom + 1, left, right + 1), limits)]
    seen = (z.max(1) > NEAR) & (edges[1] > edges[0]) & (edges[3] > edges[2])
    return [(k + 6, tuple(e[k] for e in edges)) for k in np.flatnonzero(seen).tolist()]


def _surface(packed: Pack, depth: np.ndarray, row: np.ndarray, x: np.ndarray, y: np.ndarray) -> Hits:
    right, upward, forward = packed.basis[:, :, None, None]
    point = packed.eye[:, None, None] + depth * (right * x + upward * y[:, None] + forward)
    cosine, sine = packed.turn[row, 0, 0], packed.turn[row, 1, 0]
    gap = point - packed.centre.T.take(row, 1)
    unit = np.stack([cosine * gap[0] + sine * gap[1], cosine * gap[1] - sine * gap[0], gap[2]])
    unit /= packed.half.T.take(row, 1)
    shape = packed.shape[row]
    axis = np.abs(unit).argmax(0)
    side = (shape == CYLINDER) & (unit[2] ** 2 < unit[0] ** 2 + unit[1] ** 2)
    axis = np.where((shape == SPHERE) | side, 3, np.where(shape == CYLINDER, 2, axis))
    flat = np.sign(unit) * (axis == np.arange(3)[:, None, None])
    p, q, up = np.where(axis == 3, unit, np.where(shape == SHELL, -flat, flat))
    normal = np.stack([cosine * p - sine * q, sine * p + cosine * q, np.where(side, 0, up)])
    normal /= np.sqrt((normal * normal).sum(0))
    return Hits(depth, row, point, unit, normal, axis)
