"""Random numbers that are a pure function of their name: no state, no order, the same on every machine.

A number is the SplitMix64 hash of (seed, name, identity, image). Integers modulo 2^64 have one result
everywhere, which numpy does not promise for the distributions of its generators (NEP 19).
"""

from __future__ import annotations

import hashlib
from typing import Any

import numpy as np
from numpy.typing import NDArray

_GOLDEN = np.uint64(0x9E3779B97F4A7C15)
_FIRST, _SECOND = np.uint64(0xBF58476D1CE4E5B9), np.uint64(0x94D049BB133111EB)


def bits(seed: int, name: str, *numbers: NDArray[np.int64]) -> NDArray[np.uint64]:
    """64 random bits for every combination that the broadcast ``numbers`` make."""
    digest = hashlib.sha256(f"{seed}\0{name}".encode()).digest()
    start = int.from_bytes(digest[:8], "big")
    state = np.array([start], dtype=np.uint64)  # an array: scalars warn of overflow
    for number in numbers:
        state = _mix(state + np.asarray(number).astype(np.uint64) * _GOLDEN)
    return state


def uniform(seed: int, name: str, *numbers: NDArray[np.int64]) -> NDArray[Any]:
    """Numbers in [0, 1) with 53 random bits."""
    return (bits(seed, name, *numbers) >> np.uint64(11)) * 2.0**-53


def bell(random: NDArray[np.uint64]) -> NDArray[np.float32]:
    """Three numbers from each 64 bits, on a new axis 1: mean 0, variance 1, nearly normal.

    Each is a sum of three bytes, one of them shared by all: cheap, exact, and with a correlation of 1/3, as
    the noise of a camera's colours has after demosaicing.
    """
    byte = [((random >> np.uint64(8 * k)) & np.uint64(255)).astype(np.float32) for k in range(7)]
    sums = [byte[2 * c] + byte[2 * c + 1] + byte[6] for c in range(3)]
    scale = np.float32(2.0 / 255.99805)  # a byte has variance (256^2 - 1) / 12
    return np.stack([(total - np.float32(382.5)) * scale for total in sums], axis=1)


def _mix(z: NDArray[np.uint64]) -> NDArray[np.uint64]:
    """The finaliser of SplitMix64 (Steele, Lea and Flood 2014)."""
    z = z + _GOLDEN
    z = (z ^ (z >> np.uint64(30))) * _FIRST
    z = (z ^ (z >> np.uint64(27))) * _SECOND
    return z ^ (z >> np.uint64(31))
