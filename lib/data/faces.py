"""Faces (Sec. 4.3): CelebA with identities and attributes, LFW and the other verification benchmarks.

Images are uint8 (N, 3, S, S), mapped from disk. Identities, never images, are split: the people on whom
verification is tested are strangers to every model.
"""

from __future__ import annotations

import csv
import io
from dataclasses import dataclass
from pathlib import Path

import torch
from torch import Tensor

from lib.base import streams
from lib.data import registry
from lib.data.formats import faces as files
from lib.data.pairs import verification_pairs

BENCHMARKS = ("lfw", "cfp_ff", "cfp_fp", "agedb_30", "calfw", "cplfw", "vgg2_fp")


@dataclass(frozen=True)
class Faces:
    """Images uint8 (N, 3, S, S), identities int64 (N,), attributes bool (N, 40), names of the attributes."""

    images: Tensor
    identities: Tensor
    attributes: Tensor
    names: list[str]

    def __len__(self) -> int:
        return len(self.identities)

    def select(self, index: Tensor) -> Faces:
        """The faces at these positions, copied out of the map."""
        parts = (self.images[index], self.identities[index], self.attributes[index])
        return Faces(*parts, self.names)


@dataclass(frozen=True)
class Pairs:
    """Verification pairs: ``index`` int64 (P, 2) into ``images``, ``same`` bool (P,), ``fold`` int64 (P,)."""

    images: Tensor
    index: Tensor
    same: Tensor
    fold: Tensor


@dataclass(frozen=True)
class Split:
    """Faces for training, and faces of other people for testing."""

    name: str
    train: Faces
    test: Faces


def celeba(variant: str = "299", root: Path | None = None, *, test_identities: float = 0.2) -> Split:
    """CelebA, split by a hash of the identity: ``test_identities`` is the share of people held out.

    ``variant`` is "299" (299 people, 96x96, aligned by landmarks; the 232 images with several faces left out)
    or "original" (10,177 people, the publisher's crops, their middle 178x178 shrunk to 64x64).
    """
    if variant not in ("299", "original"):
        raise ValueError(f"CelebA has the variants '299' and 'original'; got {variant!r}")
    if not 0 < test_identities < 1:
        raise ValueError(f"test_identities {test_identities} is a share between 0 and 1")
    arrays, names = files.celeba_299(root) if variant == "299" else files.celeba(root)
    identities = arrays["identities"]
    people = identities.unique_consecutive()  # who come one after another, in a fixed random order
    first = people[max(1, round(test_identities * len(people)))]
    cut = int(torch.nonzero(identities == first)[0])
    parts = {
        part: Faces(arrays["images"][rows], identities[rows], arrays["attributes"][rows].bool(), names)
        for part, rows in (("train", slice(cut, None)), ("test", slice(cut)))
    }
    return Split("celeba_299" if variant == "299" else "celeba", **parts)


def balance(faces: Faces) -> dict[str, float]:
    """Share of faces that have each attribute."""
    return dict(zip(faces.names, faces.attributes.double().mean(0).tolist()))


def pairs(faces: Faces, number: int, folds: int = 10, seed: int = 0) -> Pairs:
    """``number`` pairs of the same person and as many of different people, dealt evenly into folds.

    Drawn as `lib.data.pairs.verification_pairs`. Raises ValueError if there are too few, or unequal folds.
    """
    if number % folds:
        raise ValueError(f"{number} pairs of each kind in {folds} folds: pass a multiple of the folds")
    generator = streams.generator(seed, "verification pairs")
    drawn = verification_pairs(faces.identities, 2 * number, generator=generator)
    return Pairs(faces.images, drawn.index, drawn.same, torch.arange(2 * number) * folds // (2 * number))


def lfw(root: Path | None = None) -> Pairs:
    """LFW's 6,000 pairs in ten folds (View 2) on the deep-funneled images, 96x96."""
    return Pairs(*files.lfw(root))


def benchmark(name: str, root: Path | None = None) -> Pairs:
    """One of BENCHMARKS in insightface's format, 112x112; ten folds of consecutive pairs."""
    if name not in BENCHMARKS:
        raise ValueError(f"the benchmarks are {', '.join(BENCHMARKS)}; got {name!r}")
    return Pairs(*files.insightface(name, root))


def released(root: Path | None = None) -> list[dict[str, float | str]]:
    """The authors' released accuracies, one row a model: its name, seven benchmarks and their mean."""
    text = registry.path("face_verification", root=root).read_text(encoding="utf-8")
    rows = csv.DictReader(io.StringIO(text))
    return [{key: value if key == "model" else float(value) for key, value in row.items()} for row in rows]
