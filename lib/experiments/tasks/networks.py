"""Fifteen networks of one architecture, one a task, each trained on its own labels and stored (App. G.4)."""

from __future__ import annotations

from functools import partial
from time import perf_counter
from typing import Any

import torch
from torch import Tensor, nn

from lib.base import compute
from lib.data.task_labels import TASKS
from lib.engine import runs
from lib.experiments.tasks import losses, scenes
from lib.experiments.tasks.settings import UNTRAINED, Config
from lib.models import training
from lib.models.encoder_decoder import EncoderDecoder

NAMES = [task.name for task in TASKS]
# The control's output: three channels, as most tasks; its weights are random.
UNTRAINED_TASK = "Autoencoder"


def task_of(source: str) -> str:
    """The task whose kind of output a source has."""
    return UNTRAINED_TASK if source == UNTRAINED else source


def network(config: Config, source: str, seed: int, fold: int) -> tuple[EncoderDecoder, float]:
    """The network of one task (or the untrained one), and the seconds that its training took."""
    names = ("data", "images", "height", "width", "folds", "channels", "epochs", "batch_size", "lr")
    key = {name: getattr(config, name) for name in names}
    key |= {"optimizer": config.optimizer, "decay": config.weight_decay, "source": source}
    stored = runs.artifact(key | {"seed": seed, "fold": fold}, partial(_train, config, source, seed, fold))
    model = build(config, source, scenes.load(config), torch.Generator())
    model.load_state_dict(stored["state"])
    model.to(memory_format=training.fast_layout(model))  # a third faster
    return model.to(compute.resolve_device(config.device)).eval(), stored["seconds"]


def build(config: Config, source: str, data: scenes.Labelled, generator: torch.Generator) -> EncoderDecoder:
    """A fresh network for a task's kind of output."""
    task = losses.BY_NAME[task_of(source)]
    outputs = task.channels or len(data.classes[task.name])
    with training.seeded(generator):
        return EncoderDecoder(outputs, width=config.channels, dense=task.kind != "classification")


def pixels(config: Config, data: scenes.Labelled, index: Tensor) -> Tensor:
    """Images as floats in [0, 1] on the run's device."""
    return training.take(data.rgb, index, compute.resolve_device(config.device))


def _train(config: Config, source: str, seed: int, fold: int) -> dict[str, Any]:
    begun = perf_counter()
    generator = compute.generator(seed, "rooms", source, fold)
    data = scenes.load(config)
    model = build(config, source, data, generator)
    train, _ = scenes.halves(data, fold)
    task = task_of(source)
    labels = data.labels[task][train]
    constants = losses.constants(task, labels, len(data.classes.get(task, ())))
    model.centre.copy_(constants.value.reshape(model.centre.shape))
    model.scale.copy_(constants.spread.reshape(model.scale.shape))
    if source != UNTRAINED:
        weight = 1 / float(losses.constant_loss(task, constants.value, labels).mean())
        _fit(config, model, data.rgb[train], labels, task, weight, generator)
    state = {name: value.detach().cpu().contiguous() for name, value in model.state_dict().items()}
    return {"state": state, "seconds": perf_counter() - begun}


def _fit(
    config: Config, model: nn.Module, rgb: Tensor, labels: Tensor, task: str, weight: float,
    generator: torch.Generator,
) -> None:  # fmt: skip
    """Minimise the loss in units of the best constant's, so that one learning rate fits all tasks."""
    training.fit(
        model,
        rgb,
        labels,
        loss=lambda outputs, wanted: weight * losses.per_image(task, outputs, wanted).mean(),
        optimizer=config.optimizer,
        lr=config.lr,
        weight_decay=config.weight_decay,
        epochs=config.epochs,
        batch_size=config.batch_size,
        schedule="onecycle",
        generator=generator,
        device=compute.resolve_device(config.device),
        channels_last=True,
    )
