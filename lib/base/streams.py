"""Random numbers: a stream of its own for everything that draws."""

from __future__ import annotations

import hashlib
import json

import torch


def generator(seed: int, *names: str | int | float, device: str | torch.device = "cpu") -> torch.Generator:
    """A random stream of its own for every (seed, names): `generator(0, "source", 3)`.

    The stream depends on nothing else, so that adding one elsewhere changes no number here. Torch's CPU
    generator takes 32 bits of seed: among k streams two coincide with a chance of about k^2 / 2^33.

    Raises:
        TypeError: the seed is not an int, or a name is not a str, int or float.
    """
    if isinstance(seed, bool) or not isinstance(seed, int):
        raise TypeError(f"seed must be an int, not {seed!r}")
    for name in names:
        if isinstance(name, bool) or not isinstance(name, str | int | float):
            raise TypeError(f"the name of a random stream must be a str, int or float, not {name!r}")
    stream = hashlib.sha256(json.dumps([seed, *names]).encode()).digest()
    return torch.Generator(device=device).manual_seed(int.from_bytes(stream[:4], "big"))
