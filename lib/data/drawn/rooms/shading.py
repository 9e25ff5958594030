"""Colour of what the pixels see: Lambert's law under one lamp, soft shadows, and light from everywhere."""

from __future__ import annotations

from typing import cast

import numpy as np

from lib.data.drawn.rooms.solids import Scene
from lib.data.drawn.rooms.textures import mix
from lib.data.drawn.rooms.tracing import Hits, Pack, interval, pack, trace

BIAS = 1e-3  # share of the way to the lamp that a surface may not shade itself
EXPOSURE = 0.36  # mean luminance before the film
GREY = np.array([0.2126, 0.7152, 0.0722])  # luminance of linear red, green, blue


def picture(scene: Scene, height: int, width: int, samples: int) -> np.ndarray:
    """The photograph, uint8 (3, height, width): the mean of samples^2 rays a pixel, exposed, gamma 2.2.

    The rays of a pixel look at different points of the lamp, which softens the shadows.
    """
    packed = pack(scene, np.float32)  # colours need no more
    hits = trace(packed, samples * height, samples * width)
    reflectance, glow = _materials(packed, hits, scene.camera.focal(samples * width))
    light = reflectance * (_lamp(packed, hits, samples) + _everywhere(packed, hits)) + glow * reflectance
    light = light.reshape(3, height, samples, width, samples).mean((2, 4))
    exposure = EXPOSURE / np.tensordot(GREY, light, 1).mean()
    return np.round(255 * _film(exposure * light)).astype(np.uint8)


def _film(light: np.ndarray) -> np.ndarray:
    """Response of the camera: highlights are compressed, so that windows do not burn out at once."""
    return cast(np.ndarray, (light * (1 + light / 6.25) / (1 + light)).clip(0, 1) ** (1 / 2.2))


def _materials(packed: Pack, hits: Hits, focal: float) -> tuple[np.ndarray, np.ndarray]:
    """Reflectance (3, h, w) and glow (h, w)."""
    scene = packed.scene
    materials = [*scene.faces, *(s.material for thing in scene.things for s in thing.solids)]
    u, v, a, b = _coordinates(packed, hits)
    away = hits.point - packed.eye[:, None, None]
    slant = np.abs((hits.normal * away).sum(0)) / np.sqrt((away * away).sum(0))
    footprint = hits.depth / focal / np.maximum(slant, 0.05)
    share, tone = np.zeros_like(u), np.ones_like(u)
    for row in np.unique(hits.row):
        material = materials[row]
        if material.pattern != "plain":
            at = np.nonzero(hits.row == row)
            found = mix(material.pattern, material.scale, u[at], v[at], a[at], b[at], footprint[at])
            share[at], tone[at] = found
    first = np.array([m.colour for m in materials], np.float32).T.take(hits.row, 1)
    second = np.array([m.second for m in materials], np.float32).T.take(hits.row, 1)
    glow = np.array([m.glow for m in materials], np.float32).take(hits.row)
    return (first + (second - first) * share) * tone, glow


def _coordinates(packed: Pack, hits: Hits) -> tuple[np.ndarray, ...]:
    """u, v in metres along the surface and a, b in -1..1 within the face; around round ones u goes around."""
    half = packed.half.T.take(hits.row, 1)
    metres = hits.unit * half
    a = np.where(hits.axis == 0, hits.unit[1], hits.unit[0])
    b = np.where(hits.axis == 2, hits.unit[1], hits.unit[2])
    u = np.where(hits.axis == 0, metres[1], metres[0])
    v = np.where(hits.axis == 2, metres[1], metres[2])
    around = np.arctan2(hits.unit[1], hits.unit[0]) * half[0]
    return np.where(hits.axis == 3, around, u), v, a, b


def _lamp(packed: Pack, hits: Hits, samples: int) -> np.ndarray:
    """Light (3, h, w) that arrives from the lamp: Lambert's cosine, inverse square, shadows."""
    light = packed.scene.light
    target = _lamp_points(packed, hits.depth.shape, samples)
    way = target - hits.point
    square = (way * way).sum(0)
    cosine = np.maximum((hits.normal * way).sum(0), 0) / np.sqrt(square)
    arrives = cosine / (square + 0.5) * ~_shadow(packed, hits.point, target)
    return cast(np.ndarray, np.array(light.colour, np.float32)[:, None, None] * arrives)


def _lamp_points(packed: Pack, shape: tuple[int, ...], samples: int) -> np.ndarray:
    """(3, h, w): each of a pixel's rays aims at a point of its own on a disc inside the lamp."""
    light = packed.scene.light
    number = np.arange(samples * samples)
    angle, reach = 2.4 * number, np.sqrt((number + 0.5) / number.size) * light.radius
    disc = np.array([reach * np.cos(angle), reach * np.sin(angle), 0 * reach]) * (samples > 1)
    points = (np.array(light.position)[:, None] + disc).reshape(3, samples, samples).astype(np.float32)
    return np.tile(points, (1, shape[0] // samples, shape[1] // samples))


def _shadow(packed: Pack, point: np.ndarray, target: np.ndarray) -> np.ndarray:
    casts = [6 + i for i, s in enumerate(s for t in packed.scene.things for s in t.solids) if s.casts]
    dark = np.zeros(point[0].size, bool)
    start, end = point.reshape(3, -1), target.reshape(3, -1)
    for k in casts:
        origin = packed.to_unit[k] @ start + packed.shift[k][:, None]
        rays = packed.to_unit[k] @ end + packed.shift[k][:, None] - origin
        enter, leave = interval(packed.shape[k], origin, rays)
        dark |= (enter <= leave) & (leave > BIAS) & (enter < 1)
    return dark.reshape(point[0].shape)


def _everywhere(packed: Pack, hits: Hits) -> np.ndarray:
    """Light from everywhere (h, w): more from above, less in the corners of the room."""
    size = np.array(packed.scene.size, np.float32)[:, None, None]
    gap = np.minimum(hits.point, size - hits.point)
    open_ = 1 - 0.35 * np.exp(-np.maximum(gap, 0) / 0.3)
    return cast(np.ndarray, packed.scene.light.ambient * (0.75 + 0.25 * hits.normal[2]) * open_.prod(0))
