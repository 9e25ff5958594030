"""One room for the eye: its fifteen labels, what the networks say, what attacks look like; not recorded.

It is a run of its own, of one job, so that it finds the networks that the experiment has trained.
"""

from __future__ import annotations

import sys
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from lib.base import compute
from lib.data import registry
from lib.data.task_labels import VOID
from lib.engine import runs
from lib.experiments.tasks import losses, measures, networks, scenes
from lib.experiments.tasks.networks import NAMES
from lib.experiments.tasks.settings import DATA, PRESETS, Config  # noqa: F401

NAME = "tasks_example"
JOB_IGNORES = ("seeds",)
WHICH = 7  # of the first fold's test images: a room with furniture in it


@dataclass(frozen=True)
class Example:
    """A test image (3, H, W); by task its label, the network's output before and after its own attack, and
    the attacked image; `classes` are the names of the classes where a task has classes.
    """

    image: Tensor
    labels: dict[str, Tensor]
    outputs: dict[str, Tensor]
    attacked: dict[str, Tensor]
    fooled: dict[str, Tensor]
    classes: dict[str, list[str]]
    epsilon: float


def example(config: Config) -> Example:
    """One test image of the first fold, through the networks of seed 0, attacked with the largest radius."""
    found = runs.run(sys.modules[__name__], config, progress=False).records[0]

    def tensors(key: str) -> dict[str, Tensor]:
        return {name: torch.tensor(values) for name, values in found[key].items()}

    return Example(
        torch.tensor(found["image"]),
        tensors("labels"),
        tensors("outputs"),
        tensors("attacked"),
        tensors("fooled"),
        found["classes"],
        max(config.epsilons),
    )


def datasets(config: Config) -> tuple[registry.Needed, ...]:
    """As the experiment."""
    return registry.needed(*DATA[config.data])


def jobs(config: Config) -> list[dict[str, Any]]:
    """One image."""
    return [{"which": WHICH, "seed": 0, "fold": 0}]


def run_job(config: Config, job: dict[str, Any]) -> dict[str, Any]:
    """The fields of :class:`Example` as lists."""
    data = scenes.load(config)
    index = scenes.halves(data, job["fold"])[1][job["which"]][None]
    x = networks.pixels(config, data, index)
    found: dict[str, Any] = {"labels": {}, "outputs": {}, "attacked": {}, "fooled": {}}
    with compute.at_most_threads(1):
        for name in NAMES:
            model, _ = networks.network(config, name, job["seed"], job["fold"])
            stream = compute.generator(job["seed"], "example")
            moved = measures.attack(config, name, model, x, max(config.epsilons), stream)
            with torch.no_grad():
                before, after = model(x), model(moved)
            label = data.labels[name][index]
            for key, values in zip(found, (label, before, moved, after)):
                found[key][name] = values[0].tolist()
    return found | {"image": x[0].tolist(), "classes": {name: list(c) for name, c in data.classes.items()}}


def picture(task: str, values: Tensor, count: int = 1) -> Tensor | str:
    """A label or an output as colours in [0, 1], (H, W, 3) or (H, W), or as the position of a class.

    Two channels become red and blue; channels of -1..1 are moved to 0..1; classes are shares of `count`.
    """
    kind = losses.BY_NAME[task].kind
    if kind == "classification":
        return str(int(values if values.ndim == 0 else values.argmax()))
    if kind == "segmentation":
        classes = values if values.ndim == 2 else values.argmax(0)
        return torch.where(classes == VOID, torch.nan, classes.float() / max(count - 1, 1))
    if task in ("Surface-Normal", "Curvature"):
        values = (values + 1) / 2
    maps = values.clamp(0, 1)
    if len(maps) == 1:
        return maps[0]
    if len(maps) == 2:
        maps = torch.stack([maps[0], maps.mean(0), maps[1]])
    return maps.permute(1, 2, 0)
