"""Small things and what hangs on walls: lamps, plants, vases, balls, screens, windows, doors, pictures, rugs.

Local frame as for furniture. ``z`` is the height of what a thing stands on.
"""

from __future__ import annotations

import math
from dataclasses import replace
from random import Random

from lib.data.drawn.rooms.looks import DARK, METAL, WHITE, Look, darker, paint
from lib.data.drawn.rooms.solids import THIN, Material, Thing, ball, box, one, sheet, tube

SHADE = (0.9, 0.75, 0.5)


def lamp(rng: Random, look: Look, z: float = 0.0) -> list[Thing]:
    """A lamp on a foot: of a man's height on the floor, small on a table."""
    h = rng.uniform(1.3, 1.6) if z == 0 else rng.uniform(0.25, 0.35)
    r = rng.uniform(0.18, 0.27) if z == 0 else rng.uniform(0.12, 0.17)
    shade = Material(SHADE, glow=rng.choice([0.2, 1.5]))
    y = r if z == 0 else 0.0
    cup, globe = tube(0, y, z + h, r, 1.4 * r, shade, False), ball(0, y, z + h, r, shade, False)
    top = cup if rng.random() < 0.6 else globe
    return one("lamp", tube(0, y, z, 0.7 * r, 0.03, METAL), tube(0, y, z, 0.02, h, METAL), top)


def hanging_lamp(rng: Random, look: Look) -> list[Thing]:
    """A shade that hangs from z = 0 downwards."""
    r, drop = rng.uniform(0.15, 0.25), rng.uniform(0.15, 0.45)
    shade = Material((0.95, 0.9, 0.8), glow=2.5)
    globe, cup = ball(0, 0, -drop - 2 * r, r, shade, False), tube(0, 0, -drop - r, r, r, shade, False)
    return one("lamp", tube(0, 0, -drop, 0.015, drop, DARK, False), globe if rng.random() < 0.5 else cup)


def plant(rng: Random, look: Look) -> list[Thing]:
    """A pot with a stem and a few balls of leaves."""
    r, h = rng.uniform(0.16, 0.26), rng.uniform(0.25, 0.45)
    pot = Material(paint(rng, (0.0, 0.12), (0.2, 0.7), (0.3, 0.8)))
    leaf = Material(paint(rng, (0.24, 0.4), (0.5, 0.9), (0.12, 0.4)))
    leaf = replace(leaf, second=darker(leaf.colour, 0.5), pattern="dots", scale=0.07)
    parts = [tube(0, 0.3, 0, r, h, pot), tube(0, 0.3, h, 0.03, 0.3, DARK)]
    for i in range(rng.choice([2, 3, 4])):
        angle, out = 2.4 * i + rng.random(), rng.uniform(0.05, 0.16)
        high = h + rng.uniform(0.05, 0.25) + 0.13 * i
        x, y = out * math.cos(angle), 0.3 + out * math.sin(angle)
        parts.append(ball(x, y, high, rng.uniform(0.16, 0.26), leaf))
    return one("plant", *parts)


def vase(rng: Random, look: Look, z: float = 0.0) -> list[Thing]:
    """A vase, a bowl or a ball on a table."""
    r, m = rng.uniform(0.08, 0.14), Material(paint(rng, strength=(0.4, 0.95), value=(0.3, 0.9)))
    if rng.random() < 0.5:
        return one("ornament", ball(0, 0, z, r, m), tube(0, 0, z + 1.8 * r, 0.5 * r, 1.2 * r, m))
    return one("ornament", tube(0, 0, z, r, rng.uniform(1.0, 2.5) * r, m))


def big_ball(rng: Random, look: Look) -> list[Thing]:
    """A ball on the floor."""
    r = rng.uniform(0.15, 0.42)
    colours = paint(rng, strength=(0.5, 0.95)), paint(rng, strength=(0.0, 0.6), value=(0.6, 0.95))
    return one("ornament", ball(0, r, 0, r, Material(*colours, rng.choice(["stripes", "plain"]), 0.8 * r)))


def bin_(rng: Random, look: Look) -> list[Thing]:
    """A waste-paper basket."""
    r = rng.uniform(0.13, 0.18)
    return one("ornament", tube(0, r, 0, r, rng.uniform(0.3, 0.4), Material(paint(rng, value=(0.1, 0.5)))))


def screen(rng: Random, z: float, w: float) -> list[Thing]:
    """A flat screen on a foot, on or off."""
    on = rng.random() < 0.5
    colours = (paint(rng, strength=(0.3, 0.8), value=(0.1, 0.4)), (0.7, 0.8, 0.9))
    face = Material(*colours, "screen", 1.0, glow=3.0) if on else DARK
    h = 0.6 * w
    foot, neck = box(0, 0, z, 0.3 * w, 0.16, 0.02, DARK), box(0, -0.02, z, 0.06, 0.03, 0.2, DARK)
    front = box(0, 0.022, z + 0.12, w - 0.04, 0.006, h - 0.04, face, False)
    return one("screen", foot, neck, box(0, 0, z + 0.1, w, 0.04, h, DARK), front)


def window(rng: Random, look: Look) -> list[Thing]:
    """A bright pane in a frame, sometimes between curtains."""
    w, h, z = rng.uniform(0.8, 1.6), rng.uniform(0.9, 1.3), rng.uniform(0.85, 1.0)
    glass = Material((0.75, 0.87, 1.0), (0.25, 0.4, 0.2), "pane", 1.0, glow=5.0)
    parts = [sheet(0, 0, z - 0.06, w + 0.14, h + 0.12, WHITE), sheet(0, THIN, z, w, h, glass)]
    parts.append(box(0, 0.08, z - 0.08, w + 0.2, 0.16, 0.04, WHITE, False))
    if rng.random() < 0.4:
        cloth = replace(look.accent, pattern="stripes", scale=0.12, second=darker(look.accent.colour, 0.7))
        sides = [s * (w / 2 + 0.12) for s in (-1, 1)]
        parts += [box(x, 0.11, z - 0.3, 0.3, 0.06, h + 0.5, cloth, False) for x in sides]
    return one("window", *parts)


def door(rng: Random, look: Look) -> list[Thing]:
    """A door in its frame, with a knob."""
    colour = look.wood.colour if rng.random() < 0.5 else paint(rng, strength=(0.0, 0.5), value=(0.4, 0.8))
    leaf, frame = Material(colour, darker(colour, 0.6), "front"), Material(darker(colour, 0.7))
    knob = ball(0.34, 0.04, 1.0, 0.035, METAL, False)
    return one("door", sheet(0, 0, 0, 1.0, 2.06, frame), sheet(0, THIN, 0, 0.86, 2.0, leaf), knob)


def picture(rng: Random, look: Look) -> list[Thing]:
    """A framed painting."""
    w, h = rng.uniform(0.4, 1.0), rng.uniform(0.35, 0.75)
    z = rng.uniform(1.45, 1.85) - h / 2
    sky, land = paint(rng, strength=(0.2, 0.7), value=(0.5, 0.9)), paint(rng, strength=(0.3, 0.9))
    canvas = sheet(0, THIN, z + 0.04, w - 0.08, h - 0.08, Material(sky, land, "painting"))
    return one("picture", sheet(0, 0, z, w, h, rng.choice([DARK, WHITE, look.wood])), canvas)


def board(rng: Random, look: Look) -> list[Thing]:
    """A whiteboard or a green blackboard, counted as a picture."""
    w, face = rng.uniform(1.0, 1.8), rng.choice([WHITE, Material((0.05, 0.14, 0.09))])
    return one("picture", sheet(0, 0, 0.95, w, 0.95, METAL), sheet(0, THIN, 0.98, w - 0.06, 0.89, face))


def rug(rng: Random, look: Look) -> list[Thing]:
    """A thin carpet, oblong or round."""
    cloth = _woven(rng)
    if rng.random() < 0.35:
        return one("rug", tube(0, 0, 0, rng.uniform(0.6, 1.0), THIN, cloth, False))
    return one("rug", box(0, 0, 0, rng.uniform(1.2, 2.2), rng.uniform(0.9, 1.6), THIN, cloth, False))


def runner(rng: Random, look: Look) -> list[Thing]:
    """The long carpet of a corridor, along y."""
    return one("rug", box(0, 0, 0, 0.9, rng.uniform(3, 6), THIN, _woven(rng), False))


def _woven(rng: Random) -> Material:
    pattern = rng.choice(["stripes", "checks", "dots", "plain"])
    return Material(paint(rng), paint(rng), pattern, rng.uniform(0.2, 0.5))
