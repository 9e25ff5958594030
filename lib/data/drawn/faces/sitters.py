"""Who is drawn and how: the traits of an identity, the state of one image, and the attributes of both.

Lengths are in units of half an image at scale 1; x points right, y down, z towards the camera; the origin is
the middle of the head. An angle is given by the tangent of its half: sine and cosine then need no library.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import SimpleNamespace

import numpy as np
from numpy.typing import NDArray

from lib.data.drawn.faces import chance

Share = NDArray[np.float64] | float
Draw = Callable[[str], NDArray[np.float64]]

# CelebA's own names, so that a figure of this preset and one of real faces read alike.
NAMES = (
    "Arched_Eyebrows", "Bald", "Blond_Hair", "Eyeglasses", "Male", "Mouth_Slightly_Open", "Mustache",
    "No_Beard", "Smiling", "Wearing_Hat", "Wearing_Lipstick", "Young",
)  # fmt: skip

# Drawn once an identity: lowest, highest, what is added for Male, what is added for not Young.
TRAITS: dict[str, tuple[float, float, float, float]] = {
    # Head. The jaw is how square the lower face is, see head.outline.
    "width": (0.485, 0.565, 0.015, 0.0), "crown": (0.72, 0.80, 0.0, 0.0), "chin": (0.62, 0.73, 0.04, 0.01),
    "jaw": (-0.60, 0.0, 0.28, 0.08), "cheeks": (0.02, 0.07, -0.02, -0.01),
    "ear": (0.055, 0.085, 0.01, 0.01), "neck": (0.25, 0.31, 0.07, 0.02),
    # Eyes; the iris from dark brown to light blue.
    "eye_x": (0.205, 0.265, 0.0, 0.0), "eye_y": (-0.05, 0.01, 0.0, 0.0),
    "eye_w": (0.095, 0.128, -0.004, 0.0), "eye_h": (0.045, 0.068, -0.008, -0.006),
    "eye_tilt": (-0.10, 0.16, 0.0, -0.06), "iris": (0.0, 1.0, 0.0, 0.0),
    "brow_gap": (0.125, 0.165, -0.02, 0.0), "brow_w": (0.125, 0.165, 0.01, 0.0),
    "brow_t": (0.019, 0.031, 0.009, 0.0), "brow_tilt": (-0.10, 0.14, 0.05, -0.04),
    # Nose and mouth.
    "nose_y": (0.24, 0.32, 0.01, 0.01), "nose_w": (0.070, 0.105, 0.014, 0.006),
    "nose_h": (0.10, 0.18, 0.02, 0.0),
    "mouth_gap": (0.145, 0.185, 0.0, 0.0), "mouth_w": (0.165, 0.225, 0.01, 0.0),
    "lip_top": (0.022, 0.042, -0.008, -0.006), "lip_low": (0.034, 0.060, -0.010, -0.010),
    # Skin and hair; its tone from black to brown.
    "melanin": (0.0, 1.0, 0.0, 0.0), "ruddy": (0.0, 1.0, 0.0, 0.0),
    "hair_tone": (0.0, 1.0, 0.0, 0.0), "hair_red": (0.0, 1.0, 0.0, 0.0),
    "hair_line": (-0.60, -0.48, 0.0, -0.04), "hair_volume": (0.05, 0.16, -0.02, -0.02),
    "hair_length": (0.55, 1.15, 0.0, 0.0), "fringe": (0.0, 1.0, 0.0, 0.0), "parting": (-0.35, 0.35, 0.0, 0.0),
    "beard_size": (0.0, 1.0, 0.0, 0.0), "beard_depth": (0.72, 0.95, 0.0, 0.0),
}  # fmt: skip

# Drawn for every image: lowest, highest.
STATES: dict[str, tuple[float, float]] = {
    # Pose and place.
    "yaw": (-0.20, 0.20), "pitch": (-0.075, 0.075), "roll": (-0.08, 0.08),
    "scale": (1.03, 1.24), "shift_x": (-0.07, 0.07), "shift_y": (-0.04, 0.05),
    # Light.
    "light_side": (-0.50, 0.50), "light_up": (-0.02, 0.35), "ambient": (0.28, 0.58), "warmth": (-0.10, 0.10),
    "exposure": (0.82, 1.12),
    # Face: how much of a smile, where there is one, and how the mouth bends where there is none (mood).
    "gaze": (-0.25, 0.25), "lids": (0.72, 1.0), "brow_lift": (-0.012, 0.018),
    "smile": (0.65, 1.0), "mood": (-0.010, 0.018), "opening": (0.55, 1.0),
    # Hair, and what is worn.
    "hair_muss": (0.0, 1.0), "lipstick_hue": (0.0, 1.0),
    "frame_shape": (0.0, 1.0), "frame_tone": (0.0, 1.0), "tint": (0.0, 1.0),
    "hat_kind": (0.0, 1.0), "hat_hue": (0.0, 1.0), "hat_tone": (0.0, 1.0),
    "shirt_hue": (0.0, 1.0), "shirt_tone": (0.0, 1.0),
    # Background and camera.
    "wall_hue": (0.0, 1.0), "wall_tone": (0.06, 0.85), "wall_slope": (-1.0, 1.0), "wall_edge": (-1.6, 1.6),
    "blob_x": (-1.0, 1.0), "blob_y": (-1.0, 0.6), "blur": (0.0, 0.12), "noise": (0.004, 0.018),
}  # fmt: skip


def part(s: SimpleNamespace, at: slice) -> SimpleNamespace:
    """Some of the sitters."""
    return SimpleNamespace(**{name: value[at] for name, value in vars(s).items()})


def sit(
    seed: int, identity: NDArray[np.int64], image: NDArray[np.int64], fixed: Mapping[str, bool]
) -> tuple[SimpleNamespace, NDArray[np.bool_]]:
    """The sitters of N images: traits, states and attributes as float32 (N, 1, 1), and the labels (N, A).

    ``fixed`` overrules the drawn attributes and leaves every other draw as it was.
    """

    def person(name: str) -> NDArray[np.float64]:
        return chance.uniform(seed, name, identity)

    def moment(name: str) -> NDArray[np.float64]:
        return chance.uniform(seed, name, identity, image)

    drawn = _attributes(person, moment)
    long = person("long") < np.where(drawn["Male"], 0.06, 0.80) * ~drawn["Bald"]
    values = drawn | {name: np.full(len(identity), value) for name, value in fixed.items()}
    male, old = values["Male"].astype(float), 1.0 - values["Young"]
    sitter = {name: value.astype(float) for name, value in values.items()}
    for name, (low, high, male_shift, old_shift) in TRAITS.items():
        sitter[name] = low + (high - low) * person(name) + male_shift * male + old_shift * old
    for name, (low, high) in STATES.items():
        sitter[name] = low + (high - low) * moment(name)
    sitter |= {"old": old, "long": long.astype(float), "grey": old * (0.45 + 0.5 * person("grey"))}
    shaped = {name: value.astype(np.float32)[:, None, None] for name, value in sitter.items()}
    return SimpleNamespace(**shaped), np.stack([values[name] for name in NAMES], axis=1)


def _attributes(person: Draw, moment: Draw) -> dict[str, NDArray[np.bool_]]:
    """The drawn attributes: some belong to a person, some to a moment, most to both, as in CelebA."""
    male, young = person("Male") < 0.46, person("Young") < 0.70
    bald = person("Bald") < np.where(male, np.where(young, 0.16, 0.50), 0.0)
    fair = person("melanin") < 0.5

    def habit(name: str, share: Share, often: float, seldom: Share) -> NDArray[np.bool_]:
        """True ``often`` for a ``share`` of the people, ``seldom`` for the others."""
        return moment(name) < np.where(person(name) < share, often, seldom)

    smiling = moment("Smiling") < 0.25 + 0.5 * person("Smiling")
    return {
        "Arched_Eyebrows": habit("Arched_Eyebrows", np.where(male, 0.22, 0.58), 0.94, 0.05),
        "Bald": bald,
        "Blond_Hair": fair & young & (person("Blond_Hair") < np.where(male, 0.45, 0.65)),
        "Eyeglasses": habit("Eyeglasses", 0.25, 0.85, 0.06),
        "Male": male,
        "Mouth_Slightly_Open": moment("Mouth_Slightly_Open") < np.where(smiling, 0.65, 0.25),
        "Mustache": male & habit("Mustache", 0.44, 0.92, 0.03),
        "No_Beard": ~(male & habit("Beard", 0.46, 0.92, 0.03)),
        "Smiling": smiling,
        "Wearing_Hat": ~bald & habit("Wearing_Hat", 0.15, 0.60, 0.10),  # a hat would hide the bald crown
        "Wearing_Lipstick": ~male & habit("Wearing_Lipstick", 0.60, 0.85, 0.12),
        "Young": young,
    }
