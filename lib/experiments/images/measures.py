"""What one source says about one reference model: attacks, Jacobians, and what its features teach."""

from __future__ import annotations

from collections.abc import Callable
from copy import deepcopy
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional

from lib.attacks.pgd import pgd
from lib.attacks.virtual import virtual
from lib.base import compute
from lib.data import images
from lib.experiments.images.networks import CLASSES, Network, fine_tuned, pixels
from lib.experiments.images.settings import Config
from lib.measures import probe, transferability
from lib.models import training

PIXELS = (0.0, 1.0)
CHUNK = 250  # images attacked at a time
Attack = Callable[[Tensor], Tensor]


def tangent(config: Config, source: Network, reference: nn.Module, x: Tensor, seed: int) -> dict[str, Any]:
    """Definitions 1 to 3 by exact Jacobians of the logits, with what unrelated models would score."""
    found = transferability.measure(source, reference, x)
    deviations = found.deviation_source, found.deviation_target
    null = transferability.tau2_null(
        *deviations, generator=compute.generator(seed, "null"), repeats=config.null_repeats
    )
    kept = transferability.tau2_null(
        *deviations, generator=compute.generator(seed, "kept"), repeats=config.null_repeats, signs="kept"
    )
    half = transferability.split_half(*deviations, generator=compute.generator(seed, "half"))
    return {
        "tau1": found.tau1,
        "tau1_error": float(found.tau1_per_sample.std() / len(x) ** 0.5),  # standard error over the images
        "tau1_chance": 1 / x[0].numel(),  # two random directions: the mean of their squared cosine
        "tau2": found.tau2,
        "tau2_null": [float(null.mean()), float(null.quantile(0.95))],
        "tau2_kept_null": [float(kept.mean()), float(kept.quantile(0.95))],
        "tau2_split_half": half,
        "alpha": found.alpha,
        "alpha_squared": found.alpha_squared,
        "projection_scale": found.projection_scale,
        "sigma": [float(found.sigma_source.mean()), float(found.sigma_target.mean())],
        "lambda": [float(found.lambda_source.mean()), float(found.lambda_target.mean())],
    }


def cross_adversarial(
    config: Config, source: Network, reference: nn.Module, x: Tensor, y: Tensor, seed: int
) -> dict[str, dict[str, float]]:
    """The reference's loss (App. G.1) on images attacked in several ways; `pgd` is the paper's.

    `pgd_half` is the other reading of epsilon (0.1 on pixels in [-1, 1]); `definition_1` averages the two
    signs of delta; `noise` (random corners of the ball) and `white_box` (the reference attacked through
    itself) frame them.
    """
    moves: dict[str, list[Attack]] = {
        "clean": [lambda part: part],
        "noise": [_noise(config.epsilon, seed)],
        "pgd": [_pgd(source, config.epsilon, config.steps, seed)],
        "pgd_half": [_pgd(source, config.epsilon / 2, config.steps, seed)],
        "definition_1": [_euclidean(source, sign * config.epsilon_l2) for sign in (-1, 1)],
        "white_box": [_pgd(reference, config.epsilon, config.steps, seed)],
    }
    right = _logits(reference, x).argmax(1) == y
    found = {}
    for name, signs in moves.items():
        outcomes = [_outcome(reference, _in_parts(move, x), y, right) for move in signs]
        found[name] = {key: sum(o[key] for o in outcomes) / len(outcomes) for key in outcomes[0]}
    return found


def sweeps(
    config: Config, source: Network, reference: nn.Module, x: Tensor, y: Tensor, seed: int
) -> dict[str, list[float]]:
    """The cross adversarial loss along config.sweep_epsilons and config.sweep_steps."""
    if not config.sweep_images:
        return {}
    x, y = x[: config.sweep_images], y[: config.sweep_images]

    def loss(epsilon: float, steps: int) -> float:
        adversarial = _in_parts(_pgd(source, epsilon, steps, seed), x)
        return float(functional.cross_entropy(_logits(reference, adversarial), y))

    return {
        "epsilon": [loss(epsilon, config.steps) for epsilon in config.sweep_epsilons],
        "steps": [loss(config.epsilon, steps) for steps in config.sweep_steps],
    }


def transferred(config: Config, source: Network, split: images.Split, seed: int) -> dict[str, float]:
    """Knowledge transfer to the target: a new linear layer (Sec. 4.2), and the whole network trained on."""
    device = compute.resolve_device(config.device)
    features = {name: _features(source, getattr(split, name), device) for name in ("train", "valid", "test")}
    sets = features["train"], features["valid"], features["test"]
    layer = probe.linear_probe(*sets, classes=CLASSES, strengths=config.probe_strengths)
    tuned = fine_tuned(config, deepcopy(source), split.train, compute.generator(seed, "tune", split.name))
    x, y = pixels(split.test, device)
    outputs = _logits(tuned, x)
    return {
        "probe_accuracy": layer.accuracy,
        "probe_loss": layer.loss,
        "probe_strength": layer.strength,
        "probe_converged": layer.converged,
        "tuned_accuracy": _share(outputs.argmax(1) == y),
        "tuned_loss": float(functional.cross_entropy(outputs, y)),
    }


def accuracy(model: nn.Module, part: images.Part, device: torch.device) -> float:
    """Share of images whose arg-max is their label."""
    x, y = pixels(part, device)
    return _share(_logits(model, x).argmax(1) == y)


def _pgd(model: nn.Module, epsilon: float, steps: int, seed: int) -> Attack:
    """The virtual attack (no labels). All sources of a seed get the same random start: their loss differs by
    the model alone."""
    stream = _stream(seed)
    return lambda part: pgd(model, part, epsilon, steps, clip=PIXELS, generator=stream)


def _euclidean(model: nn.Module, epsilon: float) -> Attack:
    return lambda part: (part + epsilon * virtual(model, part, 1.0)).clamp(*PIXELS)


def _noise(epsilon: float, seed: int) -> Attack:
    stream = _stream(seed)

    def move(part: Tensor) -> Tensor:
        signs = torch.randint(0, 2, part.shape, generator=stream).to(part) * 2 - 1
        return (part + epsilon * signs).clamp(*PIXELS)

    return move


def _stream(seed: int) -> torch.Generator:
    return compute.generator(seed, "attack")


def _outcome(reference: nn.Module, x: Tensor, y: Tensor, right: Tensor) -> dict[str, float]:
    outputs = _logits(reference, x)
    each = functional.cross_entropy(outputs, y, reduction="none")
    return {
        "loss": float(each.mean()),
        # the authors' code sums over the images that the clean reference gets right, and divides by all
        "loss_authors": float((each * right).mean()),
        "accuracy": _share(outputs.argmax(1) == y),
    }


def _features(model: Network, part: images.Part, device: torch.device) -> tuple[Tensor, Tensor]:
    x, y = pixels(part, device)
    return training.predict(model.features, x, device=device).to(device), y


def _logits(model: nn.Module, x: Tensor) -> Tensor:
    return training.predict(model, x, device=x.device).to(x.device)


def _in_parts(move: Attack, x: Tensor) -> Tensor:
    return torch.cat([move(part) for part in x.split(CHUNK)])


def _share(hits: Tensor) -> float:
    return float(hits.double().mean())
