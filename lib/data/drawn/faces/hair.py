"""Hair, a volume behind the head and what grows on the head itself; and what is worn: a hat, glasses."""

from __future__ import annotations

from types import SimpleNamespace
from typing import cast

import numpy as np

from lib.data.drawn.faces import features, head
from lib.data.drawn.faces.head import Light
from lib.data.drawn.faces.paint import Array, colour, cover, hue, mix, over, spot, zigzag


def behind(s: SimpleNamespace, v: SimpleNamespace, light: Light, canvas: Array) -> None:
    """The volume of hair behind the head: a cap, two sides when bald, or down to the shoulders."""
    volume = s.hair_volume * (1 - s.Bald)
    a = v.side + 0.035 * s.Bald + volume * (0.55 + 0.75 * s.long)
    top = np.where(s.Bald > 0, np.float32(0.42), s.crown + 1.1 * volume)
    bottom = np.where(s.long > 0, s.hair_length, np.float32(0.22))
    v.hair_edge = head.outline(v.x, v.y, a, top, bottom, np.float32(0.2), 0.75 * s.long)
    v.hair = _strands(s, v, light)
    ragged = 0.012 * zigzag(6 * v.x + 4 * v.y) * s.hair_muss
    depth = 1 - 0.35 * np.clip(v.y / 0.5, 0, 1)  # darker behind neck and cheeks
    over(canvas, v.hair * depth[:, None], cover(v.hair_edge + ragged, v.pixel))


def before(s: SimpleNamespace, v: SimpleNamespace, canvas: Array) -> None:
    """Hair on the head itself: above the hairline, and down the sides to the ears or along the cheeks."""
    u = np.abs(v.X) / s.width
    u2 = u * u / (1 + 0.10 * s.Male + 0.14 * (1 - s.long))
    fringe = np.maximum(2.2 * s.fringe - 1.2, 0) * (1 - 0.7 * s.Male)
    line = s.hair_line + (0.25 - 0.15 * s.Male) * u2 + 1.5 * u2 * u2 * u2 + 0.45 * s.parting * v.X
    line = line + fringe * (0.24 - 0.05 * zigzag(1.5 * v.X + s.parting))
    burns = np.where(s.long > 0, s.hair_length, 0.04 + 0.10 * s.Male * s.beard_size)
    short = np.maximum(v.Y - line, v.Y - burns)
    above = v.Y + 0.18  # when bald, what is left lies beside the ears
    bald = np.maximum((0.80 + 1.8 * above * above - u) * 0.5, v.Y - 0.08)
    distance = np.where(s.Bald > 0, bald, short) + 0.010 * zigzag(11 * v.X) * s.hair_muss
    inside = cover(np.minimum(v.hair_edge, v.edge), v.pixel)
    shadow = 0.35 * np.clip(1 - distance / 0.09, 0, 1) * (1 - s.Bald)
    canvas *= 1 - (shadow * cover(v.edge, v.pixel))[:, None]
    over(canvas, v.hair, cover(distance, v.pixel + 0.015) * inside)


def _strands(s: SimpleNamespace, v: SimpleNamespace, light: Light) -> Array:
    """Lit hair, (N, 3, H, W): locks that fan out from the crown, with a band of sheen across them."""
    a, top = s.width + s.hair_volume, s.crown + s.hair_volume
    nx, ny = v.x / a, np.where(v.y < 0, v.y / top, 0.25 * v.y)
    nz = np.sqrt(np.maximum(1.05 - nx * nx - ny * ny, 0.06))
    fan = (v.x - s.parting) / (1.5 + v.y)
    wave = 0.8 * s.hair_muss * zigzag(0.7 * v.y)
    lock = 0.6 * zigzag(7 * fan + wave) + 0.4 * zigzag(17 * fan + 0.3 * v.y)
    sheen = spot(v.x - 0.5 * light.x, v.y + 0.62 * top, 0.5, 0.16)
    bright = light.on((nx, ny, nz)) * (1 + 0.22 * lock) + 0.35 * sheen * (0.7 + 0.3 * lock)
    return cast(Array, features.hair(s) * bright[:, None] * light.colour)


def hat(s: SimpleNamespace, v: SimpleNamespace, light: Light, canvas: Array) -> None:
    """A knitted cap with a fold, or a hat with a brim."""
    volume = s.hair_volume
    a, top = v.side + (0.6 + 0.5 * s.long) * volume + 0.03, s.crown + volume + 0.06
    rim = s.hair_line + 0.10
    dome = head.outline(v.x, v.y, a, top, 0.9 + 0 * top, np.float32(0.35), np.float32(0.9))
    cap = np.maximum(dome, v.Y - rim)
    brimmed = s.hat_kind < 0.5
    brim_x, brim_y = v.x / (1.42 * a), (v.Y - rim) / 0.085
    brim = (np.sqrt(brim_x * brim_x + brim_y * brim_y + 1e-6) - 1) * 0.09
    brim = np.where(brimmed, brim, np.float32(1))
    nx, ny = v.x / a, np.minimum(v.y / top, 0.3)
    bright = light.on((nx, ny, np.sqrt(np.maximum(1.05 - nx * nx - ny * ny, 0.05))))
    band = cover(np.abs(v.Y - rim + 0.09) - 0.07, v.pixel)
    rib = np.where(brimmed, 1 - 0.55 * band, (1 + 0.10 * zigzag(9 * v.x)) * (1 + 0.25 * band))
    felt = hue(s.hat_hue, 0.30, 0.80) * (0.12 + 0.88 * s.hat_tone[:, None])
    shade = np.where(brimmed, np.float32(0.55), np.float32(0.35)) * np.clip(1 - (v.Y - rim) / 0.16, 0, 1)
    canvas *= 1 - (shade * cover(v.edge, v.pixel) * s.Wearing_Hat)[:, None]
    over(canvas, felt * (bright * rib)[:, None] * light.colour, cover(cap, v.pixel) * s.Wearing_Hat)
    over(canvas, felt * bright[:, None] * 0.8 * light.colour, cover(brim, v.pixel) * s.Wearing_Hat)


def glasses(s: SimpleNamespace, v: SimpleNamespace, canvas: Array) -> None:
    """Two rims, a bridge and the arms; clear or tinted glass with a reflection."""
    x, y = v.X - 0.07 * v.yaw[1] / v.yaw[0], v.Y - s.eye_y - 0.015
    mirror = np.abs(x)
    wide, tall = s.eye_x - 0.055, 0.105 + 0.03 * s.frame_shape
    u, w = (mirror - s.eye_x) / wide, y / tall
    square = 0.2 + 0.6 * s.frame_shape
    u2, w2 = u * u, w * w
    level = (1 - square) * (u2 + w2) + square * (u2 * u2 + w2 * w2)
    lens = (np.sqrt(level + 1e-6) - 1) * tall
    thick = 0.012 + 0.012 * s.frame_tone
    rims = np.abs(lens) - thick
    bridge = np.maximum(np.abs(y + 0.03) - thick, mirror - 0.07)
    arms = np.maximum(np.abs(y + 0.04) - thick, s.eye_x + wide - mirror)
    frame = np.minimum(rims, np.minimum(bridge, arms))
    worn = s.Eyeglasses * cover(v.edge - 0.02, v.pixel)
    dark = np.clip(8 * s.tint - 6.8, 0, 0.85)
    glass = cover(lens, v.pixel) * worn
    over(canvas, colour(0.10, 0.09, 0.09), glass * (0.06 + dark))
    streak = np.clip(1 - np.abs(mirror - s.eye_x + 0.8 * y + 0.05) / 0.035, 0, 1)
    over(canvas, colour(0.95, 0.97, 1.0), glass * streak * 0.30)
    metal = mix(colour(0.07, 0.06, 0.06), colour(0.45, 0.30, 0.18), np.maximum(2 * s.frame_tone - 1, 0))
    over(canvas, metal, cover(frame, v.pixel) * worn * 0.95)
