"""What is built into kitchens and bathrooms: units, stove, fridge, washing machine, bath, toilet, basin."""

from __future__ import annotations

from random import Random

from lib.data.drawn.rooms.fittings import vase
from lib.data.drawn.rooms.looks import DARK, GLASS, METAL, WHITE, Look, darker
from lib.data.drawn.rooms.solids import THIN, Material, Solid, Thing, ball, box, one, sheet, tube


def _units(left: float, count: int, y: float, z: float, h: float, look: Look) -> list[Solid]:
    """A row of doors 0.5 m wide in the plane y, from x = left on."""
    return [sheet(left + 0.25 + 0.5 * i, y, z, 0.47, h, look.front) for i in range(count)]


def counter(rng: Random, look: Look) -> list[Thing]:
    """Base units with a worktop, a stove among them, wall units above, a pot or a vase on top."""
    count = rng.choice([3, 4, 4])
    w, left = 0.5 * count, -0.25 * count
    stone = Material(darker((0.8, 0.78, 0.75), rng.choice([0.3, 0.6, 1.0])))
    body = [box(0, 0.29, 0, w, 0.56, 0.86, look.wood), box(0, 0.3, 0.86, w + 0.02, 0.6, 0.04, stone)]
    base = Thing("cabinet", (*body, *_units(left, count, 0.57, 0.08, 0.74, look)))
    x = left + 0.25 + 0.5 * rng.choice(range(count))
    things = [base, *_stove(x)]
    if rng.random() < 0.75:
        upper = box(0, 0.16, 1.45, w, 0.32, 0.6, look.wood)
        things.append(Thing("cabinet", (upper, *_units(left, count, 0.32, 1.47, 0.56, look))))
    if rng.random() < 0.6:
        pot = tube(x, 0.3, 0.91, 0.12, 0.14, METAL), tube(x, 0.3, 1.05, 0.05, 0.03, DARK)
        things.append(Thing("ornament", pot))
    free = left + 0.25 if x > 0 else -left - 0.25
    return things + [piece.moved(free, 0.3, 0) for piece in vase(rng, look, 0.9)]


def _stove(x: float) -> list[Thing]:
    plate = box(x, 0.31, 0.9, 0.46, 0.5, THIN, DARK, False)
    places = [(x + a, 0.31 + b) for a in (-0.11, 0.11) for b in (-0.12, 0.12)]
    rings = [tube(*place, 0.9 + THIN, 0.08, THIN, METAL, False) for place in places]
    oven = sheet(x, 0.57 + THIN, 0.1, 0.48, 0.7, METAL), sheet(x, 0.57 + 2 * THIN, 0.2, 0.36, 0.35, DARK)
    return one("appliance", plate, *rings, *oven)


def fridge(rng: Random, look: Look) -> list[Thing]:
    """A refrigerator with two doors, white or of steel."""
    h, m = rng.uniform(1.5, 1.95), rng.choice([WHITE, METAL])
    gap = sheet(0, 0.6, 0.62 * h, 0.6, 0.03, DARK)
    grips = [sheet(0.24, 0.6, z, 0.04, 0.25, DARK) for z in (0.6 * h - 0.28, 0.6 * h + 0.1)]
    return one("appliance", box(0, 0.3, 0, 0.6, 0.6, h, m), gap, *grips)


def washing_machine(rng: Random, look: Look) -> list[Thing]:
    """A white cube with a bulging round window."""
    window, panel = ball(0, 0.5, 0.24, 0.19, GLASS, False), sheet(0, 0.6, 0.72, 0.56, 0.1, METAL)
    return one("appliance", box(0, 0.3, 0, 0.6, 0.6, 0.85, WHITE), window, panel)


def boiler(rng: Random, look: Look) -> list[Thing]:
    """A tall round water heater, with its pipe."""
    r, h = rng.uniform(0.22, 0.32), rng.uniform(1.2, 1.7)
    body = tube(0, r + 0.02, 0.1, r, h, rng.choice([WHITE, METAL])), tube(0, r + 0.02, 0, 0.8 * r, 0.1, DARK)
    return one("appliance", *body, tube(0, r, h + 0.1, 0.04, 0.4, METAL, False))


def bath(rng: Random, look: Look) -> list[Thing]:
    """A tub with its rim and water, along the wall."""
    w, d, h = rng.uniform(1.5, 1.8), 0.75, 0.56
    rim = [box(0, y, 0, w, 0.09, h, WHITE) for y in (0.045, d - 0.045)]
    rim += [box(x * (w / 2 - 0.045), d / 2, 0, 0.09, d, h, WHITE) for x in (-1, 1)]
    water = Material((0.35, 0.6, 0.7) if rng.random() < 0.5 else WHITE.colour)
    x = w / 2 - 0.15
    tap = tube(x, 0.08, h, 0.02, 0.2, METAL, False), ball(x, 0.1, h + 0.18, 0.035, METAL, False)
    return one("bathroom-fixture", *rim, box(0, d / 2, 0, w - 0.1, d - 0.1, h - 0.18, water), *tap)


def toilet(rng: Random, look: Look) -> list[Thing]:
    """A bowl, its lid and the cistern."""
    bowl = tube(0, 0.42, 0, 0.15, 0.3, WHITE), tube(0, 0.44, 0.3, 0.22, 0.08, WHITE)
    lid = tube(0, 0.44, 0.38, 0.225, 0.025, look.accent if rng.random() < 0.4 else WHITE)
    cistern = box(0, 0.1, 0.35, 0.42, 0.18, 0.42, WHITE)
    return one("bathroom-fixture", *bowl, lid, cistern, box(0, 0.2, 0, 0.24, 0.4, 0.35, WHITE))


def basin(rng: Random, look: Look) -> list[Thing]:
    """A round or square basin on a column, and a mirror (counted as a picture) above it."""
    column = tube(0, 0.25, 0, 0.09, 0.72, WHITE)
    round_, square = tube(0, 0.25, 0.72, 0.25, 0.14, WHITE), box(0, 0.24, 0.72, 0.6, 0.46, 0.14, WHITE)
    bowl = round_ if rng.random() < 0.5 else square
    dip = tube(0, 0.25, 0.86, 0.19, THIN, GLASS, False)
    tap = tube(0, 0.06, 0.86, 0.02, 0.16, METAL, False)
    mirror = sheet(0, 0, 1.2, 0.6, 0.75, METAL), sheet(0, THIN, 1.23, 0.54, 0.69, GLASS)
    return [Thing("bathroom-fixture", (column, bowl, dip, tap)), Thing("picture", mirror)]
