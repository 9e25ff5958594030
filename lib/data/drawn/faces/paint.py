"""Colours, edges and layers: what every part of the picture is painted with.

Colours are linear light, float32 (N, 3, 1, 1); a layer is painted over others through its coverage (N, H, W).
"""

from __future__ import annotations

from typing import Any, cast

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.floating[Any]]  # float32 throughout, which numpy's types lose at every Python number
Number = Array | np.float32 | float


def colour(red: float, green: float, blue: float) -> Array:
    """A colour as a screen shows it, in linear light: a gamma of 2, which a square root undoes."""
    shown = np.array([red, green, blue], dtype=np.float32)
    return (shown * shown)[None, :, None, None]


def mix(first: Array, second: Array, share: Array) -> Array:
    """From the first colour (share 0) to the second (share 1); ``share`` is (N, 1, 1)."""
    return first + share[:, None] * (second - first)


def hue(turn: Array, paleness: float, strength: float = 1.0) -> Array:
    """A colour of the wheel by its turn in [0, 1), as fabrics have it."""
    offsets = np.array([0.0, 2 / 3, 1 / 3], dtype=np.float32)[None, :, None, None]
    angle = turn[:, None] + offsets
    wave = np.abs(2 * (angle - np.floor(angle)) - 1)
    shown = strength * (paleness + (1 - paleness) * wave)
    return cast(Array, shown * shown)


def cover(distance: Array, width: Number) -> Array:
    """Coverage by the shape with this signed distance (negative inside): 1, a ramp at the edge, 0."""
    return cast(Array, np.clip(0.5 - distance / width, 0, 1))


def over(canvas: Array, paint: Array, coverage: Array) -> None:
    """Paint over the canvas (N, 3, H, W), in place."""
    canvas += coverage[:, None] * (paint - canvas)


def spot(x: Array, y: Array, half_width: Number, half_height: Number) -> Array:
    """A soft spot at the origin: 1 in the middle, 0 from the ellipse outwards."""
    u, w = x / half_width, y / half_height
    rest = np.maximum(1 - u * u - w * w, 0)
    return cast(Array, rest * rest)


def zigzag(x: Array) -> Array:
    """A triangle wave of period 1 between -1 and 1: strands, ribs, folds."""
    return cast(Array, 4 * np.abs(x - np.floor(x) - 0.5) - 1)
