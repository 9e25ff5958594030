"""The materials that the pieces of one room share, drawn together so that they match."""

from __future__ import annotations

import colorsys
from collections.abc import Sequence
from dataclasses import dataclass, replace
from random import Random

from lib.data.drawn.rooms.solids import Colour, Material

DARK, WHITE = Material((0.03, 0.03, 0.04)), Material((0.8, 0.8, 0.78))
METAL, GLASS = Material((0.45, 0.46, 0.48)), Material((0.3, 0.38, 0.42))

Range = tuple[float, float]


def paint(
    rng: Random, hue: Range = (0, 1), strength: Range = (0.2, 0.8), value: Range = (0.15, 0.8)
) -> Colour:
    """A colour whose hue, saturation and value are drawn from these ranges."""
    return colorsys.hsv_to_rgb(rng.uniform(*hue) % 1, rng.uniform(*strength), rng.uniform(*value))


def darker(colour: Colour, share: float) -> Colour:
    """The colour times a share."""
    red, green, blue = colour
    return share * red, share * green, share * blue


@dataclass(frozen=True)
class Look:
    """Wood, the doors of cabinets, cloth and a second cloth."""

    wood: Material
    front: Material
    cloth: Material
    accent: Material


def look(rng: Random) -> Look:
    """Draw the materials of a room."""
    tint = paint(rng, (0.04, 0.11), (0.35, 0.75), (0.15, 0.75))
    lacquer = tint if rng.random() < 0.5 else paint(rng, strength=(0.05, 0.4), value=(0.5, 0.85))
    pattern = rng.choice(["plain", "plain", "stripes", "checks"])
    return Look(
        wood=Material(tint, darker(tint, 0.6), "grain", rng.uniform(0.06, 0.12)),
        front=Material(lacquer, darker(lacquer, 0.45), "front"),
        cloth=Material(paint(rng), paint(rng), pattern, rng.uniform(0.12, 0.3)),
        accent=Material(
            paint(rng, strength=(0.4, 0.9)), paint(rng, (0, 1), (0, 0.3), (0.6, 0.9)), "dots", 0.12
        ),
    )


def shell(rng: Random, floors: Sequence[str], walls: Sequence[str]) -> tuple[Material, ...]:
    """Materials of the six faces of a room; ``floors`` and ``walls`` list the patterns to choose from."""
    wall_tint = paint(rng, strength=(0.03, 0.35), value=(0.45, 0.9))
    wall = Material(wall_tint, darker(wall_tint, 0.75), rng.choice(walls), rng.uniform(0.2, 0.45))
    other = wall if rng.random() < 0.6 else Material(paint(rng, strength=(0.1, 0.6), value=(0.25, 0.85)))
    pattern = rng.choice(floors)
    wooden = pattern == "planks"
    tint = paint(rng, (0.04, 0.11), (0.3, 0.7), (0.2, 0.6)) if wooden else paint(rng, strength=(0, 0.4))
    scale = {"planks": 0.18, "checks": 0.7}.get(pattern, 0.4)
    contrast = 0.45 if pattern == "checks" else 0.6
    floor = Material(tint, darker(tint, contrast), pattern, scale)
    ceiling = replace(WHITE, colour=paint(rng, strength=(0, 0.08), value=(0.75, 0.9)))
    return (wall, wall, wall, other, floor, ceiling)
