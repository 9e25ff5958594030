"""The kinds of rooms (the scene classes) and what furniture makes each of them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from random import Random

from lib.data.drawn.rooms import fittings, fixtures, furniture
from lib.data.drawn.rooms.looks import Look
from lib.data.drawn.rooms.solids import Thing

Builder = Callable[[Random, Look], list[Thing]]
Range = tuple[float, float]


@dataclass(frozen=True)
class Kind:
    """A kind of room: ranges of its size, the patterns to choose from, and what may be in it.

    ``against`` goes to a wall, ``free`` stands in the room, ``flat`` lies on the floor: "bath .8, basin .9"
    names builders and the chance of each. First come, first placed; what finds no place is left out.
    """

    width: Range
    depth: Range
    height: Range
    floors: str
    walls: str
    against: str
    free: str
    flat: str


KINDS = {
    "bathroom": Kind(
        width=(2.0, 2.9),
        depth=(2.5, 3.3),
        height=(2.3, 2.6),
        floors="tiles checks tiles",
        walls="tiles tiles plain",
        against="basin .95, bath .85, toilet .95, window .4, washing_machine .5, boiler .4, door .4, "
        "sideboard .2, plant .3",
        free="bin_ .5, pouf .2",
        flat="rug .4",
    ),
    "bedroom": Kind(
        width=(2.8, 4.2),
        depth=(3.3, 4.6),
        height=(2.4, 2.7),
        floors="planks plain planks checks",
        walls="plain plain stripes dots",
        against="bed 1, window .7, wardrobe .8, sideboard .5, picture .7, lamp .5, door .4, bookshelf .3, "
        "plant .4, desk .2, picture .4",
        free="pouf .4, big_ball .4",
        flat="rug .6",
    ),
    "corridor": Kind(
        width=(1.5, 2.2),
        depth=(5.0, 8.0),
        height=(2.3, 2.8),
        floors="planks tiles checks plain",
        walls="plain plain stripes bricks",
        against="door 1, plant .7, door .9, door .7, picture .7, window .4, lamp .5, sideboard .4, "
        "picture .5, door .4, plant .5, bin_ .4",
        free="big_ball .3",
        flat="runner .5",
    ),
    "kitchen": Kind(
        width=(2.8, 4.2),
        depth=(3.2, 4.6),
        height=(2.3, 2.6),
        floors="tiles checks planks",
        walls="plain tiles plain bricks",
        against="counter 1, fridge .9, counter .6, window .7, boiler .3, door .4, washing_machine .3, "
        "picture .3, plant .3",
        free="table .8, bin_ .4",
        flat="rug .2",
    ),
    "living-room": Kind(
        width=(3.2, 4.8),
        depth=(3.6, 5.2),
        height=(2.4, 2.9),
        floors="planks plain planks",
        walls="plain plain stripes bricks",
        against="sofa 1, television .8, sofa .7, window .7, bookshelf .5, lamp .7, plant .8, picture .8, "
        "sideboard .5, picture .6, door .4, plant .4",
        free="coffee_table .85, pouf .4, big_ball .4",
        flat="rug .75",
    ),
    "office": Kind(
        width=(2.7, 4.2),
        depth=(3.0, 4.4),
        height=(2.4, 2.8),
        floors="plain checks planks tiles",
        walls="plain plain plain bricks",
        against="desk 1, bookshelf .8, desk .6, window .7, board .6, bookshelf .3, plant .6, door .5, "
        "sideboard .4, wardrobe .3, picture .4, bin_ .7",
        free="chair .5",
        flat="rug .3",
    ),
}


def pieces(listed: str) -> list[tuple[Builder, float]]:
    """The builders that a list such as "bath .8, basin .9" names, each with its chance."""
    pairs = [item.split() for item in listed.split(",")]
    return [(_builder(name), float(chance)) for name, chance in pairs]


def _builder(name: str) -> Builder:
    return next(getattr(m, name) for m in (furniture, fixtures, fittings) if hasattr(m, name))
