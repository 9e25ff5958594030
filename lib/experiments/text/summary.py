"""What the records of a text run say: values by source and seed, and which measure predicts transfer."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from lib import statistics
from lib.base import compute
from lib.engine.results import Record, Value, at
from lib.experiments.text.settings import UNTRAINED
from lib.measures import estimators

MEASURES: dict[str, Value] = {
    "adversarial loss": at("attacks", "textfooler", "loss"),
    "adversarial loss, half": at("attacks", "half", "loss"),
    "adversarial loss, Def. 1": at("attacks", "definition_1", "loss"),
    "τ₁": at("tau1"),
    "τ₂": at("tau2"),
    "τ₁ τ₂": lambda r: r["tau1"] * r["tau2"],
    "τ₂, contrasts": at("readings", "contrasts", "tau2"),
    "α²": at("alpha_squared"),
}
KNOWLEDGE: dict[str, Value] = {  # higher is better in all
    "fine-tuned accuracy": at("knowledge", "tuned_accuracy"),
    "fine-tuned loss (−)": lambda r: -r["knowledge"]["tuned_loss"],
    "probe accuracy": at("knowledge", "probe_accuracy"),
    "probe loss (−)": lambda r: -r["knowledge"]["probe_loss"],
    "new layer accuracy": at("knowledge", "layer_accuracy"),
}
RIVALS: dict[str, Value] = {
    **{title: at("rivals", key) for key, title in estimators.TITLES.items() if key != "h_score"},
    "nearness of the data": lambda r: -r["baselines"]["domain_distance"],
    "source accuracy": at("baselines", "source_accuracy"),
    "same kind of task": at("same_task"),
}
HEADLINE = ("adversarial loss", "fine-tuned accuracy")  # what Sec. 4.2 claims to go together
NAMES = {
    "imdb": "IMDB",
    "imdb_part": "IMDB",
    "ag_part": "AG",
    "ag_news": "AG",
    "fake_articles": "Fake, articles",
    "covid_posts": "Fake, COVID posts",
    "liar": "Fake, LIAR",
    "fake_news": "Fake",
    "yelp_reviews": "Yelp, reviews",
    "yelp_sentences": "Yelp, sentences",
    "yelp_polarity": "Yelp",
}


@dataclass(frozen=True)
class Link:
    """How well one measure orders the sources by knowledge transfer.

    `means`: Kendall's tau-b of the means over seeds, p exact (n = 6: at best 1/720; n = 3: 1/6);
    `order` (mean within seeds, p) permutes the sources, all seeds of one together; `interval`: Student's over
    the seeds, None for one seed.
    """

    measure: str
    knowledge: str
    means: statistics.Kendall
    order: statistics.Permutation
    interval: statistics.Interval | None


def title(name: str) -> str:
    """A data set's name for a reader: "Fake, LIAR" from "liar", "films" from "vader films"."""
    return NAMES.get(name, name.removeprefix("vader "))


def targets(result: Any) -> list[str]:
    """The targets of a run: one."""
    return list(dict.fromkeys(r["target"] for r in result.records))


def source_names(result: Any) -> list[str]:
    """The sources, in the order of the config; without the untrained control."""
    return [n for n in dict.fromkeys(r["source"] for r in result.records) if n != UNTRAINED]


def select(result: Any, source: str) -> list[Record]:
    """The records of one source, by seed."""
    return sorted((r for r in result.records if r["source"] == source), key=lambda r: r["seed"])


def values(result: Any, target: str, measure: Value) -> Tensor:
    """(sources, seeds) float64 of one measure on one target, without the control."""
    records = [[r for r in select(result, name) if r["target"] == target] for name in source_names(result)]
    return torch.tensor([[measure(r) for r in row] for row in records], dtype=torch.float64)


def value_of(name: str) -> Value:
    """A measure, a rival or a reading of knowledge, by its name."""
    return (MEASURES | RIVALS | KNOWLEDGE)[name]


def interval(seeds: Tensor | Sequence[float]) -> tuple[float, float, float]:
    """(low, mean, high) over seeds: Student's 95 % interval, or three times the value of a single seed."""
    seeds = torch.as_tensor(seeds, dtype=torch.float64)
    if len(seeds) < 2:
        return (float(seeds[0]),) * 3
    found = statistics.seed_interval(seeds)
    return found.low, found.value, found.high


def link(result: Any, measure: str, knowledge: str) -> Link:
    """Kendall's tau-b between a measure or rival and knowledge transfer, by their names."""
    x, y = _pair(result, measure, knowledge)
    stream = compute.generator(0, "links", measure, knowledge)
    each = within(result, measure, knowledge)
    return Link(
        measure,
        knowledge,
        statistics.kendall(x.mean(1), y.mean(1)),
        statistics.stratified_permutation([(x, y)], generator=stream),
        statistics.seed_interval(each, limits=statistics.TAU) if len(each) > 1 else None,
    )


def within(result: Any, measure: str, knowledge: str) -> list[float]:
    """Kendall's tau-b of each seed by itself; 0 where a side is constant."""
    return _within(*_pair(result, measure, knowledge))


def among_others(result: Any, measure: str, knowledge: str) -> float | None:
    """The mean of Kendall's tau-b within seeds among the sources of another kind of task than the target's.

    Not planned: looked at after the first results. None for fewer than three such sources.
    """
    (target,) = targets(result)
    rows = values(result, target, at("same_task"))[:, 0] == 0
    if int(rows.sum()) < 3:
        return None
    taus = _within(*(side[rows] for side in _pair(result, measure, knowledge)))
    return sum(taus) / len(taus)


@dataclass(frozen=True)
class Choice:
    """Picking the source with the largest measure: how often it is the best one, and the mean loss.

    `regret` is knowledge transfer of the best source less that of the picked one, `random` the same for a
    source picked blindly, both means over the seeds.
    """

    right: int
    seeds: int
    regret: float
    random: float


def choices(result: Any, measure: str, knowledge: str) -> Choice:
    """The picks of one measure, seed by seed; among tied sources a blind one."""
    x, y = _pair(result, measure, knowledge)
    tied = (x == x.amax(0)).double()
    most, picked = y.amax(0), (y * tied).sum(0) / tied.sum(0)
    right = int((picked == most).sum())
    return Choice(right, y.shape[1], float((most - picked).mean()), float((most - y.mean(0)).mean()))


def rise(record: Record, attack: str = "textfooler") -> float:
    """The reference's adversarial loss less its loss on the clean texts."""
    return record["attacks"][attack]["loss"] - record["attacks"]["clean"]["loss"]


def mean(result: Any, source: str, value: Value) -> float | None:
    """The mean over seeds; None where the value is undefined."""
    found = [value(r) for r in select(result, source)]
    return None if any(one is None for one in found) else sum(found) / len(found)


def _within(x: Tensor, y: Tensor) -> list[float]:
    taus = [statistics.kendall(x[:, seed], y[:, seed]).tau for seed in range(x.shape[1])]
    return [0.0 if tau != tau else tau for tau in taus]


def _pair(result: Any, measure: str, knowledge: str) -> tuple[Tensor, Tensor]:
    (target,) = targets(result)
    return values(result, target, value_of(measure)), values(result, target, value_of(knowledge))
