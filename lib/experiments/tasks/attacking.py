"""What the fifteen networks say about each other: one attack a source, seen by all of them (App. G.4)."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional

from lib.attacks.projected import pgd
from lib.base import streams
from lib.experiments.common import tangent
from lib.experiments.common.pixels import PIXELS, noise
from lib.experiments.tasks import losses, networks
from lib.experiments.tasks.settings import MARGINS, Config
from lib.measures import jacobian, transferability

PART = 100  # images attacked at a time
POOL = 2  # cells a side of the coarse maps whose Jacobians are taken
Models = Mapping[str, nn.Module]
Labels = Mapping[str, Tensor]


def attack(
    config: Config, source: str, model: nn.Module, x: Tensor, epsilon: float, stream: torch.Generator
) -> Tensor:
    """The virtual PGD attack of one source: away from its own output, no label used."""
    task = networks.task_of(source)
    moved = []
    for part in x.split(PART):
        with torch.no_grad():
            goal = losses.virtual_target(task, model(part))
        moved.append(pgd(
            model, part, epsilon, config.steps, labels=goal, clip=PIXELS, generator=stream,
            loss=lambda outputs, wanted: losses.per_image(task, outputs, wanted).sum(),
        ))  # fmt: skip
    return torch.cat(moved)


@torch.no_grad()
def seen(targets: Models, labels: Labels, x: Tensor) -> Tensor:
    """Every target's loss on every image, (targets, N), float32: one pass through each network."""
    rows = []
    for task, model in targets.items():
        parts = zip(x.split(PART), labels[task].split(PART))
        rows.append(torch.cat([losses.per_image(task, model(part), y.to(x.device)) for part, y in parts]))
    return torch.stack(rows).cpu()


def cross_losses(
    config: Config, sources: Models, targets: Models, labels: Labels, x: Tensor, epsilon: float,
    *names: str | int,
) -> Tensor:  # fmt: skip
    """(sources + 1, targets, N): each source's adversarial images through every target; noise comes last.

    A source is attacked once, and all targets share its images: 15 attacks instead of 225. Every source
    starts from the same random points, those of the random stream called `names` (a seed first).
    """

    def stream() -> torch.Generator:
        return streams.generator(int(names[0]), "attack", *names[1:])

    moved = (attack(config, name, model, x, epsilon, stream()) for name, model in sources.items())
    rows = [seen(targets, labels, each) for each in moved]
    return torch.stack([*rows, seen(targets, labels, noise(epsilon, stream())(x))])


def attacks(config: Config, sources: Models, labels: Labels, x: Tensor, *names: str | int) -> dict[str, Any]:
    """What a record keeps of every attack: sums would do, but means are easier to read.

    "clean": mean losses of the targets; for each radius "loss" (competitors, targets) and "wins", by margin
    (targets, competitors, competitors). The targets are those sources that have labels.
    """
    targets = {name: sources[name] for name in labels}
    found: dict[str, Any] = {"clean": seen(targets, labels, x).double().mean(1).tolist()}
    for epsilon in config.epsilons:
        each = cross_losses(config, sources, targets, labels, x, epsilon, *names)
        found[f"{epsilon:g}"] = {
            "loss": each.double().mean(2).tolist(),
            "wins": {name: wins(each, margin).tolist() for name, margin in MARGINS.items()},
        }
    return found


def wins(found: Tensor, margin: float = 1.0) -> Tensor:
    """(targets, S, S) counts from losses (S, targets, N): on how many images i's loss is above margin j's."""
    return torch.stack([(one[:, None] > margin * one[None]).sum(2) for one in found.transpose(0, 1)])


def coarse(source: str, model: nn.Module) -> Callable[[Tensor], Tensor]:
    """A network's output with its maps averaged over 2 x 2 parts of the image, maps of classes over all."""
    kind = losses.BY_NAME[networks.task_of(source)].kind
    if kind == "classification":
        return model
    side = POOL if kind == "regression" else 1
    return lambda x: functional.adaptive_avg_pool2d(model(x), side).flatten(1)


def tangents(config: Config, sources: Models, targets: Models, x: Tensor, seed: int) -> dict[str, Any]:
    """Definitions 1 to 3 of every pair, by exact Jacobians of the coarse outputs, with what chance gives.

    The full maps have more outputs than there are images: A would fit any deviation, and tau2 be 1.
    """
    stacks = {name: jacobian.jacobians(coarse(name, model), x).cpu() for name, model in sources.items()}
    found: dict[str, list[list[Any]]] = {}
    for source in sources:
        rows = [_pair(stacks[source], stacks[target], seed, config.null_repeats) for target in targets]
        for name in rows[0]:
            found.setdefault(name, []).append([row[name] for row in rows])
    return found | {"tau1_chance": tangent.directions(x)}


def _pair(source: Tensor, target: Tensor, seed: int, repeats: int) -> dict[str, Any]:
    both = transferability.measure_jacobians(source, target)
    nulls = tangent.nulls(both.deviation_source, both.deviation_target, "tasks", seed, repeats)
    return {"tau1": both.tau1, "tau2": both.tau2, "alpha_squared": both.alpha_squared, **nulls}
