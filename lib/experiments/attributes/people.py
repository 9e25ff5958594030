"""Whose photos are learnt from, attacked and verified; decoded and shrunk once, for all the networks."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path

import torch
from torch import Tensor
from torch.nn import functional

from lib.base import streams
from lib.data import faces, registry
from lib.data.drawn import faces as drawn
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


def album(config: Config) -> Album:
    """The photos of one config, the same for all its networks and seeds.

    Raises ValueError for an attribute that too few photos to learn from have, or have not, and for too few
    photos to attack.
    """
    which = config.data, config.size, config.people, registry.root()
    learnt, kept_back, strangers = _people(*which)
    if rare := {*config.attributes, *config.permuted} - set(common(learnt, config.least)):
        raise ValueError(f"least={config.least} photos of each kind: {', '.join(sorted(rare))} must drop out")
    attacked = _some(kept_back, config.attack_images, "attack_images")
    familiar = _some(learnt, config.familiar_images, "familiar_images")
    tests = {name: _pairs(name, config.pairs, lfw(config), *which) for name in config.benchmarks}
    return Album(learnt, attacked, familiar, strangers, tests)


def learnt(config: Config) -> Faces:
    """The photos that all networks learn from; reads `data`, `size` and `people` alone."""
    return _people(config.data, config.size, config.people, registry.root())[0]


def labels(photos: Faces, attribute: str) -> Tensor:
    """One attribute as classes 0 and 1, int64 (N,)."""
    return photos.attributes[:, photos.names.index(attribute)].long()


def common(photos: Faces, least: int) -> list[str]:
    """The attributes that at least so many faces have, and so many have not."""
    having = photos.attributes.sum(0)
    rarer = torch.minimum(having, len(photos) - having)
    return [name for name, count in zip(photos.names, rarer.tolist()) if count >= least]


def shrunk(images: Tensor, size: int) -> Tensor:
    """uint8 images (N, 3, S, S) as (N, 3, size, size), each pixel the mean of what it covers.

    Raises ValueError for images smaller than that.
    """
    if images.shape[-1] < size:
        raise ValueError(f"size={size}, but the images have {images.shape[-1]} pixels a side: ask for less")
    if images.shape[-1] == size:
        return images
    parts = (functional.interpolate(part.float(), (size, size), mode="area") for part in images.split(512))
    return torch.cat([part.round().to(torch.uint8) for part in parts])


@cache
def _people(data: str, size: int, people: int, root: Path) -> tuple[Faces, Faces, Faces]:
    """(photos to learn from, other photos of the same people, photos of strangers)."""
    known, strangers = _drawn(people, size) if data == "rendered" else _photographed(data, size)
    numbers = known.identities.unique(return_inverse=True)[1]
    known = replace(known, identities=numbers)
    kept_back = _turn(numbers) % SHARE == SHARE - 1
    return known.select(~kept_back), known.select(kept_back), strangers


@cache
def _pairs(name: str, number: int, lfw_variant: str, data: str, size: int, people: int, root: Path) -> Pairs:
    """The pairs of one benchmark, with the images that they need and no others."""
    if name == STRANGERS:
        return faces.pairs(_people(data, size, people, root)[2], number, FOLDS)
    found = faces.lfw() if name == "lfw" and lfw_variant == "lfw_96" else faces.benchmark(name)
    needed, index = found.index.unique(return_inverse=True)
    return Pairs(shrunk(found.images[needed], size), index, found.same, found.fold)


def _some(photos: Faces, number: int, name: str) -> Faces:
    """So many of the photos, drawn once and for all, in their order."""
    if len(photos) < number:
        raise ValueError(f"{name}={number}, but there are only {len(photos)} such photos: ask for less")
    drawn = torch.randperm(len(photos), generator=streams.generator(0, name))[:number]
    return photos.select(drawn.sort().values)


def _drawn(people: int, size: int) -> tuple[Faces, Faces]:
    found = drawn.faces(range(people + STRANGERS_DRAWN), PHOTOS, size=size)
    every = Faces(found.images, found.identity, found.attributes, list(found.names))
    return every.select(found.identity < people), every.select(found.identity >= people)


def _photographed(data: str, size: int) -> tuple[Faces, Faces]:
    split = faces.celeba("299" if data == "celeba_299" else "original")
    known, strangers = (replace(part, images=shrunk(part.images, size)) for part in (split.train, split.test))
    return known, strangers


def _turn(identities: Tensor) -> Tensor:
    """0, 1, 2, ... for the photos of each person, in their order."""
    order = identities.argsort(stable=True)
    first = torch.searchsorted(identities[order], identities[order])
    turn = torch.empty_like(order)
    turn[order] = torch.arange(len(order)) - first
    return turn
