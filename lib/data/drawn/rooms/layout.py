"""Rooms drawn at random: what kind, how large, what stands where, where the camera is and the light.

Everything about room ``index`` comes from one random stream named by (seed, index). Python's own generator is
used for its seeding by a string and because its sequence is the same on every machine.
"""

from __future__ import annotations

import math
from random import Random

from lib.data.drawn.rooms.fittings import hanging_lamp
from lib.data.drawn.rooms.kinds import KINDS
from lib.data.drawn.rooms.looks import look, shell
from lib.data.drawn.rooms.solids import Camera, Light, Point, Scene, Thing

TRIES = 8
# The turn that takes y, which is out of the wall in a piece's own frame, into the room.
TURN = {"left": -math.pi / 2, "right": math.pi / 2, "far": math.pi}


def scene(seed: int, index: int) -> Scene:
    """Room number ``index`` of the world ``seed``."""
    rng = Random(f"rendered room {seed} {index}")
    name = rng.choice(tuple(KINDS))
    kind = KINDS[name]
    width, depth, height = (rng.uniform(*side) for side in kind.size)
    size = (width, depth, height)
    camera, faces, materials = _camera(rng, size), shell(rng, kind.floors, kind.walls), look(rng)
    room = Room(rng, size, camera)
    for pieces, put in ((kind.against, room.against), (kind.free, room.free), (kind.flat, room.flat)):
        for builder, chance in pieces:
            if rng.random() < chance:
                put(builder(rng, materials))
    light = _light(rng, size, room.things)
    for piece in hanging_lamp(rng, materials) if rng.random() < 0.6 else []:
        room.things.append(piece.moved(size[0] / 2, size[1] / 2, 0, size[2]))
    return Scene(name, size, faces, tuple(room.things), light, camera)


def _camera(rng: Random, size: Point) -> Camera:
    """Near one wall at eye height, looking at the middle of the other half of the room."""
    width, depth, _ = size
    x, y, z = rng.uniform(0.25, 0.75) * width, rng.uniform(0.06, 0.15) * depth, rng.uniform(1.2, 1.7)
    aim = rng.uniform(0.25, 0.75) * width, rng.uniform(0.65, 0.95) * depth, rng.uniform(0.4, 1.0)
    ahead = math.hypot(aim[0] - x, aim[1] - y)
    view = math.radians(rng.uniform(58, 80))
    return Camera((x, y, z), math.atan2(aim[0] - x, aim[1] - y), math.atan2(aim[2] - z, ahead), view)


def _light(rng: Random, size: Point, things: list[Thing]) -> Light:
    """Daylight from the first window, or a lamp under the ceiling."""
    ambient = rng.uniform(0.15, 0.4)
    panes = [thing.solids[0] for thing in things if thing.label == "window"]
    if panes and rng.random() < 0.7:
        (x, y, z), yaw = panes[0].centre, panes[0].yaw  # half a metre out of the wall
        return Light((x - 0.5 * math.sin(yaw), y + 0.5 * math.cos(yaw), z), (5.2, 5.5, 6.0), 0.25, ambient)
    place = rng.uniform(0.35, 0.65) * size[0], rng.uniform(0.3, 0.6) * size[1], size[2] - 0.35
    return Light(place, (5.8, 5.3, 4.5), 0.12, ambient)


class Room:
    """Places groups of things where they touch neither one another nor the camera, else leaves them out."""

    def __init__(self, rng: Random, size: Point, camera: Camera):
        self.rng, self.size = rng, size
        self.things: list[Thing] = []
        x, y, z = camera.position
        self.ahead = y + 0.5  # what stands against a side wall begins here, to be in view
        self.taken = [((x - 0.45, y - 0.45, z - 2), (x + 0.45, y + 0.9, z + 2))]

    def against(self, group: list[Thing]) -> None:
        """Put a group against a wall: mostly the far one."""
        width, depth, _ = self.size
        low, high = _extent(group)
        group = [thing.moved(0, -low[1], 0) for thing in group]  # its back touches the wall
        for _ in range(TRIES):
            wall = self.rng.choice(["far", "far", "left", "right"])
            margin = 0.03 + max(-low[0], high[0])
            first, last = (0.0, width) if wall == "far" else (self.ahead, depth)
            if last - first > 2 * margin:
                s = self.rng.uniform(first + margin, last - margin)
                place = {"far": (s, depth), "left": (0.0, s), "right": (width, s)}[wall]
                if self._put([thing.moved(*place, TURN[wall]) for thing in group]):
                    return

    def free(self, group: list[Thing]) -> None:
        """Stand a group somewhere in the room, turned by any number of quarters and a little."""
        for _ in range(TRIES):
            turn = self.rng.choice([0, 1, 2, 3]) * math.pi / 2 + self.rng.uniform(-0.2, 0.2)
            place = self.rng.uniform(0.2, 0.8) * self.size[0], self.rng.uniform(0.35, 0.8) * self.size[1]
            if self._put([thing.moved(*place, turn) for thing in group]):
                return

    def flat(self, group: list[Thing]) -> None:
        """Lay a group on the floor, under whatever stands there, if it fits into the room."""
        place = self.rng.uniform(0.4, 0.6) * self.size[0], self.rng.uniform(0.45, 0.6) * self.size[1]
        moved = [thing.moved(*place, 0) for thing in group]
        if self._inside(*_extent(moved)):
            self.things += moved

    def _put(self, group: list[Thing]) -> bool:
        low, high = _extent(group)
        apart = all(any(low[i] > b[i] or high[i] < a[i] for i in range(3)) for a, b in self.taken)
        if not (apart and self._inside(low, high)):
            return False
        self.taken.append((low, high))
        self.things += group
        return True

    def _inside(self, low: Point, high: Point) -> bool:
        return all(a > -1e-6 and b < side + 1e-6 for a, b, side in zip(low, high, self.size))


def _extent(group: list[Thing]) -> tuple[Point, Point]:
    ends = [solid.extent() for thing in group for solid in thing.solids]
    lows, highs = zip(*(low for low, _ in ends)), zip(*(high for _, high in ends))
    (a, b, c), (d, e, f) = map(min, lows), map(max, highs)
    return (a, b, c), (d, e, f)
