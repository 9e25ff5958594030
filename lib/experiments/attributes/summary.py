"""What the records of an attribute run say: values by source and seed, and what predicts transfer."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from lib import statistics
from lib.base import compute
from lib.engine.results import Record, Value, at
from lib.experiments.attributes.settings import PERMUTED, STRANGERS, UNTRAINED, is_control
from lib.measures import estimators

MEASURES: dict[str, Value] = {
    "τ₁": at("tau1"),
    "τ₂": at("tau2"),
    "τ₁ τ₂": lambda r: r["tau1"] * r["tau2"],
    "α²": at("alpha_squared"),
    "adversarial loss": at("attacks", "pgd", "loss"),
    "adversarial loss, ε/2": at("attacks", "pgd_half", "loss"),
    "adversarial loss, Def. 1": at("attacks", "definition_1", "loss"),
    "adversarial loss, familiar photos": at("attacks", "pgd_familiar", "loss"),
    "turn of the embedding": at("attacks", "pgd", "distance"),
}
RIVALS: dict[str, Value] = {  # higher is meant to be better in all of them
    **{title: at("rivals", key) for key, title in estimators.TITLES.items()},
    "source accuracy": at("baselines", "source_accuracy"),
    "balanced accuracy": at("baselines", "balanced_accuracy"),
    "class balance": at("baselines", "balance"),
    "identity in the labels": at("baselines", "identity"),
}
PREDICTORS = MEASURES | RIVALS
KNOWLEDGE: dict[str, Value] = {"verification accuracy": at("knowledge", "mean")}
for _name, _title in ((STRANGERS, "strangers"), ("lfw", "LFW")):
    KNOWLEDGE[f"accuracy, {_title}"] = at("knowledge", _name, "accuracy")
HEADLINE = "adversarial loss", "verification accuracy"  # Sec. 4.3, Result


def targets(result: Any) -> list[str]:
    """The one target: recognising faces."""
    return list(dict.fromkeys(r["target"] for r in result.records))


def title(target: str) -> str:
    """A target as a reader knows it."""
    return target


def source_names(result: Any) -> list[str]:
    """The attributes, in the order of CelebA's table; without the controls."""
    return [n for n in dict.fromkeys(r["source"] for r in result.records) if not is_control(n)]


def control_names(result: Any, kind: str) -> list[str]:
    """The controls of one kind: UNTRAINED or PERMUTED."""
    return [n for n in dict.fromkeys(r["source"] for r in result.records) if n.startswith(kind + " ")]


def called(source: str) -> str:
    """ "Arched Eyebrows" from "Arched_Eyebrows", "5 o'Clock Shadow" as people write it."""
    return "5 o'Clock Shadow" if source == "5_o_Clock_Shadow" else source.replace("_", " ")


def select(result: Any, source: str) -> list[Record]:
    """The records of one source, by seed."""
    return sorted((r for r in result.records if r["source"] == source), key=lambda r: r["seed"])


def values(result: Any, target: str, value: Value, names: list[str] | None = None) -> Tensor:
    """(sources, seeds) float64 of one value, of the attributes or of the sources named."""
    rows = [[value(r) for r in select(result, name)] for name in names or source_names(result)]
    return torch.tensor(rows, dtype=torch.float64)


def means(result: Any, value: Value, names: list[str] | None = None) -> Tensor:
    """(sources,) means over the seeds."""
    return values(result, targets(result)[0], value, names).mean(1)


def knowledge(result: Any) -> dict[str, Value]:
    """The readings of knowledge transfer that a run has; the mean alone where there is one benchmark."""
    found = {n: v for n, v in KNOWLEDGE.items() if _has(result, v)}
    return dict(list(found.items())[:1]) if len(found) == 2 else found


def every(result: Any, value: Value, names: list[str] | None = None) -> Tensor:
    """(sources, seeds): `values` on the one target."""
    return values(result, targets(result)[0], value, names)


@dataclass(frozen=True)
class Link:
    """Kendall's tau-b of a predictor with knowledge transfer, over `n` attributes.

    `all` is the mean over seeds of the tau-b within a seed, as `lib.verdict` has it, with p by permuting the
    attributes, each with all its seeds; `seeds` the tau-b of each seed; `interval` 95 % of the mean when the
    attributes are resampled; `lead` that of the difference to the adversarial loss, the same resamples.
    """

    predictor: str
    all: statistics.Permutation
    seeds: list[float]
    interval: statistics.Interval
    lead: statistics.Interval
    n: int


def link(result: Any, predictor: str, reading: str = HEADLINE[1]) -> Link:
    """How one predictor orders all attributes; names as in PREDICTORS and KNOWLEDGE.

    Random orders and resamples are the ones of `lib.verdict`: the same question has the same p on both pages.
    """
    x, y = every(result, PREDICTORS[predictor]), every(result, KNOWLEDGE[reading])
    orders = compute.generator(0, "verdict", "attributes", predictor, reading)
    whole = statistics.stratified_permutation([(x, y)], generator=orders)
    each = [tau(x[:, seed], y[:, seed]) for seed in range(x.shape[1])]
    stream = compute.generator(0, "rivals", "attributes", predictor)
    own = every(result, PREDICTORS[HEADLINE[0]])
    spread = _interval(_of_orders(x, y, _draws(x, stream)), whole.value)
    again = _draws(x, stream)
    lead = _of_orders(x, y, again) - _of_orders(own, y, again)
    return Link(predictor, whole, each, spread, _interval(lead, whole.value - tau(own, y)), len(x))


def tau(x: Tensor, y: Tensor) -> float:
    """Kendall's tau-b alone, without its p, of (sources,) or, the mean over seeds, of (sources, seeds).

    A side that is constant orders nothing and counts as 0.
    """
    one = torch.arange(len(x)).unsqueeze(0)
    return float(_of_orders(x, y, one)[0])


def ranks(numbers: Tensor) -> list[int]:
    """1 for the largest; equal numbers share the better rank."""
    return [int((numbers > one).sum()) + 1 for one in numbers]


def reliability(result: Any, value: Value) -> float | None:
    """Kendall's tau-b between two seeds' orders of the attributes, the mean over pairs; None for one seed.

    No measure can be expected to predict what a second training does not repeat.
    """
    found = every(result, value)
    pairs = [(i, j) for i in range(found.shape[1]) for j in range(i)]
    return sum(tau(found[:, i], found[:, j]) for i, j in pairs) / len(pairs) if pairs else None


def _draws(x: Tensor, generator: torch.Generator, repeats: int = 1000) -> Tensor:
    """Resamples of the sources (repeats, sources); a source is drawn with all its seeds."""
    return torch.randint(len(x), (repeats, len(x)), generator=generator)


def _of_orders(x: Tensor, y: Tensor, draws: Tensor) -> Tensor:
    """The mean over seeds of tau-b (repeats,) of the sources drawn; one drawn twice is tied with itself."""
    total = torch.zeros(len(draws), dtype=torch.float64)
    columns = list(zip(x.reshape(len(x), -1).T.double(), y.reshape(len(y), -1).T.double(), strict=True))
    for pair in columns:
        a, b = (torch.sign(side[:, None] - side[None, :]) for side in pair)
        a, b = (signs[draws[:, :, None], draws[:, None, :]] for signs in (a, b))
        scale = (a.abs().sum((1, 2)) * b.abs().sum((1, 2))).sqrt()
        total += (a * b).sum((1, 2)) / scale.clamp(min=1)
    return total / len(columns)


def _interval(draws: Tensor, value: float) -> statistics.Interval:
    """The middle 95 % of the draws."""
    low, high = draws.quantile(torch.tensor([0.025, 0.975], dtype=torch.float64)).tolist()
    return statistics.Interval(low, value, high)


def _has(result: Any, value: Value) -> bool:
    try:
        return all(value(r) is not None for r in result.records)
    except KeyError:
        return False


__all__ = [
    "HEADLINE", "KNOWLEDGE", "MEASURES", "PERMUTED", "PREDICTORS", "RIVALS", "UNTRAINED", "Link", "at",
    "called", "control_names", "every", "knowledge", "link", "means", "ranks", "reliability",
    "select", "source_names", "targets", "tau", "title", "values",
]  # fmt: skip
