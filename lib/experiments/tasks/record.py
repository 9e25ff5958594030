"""Fifteen vision tasks that attack and teach one another: Sec. 4.4, App. G.4, Figures 4 and 5.

A record is one seed and one fold: fifteen networks trained on the other folds, every one attacked, and every
attack seen by all of them, on images of this fold. Rows of its matrices are sources, columns targets. The
chapter is `book/tasks.md`.

The `paper` preset takes the task bank's own networks. They come trained, and NYUv2 has no labels in their
conventions: their losses under attack are taken against their own clean outputs, in the metric of each task.
What they transfer is known from Taskonomy's published affinities, so nothing is read out. Complete, and not
run here: no weights.
"""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor
from torch.nn import functional

from lib.data import registry, rooms
from lib.engine import runs
from lib.experiments.tasks import attacking, learning, losses, networks, scenes
from lib.experiments.tasks.learning import Sources
from lib.experiments.tasks.networks import NAMES
from lib.experiments.tasks.settings import DATA, NOISE, PRESETS, UNTRAINED, Config
from lib.models import taskbank, training

__all__ = ["JOB_IGNORES", "NAME", "PRESETS", "Config", "datasets", "jobs", "run_job"]

NAME = "tasks"
JOB_IGNORES = ("seeds",)
REACH = ("epsilons", "steps")


def datasets(config: Config) -> tuple[registry.Needed, ...]:
    """None where the rooms are drawn."""
    return registry.needed(*DATA[config.data])


def jobs(config: Config) -> list[dict[str, Any]]:
    """One job a seed and fold; a seed is complete before the next begins."""
    return [{"seed": seed, "fold": fold} for seed in range(config.seeds) for fold in range(config.folds)]


def run_job(config: Config, job: dict[str, Any]) -> dict[str, Any]:
    """The record of fifteen networks (and an untrained one) of one seed on the images of one fold."""
    return (bank if config.data == "bank" else trained)(config, job["seed"], job["fold"])


def trained(config: Config, seed: int, fold: int) -> dict[str, Any]:
    """The record of networks trained here."""
    step, only = runs.step, runs.only
    data = scenes.load(config)
    _, test = scenes.halves(data, fold)
    sources = {name: networks.network(config, name, seed, fold) for name in [*NAMES, UNTRAINED]}
    targets = {name: sources[name] for name in NAMES}
    own = step("own", learnt, only(config, *scenes.FIELDS, "margin"), targets, fold)
    some = test[: config.attack_images]
    labels, x = {name: data.labels[name][some] for name in NAMES}, networks.pixels(config, some)
    attacks = step("attack", attacking.attacks, only(config, *REACH), sources, labels, x, seed)
    tangent: dict[str, Any] = {}
    if config.tangent_images:
        x = networks.pixels(config, test[: config.tangent_images])
        repeats = only(config, "null_repeats")
        tangent = step("tau", attacking.tangents, repeats, sources, targets, x, seed)
    reads = only(config, *scenes.FIELDS, "readout_strengths")
    taught = step("knowledge", learning.taught, reads, sources, fold)
    sees = only(config, *scenes.FIELDS, "rival_images")
    guessed = step("rivals", learning.guessed, sees, sources, fold, seed)
    return {
        **_head(seed, fold, len(test), len(some), [*NAMES, UNTRAINED]),
        "own": own, "attacks": attacks, "tangent": tangent, "knowledge": taught, "rivals": guessed,
        "seconds": runs.seconds(),
    }  # fmt: skip


def learnt(config: Config, sources: Sources, fold: int) -> dict[str, dict[str, Any]]:
    """What each network has learnt of its own task, next to predictions that do not look."""
    data = scenes.load(config)
    train, test = scenes.halves(data, fold)
    found = {}
    for name, model in sources.items():
        labels, count = data.labels[name], len(data.classes.get(name, ()))
        constants = losses.constants(name, labels[train], count)
        outputs = training.predict(model, data.rgb[test], device=config.device or "cpu")
        rivals = (losses.constant_loss(name, c, labels[test]) for c in (constants.value, constants.pixelwise))
        each = losses.per_image(name, outputs, labels[test]), *rivals
        means = {k: float(v.double().mean()) for k, v in zip(("loss", "constant", "pixelwise"), each)}
        found[name] = {
            **means,
            "accuracy": losses.accuracy(outputs, labels[test]) if count else None,
            "relative": means["loss"] / means["constant"],
            "learnt": means["loss"] < (1 - config.margin) * means["constant"],
        }
    return found


def bank(config: Config, seed: int, fold: int) -> dict[str, Any]:
    """The record of the published networks on frames of NYUv2, part by part: wins and losses add up."""
    models = {name: taskbank.load(name).to(config.device) for name in NAMES}
    frames = rooms.nyuv2().rgb
    order = torch.linspace(0, len(frames) - 1, min(config.attack_images, len(frames))).round().long()
    total: dict[str, Any] = {}
    with runs.timed("attack"):
        for number, index in enumerate(order.split(config.batch_size)):
            x = enlarged(frames[index], (config.height, config.width)).to(config.device)
            with torch.no_grad():
                labels = {name: losses.virtual_target(name, model(x)).cpu() for name, model in models.items()}
            part = attacking.attacks(config, models, labels, x, seed, number)
            total = added(total, part, len(index))
    return {
        **_head(seed, fold, len(order), len(order), NAMES),
        **{key: {} for key in ("own", "tangent", "knowledge", "rivals")},
        "attacks": divided(total, len(order)),
        "seconds": runs.seconds(),
    }


def _head(seed: int, fold: int, images: int, attacked: int, sources: list[str]) -> dict[str, Any]:
    counts = {"seed": seed, "fold": fold, "images": images, "attacked": attacked}
    return {**counts, "tasks": NAMES, "sources": sources, "competitors": [*sources, NOISE]}


def enlarged(rgb: Tensor, size: tuple[int, int]) -> Tensor:
    """uint8 (N, 3, H, W) -> float32 in [0, 1] of another size and, as the networks want it, square."""
    return functional.interpolate(rgb.float() / 255, size, mode="bilinear", align_corners=False)


def added(total: Any, part: Any, images: int) -> Any:
    """Totals after one more part: counts are added, means weigh as many images as they are of."""
    if isinstance(part, dict):
        return {key: added(total.get(key, {}), value, images) for key, value in part.items()}
    values = torch.tensor(part)
    values = values * images if values.is_floating_point() else values
    return total + values if torch.is_tensor(total) else values


def divided(total: Any, images: int) -> Any:
    """Means again, and counts as they are, in lists."""
    if isinstance(total, dict):
        return {key: divided(value, images) for key, value in total.items()}
    return (total.double() / images).tolist() if total.is_floating_point() else total.tolist()
