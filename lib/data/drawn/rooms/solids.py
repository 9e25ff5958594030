"""What a room is made of: materials, convex solids, things (instances), camera, light, scene.

World frame in metres: x right, y into the room, z up; the room is [0, width] x [0, depth] x [0, height].
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

THIN = 0.004  # metres

Point = tuple[float, float, float]
Colour = tuple[float, float, float]  # linear reflectance, 0 to 1

STRUCTURE = ("wall", "floor", "ceiling", "door", "window", "picture", "rug")
FURNITURE = (
    *("bed", "sofa", "chair", "table", "cabinet", "bookshelf"),
    *("lamp", "plant", "screen", "appliance", "bathroom-fixture", "ornament"),
)
CLASSES = (*STRUCTURE, *FURNITURE)  # of semantic segmentation

BOX, CYLINDER, SPHERE, SHELL = range(4)  # a cylinder stands upright; the shell is the room, seen from inside
FACES = ("wall", "wall", "wall", "wall", "floor", "ceiling")  # x = 0, x = width, y = 0, y = depth, z = 0, ...


@dataclass(frozen=True)
class Material:
    """Reflectance ``colour``, mixed with ``second`` by a pattern of period ``scale`` m; ``glow`` shines."""

    colour: Colour
    second: Colour = (0.0, 0.0, 0.0)
    pattern: str = "plain"
    scale: float = 0.2
    glow: float = 0.0


@dataclass(frozen=True)
class Solid:
    """A box, upright cylinder or sphere: centre, half extents (radii), turned by ``yaw`` about the z axis."""

    shape: int
    centre: Point
    half: Point
    material: Material
    yaw: float = 0.0
    casts: bool = True  # a shadow

    def moved(self, x: float, y: float, yaw: float, z: float = 0.0) -> Solid:
        """Turned by ``yaw`` about the z axis, then shifted by (x, y, z)."""
        a, b, height = self.centre
        c, s = math.cos(yaw), math.sin(yaw)
        centre = (x + c * a - s * b, y + s * a + c * b, z + height)
        return Solid(self.shape, centre, self.half, self.material, self.yaw + yaw, self.casts)

    def extent(self) -> tuple[Point, Point]:
        """Lowest and highest corner of the axis-parallel box around the solid."""
        (x, y, z), (a, b, h) = self.centre, self.half
        if self.shape == BOX:
            c, s = abs(math.cos(self.yaw)), abs(math.sin(self.yaw))
            a, b = c * a + s * b, s * a + c * b
        return (x - a, y - b, z - h), (x + a, y + b, z + h)


@dataclass(frozen=True)
class Thing:
    """One instance: a class name and the solids that make it up."""

    label: str
    solids: tuple[Solid, ...]

    def moved(self, x: float, y: float, yaw: float, z: float = 0.0) -> Thing:
        """All solids turned about the z axis, then shifted."""
        return Thing(self.label, tuple(solid.moved(x, y, yaw, z) for solid in self.solids))


def one(label: str, *solids: Solid) -> list[Thing]:
    """A group of one thing."""
    return [Thing(label, solids)]


@dataclass(frozen=True)
class Camera:
    """A pinhole camera without roll. Yaw turns from +y towards +x, pitch looks up; ``view`` is the horizontal
    angle of view. All angles in radians.
    """

    position: Point
    yaw: float
    pitch: float
    view: float

    def focal(self, width: int) -> float:
        """Focal length in pixels of an image that is ``width`` pixels wide."""
        return width / 2 / math.tan(self.view / 2)

    def basis(self) -> np.ndarray:
        """Rows: right, up, forward, in world coordinates."""
        cy, sy, cp, sp = math.cos(self.yaw), math.sin(self.yaw), math.cos(self.pitch), math.sin(self.pitch)
        return np.array([[cy, -sy, 0.0], [-sy * sp, -cy * sp, cp], [sy * cp, cy * cp, sp]])

    def grid(self, height: int, width: int) -> tuple[np.ndarray, np.ndarray]:
        """x (width,) and y (height,) of the pixel centres where the ray is right x + up y + forward."""
        f = self.focal(width)
        return (np.arange(width) + 0.5 - width / 2) / f, (height / 2 - np.arange(height) - 0.5) / f


@dataclass(frozen=True)
class Light:
    """A small ball of light: centre, colour times power, radius (m), and what arrives from everywhere."""

    position: Point
    colour: Colour
    radius: float
    ambient: float


@dataclass(frozen=True)
class Scene:
    """A room: its kind, size, the six materials of its FACES, the things in it, the light and the camera."""

    kind: str
    size: Point
    faces: tuple[Material, ...]
    things: tuple[Thing, ...]
    light: Light
    camera: Camera


def box(x: float, y: float, z: float, w: float, d: float, h: float, m: Material, casts: bool = True) -> Solid:
    """A box w wide, d deep and h high whose base is centred on (x, y, z)."""
    return Solid(BOX, (x, y, z + h / 2), (w / 2, d / 2, h / 2), m, casts=casts)


def sheet(x: float, y: float, z: float, w: float, h: float, material: Material) -> Solid:
    """A thin upright sheet in front of the plane y: a door, a picture. Thinner than any pixel, so that its
    edges do not speckle the normals of a small image.
    """
    return box(x, y + THIN / 2, z, w, THIN, h, material, casts=False)


def tube(x: float, y: float, z: float, r: float, h: float, m: Material, casts: bool = True) -> Solid:
    """An upright cylinder of radius r whose base is centred on (x, y, z)."""
    return Solid(CYLINDER, (x, y, z + h / 2), (r, r, h / 2), m, casts=casts)


def ball(x: float, y: float, z: float, radius: float, material: Material, casts: bool = True) -> Solid:
    """A sphere that touches (x, y, z) from above."""
    return Solid(SPHERE, (x, y, z + radius), (radius, radius, radius), material, casts=casts)
