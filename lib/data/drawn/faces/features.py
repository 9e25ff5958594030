"""What is painted on the skin: eyes, brows, nostrils, mouth, beard and the marks of age.

Each function paints on the albedo (N, 3, H, W) in coordinates (U, V) of the face; |U| serves both halves.
"""

from __future__ import annotations

from types import SimpleNamespace

import numpy as np

from lib.data.drawn.faces.paint import Array, colour, cover, mix, over, spot, zigzag


def skin(s: SimpleNamespace) -> Array:
    """Colour of the skin: from pale over olive to dark, more or less ruddy."""
    fair, olive, dark = colour(0.94, 0.78, 0.68), colour(0.80, 0.59, 0.46), colour(0.42, 0.27, 0.20)
    tone = mix(mix(fair, olive, np.minimum(2 * s.melanin, 1)), dark, np.maximum(2 * s.melanin - 1, 0))
    return mix(tone, tone * colour(1.02, 0.93, 0.92), s.ruddy)


def hair(s: SimpleNamespace) -> Array:
    """Colour of the hair: black to brown, red or blond, greying with age."""
    dark = mix(colour(0.11, 0.09, 0.09), colour(0.40, 0.26, 0.16), s.hair_tone)
    dark = mix(dark, colour(0.50, 0.22, 0.11), np.maximum(5 * s.hair_red - 4, 0))
    blond = mix(colour(0.78, 0.60, 0.34), colour(0.92, 0.80, 0.55), s.hair_tone)
    return mix(mix(dark, blond, s.Blond_Hair), colour(0.74, 0.73, 0.72), s.grey * (1 - 0.6 * s.Blond_Hair))


def whiskers(s: SimpleNamespace) -> Array:
    """Colour of a beard: darker than the hair, most of all where that is blond."""
    return mix(hair(s), colour(0.36, 0.23, 0.13), 0.15 + 0.45 * s.Blond_Hair + 0.30 * s.grey) * 0.75


def face(s: SimpleNamespace, v: SimpleNamespace) -> Array:
    """The albedo of the whole face, (N, 3, H, W)."""
    albedo = np.repeat(np.repeat(skin(s), v.U.shape[1], 2), v.U.shape[2], 3)
    v.mirror, v.mouth = np.abs(v.U), s.nose_y + s.mouth_gap
    _flush(s, v, albedo)
    _age(s, v, albedo)
    _beard(s, v, albedo)
    _nostrils(s, v, albedo)
    _mouth(s, v, albedo)
    _mustache(s, v, albedo)
    _eyes(s, v, albedo)
    _brows(s, v, albedo)
    return albedo


def _flush(s: SimpleNamespace, v: SimpleNamespace, albedo: Array) -> None:
    """Rosy cheeks and nose, shaded sockets, the shadow under nose and lip."""
    red = 0.30 * spot(v.mirror - 0.30, v.V - s.nose_y + 0.06, 0.22, 0.20)
    red += 0.22 * spot(v.U, v.V - s.nose_y + 0.02, 1.5 * s.nose_w, 0.12)
    shade = 0.42 * spot(v.mirror - s.eye_x + 0.02, v.V - s.eye_y + 0.01, 0.19, 0.13)
    shade += 0.26 * spot(v.U, v.V - s.nose_y - 0.045, 1.3 * s.nose_w, 0.055)
    shade += 0.28 * spot(v.U, v.V - v.mouth - 1.9 * s.lip_low, 0.8 * s.mouth_w, 0.05)
    shade += 0.20 * spot(v.mirror - 0.07, v.V - s.eye_y - 0.02, 0.05, 0.13)
    albedo *= (1 - shade)[:, None]
    albedo *= 1 - red[:, None] * np.array([0.0, 0.45, 0.40], dtype=np.float32)[None, :, None, None]


def _age(s: SimpleNamespace, v: SimpleNamespace, albedo: Array) -> None:
    """Lines from nose to mouth, with a smile too; with age also on the forehead and around the eyes."""
    down = v.V - s.nose_y + 0.02
    fold = np.abs(v.mirror - s.nose_w - 0.025 - 0.55 * np.maximum(down, 0)) - 0.010
    fold = cover(np.maximum(fold, np.maximum(-down, down - 0.19)), v.pixel + 0.02)
    lines = fold * (0.10 + 0.18 * s.Smiling + 0.42 * s.old)
    brow = v.V - (s.eye_y - s.brow_gap - 0.10) + 0.25 * v.U * v.U
    furrow = cover(np.abs(zigzag(brow / 0.17 + 0.25)) * 0.042 - 0.010, v.pixel + 0.012)
    inside = spot(v.U, brow + 0.06, 0.36, 0.17)
    bag_x, bag_y = v.mirror - s.eye_x, v.V - s.eye_y - 0.085
    bag = cover(np.abs(bag_y + 1.6 * bag_x * bag_x) - 0.010, v.pixel + 0.012) * spot(bag_x, bag_y, 0.14, 0.09)
    crow_x, crow_y = v.mirror - s.eye_x - 0.165, v.V - s.eye_y
    crow = spot(crow_x, crow_y, 0.07, 0.09) * (0.5 + 0.5 * zigzag((crow_y - 0.6 * crow_x) / 0.05))
    lines += s.old * (0.75 * furrow * np.minimum(2 * inside, 1) + 0.55 * bag + 0.40 * crow)
    albedo *= (1 - np.minimum(lines, 0.75))[:, None] + 0.10 * lines[:, None] * skin(s)


def _beard(s: SimpleNamespace, v: SimpleNamespace, albedo: Array) -> None:
    """Everything below a line from the sideburns round the mouth; the lips are painted over it."""
    x, y = v.U / (0.52 - 0.10 * s.beard_size), (v.V - s.nose_y + 0.12) / (0.33 - 0.04 * s.beard_size)
    bare = (1 - np.sqrt(x * x + y * y + 1e-6)) * 0.35
    distance = np.maximum(0.10 - 0.10 * s.beard_size - v.V, bare)
    strands = 1 + 0.14 * zigzag(9 * v.mirror + 1.3 * zigzag(5 * v.V)) * zigzag(7 * v.V)
    coverage = cover(distance, v.pixel + 0.06) * s.beard_depth * (1 - s.No_Beard)
    over(albedo, whiskers(s) * strands[:, None], coverage)
    stubble = cover(distance, v.pixel + 0.12) * 0.18 * s.Male * s.beard_size
    albedo *= 1 - stubble[:, None]


def _mustache(s: SimpleNamespace, v: SimpleNamespace, albedo: Array) -> None:
    """A band between nose and upper lip, thinner and lower towards its ends."""
    half = 0.95 * s.mouth_w
    along = v.mirror / half
    middle = 0.5 * (s.nose_y + v.mouth) + 0.012 + 0.045 * along * along
    thick = (0.042 + 0.014 * s.beard_size) * np.maximum(1 - 0.75 * along * along, -1)
    coverage = cover(np.abs(v.V - middle) - thick, v.pixel + 0.008) * s.beard_depth * s.Mustache
    strands = 1 + 0.14 * zigzag(13 * v.mirror + 2 * v.V)
    over(albedo, whiskers(s) * strands[:, None], coverage)


def _nostrils(s: SimpleNamespace, v: SimpleNamespace, albedo: Array) -> None:
    hole = spot(v.mirror - 0.52 * s.nose_w, v.V - s.nose_y - 0.012, 0.042, 0.026)
    wing = spot(v.mirror - 1.12 * s.nose_w, v.V - s.nose_y + 0.015, 0.022, 0.055)
    albedo *= (1 - np.minimum(1.1 * hole, 0.75) - 0.28 * wing)[:, None]


def _mouth(s: SimpleNamespace, v: SimpleNamespace, albedo: Array) -> None:
    """Two lips around a seam; a smile lifts and widens the corners, an open mouth shows teeth."""
    smile, gap = s.Smiling * s.smile, 0.050 * s.Mouth_Slightly_Open * s.opening
    along = v.mirror / (s.mouth_w * (1 + 0.30 * smile))
    bow = np.maximum(1 - along * along, -0.5)
    curve = s.mood + 0.130 * smile
    seam = v.V - v.mouth - curve * (bow - 0.55)
    peak = 1 - 0.30 * spot(v.U, 0 * v.U, 0.055, 1.0)  # the bow of the upper lip
    full = 1 + 0.15 * s.Wearing_Lipstick
    top, low = (full * s.lip_top * peak + 0.4 * gap) * bow, (full * s.lip_low + gap) * bow
    lips = np.maximum(-seam - top, seam - low)
    bare = skin(s) * colour(0.92, 0.74, 0.71)
    red = mix(colour(0.70, 0.05, 0.10), colour(0.80, 0.10, 0.42), s.lipstick_hue)
    width = v.pixel + 0.006
    tone, opaque = mix(bare, red, 0.92 * s.Wearing_Lipstick), 0.80 + 0.20 * s.Wearing_Lipstick
    over(albedo, tone, cover(lips, width) * opaque)
    inside = np.maximum(-seam - 0.45 * gap * bow, seam - gap * bow)
    over(albedo, colour(0.25, 0.09, 0.09), cover(inside, width) * s.Mouth_Slightly_Open)
    teeth = np.maximum(inside, seam - 0.45 * gap * bow) + 0.012 * (along * along)
    over(albedo, colour(0.93, 0.90, 0.85), cover(teeth, width) * s.Mouth_Slightly_Open)
    shut = cover(np.maximum(np.abs(seam) - 0.006, 0.3 * (along - 1.05)), v.pixel + 0.012)
    albedo *= (1 - 0.70 * shut * (1 - s.Mouth_Slightly_Open))[:, None]


def _eyes(s: SimpleNamespace, v: SimpleNamespace, albedo: Array) -> None:
    """Almond openings with iris, pupil, glint, lashes and a crease; a smile narrows them from below."""
    x = v.mirror - s.eye_x
    y = v.V - s.eye_y + s.eye_tilt * x
    along = x / s.eye_w
    arc = np.maximum(1 - along * along, -1)
    upper, lower = s.eye_h * s.lids * arc, (0.62 - 0.32 * s.Smiling * s.smile) * s.eye_h * arc
    opening = cover(np.maximum(-y - upper, y - lower), v.pixel)
    over(albedo, colour(0.86, 0.84, 0.82), opening)
    gx, gy = v.U - np.sign(v.U) * s.eye_x - s.gaze * s.eye_w, v.V - s.eye_y + 0.12 * s.eye_h
    radius = np.sqrt(gx * gx + gy * gy)
    iris = mix(colour(0.20, 0.12, 0.08), colour(0.42, 0.28, 0.14), np.minimum(1.5 * s.iris, 1))
    iris = mix(iris, colour(0.42, 0.56, 0.66), np.maximum(3 * s.iris - 2, 0))
    over(albedo, iris, opening * cover(radius - 0.052, v.pixel))
    over(albedo, colour(0.03, 0.03, 0.03), opening * cover(radius - 0.024, v.pixel))
    glint = spot(gx - 0.03 * s.light_side, gy + 0.020, 0.022, 0.022)
    over(albedo, colour(1.0, 1.0, 1.0), opening * np.minimum(1.2 * glint, 0.9))
    lash = np.maximum(np.abs(y + upper) - 0.009 - 0.005 * (1 - s.Male), np.abs(x) - 1.1 * s.eye_w)
    over(albedo, colour(0.10, 0.07, 0.06), 0.85 * cover(lash, v.pixel))
    crease = cover(np.maximum(np.abs(y + 1.55 * upper + 0.012) - 0.004, np.abs(x) - s.eye_w), v.pixel + 0.01)
    under = cover(np.maximum(np.abs(y - lower) - 0.003, np.abs(x) - s.eye_w), v.pixel + 0.006)
    albedo *= (1 - 0.40 * crease - 0.30 * under)[:, None]


def _brows(s: SimpleNamespace, v: SimpleNamespace, albedo: Array) -> None:
    """Bands over the eyes, tapering outwards; arched ones peak beyond their middle."""
    along = (v.mirror - s.eye_x - 0.01) / s.brow_w
    off = along - 0.25
    arch = 0.002 + 0.080 * s.Arched_Eyebrows
    rise = arch * (1 - 0.85 * off * off) + s.brow_tilt * 0.12 * along + 0.25 * arch
    y = v.V - s.eye_y + s.brow_gap + s.brow_lift + rise - 0.02
    thick = s.brow_t * (1 - 0.45 * np.maximum(along, 0))
    distance = np.maximum(np.abs(y) - thick, (np.abs(along) - 1) * s.brow_w)
    tone = mix(hair(s), colour(0.16, 0.10, 0.08), np.full_like(s.old, 0.5))
    over(albedo, tone, 0.92 * cover(distance, v.pixel))
