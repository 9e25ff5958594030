"""The networks: one a source, each by itself, all from the same decoded photos; and the reference."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, cast

import torch
from torch import Tensor, nn
from torch.nn import functional

from lib.base import streams
from lib.data.faces import Faces
from lib.engine import runs
from lib.experiments.attributes import people
from lib.experiments.attributes.settings import PERMUTED, UNTRAINED, Config
from lib.experiments.common import stored
from lib.models import training
from lib.models.arcface import ArcFace, focal_loss
from lib.models.facenet import FaceNet

MOMENTUM, WEIGHT_DECAY = 0.9, 5e-4  # of the reference, in the authors' code
CLASSES = 2  # logits of a source: the authors' code has two; one would make lambda 0, see `attacking`
# What a trained network depends on, besides code, data and device; what is a source's, or the reference's.
LEARNS = ("data", "size", "people", "width", "blocks", "embedding", "batch_size", "augment", "schedule")
SOURCE = (*LEARNS, "epochs", "optimizer", "lr")
REFERENCE = (*LEARNS, "reference_epochs", "reference_lr", "scale", "margin")


class Reference(nn.Module):
    """The face recogniser: `network.features` is its embedding, `head` tells the known people apart."""

    def __init__(self, network: FaceNet, head: ArcFace) -> None:
        super().__init__()
        self.network, self.head = network, head

    def embed(self, x: Tensor) -> Tensor:
        """Embedding of length 1, (N, D): f_T of the definitions."""
        return self.network.direction(x)

    def forward(self, x: Tensor) -> Tensor:
        """Logits (N, known people), without margin."""
        return cast(Tensor, self.head(self.network.features(x)))


class _Embedding(nn.Module):
    """The reference with its embedding as output: the loss hands the labels to ArcFace."""

    def __init__(self, reference: Reference) -> None:
        super().__init__()
        self.reference = reference

    def forward(self, x: Tensor) -> Tensor:
        return self.reference.network.features(x)


def source_model(config: Config, source: str, seed: int) -> FaceNet:
    """The network of one attribute or control, trained once and stored.

    Its initialisation, its order of photos and its augmentation are a stream of its own: it is the same
    network whichever others are trained, before or beside it (App. G.3: forty separate classifiers).
    """
    state = runs.step("source", train_source, runs.only(config, *SOURCE), source, seed)
    return stored.loaded(build(config, torch.Generator()), state, config.device)


def reference_model(config: Config, seed: int) -> Reference:
    """The face recogniser of one seed: ArcFace on focal loss (App. G.3)."""
    state = runs.step("reference", train_reference, runs.only(config, *REFERENCE), seed)
    return stored.loaded(recogniser(config, torch.Generator()), state, config.device)


def build(config: Config, generator: torch.Generator) -> FaceNet:
    """An untrained source network, in evaluation mode."""
    with training.seeded(generator):
        return FaceNet(
            CLASSES, size=config.size, width=config.width, blocks=config.blocks, embedding=config.embedding
        ).eval()


def recogniser(config: Config, generator: torch.Generator) -> Reference:
    """An untrained reference: the sources' network with an ArcFace head for the known people."""
    network = build(config, generator)
    network.head = nn.Identity()  # type: ignore[assignment]
    known = int(people.learnt(config).identities.max()) + 1
    with training.seeded(generator):
        head = ArcFace(config.embedding, known, config.scale, config.margin)
    return Reference(network, head).eval()


def targets(photos: Faces, source: str, seed: int) -> Tensor:
    """What a source learns, 0 or 1 a photo; a permuted attribute keeps its share, and nothing else."""
    kind, _, rest = source.partition(" ")
    if kind != PERMUTED:
        return people.labels(photos, source)
    labels = people.labels(photos, rest)
    return labels[torch.randperm(len(labels), generator=streams.generator(seed, "attributes", source))]


def train_source(config: Config, source: str, seed: int) -> stored.State:
    """The state of one source."""
    generator = streams.generator(seed, "attributes", "source", source)
    model = build(config, generator)
    if not source.startswith(UNTRAINED):
        wanted = targets(people.learnt(config), source, seed)
        _fit(
            config, model, wanted, functional.cross_entropy, generator, optimizer=config.optimizer,
            lr=config.lr, epochs=config.epochs,
        )  # fmt: skip
    return stored.state(model)


def train_reference(config: Config, seed: int) -> stored.State:
    """The state of the reference of one seed."""
    generator = streams.generator(seed, "attributes", "reference")
    model = recogniser(config, generator)
    _fit(
        config, _Embedding(model), people.learnt(config).identities,
        lambda embedding, who: focal_loss(model.head(embedding, who), who), generator, optimizer="sgd",
        lr=config.reference_lr, epochs=config.reference_epochs, momentum=MOMENTUM, weight_decay=WEIGHT_DECAY,
    )  # fmt: skip
    return stored.state(model)


def _fit(
    config: Config, model: nn.Module, labels: Tensor, loss: Callable[[Tensor, Tensor], Tensor],
    generator: torch.Generator, **options: Any,
) -> None:  # fmt: skip
    images, device = people.learnt(config).images, torch.device(config.device or "cpu")
    on_gpu = device.type == "cuda"
    training.fit(
        model, images.to(device) if on_gpu else images, labels, loss=loss, batch_size=config.batch_size,
        schedule=config.schedule, augment=training.crop_and_flip if config.augment else None,
        generator=generator, device=device, channels_last=on_gpu, autocast=on_gpu, **options,
    )  # fmt: skip
