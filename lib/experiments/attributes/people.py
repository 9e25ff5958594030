"""Whose photos are learnt from, attacked and verified; decoded and shrunk once, for all the networks."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from pathlib import Path

import torch
from torch import Tensor
from torch.nn import functional

from lib.base import compute
from lib.data import faces, registry
from lib.data.drawn import faces as faces_rendered
from lib.data.faces import Faces, Pairs
from lib.experiments.attributes.settings import STRANGERS, Config, lfw

SHARE = 4  # every fourth photo of a known person is kept back, to be attacked
STRANGERS_DRAWN = 40  # people drawn for verification, for "rendered"
PHOTOS = 20  # drawn of each
FOLDS = 10


@dataclass(frozen=True)
class Album:
    """Photos of known people to learn from, other photos of theirs to attack, photos of strangers, and pairs.

    `familiar` are some of those learnt from, attacked as well. Known people are numbered from 0.
    """

    learnt: Faces
    attacked: Faces
    familiar: Faces
    strangers: Faces
    pairs: dict[str, Pairs]

    @property
    def known(self) -> int:
        """How many people the reference tells apart."""
        return int(self.learnt.identities.max()) + 1

    def labels(self, part: Faces, attribute: str) -> Tensor:
        """One attribute of a part's photos as classes 0 and 1, int64."""
        return part.attributes[:, part.names.index(attribute)].long()


def album(config: Config) -> Album:
    """The photos of one config, the same for all its networks and seeds.

    Raises ValueError for an attribute that too few photos to learn from have, or have not, and for too few
    photos to attack.
    """
    which = config.data, config.size, config.people, config.benchmarks, config.pairs
    numbers = config.attack_images, config.familiar_images
    found = _album(*which, numbers, lfw(config), registry.root())
    if rare := {*config.attributes, *config.permuted} - set(common(found.learnt, config.least)):
        raise ValueError(f"least={config.least} photos of each kind: {', '.join(sorted(rare))} must drop out")
    return found


def common(faces: Faces, least: int) -> list[str]:
    """The attributes that at least so many faces have, and so many have not."""
    having = faces.attributes.sum(0)
    rarer = torch.minimum(having, len(faces) - having)
    return [name for name, count in zip(faces.names, rarer.tolist()) if count >= least]


@cache
def _album(
    data: str, size: int, people: int, benchmarks: tuple[str, ...], pairs: int,
    numbers: tuple[int, int], lfw_variant: str, root: Path,
) -> Album:  # fmt: skip
    known, strangers = _drawn(people, size) if data == "rendered" else _photographed(data, size)
    known = Faces(
        known.images, known.identities.unique(return_inverse=True)[1], known.attributes, known.names
    )
    kept_back = _turn(known.identities) % SHARE == SHARE - 1
    attacked = _some(known, kept_back, numbers[0], "attack_images")
    familiar = _some(known, ~kept_back, numbers[1], "familiar_images")
    tests = {name: _pairs(name, strangers, pairs, size, lfw_variant) for name in benchmarks}
    learnt = known.select(torch.nonzero(~kept_back)[:, 0])
    return Album(learnt, attacked, familiar, strangers, tests)


def _some(faces: Faces, which: Tensor, number: int, name: str) -> Faces:
    """So many of the faces at `which`, drawn once and for all, in their order."""
    rows = torch.nonzero(which)[:, 0]
    if len(rows) < number:
        raise ValueError(f"{name}={number}, but there are only {len(rows)} such photos: ask for less")
    drawn = torch.randperm(len(rows), generator=compute.generator(0, name))[:number]
    return faces.select(rows[drawn.sort().values])


def _drawn(people: int, size: int) -> tuple[Faces, Faces]:
    album = faces_rendered.faces(range(people + STRANGERS_DRAWN), PHOTOS, size=size)
    every = Faces(album.images, album.identity, album.attributes, list(album.names))
    known = album.identity < people
    return every.select(torch.nonzero(known)[:, 0]), every.select(torch.nonzero(~known)[:, 0])


def _photographed(data: str, size: int) -> tuple[Faces, Faces]:
    split = faces.celeba("299" if data == "celeba_299" else "original")
    known, strangers = (
        Faces(shrunk(part.images, size), part.identities, part.attributes, part.names)
        for part in (split.train, split.test)
    )
    return known, strangers


def _pairs(name: str, strangers: Faces, number: int, size: int, lfw_variant: str) -> Pairs:
    """The pairs of one benchmark, with the images that they need and no others."""
    if name == STRANGERS:
        return faces.pairs(strangers, number, FOLDS)
    found = faces.lfw() if name == "lfw" and lfw_variant == "lfw_96" else faces.benchmark(name)
    needed, index = found.index.unique(return_inverse=True)
    return Pairs(shrunk(found.images[needed], size), index, found.same, found.fold)


def shrunk(images: Tensor, size: int) -> Tensor:
    """uint8 images (N, 3, S, S) as (N, 3, size, size), each pixel the mean of what it covers.

    Raises ValueError for images smaller than that.
    """
    if images.shape[-1] < size:
        raise ValueError(f"size={size}, but the images have {images.shape[-1]} pixels a side: ask for less")
    if images.shape[-1] == size:
        return images

    def shrink(part: Tensor) -> Tensor:
        return functional.interpolate(part.float(), size=(size, size), mode="area").round().to(torch.uint8)

    return torch.cat([shrink(part) for part in images.split(512)])


def _turn(identities: Tensor) -> Tensor:
    """0, 1, 2, ... for the photos of each person, in their order."""
    order = identities.argsort(stable=True)
    first = torch.searchsorted(identities[order], identities[order])
    turn = torch.empty_like(order)
    turn[order] = torch.arange(len(order)) - first
    return turn
