"""Small real models and a target for the chapter "Your own models": trained here, in seconds, on digits."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional

from lib.base import fingerprint, streams
from lib.base.tables import Table
from lib.data import images
from lib.measures import probe
from lib.models import training
from lib.models.cnn import DigitNet
from lib.ranking import checks, pretrained, targets

TARGET = 400  # labelled images of the new task, of scikit-learn's 1,797 digits; no candidate has seen them
CANDIDATES: dict[str, tuple[int, ...]] = {  # the digits that each has learnt to tell apart
    "all ten digits": tuple(range(10)),
    "0 to 4": (0, 1, 2, 3, 4),
    "5 to 9": (5, 6, 7, 8, 9),
    "0 and 1": (0, 1),
    "none (untrained)": (),
}
CLOSE = {"a": 90, "b": 130, "c": 180, "d": 250, "e": 350}  # images that the close candidates have learnt from
STEPS, BATCH, RATE = 300, 32, 3e-3


def subject(folder: str | None, models: Sequence[str] | None) -> tuple[Any, Any]:
    """(models, target) of the chapter: the reader's folder, or file of texts, and names; else the digits.

    Raises ValueError where only one of the two is given, or nothing lies at `folder`.
    """
    path = check(folder, models)
    return (candidates(), target()) if path is None else (list(models or ()), path)


def check(folder: str | None, models: Sequence[str] | None, weights: str | None = None) -> Path | None:
    """Where the reader's folder or file is; None where neither it nor models are given.

    Raises ValueError where only one of the two is given, nothing lies at `folder`, or torchvision has no such
    model or weights: all that can be told before anything is loaded.
    """
    if not folder and not models:
        return None
    if not folder or not models:
        raise ValueError("give both: folder (class/image, or a .tsv or .jsonl of texts) and models (names)")
    path = _lies(folder)
    named = checks.models_by_name(models)
    if not targets.is_file(path):
        pretrained.check(named, weights)
    return path


def _lies(folder: str) -> Path:
    for base in (Path.cwd(), fingerprint.ROOT):  # a chapter is executed in book/
        try:
            path = base / Path(folder).expanduser()
            if path.exists():
                return path
        except (OSError, ValueError, RuntimeError):  # no path at all: too long, with a NUL, ~nobody
            break
    raise ValueError(f"nothing lies at {folder!r}: give the whole path, from / on")


def target() -> tuple[Tensor, Tensor]:
    """The ten digits as a new task: pixels in [0, 1], with the noise of a cheap scanner, and labels."""
    part = images.digits().test
    generator = streams.generator(0, "scanner")
    x = part.images[:TARGET].float() / 255
    return (x + 0.15 * torch.randn(x.shape, generator=generator)).clamp(0, 1), part.labels[:TARGET]


def candidates() -> dict[str, nn.Module]:
    """Five networks of one architecture, which have learnt more or fewer of the digits."""
    part = images.digits().train
    made: dict[str, nn.Module] = {}
    for name, digits in CANDIDATES.items():
        index = torch.nonzero(torch.isin(part.labels, torch.tensor(digits, dtype=torch.int64))).flatten()
        labels = torch.tensor([digits.index(int(label)) for label in part.labels[index]], dtype=torch.int64)
        made[name] = network(part.images[index], labels, max(2, len(digits)), name)
    return made


def close() -> dict[str, nn.Module]:
    """Five networks that differ only in how many images they have learnt from, and in their random start."""
    part = images.digits().train
    return {name: network(part.images[:n], part.labels[:n], 10, name) for name, n in CLOSE.items()}


def known(models: dict[str, nn.Module]) -> dict[str, float]:
    """Probe accuracy on everything that is left: fitted on the digits that no candidate has learnt from."""
    split = images.digits()
    start, some = max(CLOSE.values()), max(CLOSE.values()) + 600
    train, test, valid = split.train, split.test, split.valid
    parts = [
        (train.images[start:some], train.labels[start:some]),
        (train.images[some:], train.labels[some:]),
        (torch.cat([test.images[TARGET:], valid.images]), torch.cat([test.labels[TARGET:], valid.labels])),
    ]
    found = {}
    for name, model in models.items():
        features: Any = model.features
        sets = [(training.predict(features, x), y) for x, y in parts]  # uint8 becomes [0, 1] on the way
        found[name] = probe.linear_probe(*sets, classes=10, strengths=(1e-2, 1e-1, 1.0)).accuracy
    return found


def known_table(known: Mapping[str, float]) -> Table:
    """What `known` found, beside what each of the close candidates has learnt from."""
    rows = [[name, CLOSE[name], accuracy] for name, accuracy in known.items()]
    return Table(["model", "images learnt from", "known accuracy"], rows)


def network(x: Tensor, y: Tensor, classes: int, name: str) -> DigitNet:
    """A small network trained on (x, y); untrained where there is nothing to learn from."""
    generator = streams.generator(0, "example", name)
    with training.seeded(generator):
        model = DigitNet(classes)
    if len(x):
        training.fit(
            model, x, y, loss=functional.cross_entropy, optimizer="adamw", lr=RATE,
            epochs=max(1, STEPS * BATCH // len(x)), batch_size=BATCH, generator=generator,
        )  # fmt: skip
    return model.eval()
