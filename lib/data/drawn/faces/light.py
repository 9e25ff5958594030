"""What falls on the sitter: one lamp and the sky."""

from __future__ import annotations

from types import SimpleNamespace
from typing import cast

import numpy as np

from lib.data.drawn.faces import head
from lib.data.drawn.faces.paint import Array, Number

Normal = tuple[Number, Number, Number]


class Light:
    """A lamp from one side, and even light from above.

    Directions are in the frame of the camera (x right, y down, z towards it), unless the normals are given in
    that of the head: ``view`` then says how it is turned.
    """

    def __init__(self, s: SimpleNamespace):
        (cs, ss), (cu, su) = head.turn(s.light_side), head.turn(s.light_up)
        self.x, self.y, self.z = cu * ss, -su, cu * cs
        self.ambient = s.ambient
        self.lamp = (1.15 - 0.8 * s.ambient) * s.exposure
        tint = np.array([1.0, 0.0, -1.0], dtype=np.float32)[None, :, None, None]
        self.colour = 1 + tint * s.warmth[:, None]

    def on(self, normal: Normal, view: SimpleNamespace | None = None) -> Array:
        """Brightness (N, H, W) of a matt surface; the lamp wraps a little round its edge."""
        nx, ny, nz = normal
        x, y, z = (self.x, self.y, self.z) if view is None else head.towards(view, self.x, self.y, self.z)
        lamp = np.maximum((nx * x + ny * y + nz * z + 0.20) / 1.20, 0)
        return cast(Array, self.ambient * (0.85 - 0.25 * ny) + self.lamp * lamp)

    def gloss(self, normal: Normal, view: SimpleNamespace) -> Array:
        """Highlight (N, H, W): the twelfth power of the cosine with the half-way direction."""
        nx, ny, nz = normal
        x, y, z = head.towards(view, self.x, self.y, self.z + 1)
        length = np.sqrt(x * x + y * y + z * z)
        cosine = np.maximum((nx * x + ny * y + nz * z) / length, 0)
        square = cosine * cosine
        fourth = square * square
        return cast(Array, self.lamp * fourth * fourth * fourth)
