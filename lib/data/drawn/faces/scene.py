"""The picture from back to front: wall, shoulders, hair, head, hat and glasses, and the camera.

Every layer is lit and painted over the canvas (N, 3, H, W) in linear light.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import SimpleNamespace
from typing import cast

import numpy as np
from numpy.typing import NDArray

from lib.data.drawn.faces import chance, features, hair, head, sitters
from lib.data.drawn.faces.head import Light
from lib.data.drawn.faces.paint import Array, colour, cover, hue, mix, over, spot

TOGETHER = 2**15  # pixels rendered in one go: what a core's cache holds


def album(
    seed: int, identity: NDArray[np.int64], image: NDArray[np.int64], size: int, fixed: Mapping[str, bool]
) -> tuple[NDArray[np.uint8], NDArray[np.bool_]]:
    """Images (N, 3, size, size) and attributes (N, A) of these people and the numbers of their images."""
    people, attributes = sitters.sit(seed, identity, image, fixed)
    images = np.empty((len(identity), 3, size, size), np.uint8)
    place = np.arange(size * size).reshape(1, size, size)
    step = max(1, TOGETHER // size**2)
    for start in range(0, len(identity), step):
        at = slice(start, start + step)
        random = chance.bits(seed, "noise", identity[at, None, None], image[at, None, None], place)
        images[at] = develop(sitters.part(people, at), size, random)
    return images, attributes


def develop(s: SimpleNamespace, size: int, random: NDArray[np.uint64]) -> NDArray[np.uint8]:
    """The images, uint8 (N, 3, size, size); ``random`` (N, size, size), 64 bits a pixel, makes the noise."""
    v, light = head.look(s, size), Light(s)
    canvas = _wall(s, v)
    _shoulders(s, v, light, canvas)
    hair.behind(s, v, light, canvas)
    _neck(s, v, light, canvas)
    _ear(s, v, light, canvas, near=False)
    _head(s, v, light, canvas)
    hair.before(s, v, canvas)
    _ear(s, v, light, canvas, near=True)
    hair.hat(s, v, light, canvas)
    hair.glasses(s, v, canvas)
    return _camera(s, canvas, random)


def _wall(s: SimpleNamespace, v: SimpleNamespace) -> Array:
    """A plain wall with a slope of light, a corner or door-frame, and something out of focus."""
    paint = mix(colour(0.9, 0.9, 0.9) + 0 * s.wall_tone[:, None], hue(s.wall_hue, 0.55), 0.5 + 0.5 * s.blob_x)
    slope = s.wall_tone * (1 + 0.35 * s.wall_slope * v.still_x - 0.15 * v.still_y)
    slope = slope * (1 - 0.35 * cover(v.still_x - s.wall_edge, v.pixel + 0.03))
    canvas = paint * np.maximum(slope, 0.02)[:, None]
    blur = 0.75 * spot(v.still_x - s.blob_x, v.still_y - s.blob_y, 0.55, 0.70)
    over(canvas, hue(1 - s.wall_hue, 0.45, 0.8) * s.exposure[:, None], blur)
    return cast(Array, canvas)


def _shoulders(s: SimpleNamespace, v: SimpleNamespace, light: Light, canvas: Array) -> None:
    beside = np.maximum(np.abs(v.still_x) - s.neck, 0)
    distance = s.chin + 0.16 + 0.30 * beside + 0.25 * beside * beside - v.still_y
    cloth = hue(s.shirt_hue, 0.35, 0.9) * (0.15 + 0.85 * s.shirt_tone[:, None])
    bright = light.on((0.6 * v.still_x, -0.5, 0.7))
    over(canvas, cloth * bright[:, None] * light.colour, cover(distance, v.pixel))


def _neck(s: SimpleNamespace, v: SimpleNamespace, light: Light, canvas: Array) -> None:
    """A column with an open collar, in the shadow of the chin."""
    x, y = v.still_x - 0.12 * s.yaw, v.still_y
    column = np.maximum(np.abs(x) - s.neck, np.maximum(0.2 - y, y - s.chin - 0.22))
    across, up = x / (1.25 * s.neck), (y - s.chin - 0.12) / 0.30
    collar = (np.sqrt(across * across + up * up + 1e-6) - 1) * 0.25
    turned = np.clip(x / s.neck, -1, 1)
    bright = light.on((0.9 * turned, 0.25, np.sqrt(1.05 - 0.9 * turned * turned)))
    shadow = 1 - 0.65 * np.clip(1.15 - (y - s.chin) / 0.32, 0, 1)
    paint = features.skin(s) * (bright * shadow)[:, None] * light.colour
    over(canvas, paint, cover(np.minimum(column, collar), v.pixel))


def _head(s: SimpleNamespace, v: SimpleNamespace, light: Light, canvas: Array) -> None:
    """The head with all that is painted on it."""
    bright, gloss = light.on(v.normal, v), light.gloss(v.normal, v)
    lit = features.face(s, v) * bright[:, None] * light.colour + 0.14 * gloss[:, None]
    over(canvas, lit, cover(v.edge, v.pixel))


def _ear(s: SimpleNamespace, v: SimpleNamespace, light: Light, canvas: Array, near: bool) -> None:
    """The ear on the side that is turned to the camera, or the other one; long hair hides both."""
    side, (cos, sin) = np.sign(v.x), v.yaw
    wide, tall = s.ear * (0.60 + 1.0 * np.abs(sin)), 2.0 * s.ear
    x, y = side * v.x - 1.01 * s.width * cos, v.y - 0.05
    distance = (np.sqrt((x / wide) * (x / wide) + (y / tall) * (y / tall) + 1e-6) - 1) * wide
    hollow = 1 - 0.45 * spot(x - 0.1 * wide, y + 0.1 * tall, 0.6 * wide, 0.65 * tall)
    bright = light.on((0.5 * side, 0.0, 0.8)) * hollow
    tone = features.skin(s) * colour(1.0, 0.93, 0.92) * light.colour
    shown = (side * sin <= 0) if near else (side * sin > 0)
    over(canvas, tone * bright[:, None], cover(distance, v.pixel) * shown * (1 - s.long))


def _camera(s: SimpleNamespace, canvas: Array, random: NDArray[np.uint64]) -> NDArray[np.uint8]:
    """A slight blur, the gamma, noise that is strongest in the dark, and 256 levels."""
    share = s.blur[:, None]
    for axis in (2, 3):
        pad = [(0, 0)] * 4
        pad[axis] = (1, 1)
        wide = np.pad(canvas, pad, mode="edge")
        n = canvas.shape[axis]
        before, after = (np.take(wide, np.arange(k, k + n), axis) for k in (0, 2))
        canvas = canvas + share * (before + after - 2 * canvas)
    shown = np.sqrt(np.clip(canvas, 0, 1))
    shown += chance.bell(random) * (s.noise[:, None] * (1.2 - 0.6 * shown))
    return np.floor(np.clip(shown, 0, 1) * 255 + np.float32(0.5)).astype(np.uint8)
