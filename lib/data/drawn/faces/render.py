"""Rendered faces (Sec. 4.3, `quick`): people who do not exist, with attributes exact by construction.

A person is a set of traits: the shape of the head, of eyes, brows, nose and mouth, the colours of skin, hair
and eyes. An image adds pose, light, expression, clothes and background. The attributes have CelebA's names.
Some belong to the person (Male, Young, Bald, Blond_Hair), some to the moment (Smiling, Mouth_Slightly_Open),
the rest are habits that most moments follow (Eyeglasses, No_Beard, ...); as in CelebA they are correlated.

Image i of person k is a function of (seed, k, i, size) alone, whatever else is rendered. Every operation that
makes a pixel is rounded as IEEE 754 demands (+, -, *, /, square root, floor, comparison) and the random
numbers are integer hashes, so the images are the same, bit by bit, on every machine.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from lib.data.drawn import whole
from lib.data.drawn.faces import scene, sitters

NAMES = sitters.NAMES
SMALLEST, LARGEST = 16, 512


@dataclass(frozen=True)
class RenderedFaces:
    """images uint8 (N, 3, S, S), identity int64 (N,), attributes bool (N, A), names of the A attributes."""

    images: Tensor
    identity: Tensor
    attributes: Tensor
    names: tuple[str, ...] = NAMES

    def __len__(self) -> int:
        return len(self.identity)

    def select(self, index: Tensor) -> RenderedFaces:
        """The faces at these positions."""
        return RenderedFaces(self.images[index], self.identity[index], self.attributes[index], self.names)

    def attribute(self, name: str) -> Tensor:
        """One attribute of every image, bool (N,); ValueError lists the names."""
        return self.attributes[:, _known(name)]


def faces(
    identities: Iterable[int],
    per_identity: int,
    *,
    size: int = 48,
    seed: int = 0,
    fixed: Mapping[str, bool] | None = None,
) -> RenderedFaces:
    """Images 0 to ``per_identity`` - 1 of every person, person by person, ``size`` pixels wide and high.

    ``fixed`` overrules attributes, such as {"Eyeglasses": True}, and leaves every other draw as it was: two
    calls show what one attribute does. (A hat hides a bald crown: they only meet if one is fixed.)

    Raises:
        TypeError: an identity, ``per_identity``, ``size`` or ``seed`` is not an int.
        ValueError: no identity, a negative or repeated one; ``per_identity`` below 1; a size outside 16..512;
            an attribute that does not exist.
    """
    people = _people(identities)
    if whole("per_identity", per_identity) < 1:
        raise ValueError(f"per_identity is {per_identity}; at least 1 image of a person is rendered")
    if not SMALLEST <= whole("size", size) <= LARGEST:
        raise ValueError(f"size is {size}; faces of {SMALLEST} to {LARGEST} pixels are rendered")
    overruled = {NAMES[_known(name)]: bool(value) for name, value in (fixed or {}).items()}
    identity, image = np.repeat(people, per_identity), np.tile(np.arange(per_identity), len(people))
    images, attributes = scene.album(whole("seed", seed), identity, image, size, overruled)
    return RenderedFaces(torch.from_numpy(images), torch.from_numpy(identity), torch.from_numpy(attributes))


def _people(identities: Iterable[int]) -> np.ndarray:
    people = [whole("an identity", identity) for identity in identities]
    if not people or min(people) < 0 or max(people) >= 2**63:
        raise ValueError(
            f"identities are whole numbers from 0 to 2^63 - 1, at least one of them; got {people[:5]}"
        )
    if len(set(people)) < len(people):
        twice = next(k for k in people if people.count(k) > 1)
        raise ValueError(
            f"identity {twice} occurs twice: its images would be the same; ask for more per identity"
        )
    return np.array(people, dtype=np.int64)


def _known(name: str) -> int:
    if name not in NAMES:
        raise ValueError(f"rendered faces have no attribute {name!r}; they have {', '.join(NAMES)}")
    return NAMES.index(name)
