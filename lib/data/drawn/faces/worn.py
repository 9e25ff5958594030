"""What is worn: a hat, glasses."""

from __future__ import annotations

from types import SimpleNamespace

import numpy as np

from lib.data.drawn.faces import head
from lib.data.drawn.faces.light import Light
from lib.data.drawn.faces.paint import Array, colour, cover, hue, mix, over, zigzag


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
