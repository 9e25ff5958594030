"""Who learns what: the data of each source and target, and the networks trained on them."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache, partial
from pathlib import Path

import torch
from torch import Tensor, nn
from torch.nn import functional

from lib.base import streams
from lib.data import images, registry
from lib.engine import runs
from lib.experiments.common import stored
from lib.experiments.images.settings import DATA, DIGIT_TARGETS, UNTRAINED, Config, sources, split_target
from lib.models import training
from lib.models.cnn import DigitNet
from lib.models.resnet import ResNet

Network = DigitNet | ResNet
LOADERS: dict[str, Callable[[], images.Split]] = {
    "digits": images.digits,
    "cifar10": partial(images.cifar10, "original"),
    "cifar10_jpg": partial(images.cifar10, "jpg"),
    "tinyimagenet32": images.tiny_imagenet32,
    "stl10": images.stl10,
}
CLASSES = 4
# What every trained network depends on, besides code, data and device.
LEARNS = ("source_data", "model", "width", "batch_size", "lr", "weight_decay", "schedule", "augment")
ROTATION, NOISE = 20.0, 0.1  # degrees, standard deviation: how the digits' target domain differs


def source_split(config: Config, source: str) -> images.Split:
    """The four classes of a source; its training part is one half where a target shares the data set."""
    return _mixed(config, source, _shares_data(config))


def target_split(config: Config, target: str) -> images.Split:
    """The four classes of a target; digits are turned and noisy, a shared data set gives its second half."""
    data, group = split_target(target)
    if data == "digits":
        return _shifted(_half(images.mixture(_load(data, registry.root()), DIGIT_TARGETS[group]), 1))
    split = images.mixture(_load(data, registry.root()), images.TARGETS[DATA[data]][group])
    return _half(split, 1) if data == config.source_data else split


def source_model(config: Config, source: str, seed: int) -> Network:
    """The source network of one seed, trained once and stored (App. G.2)."""
    return _trained(config, "source", source, config.epochs, _shares_data(config), seed)


def reference_model(config: Config, target: str, seed: int) -> Network:
    """The reference network of the same architecture (App. G.2)."""
    own = split_target(target)[0] == config.source_data
    return _trained(config, "reference", target, config.epochs if own else config.target_epochs, own, seed)


def train(config: Config, role: str, name: str, epochs: int, half: bool, seed: int) -> stored.State:
    """The state of a source or reference that has learnt its classes, from `half` of their images or all."""
    generator = streams.generator(seed, "images", role, name)
    model = build(config, generator)
    if name != UNTRAINED:
        split = _mixed(config, name, half) if role == "source" else target_split(config, name)
        _fit(config, model, split.train, epochs, config.lr, generator)
    return stored.state(model)


def fine_tuned(config: Config, model: Network, part: images.Part, generator: torch.Generator) -> Network:
    """The whole network trained on with a fresh last layer; `model` itself is changed."""
    with training.seeded(generator):
        model.head = nn.Linear(model.head.in_features, CLASSES)
    _fit(config, model, part, config.tune_epochs, config.tune_lr, generator)
    return model


def build(config: Config, generator: torch.Generator) -> Network:
    """An untrained network, in evaluation mode."""
    with training.seeded(generator):
        if config.model == "cnn":
            return DigitNet(CLASSES, width=config.width).eval()
        if config.model == "resnet18":
            return ResNet(CLASSES, width=config.width).eval()
        return ResNet(CLASSES, width=config.width, blocks=(1, 1, 1), stem_stride=2).eval()


def pixels(part: images.Part, device: torch.device) -> tuple[Tensor, Tensor]:
    """Images as floats in [0, 1], and labels, on a device."""
    return training.take(part.images, torch.arange(len(part)), device), part.labels.to(device)


@cache
def _load(name: str, root: Path) -> images.Split:
    return LOADERS[name]()


def _fit(
    config: Config, model: Network, part: images.Part, epochs: int, lr: float, generator: torch.Generator
) -> None:
    device = torch.device(config.device or "cpu")
    on_gpu = device.type == "cuda"
    training.fit(
        model, part.images.to(device) if on_gpu else part.images, part.labels, loss=functional.cross_entropy,
        lr=lr, weight_decay=config.weight_decay, epochs=epochs, batch_size=config.batch_size,
        schedule=config.schedule, augment=training.crop_and_flip if config.augment else None,
        generator=generator, device=device, channels_last=config.model != "cnn", autocast=on_gpu,
    )  # fmt: skip


def _trained(config: Config, role: str, name: str, epochs: int, half: bool, seed: int) -> Network:
    state = runs.step(role, train, runs.only(config, *LEARNS), role, name, epochs, half, seed)
    return stored.loaded(build(config, torch.Generator()), state, config.device)


def _mixed(config: Config, source: str, half: bool) -> images.Split:
    split = images.mixture(_load(config.source_data, registry.root()), sources(config)[source])
    return _half(split, 0) if half else split


def _shares_data(config: Config) -> bool:
    return any(split_target(target)[0] == config.source_data for target in config.targets)


def _half(split: images.Split, index: int) -> images.Split:
    """A split whose training part is one of two disjoint halves, so that no image trains both models."""
    return images.Split(split.name, split.train.share(index, 2), split.valid, split.test)


def _shifted(split: images.Split) -> images.Split:
    """The digits' target domain: every image turned by up to ROTATION degrees, with noise; fixed per part."""

    def turned(name: str, part: images.Part) -> images.Part:
        stream = streams.generator(0, "shift", name)
        return images.Part(_turn(part.images, stream), part.labels, part.classes)

    parts = {name: turned(name, getattr(split, name)) for name in ("train", "valid", "test")}
    return images.Split(split.name, **parts)


def _turn(batch: Tensor, generator: torch.Generator) -> Tensor:
    angle = torch.deg2rad(ROTATION * (2 * torch.rand(len(batch), generator=generator) - 1))
    zero = torch.zeros_like(angle)
    rows = torch.stack([angle.cos(), -angle.sin(), zero, angle.sin(), angle.cos(), zero], dim=1)
    grid = functional.affine_grid(rows.view(-1, 2, 3), list(batch.shape), align_corners=False)
    turned = functional.grid_sample(batch.float() / 255, grid, align_corners=False)
    noisy = turned + NOISE * torch.randn(turned.shape, generator=generator)
    return (noisy.clamp(0, 1) * 255).round().to(torch.uint8)
