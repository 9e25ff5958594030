"""Fifteen tasks: one attack a source seen by all fifteen networks, against the naive loop over 15 x 15 pairs.

The naive loop attacks the source anew for every target. Both give the same losses. One thread, its own
processor time; untrained networks of the `quick` preset's size, images of noise.
"""

from __future__ import annotations

import dataclasses
from time import thread_time
from typing import Any

import torch

from lib.base import streams
from lib.base.tables import Table
from lib.experiments.tasks import attacking, losses, networks
from lib.experiments.tasks.settings import PRESETS
from lib.models import training
from lib.models.encoder_decoder import EncoderDecoder

IMAGES, CLASSES, EPSILON = 16, 13, 0.06
CONFIG = dataclasses.replace(PRESETS["quick"], device="cpu")


def fifteen() -> dict[str, EncoderDecoder]:
    """An untrained network for every task."""
    found = {}
    for task in losses.BY_NAME.values():
        with training.seeded(streams.generator(0, task.name)):
            dense = task.kind != "classification"
            model = EncoderDecoder(task.channels or CLASSES, width=CONFIG.channels, dense=dense)
        found[task.name] = model.eval().to(memory_format=torch.channels_last)
    return found


def naive(models: dict[str, Any], labels: dict[str, torch.Tensor], x: torch.Tensor) -> torch.Tensor:
    """(sources, targets, N), every pair by itself."""
    table = []
    for source, model in models.items():
        row = []
        for target in models:
            stream = streams.generator(0, "attack")
            moved = attacking.attack(CONFIG, source, model, x, EPSILON, stream)
            row.append(attacking.seen({target: models[target]}, labels, moved)[0])
        table.append(torch.stack(row))
    return torch.stack(table)


def rows() -> Table:
    """The comparison, with the largest relative difference of any loss."""
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        models = fifteen()
        x = torch.rand(IMAGES, 3, CONFIG.height, CONFIG.width, generator=streams.generator(0, "images"))
        with torch.no_grad():
            labels = {
                name: losses.virtual_target(name, model(x).roll(1, 0)) for name, model in models.items()
            }
        begun = thread_time()
        slow = naive(models, labels, x)
        middle = thread_time()
        fast = attacking.cross_losses(CONFIG, models, models, labels, x, EPSILON, 0)[:-1]
        ours, theirs = thread_time() - middle, middle - begun
    finally:
        torch.set_num_threads(threads)
    apart = float(((fast - slow).abs() / slow.abs().clamp(min=1e-12)).max())
    note = f"{ours:.1f} s against {theirs:.1f} s; largest relative difference {apart:.1g}"
    line = [
        "15 x 15 losses under attack, against attacking again for every pair",
        theirs / ours,
        ">= 3",
        note,
    ]
    size = f"{IMAGES} images of {CONFIG.height} x {CONFIG.width}, PGD-{CONFIG.steps}"
    footer = f"{size}; torch {torch.__version__}, processor time of one thread, one round."
    columns = ["comparison", "ratio", "asked", "measured"]
    return Table(columns, [line], caption=f"Tasks: {len(networks.NAMES)} networks", note=footer)
