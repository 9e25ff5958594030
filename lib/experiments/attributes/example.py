"""A few rendered faces under a virtual attack, for the eye: nothing of it is recorded."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from lib.attacks.projected import pgd
from lib.base import compute
from lib.data.drawn import faces
from lib.experiments.attributes import measures, networks
from lib.experiments.attributes.people import album
from lib.experiments.attributes.settings import Config


@dataclass(frozen=True)
class Example:
    """Photos (N, 3, S, S) before and after an attack on one attribute.

    beliefs: the source's probability that the attribute is there; same: the reference's cosine between the
    photo and itself attacked, and between the photo and one of somebody else; all (N,).
    """

    attribute: str
    epsilon: float
    before: Tensor
    after: Tensor
    present: Tensor
    beliefs: tuple[Tensor, Tensor]
    same: Tensor
    other: Tensor


@torch.no_grad()
def _beliefs(source: networks.FaceNet, x: Tensor) -> Tensor:
    return source(x).softmax(1)[:, 1].cpu()


def example(
    config: Config, attribute: str, *, epsilon: float | None = None, count: int = 3, seed: int = 0
) -> Example:
    """Photos of `count` known people that the models have not learnt from, attacked through one source.

    Raises ValueError for photos of real people, whom the book does not show.
    """
    if config.data != "rendered":
        raise ValueError(f"data={config.data!r} shows real people: the example takes 'rendered' faces only")
    source, _ = networks.source_model(config, attribute, seed)
    reference, _ = networks.reference_model(config, seed)
    photos = album(config).attacked
    first = torch.stack([(photos.identities == who).nonzero()[0, 0] for who in photos.identities.unique()])
    has = photos.attributes[first, photos.names.index(attribute)]
    some = photos.select(torch.cat([first[has][: (count + 1) // 2], first[~has][: count // 2]]))
    x, _ = measures.known(some, config)
    radius = config.epsilon if epsilon is None else epsilon
    after = pgd(
        source, x, radius, config.steps, clip=(0.0, 1.0), generator=compute.generator(seed, "example")
    )
    with torch.no_grad():
        clean, moved = reference.embed(x), reference.embed(after)
    return Example(
        attribute, radius, x.cpu(), after.cpu(), some.attributes[:, some.names.index(attribute)],
        (_beliefs(source, x), _beliefs(source, after)),
        (clean * moved).sum(1).cpu(), (clean * clean.roll(1, 0)).sum(1).cpu(),
    )  # fmt: skip


def portraits(attributes: tuple[str, ...], size: int = 72, person: int = 3) -> tuple[Tensor, list[str]]:
    """One person, first plain, then with one attribute changed: images (1 + A, 3, S, S) and their titles."""
    off = dict.fromkeys(attributes, False) | {"Young": True, "No_Beard": True}
    plain = faces.faces([person], 1, size=size, fixed=off).images
    shown = [
        faces.faces([person], 1, size=size, fixed=off | {name: not off.get(name, False)}).images
        for name in attributes
    ]
    titles = [name if not off.get(name, False) else f"not {name}" for name in attributes]
    return torch.cat([plain, *shown]), ["plain", *titles]
