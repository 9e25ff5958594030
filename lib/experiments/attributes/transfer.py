"""What a source knows of faces: verification without training; and what is known without any attack."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor

from lib import statistics
from lib.base import compute
from lib.data.faces import Pairs
from lib.experiments.attributes.people import Album
from lib.experiments.attributes.settings import Config
from lib.measures import estimators, face_verification
from lib.models import training
from lib.models.facenet import FaceNet

CHUNK = 100  # photos looked at at a time
Features = Callable[[Tensor], Tensor]


def verified(features: Features, tests: dict[str, Pairs], device: torch.device) -> dict[str, dict[str, Any]]:
    """Verification accuracy on each benchmark and its interval over folds; nothing is trained (App. G.3)."""
    found = {}
    for name, pairs in tests.items():
        every = training.predict(features, pairs.images, batch_size=CHUNK, device=device)
        left, right = every[pairs.index[:, 0]], every[pairs.index[:, 1]]
        score = face_verification.verify(left, right, pairs.same, pairs.fold)
        spread = statistics.seed_interval(score.fold_accuracies)
        found[name] = {"accuracy": score.accuracy, "low": spread.low, "high": spread.high}
    return found


def rivals(config: Config, source: FaceNet, photos: Album) -> dict[str, float | None]:
    """Estimators that need no attack, from features of some known people's photos and who they are."""
    some = photos.learnt.select(torch.arange(min(config.rival_images, len(photos.learnt))))
    device = compute.resolve_device(config.device)
    features = training.predict(source.features, some.images, batch_size=CHUNK, device=device)
    with torch.no_grad():
        beliefs = source.head(features.to(device)).softmax(1).cpu()
    people = some.identities.unique(return_inverse=True)[1]
    return estimators.scores(features, people, source_probs=beliefs)


def baselines(
    config: Config, source: FaceNet, photos: Album, attribute: str | None
) -> dict[str, float | None]:
    """What is known without any transfer: how well the source does its own task, and what the task is like.

    Accuracies are on strangers; `balance` is the share of the rarer class among the photos learnt from, and
    `identity` the share of the attribute's variance there that lies between people. None for controls.
    """
    names = ("source_accuracy", "balanced_accuracy", "positives", "balance", "identity", "domain_distance")
    if attribute is None:
        return dict.fromkeys(names)
    device = compute.resolve_device(config.device)
    answers = training.predict(source, photos.strangers.images, batch_size=CHUNK, device=device).argmax(1)
    truth = photos.labels(photos.strangers, attribute)
    right = answers == truth
    sides = [float(right[truth == side].double().mean()) for side in (0, 1)]
    labels = photos.labels(photos.learnt, attribute).double()
    positives = float(labels.mean())
    values = (float(right.double().mean()), sum(sides) / 2, positives, min(positives, 1 - positives))
    return dict(zip(names, [*values, between(labels, photos.learnt.identities), None]))


def between(labels: Tensor, people: Tensor) -> float:
    """Share of the variance of labels (N,) that lies between people (N,): eta squared, corrected for chance.

    1 - E[variance within] / variance, with unbiased variances: about 0 for labels dealt at random, 1 where
    every photo of a person has the same label.
    """
    counts = torch.zeros(int(people.max()) + 1, dtype=torch.float64).index_add(
        0, people, torch.ones_like(labels)
    )
    sums = torch.zeros_like(counts).index_add(0, people, labels)
    within = (labels - (sums / counts.clamp(min=1))[people]).square().sum() / (
        len(labels) - (counts > 0).sum()
    )
    return float(1 - within / labels.var())
