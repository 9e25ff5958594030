"""Furniture of living and sleeping rooms: a builder draws one piece, with what stands on or around it.

Local frame: x along the wall, y out of the wall into the room (the back is at y = 0), z up; metres. Tables
and chairs are centred on the origin instead.
"""

from __future__ import annotations

import math
from random import Random

from lib.data.drawn.rooms.fittings import lamp, screen, vase
from lib.data.drawn.rooms.looks import METAL, WHITE, Look, darker, paint
from lib.data.drawn.rooms.solids import Material, Solid, Thing, ball, box, one, sheet, tube


def _on(things: list[Thing], x: float, y: float) -> list[Thing]:
    return [thing.moved(x, y, 0) for thing in things]


def _legs(w: float, d: float, h: float, material: Material, thick: float = 0.06) -> list[Solid]:
    a, b = w / 2 - thick, d / 2 - thick
    return [box(x, y, 0, thick, thick, h, material, False) for x in (-a, a) for y in (-b, b)]


def bed(rng: Random, look: Look) -> list[Thing]:
    """Frame, mattress, blanket, headboard and pillows; often a bedside cabinet with a lamp."""
    w, h = rng.choice([0.95, 1.4, 1.8]), rng.uniform(0.38, 0.5)
    pillows = (0.0,) if w < 1 else (-w / 4, w / 4)
    parts = [
        box(0, 1.02, 0.06, w, 2.0, h - 0.2, look.wood),
        box(0, 1.02, h - 0.14, w, 2.0, 0.14, WHITE),
        box(0, 1.41, h - 0.12, w + 0.01, 1.23, 0.16, look.cloth),
        box(0, 0.03, 0, w + 0.06, 0.06, h + rng.uniform(0.3, 0.6), look.wood),
        *(box(x, 0.32, h, 0.9 * w / len(pillows) - 0.1, 0.36, 0.12, look.accent) for x in pillows),
    ]
    things = [Thing("bed", tuple(parts))]
    if rng.random() < 0.7:
        x, top = rng.choice([-1, 1]) * (w / 2 + 0.35), h + 0.1
        body = box(x, 0.21, 0, 0.42, 0.4, top, look.wood), sheet(x, 0.41, 0.05, 0.38, top - 0.1, look.front)
        things += [Thing("cabinet", body), *_on(lamp(rng, look, top), x, 0.21)]
    return things


def wardrobe(rng: Random, look: Look) -> list[Thing]:
    """A tall cabinet with two or three doors."""
    doors, h = rng.choice([2, 3]), rng.uniform(1.8, 2.15)
    parts = [box(0, 0.29, 0, 0.5 * doors, 0.58, h, look.wood)]
    for i in range(doors):
        x = 0.5 * (i + 0.5 - doors / 2)
        parts.append(sheet(x, 0.58, 0.06, 0.47, h - 0.1, look.front))
        parts.append(ball(x + 0.17, 0.6, h / 2, 0.025, METAL, False))
    return one("cabinet", *parts)


def sideboard(rng: Random, look: Look) -> list[Thing]:
    """A chest of drawers with a vase, a lamp or nothing on it."""
    w, h, rows = rng.uniform(0.8, 1.5), rng.uniform(0.6, 0.95), rng.choice([2, 3])
    step = h / rows
    fronts = [sheet(0, 0.45, i * step + 0.03, w - 0.04, step - 0.05, look.front) for i in range(rows)]
    on_top = rng.choice([vase, lamp])(rng, look, h) if rng.random() < 0.7 else []
    chest = Thing("cabinet", (box(0, 0.225, 0, w, 0.45, h, look.wood), *fronts))
    return [chest, *_on(on_top, rng.uniform(-w / 3, w / 3), 0.22)]


def television(rng: Random, look: Look) -> list[Thing]:
    """A low cabinet with a large screen."""
    w, h = rng.uniform(1.1, 1.7), rng.uniform(0.4, 0.55)
    chest = box(0, 0.2, 0, w, 0.4, h, look.wood), sheet(0, 0.4, 0.05, w - 0.05, h - 0.1, look.front)
    return [Thing("cabinet", chest), *_on(screen(rng, h, rng.uniform(0.8, 1.2)), 0, 0.22)]


def bookshelf(rng: Random, look: Look) -> list[Thing]:
    """Shelves full of books."""
    w, rows = rng.uniform(0.7, 1.2), rng.choice([4, 5])
    h = 0.38 * rows
    parts = [box(0, 0.12, 0, w, 0.24, h + 0.03, Material(darker(look.wood.colour, 0.5)))]
    parts += [box(x * w / 2, 0.16, 0, 0.04, 0.32, h + 0.05, look.wood) for x in (-1, 1)]
    parts += [box(0, 0.16, 0.38 * i, w, 0.32, 0.04, look.wood, False) for i in range(rows + 1)]
    for i in range(rows):
        spines = paint(rng, strength=(0.3, 0.9)), paint(rng, strength=(0.1, 0.8))
        books = Material(*spines, "books", 0.055)
        parts.append(box(0, 0.16, 0.38 * i + 0.04, w - 0.05, 0.31, 0.3, books, False))
    return one("bookshelf", *parts)


def sofa(rng: Random, look: Look) -> list[Thing]:
    """A seat for one to three, with arms, a back and cushions."""
    seats = rng.choice([1, 2, 2, 3])
    w = 0.62 * seats + 0.34
    parts = [box(0, 0.45, 0.08, w, 0.86, 0.26, look.cloth), box(0, 0.14, 0.3, w, 0.24, 0.52, look.cloth)]
    parts += [box(s * (w / 2 - 0.085), 0.45, 0.3, 0.17, 0.86, 0.28, look.cloth) for s in (-1, 1)]
    middles = [0.62 * (i + 0.5 - seats / 2) for i in range(seats)]
    parts += [box(x, 0.55, 0.33, 0.59, 0.64, 0.12, look.cloth, False) for x in middles]
    if rng.random() < 0.6:
        parts.append(box(rng.choice(middles), 0.34, 0.45, 0.38, 0.14, 0.34, look.accent))
    return one("sofa", *parts)


def chair(rng: Random, look: Look) -> list[Thing]:
    """A chair that faces +y: on four legs, or a swivel chair, or a stool."""
    kind = rng.random()
    if kind < 0.4:
        foot = (tube(0, 0, 0, 0.24, 0.04, METAL), tube(0, 0, 0.04, 0.035, 0.4, METAL, False))
        seat = tube(0, 0, 0.43, 0.23, 0.08, look.accent)
        back = () if kind < 0.12 else (box(0, -0.22, 0.55, 0.4, 0.05, 0.4, look.accent),)
        return one("chair", *foot, seat, *back)
    upright = box(0, -0.19, 0.47, 0.42, 0.04, 0.45, look.wood)
    seat, legs = box(0, 0, 0.42, 0.42, 0.42, 0.05, look.cloth), _legs(0.46, 0.46, 0.42, look.wood, 0.045)
    return one("chair", seat, upright, *legs)


def pouf(rng: Random, look: Look) -> list[Thing]:
    """A round upholstered seat, or a ball to sit on."""
    r = rng.uniform(0.25, 0.4)
    if rng.random() < 0.6:
        return one("chair", tube(0, r, 0, r, rng.uniform(0.35, 0.45), look.cloth))
    return one("chair", ball(0, r, 0, r, look.accent))


def table(rng: Random, look: Look) -> list[Thing]:
    """A dining table, oblong or round, with chairs around it and perhaps a vase on it."""
    w, d, h = rng.uniform(0.9, 1.5), rng.uniform(0.75, 0.9), 0.74
    if rng.random() < 0.4:
        w = d = rng.uniform(0.8, 1.1)
        legs = [tube(0, 0, 0, 0.06, h - 0.04, METAL), tube(0, 0, 0, 0.28, 0.03, METAL)]
        things = one("table", tube(0, 0, h - 0.04, w / 2, 0.04, look.wood), *legs)
    else:
        legs = _legs(w, d, h - 0.04, look.wood)
        things = one("table", box(0, 0, h - 0.04, w, d, 0.04, look.wood), *legs)
    for turn, reach in ((0, d), (math.pi / 2, w), (math.pi, d), (-math.pi / 2, w)):
        if rng.random() < 0.6:
            wobble, out = rng.uniform(-0.3, 0.3), reach / 2 + rng.uniform(0.15, 0.35)
            (seat,) = chair(rng, look)
            things.append(seat.moved(0, 0, wobble).moved(0, -out, 0).moved(0, 0, turn))
    return things + (vase(rng, look, h) if rng.random() < 0.6 else [])


def coffee_table(rng: Random, look: Look) -> list[Thing]:
    """A low table, oblong or round, with a vase or nothing on it."""
    w, h = rng.uniform(0.6, 1.1), rng.uniform(0.35, 0.45)
    if rng.random() < 0.5:
        parts = [tube(0, 0, h - 0.04, w / 2, 0.04, look.wood), tube(0, 0, 0, 0.16, h - 0.04, look.wood)]
    else:
        parts = [box(0, 0, h - 0.05, w, 0.55, 0.05, look.wood), *_legs(w, 0.55, h - 0.05, look.wood)]
    return one("table", *parts) + (vase(rng, look, h) if rng.random() < 0.4 else [])


def desk(rng: Random, look: Look) -> list[Thing]:
    """A desk with a screen, perhaps a lamp, and a chair in front."""
    w, h = rng.uniform(1.1, 1.6), 0.73
    sides = [box(x * (w / 2 - 0.03), 0.35, 0, 0.05, 0.66, h - 0.04, look.wood) for x in (-1, 1)]
    drawers = box(w / 2 - 0.25, 0.36, 0.1, 0.38, 0.6, h - 0.16, look.front, False)
    things = one("table", box(0, 0.35, h - 0.04, w, 0.7, 0.04, look.wood), *sides, drawers)
    things += _on(screen(rng, h, rng.uniform(0.45, 0.65)), rng.uniform(-0.2, 0.1), 0.2)
    if rng.random() < 0.5:
        things += _on(lamp(rng, look, h), w / 2 - 0.2, 0.2)
    turn = math.pi + rng.uniform(-0.6, 0.6)
    (seat,) = chair(rng, look)
    return [*things, seat.moved(rng.uniform(-0.2, 0.1), rng.uniform(0.75, 1.0), turn)]
