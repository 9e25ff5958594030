"""Sources of images nearer to and farther from a target: Sec. 4.2 and Figure 3 left, see `book/images.md`.

Five sources of four classes, one reference model a target. Everything that a record holds is measured on
the target's test images, with the attacks made on the source alone.
"""

from __future__ import annotations

from copy import deepcopy
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional

from lib.base import streams
from lib.data import images, registry
from lib.engine import runs
from lib.experiments.images import attacking, networks, settings
from lib.experiments.images.attacking import logits, share
from lib.experiments.images.networks import CLASSES, Network, pixels
from lib.experiments.images.settings import PRESETS, UNTRAINED, Config
from lib.measures import estimators, probe
from lib.models import training

__all__ = ["JOB_IGNORES", "NAME", "PRESETS", "Config", "datasets", "jobs", "run_job"]

NAME = "images"
JOB_IGNORES = ("seeds",)
IMAGES = 1000  # of the target's training part, balanced, for the rivals; as many as the attack takes at most
Sets = tuple[Tensor, Tensor]


def datasets(config: Config) -> tuple[registry.Needed, ...]:
    """Of the sources and of the targets."""
    return registry.needed(config.source_data, *(settings.split_target(t)[0] for t in config.targets))


def jobs(config: Config) -> list[dict[str, Any]]:
    """One job a target, source and seed; a seed is complete before the next begins."""
    return [
        {"target": target, "source": source, "seed": seed}
        for seed in range(config.seeds)
        for target in config.targets
        for source in [*settings.sources(config), UNTRAINED]
    ]


def run_job(config: Config, job: dict[str, Any]) -> dict[str, Any]:
    """The record of one source against one reference model, both of the job's seed.

    A CPU with other vector instructions rounds otherwise, which training amplifies to the size of another
    seed (one record with AVX2 for AVX-512: accuracies within .02, PGD loss 1 %, tau1 6 %, tau2 .018, .058).
    """
    target, name, seed = job["target"], job["source"], job["seed"]
    device = torch.device(config.device or "cpu")
    pair = networks.source_model(config, name, seed), networks.reference_model(config, target, seed)
    source, reference = pair
    split = networks.target_split(config, target)
    own = networks.source_split(config, name) if name != UNTRAINED else None
    accuracy = measured(reference, split.test, device)
    own_accuracy = measured(source, own.test, device) if own else None
    x, y = pixels(split.test.take(config.attack_images // CLASSES), device)
    only = runs.only
    tangents = runs.step("tau", attacking.tangents, only(config, "null_repeats"), *pair, x, seed)
    reach = only(config, "epsilon", "steps", "epsilon_l2")
    attacks = runs.step("attack", attacking.cross_adversarial, reach, *pair, x, y, seed)
    swept = only(config, "epsilon", "steps", "sweep_images", "sweep_epsilons", "sweep_steps")
    sweeps = runs.step("sweeps", attacking.sweeps, swept, *pair, x, y, seed)
    with runs.timed("knowledge"):
        knowledge = transferred(config, source, split, seed)
    with runs.timed("rivals"):
        scores = rivals(source, split, device)
    return {
        **job,
        "shared": settings.shared(config, name, target),
        "source_accuracy": own_accuracy,
        "reference_accuracy": accuracy,
        "is_test": accuracy >= config.floor,
        **tangents,
        "attacks": attacks,
        "sweeps": sweeps,
        "knowledge": knowledge,
        "rivals": scores,
        "baselines": {
            "source_accuracy": own_accuracy,
            "domain_distance": domain_distance(reference, own.train if own else None, split, device),
        },
        "seconds": runs.seconds(),
    }


def transferred(config: Config, source: Network, split: images.Split, seed: int) -> dict[str, float]:
    """Knowledge transfer to the target: a new linear layer (Sec. 4.2), and the whole network trained on."""
    device = torch.device(config.device or "cpu")
    train, valid, test = (_features(source, part, device) for part in (split.train, split.valid, split.test))
    layer = probe.linear_probe(train, valid, test, classes=CLASSES, strengths=config.probe_strengths)
    stream = streams.generator(seed, "tune", split.name)
    tuned = networks.fine_tuned(config, deepcopy(source), split.train, stream)
    x, y = pixels(split.test, device)
    outputs = logits(tuned, x)
    return {
        "probe_accuracy": layer.accuracy,
        "probe_loss": layer.loss,
        "probe_strength": layer.strength,
        "probe_converged": layer.converged,
        "tuned_accuracy": share(outputs.argmax(1) == y),
        "tuned_loss": float(functional.cross_entropy(outputs, y)),
    }


def rivals(source: Network, split: images.Split, device: torch.device) -> dict[str, float | None]:
    """`estimators.scores` of the source's features on the target's training images; higher is better."""
    part = split.train.take(_per_class(split.train))
    features, y = _features(source, part, device)
    probabilities = training.predict(source, pixels(part, device)[0], device=device).softmax(1)
    return estimators.scores(features.cpu(), y.cpu(), probabilities)


def domain_distance(
    reference: Network, own: images.Part | None, split: images.Split, device: torch.device
) -> float | None:
    """How far the source's images lie from the target's, as the reference model sees both: lower is nearer.

    The squared distance of the mean features over the target's total variance. No source model is needed,
    only its data. None for a source without data.
    """
    if own is None:
        return None
    some = (part.take(_per_class(part)) for part in (split.train, own))
    here, there = (_features(reference, part, device)[0].double() for part in some)
    return float((here.mean(0) - there.mean(0)).square().sum() / here.var(0).sum())


def measured(model: nn.Module, part: images.Part, device: torch.device) -> float:
    """Accuracy: the share of images whose arg-max is their label."""
    x, y = pixels(part, device)
    return share(logits(model, x).argmax(1) == y)


def _features(model: Network, part: images.Part, device: torch.device) -> Sets:
    x, y = pixels(part, device)
    return training.predict(model.features, x, device=device).to(device), y


def _per_class(part: images.Part) -> int:
    return min(IMAGES // CLASSES, int(part.labels.bincount(minlength=CLASSES).min()))
