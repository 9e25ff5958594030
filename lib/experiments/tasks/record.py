"""Fifteen vision tasks that attack and teach one another: Sec. 4.4, App. G.4, Figures 4 and 5.

A record is one seed and one fold: fifteen networks trained on the other folds, every one attacked, and every
attack seen by all of them, on images of this fold. Rows of its matrices are sources, columns targets. The
chapter is `book/tasks.md`.
"""

from __future__ import annotations

from contextlib import nullcontext
from time import perf_counter
from typing import Any

import torch
from torch import Tensor

from lib.base import compute
from lib.data import registry
from lib.experiments.tasks import bank, losses, measures, networks, readout, rivals, scenes
from lib.experiments.tasks.networks import NAMES
from lib.experiments.tasks.settings import DATA, NOISE, PRESETS, UNTRAINED, Config
from lib.models import training

__all__ = ["JOB_IGNORES", "NAME", "PRESETS", "Config", "datasets", "jobs", "run_job"]

NAME = "tasks"
JOB_IGNORES = ("seeds",)


def datasets(config: Config) -> tuple[registry.Needed, ...]:
    """None where the rooms are drawn."""
    return registry.needed(*DATA[config.data])


def jobs(config: Config) -> list[dict[str, Any]]:
    """One job a seed and fold; a seed is complete before the next begins."""
    return [{"seed": seed, "fold": fold} for seed in range(config.seeds) for fold in range(config.folds)]


def run_job(config: Config, job: dict[str, Any]) -> dict[str, Any]:
    """The record of fifteen networks (and an untrained one) of one seed on the images of one fold.

    Networks are stored as they are trained: a job that was stopped goes on there. On a CPU one thread does
    the sums, so that they do not depend on the number of cores.
    """
    device = compute.resolve_device(config.device)
    with compute.at_most_threads(1) if device.type == "cpu" else nullcontext():
        make = bank.record if config.data == "bank" else _record
        return make(config, job["seed"], job["fold"])


def _record(config: Config, seed: int, fold: int) -> dict[str, Any]:
    data = scenes.load(config)
    found = {name: networks.network(config, name, seed, fold) for name in [*NAMES, UNTRAINED]}
    sources = {name: model for name, (model, _) in found.items()}
    seconds = {"train": sum(spent for _, spent in found.values())}
    train, test = scenes.halves(data, fold)
    clock = _Clock(seconds)
    own = clock.timed("own", _own, config, sources, data, train, test)
    attacks = clock.timed("attack", _attacks, config, sources, data, test[: config.attack_images], seed)
    x = networks.pixels(config, data, test[: config.tangent_images])
    targets = {name: sources[name] for name in NAMES}
    tangent = {}
    if config.tangent_images:
        tangent = clock.timed("tau", measures.tangents, config, sources, targets, x, seed)
    taught = clock.timed("knowledge", _taught, config, sources, data, train, test)
    guessed = clock.timed("rivals", _guessed, config, sources, data, train, seed)
    return {
        "seed": seed,
        "fold": fold,
        "images": len(test),
        "attacked": min(config.attack_images, len(test)),
        "tasks": NAMES,
        "sources": [*NAMES, UNTRAINED],
        "competitors": [*NAMES, UNTRAINED, NOISE],
        "own": own,
        "attacks": attacks,
        "tangent": tangent,
        "knowledge": taught,
        "rivals": guessed,
        "seconds": seconds,
    }


def _own(
    config: Config, sources: dict, data: scenes.Labelled, train: Tensor, test: Tensor
) -> dict[str, dict[str, Any]]:
    """What each network has learnt of its own task, next to predictions that do not look."""
    found = {}
    for name in NAMES:
        labels, count = data.labels[name], len(data.classes.get(name, ()))
        constants = losses.constants(name, labels[train], count)
        outputs = training.predict(
            sources[name], data.rgb[test], device=compute.resolve_device(config.device)
        )
        loss, constant, pixelwise = (
            float(values.double().mean())
            for values in (
                losses.per_image(name, outputs, labels[test]),
                losses.constant_loss(name, constants.value, labels[test]),
                losses.constant_loss(name, constants.pixelwise, labels[test]),
            )
        )
        found[name] = {
            "loss": loss,
            "constant": constant,
            "pixelwise": pixelwise,
            "accuracy": losses.accuracy(outputs, labels[test]) if count else None,
            "relative": loss / constant,
            "learnt": loss < (1 - config.margin) * constant,
        }
    return found


def _attacks(config: Config, sources: dict, data: scenes.Labelled, test: Tensor, seed: int) -> dict[str, Any]:
    """Mean losses (competitors, targets) and the tournaments' wins (targets, competitors, competitors)."""
    labels = {name: data.labels[name][test] for name in NAMES}
    return measures.attacks(config, sources, labels, networks.pixels(config, data, test), seed)


def _taught(
    config: Config, sources: dict, data: scenes.Labelled, train: Tensor, test: Tensor
) -> dict[str, Any]:
    """A linear readout of every frozen encoder for every task: mean losses, and wins of the smaller loss."""
    valid = train[: len(train) // 5]
    parts = train[len(train) // 5 :], valid, test
    labels = [{name: data.labels[name][part] for name in NAMES} for part in parts]
    classes = {name: len(names) for name, names in data.classes.items()}
    found = []
    for model in sources.values():
        features = [_features(config, model, data, part) for part in parts]
        found.append(readout.readouts(features, labels, classes, config.readout_strengths))
    every = torch.stack(found)
    return {"loss": every.double().mean(2).tolist(), "wins": measures.wins(-every).tolist()}


def _guessed(
    config: Config, sources: dict, data: scenes.Labelled, train: Tensor, seed: int
) -> dict[str, list]:
    """The estimators of every source and target on training images: name -> (sources, targets)."""
    chosen = train[: config.rival_images]
    shape = config.height // scenes.STRIDE, config.width // scenes.STRIDE
    cell = torch.randint(shape[0] * shape[1], (len(chosen),), generator=compute.generator(seed, "cell"))
    wanted = {
        name: rivals.samples(name, data.labels[name][chosen], len(data.classes.get(name, ())), cell, seed)
        for name in NAMES
    }
    table: dict[str, list] = {}
    device = compute.resolve_device(config.device)
    for source, model in sources.items():
        features = _features(config, model, data, chosen)
        outputs = training.predict(model, data.rgb[chosen], device=device)
        known = rivals.probabilities(networks.task_of(source), outputs, shape)
        row = [rivals.scores(name, features, known, cell, *wanted[name]) for name in NAMES]
        for key in row[0]:
            table.setdefault(key, []).append([one[key] for one in row])
    return table


def _features(config: Config, model: Any, data: scenes.Labelled, index: Tensor) -> Tensor:
    return training.predict(model.features, data.rgb[index], device=compute.resolve_device(config.device))


class _Clock:
    """Seconds of each part of a record."""

    def __init__(self, seconds: dict[str, float]) -> None:
        self.seconds = seconds

    def timed(self, name: str, function: Any, *args: Any) -> Any:
        begun = perf_counter()
        found = function(*args)
        self.seconds[name] = perf_counter() - begun
        return found
