"""Who learns what: the texts of each source and of the target, and the classifiers trained on them."""

from __future__ import annotations

from copy import deepcopy
from functools import lru_cache
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional

from lib.base import streams
from lib.data import registry, text, words
from lib.engine import runs
from lib.experiments.common import stored
from lib.experiments.text.settings import UNTRAINED, Config, split_name
from lib.models import bert, reading, training

ROOM = 16  # tokens by which an attack may lengthen a text before it is cut
CLASSES = 2  # of every target here
READS = ("encoder", "frozen_layers", "tokens")  # how a text is read
LEARNS = (*READS, "pooling", "dropout", "train_texts", "epochs", "batch_size", "lr", "schedule", "half")
ATTACKED = (*READS, "target", "least_words", "tau_texts")  # which texts attacks and tau are taken on
Labelled = tuple[reading.Sentences, Tensor]


def encoder(config: Config) -> bert.Encoder:
    """The frozen part that all models of a config share."""
    folder = words.minilm() if config.encoder == "minilm" else words.bert()
    return _encoder(folder, config.frozen_layers, config.tokens, config.device or "cpu")


def reader(config: Config) -> reading.Reader:
    """What answers for changed texts; it remembers those that several models are asked about."""
    return _reader(encoder(config))


def split(name: str) -> text.Split:
    """The three parts of a data set."""
    return _split(name, registry.root())


def draw(part: text.Part, count: int, generator: torch.Generator | None) -> text.Part:
    """`count` texts, as many of every class: random ones, or the first; all for a count of 0.

    Raises ValueError where a class has too few, or the count leaves none for a class.
    """
    if count == 0:
        return part
    per_class = count // len(part.classes)
    if per_class == 0:
        raise ValueError(
            f"{count} texts hold none of some of the {len(part.classes)} classes: "
            "raise train_texts, transfer_texts or test_texts"
        )
    if generator is not None:
        order = torch.randperm(len(part), generator=generator)
        part = text.Part([part.texts[i] for i in order.tolist()], part.labels[order], part.classes)
    return part.take(per_class)


def prepared(config: Config, part: text.Part) -> Labelled:
    """A part cut to the config's tokens and sent through the frozen layers once, with its labels."""
    own = encoder(config)
    return reading.sentences(own, [own.cut(item, config.tokens) for item in part.texts]), part.labels


@lru_cache(maxsize=8)
def target_part(config: Config, name: str, seed: int = 0) -> Labelled:
    """The target's "transfer" texts of a seed, its "valid" texts for penalties, its "test" texts."""
    whole = split(config.target)
    if name == "transfer":
        stream = streams.generator(seed, "text", "transfer")
        return prepared(config, draw(whole.train, config.transfer_texts, stream))
    if name == "valid":
        return _first(config, whole.valid, config.transfer_texts // 2)
    return _first(config, whole.test, config.test_texts)


def attacked_part(config: Config) -> text.Part:
    """Test texts of the target for tau1 and tau2, cut to the config's tokens and still long enough.

    They come class by class in turn, so that the first `attack_texts`, which are attacked, are balanced too.
    """
    return _attacked_part(runs.only(config, *ATTACKED))


def attacked_texts(config: Config) -> reading.Sentences:
    """The same texts, tokenised and sent through the frozen layers."""
    return _attacked_texts(runs.only(config, *ATTACKED))


def own_test(config: Config, source: str) -> Labelled:
    """Test texts of a source's own task."""
    return _first(config, split(source).test, config.test_texts // 3)


def source_model(config: Config, source: str, seed: int) -> bert.Classifier:
    """The source classifier of one seed, trained once and stored (App. G.2)."""
    return _trained(config, "source", source, source, seed)


@lru_cache(maxsize=1)
def reference_model(config: Config, seed: int) -> bert.Classifier:
    """The reference classifier, trained on the target in the same way; all sources of a seed share it."""
    return _trained(config, "reference", config.target, "reference", seed)


def train(config: Config, name: str, role: str, seed: int) -> stored.State:
    """The state of a classifier that has learnt the data set `name`; the untrained control learns nothing."""
    generator = streams.generator(seed, "text", role)
    if role == UNTRAINED:
        return stored.state(build(config, CLASSES, generator))
    part = draw(split(name).train, config.train_texts, generator)
    model = build(config, len(part.classes), generator)
    lesson, schedule = prepared(config, part), config.schedule
    _fit(config, model, lesson, generator, epochs=config.epochs, lr=config.lr, schedule=schedule)
    return stored.state(model)


def fine_tuned(
    config: Config, model: bert.Classifier, part: Labelled, generator: torch.Generator
) -> bert.Classifier:
    """A copy of `model` trained on with a fresh last layer (App. G.2: Adam at 1e-4 for 3 epochs)."""
    model = deepcopy(model)
    model.head = bert.head(model.head.in_features, CLASSES, generator).to(model.head.weight.device)
    _fit(config, model, part, generator, epochs=config.transfer_epochs, lr=config.transfer_lr)
    return model


def new_layer(config: Config, train: Labelled, features: Tensor, generator: torch.Generator) -> nn.Linear:
    """Only a new last layer, trained like that: Sec. 4.2 to the letter. `features` (N, width) of `train`."""
    layer = bert.head(features.shape[1], CLASSES, generator)
    training.fit(
        layer, features, train[1], loss=functional.cross_entropy, optimizer="adam", lr=config.transfer_lr,
        epochs=config.transfer_epochs, batch_size=config.batch_size, generator=generator,
    )  # fmt: skip
    return layer


def build(config: Config, classes: int, generator: torch.Generator) -> bert.Classifier:
    """The pretrained upper layers with a head that was never trained."""
    return bert.Classifier(
        encoder(config), classes, generator=generator, pooling=config.pooling, dropout=config.dropout
    )


@lru_cache(maxsize=2)
def _encoder(folder: Path, frozen: int, tokens: int, device: str) -> bert.Encoder:
    return bert.Encoder(folder, frozen=frozen, max_tokens=tokens + ROOM).to(torch.device(device))


@lru_cache(maxsize=1)
def _reader(own: bert.Encoder) -> reading.Reader:
    return reading.Reader(own)


@lru_cache(maxsize=8)
def _split(name: str, root: Path) -> text.Split:
    data, domain = split_name(name)
    return text.vader(domain) if domain else text.load(data)


@lru_cache(maxsize=2)
def _attacked_part(config: Config) -> text.Part:
    own, whole = encoder(config), split(config.target).test
    cut = [own.cut(item, config.tokens) for item in whole.texts]
    rows = [i for i, item in enumerate(cut) if len(item.split()) >= config.least_words]
    groups = [[i for i in rows if whole.labels[i] == label] for label in range(len(whole.classes))]
    kept = [row for turn in zip(*groups) for row in turn][: config.tau_texts]
    if len(kept) < config.tau_texts:
        raise ValueError(f"{config.target} has {len(kept)} such texts, not tau_texts={config.tau_texts}")
    return text.Part([cut[i] for i in kept], whole.labels[kept], whole.classes)


@lru_cache(maxsize=1)
def _attacked_texts(config: Config) -> reading.Sentences:
    return reading.sentences(encoder(config), attacked_part(config).texts)


def _first(config: Config, part: text.Part, count: int) -> Labelled:
    """The first `count` texts, or as many as a balanced draw can have."""
    most = min(part.counts().values()) * len(part.classes)
    return prepared(config, draw(part, min(count, most), None))


def _fit(
    config: Config, model: bert.Classifier, part: Labelled, generator: torch.Generator, **options: Any
) -> None:
    texts, labels = part
    training.fit(
        reading.Trainee(model, texts), torch.arange(len(texts)), labels, loss=functional.cross_entropy,
        optimizer="adam", batch_size=config.batch_size, generator=generator, device=texts.encoder.device,
        autocast=config.half, **options,
    )  # fmt: skip


def _trained(config: Config, step: str, name: str, role: str, seed: int) -> bert.Classifier:
    state = runs.step(step, train, runs.only(config, *LEARNS), name, role, seed)
    return stored.loaded(build(config, len(state["head.bias"]), torch.Generator()), state, config.device)
