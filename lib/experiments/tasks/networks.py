"""Fifteen networks of one architecture, one a task, each trained on its own labels and stored (App. G.4)."""

from __future__ import annotations

import torch
from torch import Tensor

from lib.base import streams
from lib.engine import runs
from lib.experiments.common import stored
from lib.experiments.tasks import losses, scenes
from lib.experiments.tasks.settings import UNTRAINED, Config
from lib.models import training
from lib.models.encoder_decoder import EncoderDecoder

NAMES = list(losses.BY_NAME)
UNTRAINED_TASK = "Autoencoder"  # the control's output: three channels, as most tasks; its weights are random
# What a trained network depends on, besides code, data and device.
LEARNS = (*scenes.FIELDS, "channels", "epochs", "batch_size", "optimizer", "lr", "weight_decay")


def task_of(source: str) -> str:
    """The task whose kind of output a source has."""
    return UNTRAINED_TASK if source == UNTRAINED else source


def network(config: Config, source: str, seed: int, fold: int) -> EncoderDecoder:
    """The network of one task (or the untrained one), trained once and stored."""
    state = runs.step("train", train, runs.only(config, *LEARNS), source, seed, fold)
    model = build(config, source, torch.Generator())
    model.to(memory_format=training.fast_layout(model))  # a third faster
    return stored.loaded(model, state, config.device)


def build(config: Config, source: str, generator: torch.Generator) -> EncoderDecoder:
    """A fresh network for a task's kind of output."""
    task = losses.BY_NAME[task_of(source)]
    outputs = task.channels or len(scenes.load(config).classes[task.name])
    with training.seeded(generator):
        return EncoderDecoder(outputs, width=config.channels, dense=task.kind != "classification")


def pixels(config: Config, index: Tensor) -> Tensor:
    """Images as floats in [0, 1] on the run's device."""
    return training.take(scenes.load(config).rgb, index, config.device or "cpu")


def train(config: Config, source: str, seed: int, fold: int) -> stored.State:
    """The state of one source, for the images that are not of the fold."""
    generator = streams.generator(seed, "rooms", source, fold)
    data, task = scenes.load(config), task_of(source)
    model = build(config, source, generator)
    rows, _ = scenes.halves(data, fold)
    labels = data.labels[task][rows]
    constants = losses.constants(task, labels, len(data.classes.get(task, ())))
    model.centre.copy_(constants.value.reshape(model.centre.shape))
    model.scale.copy_(constants.spread.reshape(model.scale.shape))
    if source != UNTRAINED:  # in units of the best constant's loss, so that one learning rate fits all tasks
        weight = 1 / float(losses.constant_loss(task, constants.value, labels).mean())
        training.fit(
            model, data.rgb[rows], labels,
            loss=lambda outputs, y: weight * losses.per_image(task, outputs, y).mean(),
            optimizer=config.optimizer, lr=config.lr, weight_decay=config.weight_decay, epochs=config.epochs,
            batch_size=config.batch_size, schedule="onecycle", generator=generator,
            device=config.device or "cpu", channels_last=True,
        )  # fmt: skip
    return stored.state(model)
