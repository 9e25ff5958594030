"""The solid, an egg-shaped head with relief, seen by a parallel camera; and the light that falls on it.

The head is {X^2/a^2 + Z^2/c^2 + P(Y) <= 1}: every height has an elliptic cross-section, so the ray of a pixel
meets it in closed form once Y is known. P is even and quartic, another one above and below the middle.
"""

from __future__ import annotations

from types import SimpleNamespace
from typing import cast

import numpy as np

from lib.data.drawn.faces.paint import Array, Number

Normal = tuple[Number, Number, Number]

DEPTH = 1.12  # depth of the head relative to its width
TOP = np.float32(0.25)  # how square the skull is


def turn(half: Array) -> tuple[Array, Array]:
    """Cosine and sine of an angle from the tangent of its half: only exactly rounded operations."""
    square = half * half
    return (1 - square) / (1 + square), 2 * half / (1 + square)


def profile(y: Array, top: Array, bottom: Array, k_top: Number, k_bottom: Number) -> tuple[Array, Array]:
    """P(y) = (1 - k) t^2 + k t^4, t = y / reach, and dP/dy. Larger k is squarer, negative k pointed."""
    up = y < 0
    reach, k = np.where(up, top, bottom), np.where(up, k_top, k_bottom)
    t = y / reach
    square = t * t
    return square * (1 - k + k * square), 2 * t * (1 - k + 2 * k * square) / reach


def outline(
    x: Array, y: Array, a: Array, top: Array, bottom: Array, k_top: Number = 0.0, k_bottom: Number = 0.0
) -> Array:
    """Signed distance, to first order, to {x^2/a^2 + P(y) = 1}; negative inside."""
    p, slope = profile(y, top, bottom, k_top, k_bottom)
    across = x / (a * a)
    excess = x * across + p - 1
    return excess / np.sqrt(4 * across * across + slope * slope + 1e-2)


def look(s: SimpleNamespace, size: int) -> SimpleNamespace:
    """What the camera sees: every pixel's place in each frame, its point on the head and the normal there.

    - ``still_x, still_y``: the image, shifted and scaled (neck, shoulders); ``x, y``: rolled too (hair, hat)
    - ``X, Y, Z``: on the egg; ``U, V``: on the relief, where features are painted
    - ``normal``: three arrays, in the frame of the head; ``edge``: signed distance to the silhouette
    - ``pixel``: the width of a pixel in units of the face
    """
    steps = (2 * np.arange(size, dtype=np.float32) + 1) / np.float32(size) - 1
    v = SimpleNamespace(pixel=2.6 / (size * s.scale), chin=s.chin + 0.03 * s.Mouth_Slightly_Open * s.opening)
    v.still_x, v.still_y = np.broadcast_arrays(
        (steps[None, None, :] - s.shift_x) / s.scale, (steps[None, :, None] - s.shift_y) / s.scale
    )
    cos, sin = turn(s.roll)
    v.x, v.y = cos * v.still_x + sin * v.still_y, cos * v.still_y - sin * v.still_x
    v.yaw, v.pitch = turn(s.yaw), turn(s.pitch)
    slope = _meet(s, v)
    _carve(s, v, slope)
    return v


def towards(v: SimpleNamespace, x: Array, y: Array, z: Array) -> tuple[Array, Array, Array]:
    """A direction of the camera's frame, in the frame of the head."""
    (cy, sy), (cp, sp) = v.yaw, v.pitch
    level = cp * z - sp * y
    return cy * x - sy * level, cp * y + sp * z, sy * x + cy * level


def _meet(s: SimpleNamespace, v: SimpleNamespace) -> Array:
    """Where the rays meet the egg; returns dP/dY there. Pitch enters through Y, settled by substitution."""
    a2, c2 = s.width * s.width, np.float32(DEPTH * DEPTH) * s.width * s.width
    (cy, sy), (cp, sp) = v.yaw, v.pitch
    lead, mix = sy * sy / a2 + cy * cy / c2, sy * cy * (1 / c2 - 1 / a2)
    z = np.float32(0)
    for _ in range(3):
        v.Y = (v.y + sp * z) / cp
        p, slope = profile(v.Y, s.crown, v.chin, TOP, s.jaw)
        root = np.sqrt(np.maximum(lead * (1 - p) - v.x * v.x / (a2 * c2), 0))
        z = (root - mix * v.x) / lead
    v.X, v.Z = cy * v.x - sy * z, sy * v.x + cy * z
    v.side = np.sqrt(cy * cy * a2 + sy * sy * c2)  # half-width of the turned egg
    v.edge = outline(v.x, v.y, v.side, s.crown, v.chin, TOP, s.jaw)
    return slope


def _carve(s: SimpleNamespace, v: SimpleNamespace, slope: Array) -> None:
    """Relief over the egg: the nose shifts what is painted on it (parallax), all of it bends the normals."""
    bumps = _bumps(s, v)
    height = sum(_bump(v.X, v.Y, *bump)[0] for bump in bumps[:2])
    v.U, v.V = v.X - height * v.yaw[1] / v.yaw[0], v.Y + height * v.pitch[1] / v.pitch[0]
    a2, c2 = s.width * s.width, np.float32(DEPTH * DEPTH) * s.width * s.width
    front = np.maximum(v.Z, 0) / c2
    nx, ny = v.X / a2, slope / 2
    for bump in bumps:
        _, gx, gy = _bump(v.U, v.V, *bump)
        nx, ny = nx - front * gx, ny - front * gy
    nz = v.Z / c2
    length = 1 / np.sqrt(nx * nx + ny * ny + nz * nz + 1e-6)
    v.normal = nx * length, ny * length, nz * length


def _bumps(s: SimpleNamespace, v: SimpleNamespace) -> list[tuple[Number, Number, Number, Number, Number]]:
    """Centre, half-widths and height of each bump; those beside the middle are pairs. First the nose."""
    eye, nose = s.eye_y, s.nose_y
    mouth = nose + s.mouth_gap
    return [
        (0.0, (eye + nose) / 2 + 0.02, 0.095, 0.5 * (nose - eye) + 0.12, 0.75 * s.nose_h),
        (0.0, nose - 0.035, 1.45 * s.nose_w, 0.15, 0.65 * s.nose_h),
        (0.75 * s.nose_w, nose - 0.005, 0.055, 0.06, 0.035),
        (s.eye_x, eye - s.brow_gap + 0.03, 0.21, 0.09, 0.022 + 0.02 * s.Male),
        (s.eye_x - 0.015, eye, 0.17, 0.11, -0.050),
        (0.30, nose - 0.10, 0.20, 0.20, s.cheeks + 0.045 * s.Smiling * s.smile),
        (0.0, mouth, s.mouth_w, 0.10, 0.035),
        (0.0, mouth + 0.105, 0.15, 0.055, -0.030),
        (0.0, v.chin - 0.10, 0.17, 0.12, 0.040 + 0.02 * s.Male),
        (0.27, mouth + 0.02, 0.10, 0.15, 0.035 * s.old),
    ]


def _bump(
    x: Array, y: Array, cx: Number, cy: Number, sx: Number, sy: Number, height: Number
) -> tuple[Array, Array, Array]:
    """h (1 - q)^2 inside the ellipse q < 1 around (+-cx, cy), and its gradient."""
    dx, dy = np.abs(x) - cx, y - cy
    ax, ay = dx / (sx * sx), dy / (sy * sy)
    rest = np.maximum(1 - dx * ax - dy * ay, 0)
    lean = -4 * height * rest
    return height * rest * rest, lean * ax * np.sign(x), lean * ay


class Light:
    """A lamp from one side, and even light from above.

    Directions are in the frame of the camera (x right, y down, z towards it), unless the normals are given in
    that of the head: ``view`` then says how it is turned.
    """

    def __init__(self, s: SimpleNamespace):
        (cs, ss), (cu, su) = turn(s.light_side), turn(s.light_up)
        self.x, self.y, self.z = cu * ss, -su, cu * cs
        self.ambient = s.ambient
        self.lamp = (1.15 - 0.8 * s.ambient) * s.exposure
        tint = np.array([1.0, 0.0, -1.0], dtype=np.float32)[None, :, None, None]
        self.colour = 1 + tint * s.warmth[:, None]

    def on(self, normal: Normal, view: SimpleNamespace | None = None) -> Array:
        """Brightness (N, H, W) of a matt surface; the lamp wraps a little round its edge."""
        nx, ny, nz = normal
        x, y, z = (self.x, self.y, self.z) if view is None else towards(view, self.x, self.y, self.z)
        lamp = np.maximum((nx * x + ny * y + nz * z + 0.20) / 1.20, 0)
        return cast(Array, self.ambient * (0.85 - 0.25 * ny) + self.lamp * lamp)

    def gloss(self, normal: Normal, view: SimpleNamespace) -> Array:
        """Highlight (N, H, W): the twelfth power of the cosine with the half-way direction."""
        nx, ny, nz = normal
        x, y, z = towards(view, self.x, self.y, self.z + 1)
        length = np.sqrt(x * x + y * y + z * z)
        cosine = np.maximum((nx * x + ny * y + nz * z) / length, 0)
        square = cosine * cosine
        fourth = square * square
        return cast(Array, self.lamp * fourth * fourth * fourth)
