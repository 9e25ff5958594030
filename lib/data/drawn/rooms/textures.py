"""Procedural patterns: how much of a material's second colour a point of the surface has, and its tone.

A pattern maps (u, v, a, b) to (mix, tone): u, v are lengths along the surface in periods, a and b the
position within the face, -1 to 1; mix is 0 to 1 and tone multiplies the colour. Patterns of u and v
fade to their mean where a pixel covers half a period or more, so that they do not alias in the distance.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import cast

import numpy as np

Array = np.ndarray
Found = tuple[Array, Array | float]
Pattern = Callable[[Array, Array, Array, Array], Found]


def _noise(i: Array, j: Array) -> Array:
    """A fixed pseudo-random number in [0, 1] for every pair of integers."""
    mixed = (np.floor(i).astype(np.int64) * 73856093) ^ (np.floor(j).astype(np.int64) * 19349663)
    return cast(Array, ((mixed ^ (mixed >> 7)) * 2654435761 >> 11 & 255) / 255.0)


def _part(x: Array) -> Array:
    return cast(Array, x - np.floor(x))


def _planks(u: Array, v: Array, a: Array, b: Array) -> Found:
    along = v / 7 + _noise(u, u)
    return ((_part(u) < 0.08) | (_part(along) < 0.012)) * 1.0, 0.78 + 0.44 * _noise(u, along)


def _grain(u: Array, v: Array, a: Array, b: Array) -> Found:
    return 0.5 + 0.5 * np.sin(2 * np.pi * (v + 0.6 * np.sin(0.7 * u) + 0.3 * np.sin(1.9 * u + v))), 1.0


def _bricks(u: Array, v: Array, a: Array, b: Array) -> Found:
    along = u / 2 + 0.5 * (np.floor(v) % 2)
    return ((_part(along) < 0.05) | (_part(v) < 0.1)) * 1.0, 0.8 + 0.4 * _noise(along, v)


def _books(u: Array, v: Array, a: Array, b: Array) -> Found:
    above = b > 0.3 + 0.7 * _noise(u, np.full_like(u, 5))
    tone = 0.6 + 0.8 * _noise(u, u)
    return np.where(above, 0.0, _noise(u, np.full_like(u, 2))), np.where(above, 0.15, tone)


def _front(u: Array, v: Array, a: Array, b: Array) -> Found:
    edge = np.maximum(np.abs(a), np.abs(b))
    return ((edge > 0.72) & (edge < 0.8)) * 1.0, 1.0


def _pane(u: Array, v: Array, a: Array, b: Array) -> Found:
    bars = (np.abs(a) < 0.06) | (np.abs(b) < 0.05)
    land = b < -0.45 + 0.15 * np.sin(5 * a)
    return np.where(land, 1.0, 0.25 * (1 - b)), np.where(bars, 0.35, np.where(land, 0.6, 1.0))


def _painting(u: Array, v: Array, a: Array, b: Array) -> Found:
    hill = b < 0.45 * np.sin(2.3 * a + 0.8) - 0.2
    sun = (a - 0.35) ** 2 + (b - 0.4) ** 2 < 0.06
    return np.where(hill, 1.0, 0.15 + 0.1 * b), np.where(sun, 1.7, np.where(hill & (b < -0.6), 0.6, 1.0))


def _screen(u: Array, v: Array, a: Array, b: Array) -> Found:
    lines = (_part(4 * b) < 0.4) & (np.abs(a) < 0.7) & (b > -0.7)
    return (lines & (_noise(a * 6, b * 4) > 0.35)) * 1.0, 1.0


# name: pattern, and its mean mix where it repeats (None: it fills a face once and does not fade)
PATTERNS: dict[str, tuple[Pattern, float | None]] = {
    "plain": (lambda u, v, a, b: (np.zeros_like(u), 1.0), None),
    "stripes": (lambda u, v, a, b: (_part(u) < 0.5, 1.0), 0.5),
    "checks": (lambda u, v, a, b: ((_part(u) < 0.5) ^ (_part(v) < 0.5), 1.0), 0.5),
    "dots": (lambda u, v, a, b: ((_part(u) - 0.5) ** 2 + (_part(v) - 0.5) ** 2 < 0.08, 1.0), 0.25),
    "planks": (_planks, 0.1),
    "tiles": (lambda u, v, a, b: ((_part(u) < 0.06) | (_part(v) < 0.06), 0.93 + 0.14 * _noise(u, v)), 0.12),
    "grain": (_grain, 0.5),
    "bricks": (_bricks, 0.15),
    "books": (_books, None),
    "front": (_front, None),
    "pane": (_pane, None),
    "painting": (_painting, None),
    "screen": (_screen, None),
}


def mix(name: str, scale: float, u: Array, v: Array, a: Array, b: Array, footprint: Array) -> Found:
    """(mix, tone) of the pattern called ``name`` with a period of ``scale`` metres.

    u, v and ``footprint``, the length of the surface that a pixel covers, are in metres.
    """
    pattern, mean = PATTERNS[name]
    share, tone = pattern(u / scale, v / scale, a, b)
    if mean is None:
        return share, tone
    sharp = np.clip(2 - 3 * footprint / scale, 0, 1)
    return mean + (share - mean) * sharp, 1 + (tone - 1) * sharp
