"""One text under TextFooler through several models, for the eye: nothing of it is recorded."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from types import SimpleNamespace
from typing import Any

import torch

from lib.attacks.words import candidates as lists
from lib.attacks.words.spelling import Words
from lib.attacks.words.textfooler import Attacked
from lib.base import compute
from lib.engine import runs
from lib.experiments.text import attacking, networks
from lib.experiments.text import record as text
from lib.experiments.text.settings import Config
from lib.models import bert

ITSELF = "the reference itself"


@dataclass(frozen=True)
class Shown:
    """The attack through one model. `pieces`: (text, its replacement or None), in order.

    `own` and `reference`: what that model and the reference believe before and after: (class, probability).
    """

    attacker: str
    pieces: list[tuple[str, str | None]]
    own: tuple[tuple[str, float], tuple[str, float]]
    reference: tuple[tuple[str, float], tuple[str, float]]


@dataclass(frozen=True)
class Example:
    """A text of the target, its class, and the attacks on it."""

    target: str
    label: str
    attacks: list[Shown]


def example(config: Config, *, seed: int = 0, tries: int = 8) -> Example:
    """The first text that the reference gets right until a source's attack changes its mind.

    Looked for among the first `tries` texts; where there is none, the first of them. It is computed as a
    record is, so that the models are those of the run and need not be trained again.
    """
    place = SimpleNamespace(
        NAME=text.NAME,
        JOB_IGNORES=text.JOB_IGNORES,
        __file__=text.__file__,
        datasets=text.datasets,
        run_job=_job,
    )
    found = runs.fresh(place, config, {"seed": seed, "tries": tries})
    shown = [
        Shown(
            one["attacker"],
            [(piece, after) for piece, after in one["pieces"]],
            _pair(one["own"]),
            _pair(one["reference"]),
        )
        for one in found["attacks"]
    ]
    return Example(found["target"], found["label"], shown)


def neighbours(config: Config, words: Sequence[str]) -> list[tuple[str, list[str], list[str]]]:
    """(word, its nearest words in the encoder's own table, those of them left out as its opposites)."""
    opposite = lists.opposites()[1]
    every = lists.embedding_neighbours(*attacking.embeddings(config))
    return [(word, near := every[word], [n for n in near if opposite(word, n)]) for word in words]


def _job(config: Config, job: dict[str, Any]) -> dict[str, Any]:
    with compute.at_most_threads(1):
        return _found(config, job["seed"], job["tries"])


def _found(config: Config, seed: int, tries: int) -> dict[str, Any]:
    """The example as plain data."""
    reference, _ = networks.reference_model(config, seed)
    models = {name: networks.source_model(config, name, seed)[0] for name in config.sources}
    part, read = networks.attacked_part(config), networks.reader(config)
    texts, labels = part.texts[:tries], part.labels[:tries]
    found = {name: attacking.attack(config, model, texts) for name, model in models.items()}
    right = read(reference, texts).argmax(1) == labels
    after = [read(reference, [one.attacked for one in each]).argmax(1) for each in found.values()]
    fooled = right & (torch.stack(after) != labels).any(0)
    number = int(fooled.int().argmax())
    chosen = {name: each[number] for name, each in found.items()}
    chosen[ITSELF] = attacking.attack(config, reference, [texts[number]])[0]
    shown = [
        _shown(config, name, chosen[name], model, reference)
        for name, model in (models | {ITSELF: reference}).items()
    ]
    return {"target": config.target, "label": part.classes[int(labels[number])], "attacks": shown}


def _shown(
    config: Config, name: str, found: Attacked, model: bert.Classifier, reference: bert.Classifier
) -> dict[str, Any]:
    classes = networks.split(config.target if name == ITSELF else name).classes
    return {
        "attacker": name,
        "pieces": _pieces(found),
        "own": _beliefs(config, model, found, classes),
        "reference": _beliefs(config, reference, found, networks.split(config.target).classes),
    }


def _pair(beliefs: list[list[Any]]) -> tuple[tuple[str, float], tuple[str, float]]:
    (before, first), (after, second) = beliefs
    return (before, first), (after, second)


def _pieces(found: Attacked) -> list[list[str | None]]:
    """What stands there, and what replaces it or None, piece by piece."""
    words, changed = Words(found.original), {index: after for index, _, after in found.changes}
    return [
        [piece, changed.get(number // 2) if number % 2 else None] for number, piece in enumerate(words.pieces)
    ]


def _beliefs(
    config: Config, model: bert.Classifier, found: Attacked, classes: list[str]
) -> list[list[str | float]]:
    """The likeliest class and its probability, before and after."""
    logits = networks.reader(config)(model, [found.original, found.attacked])
    sure, chosen = torch.softmax(logits, 1).max(1)
    return [[classes[int(c)], float(p)] for c, p in zip(chosen, sure)]
