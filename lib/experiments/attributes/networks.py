"""The networks: one a source, each by itself, all from the same decoded photos; and the reference."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from time import perf_counter
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional

from lib.base import compute
from lib.engine import runs
from lib.experiments.attributes.people import Album, album
from lib.experiments.attributes.settings import PERMUTED, UNTRAINED, Config
from lib.models import training
from lib.models.arcface import ArcFace, focal_loss
from lib.models.facenet import FaceNet

MOMENTUM, WEIGHT_DECAY = 0.9, 5e-4  # of the reference, in the authors' code
CLASSES = 2  # logits of a source: the authors' code has two; one would make lambda 0, see `measures`


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
        return self.head(self.network.features(x))


class _Embedding(nn.Module):
    """The reference with its embedding as output: the loss hands the labels to ArcFace."""

    def __init__(self, reference: Reference) -> None:
        super().__init__()
        self.reference = reference

    def forward(self, x: Tensor) -> Tensor:
        return self.reference.network.features(x)


def source_model(config: Config, source: str, seed: int) -> tuple[FaceNet, float]:
    """The network of one attribute or control, trained once and stored, and the seconds that took.

    Its initialisation, its order of photos and its augmentation are a stream of its own: it is the same
    network whichever others are trained, before or beside it (App. G.3: forty separate classifiers).
    """
    facts = key(config, "epochs", "optimizer", "lr", "schedule") | {"source": source, "seed": seed}
    stored = runs.artifact(facts, partial(train_source, config, source, seed))
    model = build(config, torch.Generator())
    return _loaded(config, model, stored["state"]), stored["seconds"]


def reference_model(config: Config, seed: int) -> tuple[Reference, float]:
    """The face recogniser of one seed: ArcFace on focal loss (App. G.3), and the seconds it took."""
    facts = key(config, "reference_epochs", "reference_lr", "scale", "margin") | {"reference": seed}
    stored = runs.artifact(facts, partial(_train_reference, config, seed))
    model = recogniser(config, album(config).known, torch.Generator())
    return _loaded(config, model, stored["state"]), stored["seconds"]


def build(config: Config, generator: torch.Generator) -> FaceNet:
    """An untrained source network, in evaluation mode."""
    shape: dict[str, Any] = {"width": config.width, "blocks": config.blocks, "embedding": config.embedding}
    with training.seeded(generator):
        return FaceNet(CLASSES, size=config.size, **shape).eval()


def recogniser(config: Config, people: int, generator: torch.Generator) -> Reference:
    """An untrained reference: the sources' network with an ArcFace head for so many people."""
    network = build(config, generator)
    network.head = nn.Identity()  # type: ignore[assignment]
    with training.seeded(generator):
        head = ArcFace(config.embedding, people, config.scale, config.margin)
    return Reference(network, head).eval()


def targets(config: Config, photos: Album, source: str, seed: int) -> Tensor:
    """What a source learns, 0 or 1 a photo; a permuted attribute keeps its share, and nothing else."""
    kind, _, rest = source.partition(" ")
    if kind != PERMUTED:
        return photos.labels(photos.learnt, source)
    labels = photos.labels(photos.learnt, rest)
    return labels[torch.randperm(len(labels), generator=compute.generator(seed, "attributes", source))]


def train_source(config: Config, source: str, seed: int) -> dict[str, Any]:
    """{"state", "seconds"} of one source, trained now; nothing is read from the store or kept."""
    begun = perf_counter()
    generator = compute.generator(seed, "attributes", "source", source)
    model = build(config, generator)
    if not source.startswith(UNTRAINED):
        photos = album(config)
        _fit(
            config, model, photos.learnt.images, targets(config, photos, source, seed),
            functional.cross_entropy, generator,
            optimizer=config.optimizer, lr=config.lr, schedule=config.schedule, epochs=config.epochs,
        )  # fmt: skip
    return _stored(model, perf_counter() - begun)


def _train_reference(config: Config, seed: int) -> dict[str, Any]:
    begun = perf_counter()
    photos, generator = album(config), compute.generator(seed, "attributes", "reference")
    model = recogniser(config, photos.known, generator)
    _fit(
        config, _Embedding(model), photos.learnt.images, photos.learnt.identities,
        lambda embedding, people: focal_loss(model.head(embedding, people), people), generator,
        optimizer="sgd", lr=config.reference_lr, schedule=config.schedule, epochs=config.reference_epochs,
        momentum=MOMENTUM, weight_decay=WEIGHT_DECAY,
    )  # fmt: skip
    return _stored(model, perf_counter() - begun)


def _fit(
    config: Config, model: nn.Module, images: Tensor, labels: Tensor,
    loss: Callable[[Tensor, Tensor], Tensor], generator: torch.Generator, **options: Any,
) -> None:  # fmt: skip
    device = compute.resolve_device(config.device)
    on_gpu = device.type == "cuda"
    training.fit(
        model, images.to(device) if on_gpu else images, labels, loss=loss, batch_size=config.batch_size,
        augment=training.crop_and_flip if config.augment else None, generator=generator, device=device,
        channels_last=on_gpu, autocast=on_gpu, **options,
    )  # fmt: skip


def key(config: Config, *names: str) -> dict[str, Any]:
    """What every trained network depends on, besides code, data and device."""
    common = ("data", "size", "people", "width", "blocks", "embedding", "batch_size", "augment", "schedule")
    return {name: getattr(config, name) for name in (*common, *names)}


def _stored(model: nn.Module, seconds: float) -> dict[str, Any]:
    state = {name: value.detach().cpu().contiguous() for name, value in model.state_dict().items()}
    return {"state": state, "seconds": seconds}


def _loaded(config: Config, model: Any, state: dict[str, Tensor]) -> Any:
    model.load_state_dict(state)
    return model.to(compute.resolve_device(config.device)).eval()
