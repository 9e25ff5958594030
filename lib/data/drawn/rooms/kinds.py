"""The kinds of rooms (the scene classes) and what furniture makes each of them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from random import Random

from lib.data.drawn.rooms import fittings, fixtures, furniture
from lib.data.drawn.rooms.looks import Look, Range
from lib.data.drawn.rooms.solids import Thing

Pieces = tuple[tuple[Callable[[Random, Look], list[Thing]], float], ...]


@dataclass(frozen=True)
class Kind:
    """A kind of room: ranges of width, depth and height, patterns to choose from, and what may be in it.

    ``against`` goes to a wall, ``free`` stands in the room, ``flat`` lies on the floor: builders, each with
    its chance. First come, first placed; what finds no place is left out.
    """

    size: tuple[Range, Range, Range]
    floors: tuple[str, ...]
    walls: tuple[str, ...]
    against: Pieces
    free: Pieces
    flat: Pieces


KINDS = {
    "bathroom": Kind(
        size=((2.0, 2.9), (2.5, 3.3), (2.3, 2.6)),
        floors=("tiles", "checks", "tiles"), walls=("tiles", "tiles", "plain"),
        against=((fixtures.basin, 0.95), (fixtures.bath, 0.85), (fixtures.toilet, 0.95),
            (fittings.window, 0.4), (fixtures.washing_machine, 0.5), (fixtures.boiler, 0.4),
            (fittings.door, 0.4), (furniture.sideboard, 0.2), (fittings.plant, 0.3)),
        free=((fittings.bin_, 0.5), (furniture.pouf, 0.2)),
        flat=((fittings.rug, 0.4),),
    ),
    "bedroom": Kind(
        size=((2.8, 4.2), (3.3, 4.6), (2.4, 2.7)),
        floors=("planks", "plain", "planks", "checks"), walls=("plain", "plain", "stripes", "dots"),
        against=((furniture.bed, 1), (fittings.window, 0.7), (furniture.wardrobe, 0.8),
            (furniture.sideboard, 0.5), (fittings.picture, 0.7), (fittings.lamp, 0.5),
            (fittings.door, 0.4), (furniture.bookshelf, 0.3), (fittings.plant, 0.4),
            (furniture.desk, 0.2), (fittings.picture, 0.4)),
        free=((furniture.pouf, 0.4), (fittings.big_ball, 0.4)),
        flat=((fittings.rug, 0.6),),
    ),
    "corridor": Kind(
        size=((1.5, 2.2), (5.0, 8.0), (2.3, 2.8)),
        floors=("planks", "tiles", "checks", "plain"), walls=("plain", "plain", "stripes", "bricks"),
        against=((fittings.door, 1), (fittings.plant, 0.7), (fittings.door, 0.9), (fittings.door, 0.7),
            (fittings.picture, 0.7), (fittings.window, 0.4), (fittings.lamp, 0.5),
            (furniture.sideboard, 0.4), (fittings.picture, 0.5), (fittings.door, 0.4),
            (fittings.plant, 0.5), (fittings.bin_, 0.4)),
        free=((fittings.big_ball, 0.3),),
        flat=((fittings.runner, 0.5),),
    ),
    "kitchen": Kind(
        size=((2.8, 4.2), (3.2, 4.6), (2.3, 2.6)),
        floors=("tiles", "checks", "planks"), walls=("plain", "tiles", "plain", "bricks"),
        against=((fixtures.counter, 1), (fixtures.fridge, 0.9), (fixtures.counter, 0.6),
            (fittings.window, 0.7), (fixtures.boiler, 0.3), (fittings.door, 0.4),
            (fixtures.washing_machine, 0.3), (fittings.picture, 0.3), (fittings.plant, 0.3)),
        free=((furniture.table, 0.8), (fittings.bin_, 0.4)),
        flat=((fittings.rug, 0.2),),
    ),
    "living-room": Kind(
        size=((3.2, 4.8), (3.6, 5.2), (2.4, 2.9)),
        floors=("planks", "plain", "planks"), walls=("plain", "plain", "stripes", "bricks"),
        against=((furniture.sofa, 1), (furniture.television, 0.8), (furniture.sofa, 0.7),
            (fittings.window, 0.7), (furniture.bookshelf, 0.5), (fittings.lamp, 0.7),
            (fittings.plant, 0.8), (fittings.picture, 0.8), (furniture.sideboard, 0.5),
            (fittings.picture, 0.6), (fittings.door, 0.4), (fittings.plant, 0.4)),
        free=((furniture.coffee_table, 0.85), (furniture.pouf, 0.4), (fittings.big_ball, 0.4)),
        flat=((fittings.rug, 0.75),),
    ),
    "office": Kind(
        size=((2.7, 4.2), (3.0, 4.4), (2.4, 2.8)),
        floors=("plain", "checks", "planks", "tiles"), walls=("plain", "plain", "plain", "bricks"),
        against=((furniture.desk, 1), (furniture.bookshelf, 0.8), (furniture.desk, 0.6),
            (fittings.window, 0.7), (fittings.board, 0.6), (furniture.bookshelf, 0.3),
            (fittings.plant, 0.6), (fittings.door, 0.5), (furniture.sideboard, 0.4),
            (furniture.wardrobe, 0.3), (fittings.picture, 0.4), (fittings.bin_, 0.7)),
        free=((furniture.chair, 0.5),),
        flat=((fittings.rug, 0.3),),
    ),
}  # fmt: skip
