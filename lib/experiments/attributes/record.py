"""Forty attributes of a face and who it is: Sec. 4.3 and Table 1, see `book/attributes.md`.

A binary source an attribute, and one face recogniser a seed. Attacks are made on photos of people that every
model knows, but on none that a model has learnt from; verification is of strangers.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import torch
from torch import Tensor

from lib import statistics
from lib.data.faces import Pairs
from lib.engine import runs
from lib.experiments.attributes import attacking, networks, people, settings
from lib.experiments.attributes.attacking import CHUNK
from lib.experiments.attributes.people import Album
from lib.experiments.attributes.settings import PERMUTED, PRESETS, UNTRAINED, Config, datasets
from lib.measures import estimators, face_verification
from lib.models import training
from lib.models.facenet import FaceNet

__all__ = ["JOB_IGNORES", "NAME", "PRESETS", "Config", "datasets", "jobs", "run_job"]

NAME = "attributes"
JOB_IGNORES = ("seeds",)
Features = Callable[[Tensor], Tensor]
TARGET = "face recognition"
BASELINES = ("source_accuracy", "balanced_accuracy", "positives", "balance", "identity", "domain_distance")


def jobs(config: Config) -> list[dict[str, Any]]:
    """One job a source and seed, controls last; a seed is complete before the next begins."""
    controls = [f"{UNTRAINED} {number + 1}" for number in range(config.untrained)]
    controls += [f"{PERMUTED} {name}" for name in config.permuted]
    names = [*config.attributes, *controls]
    return [{"source": name, "seed": seed} for seed in range(config.seeds) for name in names]


def run_job(config: Config, job: dict[str, Any]) -> dict[str, Any]:
    """The record of one source against the reference of its seed."""
    name, seed, step, only = job["source"], job["seed"], runs.step, runs.only
    album = people.album(config)
    kept, familiar = (attacking.photos(part, config.device) for part in (album.attacked, album.familiar))
    source = networks.source_model(config, name, seed)
    reference = networks.reference_model(config, seed)
    reach = only(config, "epsilon", "steps")
    frame = step("reference", attacking.frame, reach, reference, kept, familiar, seed)
    known = step("reference", reference_verification, reference, album.pairs, config.device)
    own = step("own_attack", attacking.own_attack, reference, kept.x)
    residual = own["residual"][:, 0] / own["sigma"][:, 0].clamp(min=1e-30)  # relative to sigma_1
    with runs.timed("tau"):
        found = attacking.attacks(source, kept.x)
    repeats = only(config, "null_repeats")
    tangents = step("tau", attacking.tangents, repeats, source, reference, kept.x, found, own, seed)
    reach = only(config, "epsilon", "steps", "epsilon_l2")
    pair = source, found.delta, reference
    attacks = step("attack", attacking.cross_adversarial, reach, *pair, kept, familiar, seed)
    with runs.timed("knowledge"):
        knowledge = verified(source.features, album.pairs, config.device)
    with runs.timed("rivals"):
        scores = rivals(config, source, album)
    accuracy = frame["clean"]["accuracy"]
    return {
        "target": TARGET,
        "source": name,
        "seed": seed,
        "reference_accuracy": accuracy,
        "reference_verification": known,
        "is_test": accuracy >= config.floor,
        **tangents,
        "own_attack": {"products": own["products"], "residual": float(residual.max())},
        "attacks": frame | attacks,
        "knowledge": {"mean": sum(f["accuracy"] for f in knowledge.values()) / len(knowledge), **knowledge},
        "rivals": scores,
        "baselines": baselines(source, album, None if settings.is_control(name) else name, config.device),
        "seconds": runs.seconds(),
    }


def reference_verification(
    reference: networks.Reference, tests: Mapping[str, Pairs], device: str | None
) -> dict[str, float]:
    """How well the reference itself verifies strangers: what a source could at best be expected to reach."""
    found = verified(reference.embed, tests, device)
    return {name: score["accuracy"] for name, score in found.items()}


def verified(
    features: Features, tests: Mapping[str, Pairs], device: str | None
) -> dict[str, dict[str, float]]:
    """Verification accuracy on each benchmark and its interval over folds; nothing is trained (App. G.3)."""
    found = {}
    for name, pairs in tests.items():
        every = training.predict(features, pairs.images, batch_size=CHUNK, device=device or "cpu")
        left, right = every[pairs.index[:, 0]], every[pairs.index[:, 1]]
        score = face_verification.verify(left, right, pairs.same, pairs.fold)
        spread = statistics.seed_interval(score.fold_accuracies)
        found[name] = {"accuracy": score.accuracy, "low": spread.low, "high": spread.high}
    return found


def rivals(config: Config, source: FaceNet, album: Album) -> dict[str, float | None]:
    """Estimators that need no attack, from features of some known people's photos and who they are."""
    some = album.learnt.select(torch.arange(min(config.rival_images, len(album.learnt))))
    device = torch.device(config.device or "cpu")
    features = training.predict(source.features, some.images, batch_size=CHUNK, device=device)
    with torch.no_grad():
        beliefs = source.head(features.to(device)).softmax(1).cpu()
    who = some.identities.unique(return_inverse=True)[1]
    return estimators.scores(features, who, source_probs=beliefs)


def baselines(
    source: FaceNet, album: Album, attribute: str | None, device: str | None
) -> dict[str, float | None]:
    """What is known without any transfer: how well the source does its own task, and what the task is like.

    Accuracies are on strangers; `balance` is the share of the rarer class among the photos learnt from, and
    `identity` the share of the attribute's variance there that lies between people. None for controls.
    """
    if attribute is None:
        return dict.fromkeys(BASELINES)
    answers = training.predict(source, album.strangers.images, batch_size=CHUNK, device=device or "cpu")
    truth = people.labels(album.strangers, attribute)
    right = answers.argmax(1) == truth
    sides = [float(right[truth == side].double().mean()) for side in (0, 1)]
    labels = people.labels(album.learnt, attribute).double()
    positives = float(labels.mean())
    values = (float(right.double().mean()), sum(sides) / 2, positives, min(positives, 1 - positives))
    return dict(zip(BASELINES, [*values, between(labels, album.learnt.identities), None]))


def between(labels: Tensor, people: Tensor) -> float:
    """Share of the variance of labels (N,) that lies between people (N,): eta squared, corrected for chance.

    1 - E[variance within] / variance, with unbiased variances: about 0 for labels dealt at random, 1 where
    every photo of a person has the same label.
    """
    counts = people.bincount().double()
    sums = torch.zeros_like(counts).index_add(0, people, labels)
    missed = labels - (sums / counts.clamp(min=1))[people]
    within = missed.square().sum() / (len(labels) - (counts > 0).sum())
    return float(1 - within / labels.var())
