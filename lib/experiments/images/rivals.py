"""What one could have asked instead of attacking: estimators of transferability, and two cheap baselines."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn

from lib.base import compute
from lib.data import images
from lib.experiments.images.networks import CLASSES, Network, pixels
from lib.experiments.images.settings import Config
from lib.measures import estimators
from lib.models import training

IMAGES = 1000  # of the target's training part, balanced; as many as the attack takes at most


def rivals(config: Config, source: Network, split: images.Split) -> dict[str, float | None]:
    """`estimators.scores` of the source's features on the target's training images; higher is better."""
    device = compute.resolve_device(config.device)
    x, y = pixels(split.train.take(_per_class(split.train)), device)
    features = training.predict(source.features, x, device=device)
    probabilities = training.predict(source, x, device=device).softmax(1)
    return estimators.scores(features, y.cpu(), probabilities)


def domain_distance(
    config: Config, reference: nn.Module, own: images.Part | None, split: images.Split
) -> float | None:
    """How far the source's images lie from the target's, as the reference model sees both: lower is nearer.

    The squared distance of the mean features over the target's total variance. No source model is needed,
    only its data. None for a source without data.
    """
    if own is None:
        return None
    here = _seen(config, reference, split.train.take(_per_class(split.train)))
    there = _seen(config, reference, own.take(_per_class(own)))
    return float((here.mean(0) - there.mean(0)).square().sum() / here.var(0).sum())


@torch.no_grad()
def _seen(config: Config, reference: nn.Module, part: images.Part) -> Tensor:
    device = compute.resolve_device(config.device)
    x, _ = pixels(part, device)
    features: Any = reference.features
    return training.predict(features, x, device=device).double()


def _per_class(part: images.Part) -> int:
    return min(IMAGES // CLASSES, int(part.labels.bincount(minlength=CLASSES).min()))
