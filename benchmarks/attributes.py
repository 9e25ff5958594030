"""The stream of attribute networks, one after another on one decoded tensor, against a bare training loop.

One thread and its own processor time; the two run in turn, and what counts is the median of their ratios.
"""

from __future__ import annotations

import dataclasses

import torch
from torch.nn import functional

from benchmarks.attacks import ratio
from lib.base.tables import Table
from lib.experiments.attributes import networks, people
from lib.experiments.attributes.settings import PRESETS
from lib.models import training
from lib.models.facenet import FaceNet

SOURCES = ("Male", "Smiling", "Eyeglasses", "Young")
CONFIG = dataclasses.replace(
    PRESETS["quick"], size=48, width=16, embedding=128, epochs=1, schedule="constant", device="cpu"
)


def stream() -> None:
    """As the experiment trains them, but for the store."""
    for source in SOURCES:
        networks.train_source(CONFIG, source, 0)


def bare() -> None:
    """The same networks, photos, labels and steps without the library; floats are made a batch at a time."""
    photos = people.learnt(CONFIG)
    shape = {"width": CONFIG.width, "blocks": CONFIG.blocks, "embedding": CONFIG.embedding}
    for source in SOURCES:
        labels = photos.attributes[:, photos.names.index(source)].long()
        model = FaceNet(2, size=CONFIG.size, **shape).train()
        optimizer = torch.optim.Adadelta(model.parameters(), CONFIG.lr)
        for index in torch.randperm(len(labels)).tensor_split(-(-len(labels) // CONFIG.batch_size)):
            optimizer.zero_grad()
            functional.cross_entropy(model(photos.images[index].float() / 255), labels[index]).backward()
            optimizer.step()


def rows() -> Table:
    """Photos a second of the stream and of the bare loop."""
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        seen = len(SOURCES) * len(people.learnt(CONFIG))
        with training.seeded(torch.Generator().manual_seed(0)):
            value, mine, other = ratio(stream, bare, rounds=7)
    finally:
        torch.set_num_threads(threads)
    note = f"{seen / mine:.0f} photos/s against {seen / other:.0f}"
    lines = [["attribute networks on one decoded tensor, against a bare loop", value, ">= 0.9", note]]
    return Table(
        ["comparison", "ratio", "asked", "measured"], lines, caption="Attributes",
        note=f"{len(SOURCES)} networks, photos of {CONFIG.size} pixels; torch {torch.__version__}.",
    )  # fmt: skip
