"""What the records of an image run say: values by source and seed, and which measure predicts transfer."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from lib import statistics
from lib.base import compute
from lib.engine.results import Record, Value, at
from lib.experiments.images.settings import UNTRAINED, split_target
from lib.measures import estimators

MEASURES: dict[str, Value] = {
    "τ₁": at("tau1"),
    "τ₂": at("tau2"),
    "τ₁ τ₂": lambda r: r["tau1"] * r["tau2"],
    "α²": at("alpha_squared"),
    "adversarial loss": at("attacks", "pgd", "loss"),
    "adversarial loss, ε/2": at("attacks", "pgd_half", "loss"),
    "adversarial loss, Def. 1": at("attacks", "definition_1", "loss"),
}
RIVALS: dict[str, Value] = {  # and baselines; higher is meant to be better in all of them
    **{title: at("rivals", key) for key, title in estimators.TITLES.items()},
    "class overlap": at("shared"),
    "source accuracy": at("baselines", "source_accuracy"),
    "nearness of the data": lambda r: -r["baselines"]["domain_distance"],
}
PREDICTORS = MEASURES | RIVALS
KNOWLEDGE: dict[str, Value] = {  # higher is better in all four
    "probe accuracy": at("knowledge", "probe_accuracy"),
    "probe loss (−)": lambda r: -r["knowledge"]["probe_loss"],
    "fine-tuned accuracy": at("knowledge", "tuned_accuracy"),
    "fine-tuned loss (−)": lambda r: -r["knowledge"]["tuned_loss"],
}
HEADLINE = "adversarial loss", "probe accuracy"  # Sec. 4.2, Results
NAMES = {
    "cifar10": "CIFAR-10",
    "cifar10_jpg": "CIFAR-10",
    "tinyimagenet32": "Tiny-ImageNet",
    "stl10": "STL-10",
}


@dataclass(frozen=True)
class Link:
    """How well one measure orders the five sources by knowledge transfer to one target.

    `means`: Kendall's tau-b of the means over seeds, p exact (n = 5: at best 1/120 = .008 one-sided).
    `seeds`: tau-b within each seed; `order` (mean and p) permutes the sources, all seeds of one together;
    `interval`: Student's over the seeds, None for one seed.
    """

    target: str
    measure: str
    knowledge: str
    means: statistics.Kendall
    order: statistics.Permutation
    interval: statistics.Interval | None


def title(target: str, between: str = " ") -> str:
    """ "CIFAR-10 vehicles" for a reader, from "cifar10_jpg vehicles"."""
    data, group = split_target(target)
    return f"{NAMES.get(data, data)}{between}{group}"


def targets(result: Any) -> list[str]:
    """The targets of a run, in its order."""
    return list(dict.fromkeys(r["target"] for r in result.records))


def source_names(result: Any) -> list[str]:
    """The five sources, in the order of the paper's axis; without the untrained control."""
    return [n for n in dict.fromkeys(r["source"] for r in result.records) if n != UNTRAINED]


def select(result: Any, target: str, source: str) -> list[Record]:
    """The records of one source and target, by seed."""
    found = [r for r in result.records if r["target"] == target and r["source"] == source]
    return sorted(found, key=lambda r: r["seed"])


def values(result: Any, target: str, measure: Value) -> Tensor:
    """(sources, seeds) float64 of one measure on one target, without the control."""
    rows = [[measure(r) for r in select(result, target, name)] for name in source_names(result)]
    return torch.tensor(rows, dtype=torch.float64)


def interval(seeds: Tensor | Sequence[float]) -> tuple[float, float, float]:
    """(low, mean, high) over seeds: Student's 95 % interval, or three times the value of a single seed."""
    seeds = torch.as_tensor(seeds, dtype=torch.float64)
    if len(seeds) < 2:
        return (float(seeds[0]),) * 3
    found = statistics.seed_interval(seeds)
    return found.low, found.value, found.high


def link(result: Any, target: str, measure: str, knowledge: str) -> Link:
    """Kendall's tau-b between a measure and knowledge transfer; names as in PREDICTORS and KNOWLEDGE."""
    x, y = values(result, target, PREDICTORS[measure]), values(result, target, KNOWLEDGE[knowledge])
    stream = compute.generator(0, "links", target, measure, knowledge)
    each = within(result, target, measure, knowledge)
    return Link(
        target,
        measure,
        knowledge,
        statistics.kendall(x.mean(1), y.mean(1)),
        statistics.stratified_permutation([(x, y)], generator=stream),
        statistics.seed_interval(each, limits=statistics.TAU) if len(each) > 1 else None,
    )


def within(result: Any, target: str, measure: str, knowledge: str) -> list[float]:
    """Kendall's tau-b of each seed by itself."""
    x, y = values(result, target, PREDICTORS[measure]), values(result, target, KNOWLEDGE[knowledge])
    return [_tau(x[:, seed], y[:, seed]) for seed in range(x.shape[1])]


def together(result: Any, measure: str, knowledge: str) -> statistics.Permutation:
    """One test over all targets, as in `lib.verdict`: a source moves with all its targets and seeds.

    The targets share their source models, so this is no independent repetition; it asks whether a measure
    follows knowledge transfer both where animals help and where they hurt.
    """
    stream = compute.generator(0, "together", measure, knowledge)
    x, y = (
        torch.cat([values(result, target, value) for target in targets(result)], dim=1)
        for value in (PREDICTORS[measure], KNOWLEDGE[knowledge])
    )
    return statistics.stratified_permutation([(x, y)], generator=stream)


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


def choices(result: Any, target: str, measure: str, knowledge: str) -> Choice:
    """The picks of one measure on one target, seed by seed."""
    x, y = values(result, target, PREDICTORS[measure]), values(result, target, KNOWLEDGE[knowledge])
    most, picked = y.amax(0), y.gather(0, x.argmax(0, keepdim=True))[0]
    right = int((picked == most).sum())
    return Choice(right, y.shape[1], float((most - picked).mean()), float((most - y.mean(0)).mean()))


def _tau(x: Tensor, y: Tensor) -> float:
    tau = statistics.kendall(x, y).tau
    return 0.0 if tau != tau else tau  # a constant side orders nothing
