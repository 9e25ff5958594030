"""A few images under a virtual attack, for the eye: nothing of it is recorded."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor, nn

from lib.attacks.pgd import pgd
from lib.base import compute
from lib.experiments.images import networks
from lib.experiments.images.settings import Config


@dataclass(frozen=True)
class Example:
    """Images (N, C, H, W) before and after, and what two models believe of them: probabilities (N, 4)."""

    target: str
    source: str
    epsilon: float
    before: Tensor
    after: Tensor
    labels: Tensor
    source_beliefs: tuple[Tensor, Tensor]
    reference_beliefs: tuple[Tensor, Tensor]
    source_classes: list[str]
    target_classes: list[str]


def example(
    config: Config, target: str, source: str, *, epsilon: float | None = None, count: int = 3, seed: int = 0
) -> Example:
    """The first `count` test images of a target, of different classes, attacked through a source."""
    device = compute.resolve_device(config.device)
    model, _ = networks.source_model(config, source, seed)
    reference, _ = networks.reference_model(config, target, seed)
    split = networks.target_split(config, target)
    x, y = networks.pixels(split.test, device)
    rows = torch.stack([(y == label).nonzero()[0, 0] for label in range(count)])
    x, y, radius = x[rows], y[rows], config.epsilon if epsilon is None else epsilon
    stream = compute.generator(seed, "example")
    after = pgd(model, x, radius, config.steps, clip=(0.0, 1.0), generator=stream)
    return Example(
        target, source, radius, x.cpu(), after.cpu(), y.cpu(),
        (_beliefs(model, x), _beliefs(model, after)),
        (_beliefs(reference, x), _beliefs(reference, after)),
        networks.source_split(config, source).classes,
        split.classes,
    )  # fmt: skip


@torch.no_grad()
def _beliefs(model: nn.Module, x: Tensor) -> Tensor:
    return model(x).softmax(1).cpu()
