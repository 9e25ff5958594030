"""The reference model f_T: the caller's own, or a small one fitted to the target's fitting part."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional

from lib.models import training
from lib.models.resnet import ResNet
from lib.ranking import words
from lib.ranking.candidates import Candidate, TensorModel
from lib.ranking.targets import Target

STEPS = 300  # of AdamW, on batches of 32: some ten seconds on a CPU for images of 64 pixels
BATCH, RATE, WIDTH = 32, 3e-3, 16


def fitted(target: Target, generator: torch.Generator, device: torch.device) -> Candidate:
    """A model that knows the target's fitting samples and nothing else: it takes no side among candidates.

    Images: a narrow residual network; vectors: one hidden layer; both trained for 300 steps. Texts: a linear
    classifier of word counts (nothing to train by steps).
    """
    if target.texts is not None:
        return words.bag_of_words(target)
    rows = torch.cat([target.fit, target.valid])
    with training.seeded(generator):
        model = network(target.inputs, len(target.classes))
    training.fit(
        model,
        coloured(target.inputs[rows]),
        target.labels[rows],
        loss=functional.cross_entropy,
        optimizer="adamw",
        lr=RATE,
        weight_decay=1e-2,
        epochs=max(1, STEPS * BATCH // len(rows)),
        batch_size=BATCH,
        schedule="onecycle",
        generator=generator,
        device=device,
    )
    return TensorModel("a small network, fitted here", model, device=device, channels=3, head=_last(model))


def untrained(
    target: Target, first: Candidate, generator: torch.Generator, device: torch.device
) -> Candidate:
    """A network that has learnt nothing: what a measure must exceed to mean anything."""
    if isinstance(first, words.TextModel):
        return words.untrained(first, generator)
    with training.seeded(generator):
        model = network(target.inputs, len(target.classes)).eval().to(device)
    return TensorModel("untrained", model, device=device, channels=3, head=_last(model))


def network(inputs: Tensor, classes: int) -> nn.Module:
    """A small network for pixels (N, C, H, W), or for vectors."""
    if inputs.dim() == 4 and inputs.shape[1] in (1, 3):
        large = min(inputs.shape[-2:]) >= 24
        return ResNet(classes, width=WIDTH, blocks=(1, 1, 1), stem_stride=2 if large else 1)
    size = inputs[0].numel()
    return nn.Sequential(nn.Flatten(), nn.Linear(size, 4 * WIDTH), nn.ReLU(), nn.Linear(4 * WIDTH, classes))


def coloured(images: Tensor) -> Tensor:
    """Grey images as three equal channels, the rest as it is."""
    return images.expand(-1, 3, -1, -1) if images.dim() == 4 and images.shape[1] == 1 else images


def _last(model: nn.Module) -> Any:
    return [part for part in model.modules() if isinstance(part, nn.Linear)][-1]
