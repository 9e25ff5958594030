"""What attacks on one source say about one reference: their tangents, and the losses that they cause."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional

from lib.base import streams
from lib.experiments.common import pixels, tangent
from lib.experiments.common.pixels import Outcome, climbing, euclidean
from lib.experiments.images.settings import Config
from lib.measures import transferability
from lib.models import training

CHUNK = 250  # images attacked at a time


def tangents(config: Config, source: nn.Module, reference: nn.Module, x: Tensor, seed: int) -> dict[str, Any]:
    """Definitions 1 to 3 by exact Jacobians of the logits, with what unrelated models would score."""
    found = transferability.measure(source, reference, x)
    return tangent.record(found, "images", seed, config.null_repeats, tangent.directions(x))


def cross_adversarial(
    config: Config, source: nn.Module, reference: nn.Module, x: Tensor, y: Tensor, seed: int
) -> dict[str, Outcome]:
    """The reference's loss (App. G.1) on images attacked in several ways; `pgd` is the paper's.

    `pgd_half` is the other reading of epsilon (0.1 on pixels in [-1, 1]); `definition_1` averages the two
    signs of delta; `noise` (random corners of the ball) and `white_box` (the reference attacked through
    itself) frame what a source can do. All sources of a seed get the same random start: their loss differs
    by the model alone.
    """
    right = logits(reference, x).argmax(1) == y
    moves: dict[str, pixels.Attack | list[pixels.Attack]] = {
        "clean": pixels.unmoved,
        "noise": pixels.noise(config.epsilon, _stream(seed)),
        "pgd": climbing(source, config.epsilon, config.steps, _stream(seed)),
        "pgd_half": climbing(source, config.epsilon / 2, config.steps, _stream(seed)),
        "definition_1": [euclidean(source, sign * config.epsilon_l2) for sign in (-1, 1)],
        "white_box": climbing(reference, config.epsilon, config.steps, _stream(seed)),
    }
    return pixels.record(moves, x, lambda moved: _outcome(reference, moved, y, right), CHUNK)


def sweeps(
    config: Config, source: nn.Module, reference: nn.Module, x: Tensor, y: Tensor, seed: int
) -> dict[str, list[float]]:
    """The cross adversarial loss along config.sweep_epsilons and config.sweep_steps."""
    if not config.sweep_images:
        return {}
    x, y = x[: config.sweep_images], y[: config.sweep_images]

    def loss(epsilon: float, steps: int) -> float:
        moved = pixels.in_parts(climbing(source, epsilon, steps, _stream(seed)), x, CHUNK)
        return float(functional.cross_entropy(logits(reference, moved), y))

    return {
        "epsilon": [loss(epsilon, config.steps) for epsilon in config.sweep_epsilons],
        "steps": [loss(config.epsilon, steps) for steps in config.sweep_steps],
    }


def logits(model: nn.Module, x: Tensor) -> Tensor:
    """(N, classes) of images on the model's device, in parts."""
    return training.predict(model, x, device=x.device).to(x.device)


def share(hits: Tensor) -> float:
    """Of True among booleans (N,)."""
    return float(hits.double().mean())


def _stream(seed: int) -> torch.Generator:
    return streams.generator(seed, "attack")


def _outcome(reference: nn.Module, x: Tensor, y: Tensor, right: Tensor) -> Outcome:
    outputs = logits(reference, x)
    each = functional.cross_entropy(outputs, y, reduction="none")
    return {
        "loss": float(each.mean()),
        # the authors' code sums over the images that the clean reference gets right, and divides by all
        "loss_authors": float((each * right).mean()),
        "accuracy": share(outputs.argmax(1) == y),
    }
