"""The reference model f_T: the caller's own, or a small one fitted to the target's fitting part."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional

from lib.measures import probe
from lib.measures.jacobian import Model
from lib.models import training
from lib.models.resnet import ResNet
from lib.ranking import texts
from lib.ranking.candidates import Candidate, Passes, TensorModel
from lib.ranking.targets import Target

VOCABULARY = 500  # words of the reference for texts, the most frequent of the fitting part
STEPS = 300  # of AdamW, on batches of 32: some ten seconds on a CPU for images of 64 pixels
BATCH, RATE, WIDTH = 32, 3e-3, 16


def fitted(target: Target, generator: torch.Generator, device: torch.device) -> Candidate:
    """A model that knows the target's fitting samples and nothing else: it takes no side among candidates.

    Images: a narrow residual network; vectors: one hidden layer; both trained for 300 steps. Texts: a linear
    classifier of word counts (nothing to train by steps).
    """
    if target.texts is not None:
        return bag_of_words(target)
    rows = torch.cat([target.fit, target.valid])
    with training.seeded(generator):
        model = network(target.inputs, len(target.classes))
    training.fit(
        model, coloured(target.inputs[rows]), target.labels[rows], loss=functional.cross_entropy,
        optimizer="adamw", lr=RATE, weight_decay=1e-2, epochs=max(1, STEPS * BATCH // len(rows)),
        batch_size=BATCH, schedule="onecycle", generator=generator, device=device,
    )  # fmt: skip
    return TensorModel("a small network, fitted here", model, device=device, channels=3, head=_last(model))


def untrained(
    target: Target, first: Candidate, generator: torch.Generator, device: torch.device
) -> Candidate:
    """A network that has learnt nothing: what a measure must exceed to mean anything."""
    if isinstance(first, texts.TextModel):
        return texts.untrained(first, generator)
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


@dataclass
class BagOfWords:
    """The reference for texts, linear in word counts: f(g) = sum of g_w W[w] / sqrt(words) + b."""

    weight: Tensor  # (vocabulary + 1, K); the last row is zero, for words that it does not know
    bias: Tensor
    ids: Tensor  # (N, words): rows of weight
    name: str = "a linear classifier of word counts, fitted here"
    passes: Passes = field(default_factory=Passes)
    notes: list[str] = field(default_factory=list)

    def bind(self, rows: Tensor) -> Model:
        """gates (N, words) of the texts in `rows` -> logits (N, K)."""
        terms = self.weight[self.ids[rows]]
        return lambda gates: (
            torch.einsum("nw,nwk->nk", gates.to(terms), terms) / self.ids.shape[1] ** 0.5 + self.bias
        )

    @torch.no_grad()
    def read(self, x: Tensor, rows: Tensor) -> tuple[Tensor, Tensor]:
        """Logits, twice: they are its features."""
        outputs = self.bind(rows)(x)
        return outputs, outputs


def bag_of_words(target: Target) -> BagOfWords:
    """Fit the reference on the target's own texts: no pretrained knowledge, and no training loop."""
    assert target.texts is not None
    texts = [[word.lower().strip(".,;:!?\"'()[]") for word in text] for text in target.texts]
    counts: dict[str, int] = {}
    for row in torch.cat([target.fit, target.valid]).tolist():
        for word in set(texts[row]):
            counts[word] = counts.get(word, 0) + 1
    known = sorted(counts, key=lambda word: (-counts[word], word))[:VOCABULARY]
    number = {word: i for i, word in enumerate(known)}
    width = target.inputs.shape[1]
    ids = torch.full((len(texts), width), len(known))
    for i, text in enumerate(texts):
        ids[i, : len(text)] = torch.tensor([number.get(word, len(known)) for word in text])
    bags = torch.zeros(len(texts), len(known) + 1).scatter_add_(1, ids, torch.ones(ids.shape))[:, :-1]
    bags = bags / width**0.5
    sets = [(bags[rows], target.labels[rows]) for rows in (target.fit, target.valid, target.test)]
    layer = probe.linear_probe(*sets, classes=len(target.classes), strengths=(1e-3, 1e-2, 1e-1))
    weight = torch.cat([layer.weight.mT, layer.weight.new_zeros(1, len(target.classes))])
    return BagOfWords(weight.float(), layer.bias.float(), ids)
