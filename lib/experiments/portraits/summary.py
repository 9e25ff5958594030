"""What the records of an attribute run say: values by source and seed, and what predicts transfer."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from lib import compute, statistics
from lib.experiments.portraits.settings import PERMUTED, STRANGERS, UNTRAINED, is_control

Record = dict[str, Any]
Value = Callable[[Record], float]


def at(*path: str) -> Value:
    """The number at a path of keys in a record."""

    def value(record: Record) -> float:
        found: Any = record
        for key in path:
            found = found[key]
        return found

    return value


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
    "LogME": at("rivals", "logme"),
    "LEEP": at("rivals", "leep"),
    "NCE": at("rivals", "nce"),
    "H-score": at("rivals", "h_score"),
    "H-score, regularised": at("rivals", "h_score_regularised"),
    "TransRate": at("rivals", "trans_rate"),
    "k-NN": at("rivals", "knn"),
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


@dataclass(frozen=True)
class Link:
    """Kendall's tau-b of a predictor with knowledge transfer, over all attributes.

    `all` is of the means over seeds, p exact without ties, else Monte Carlo; `seeds` the tau-b within each
    seed; `interval` 95 % of tau-b when the attributes are resampled.
    """

    predictor: str
    all: statistics.Kendall
    seeds: list[float]
    interval: statistics.Interval


def link(result: Any, predictor: str, reading: str = HEADLINE[1]) -> Link:
    """How one predictor orders all attributes; names as in PREDICTORS and KNOWLEDGE."""
    target = targets(result)[0]
    x = values(result, target, PREDICTORS[predictor])
    y = values(result, target, KNOWLEDGE[reading])
    stream = compute.generator(0, "attributes", predictor, reading)
    spread = _resampled(x.mean(1), y.mean(1), stream)
    each = [tau(x[:, seed], y[:, seed]) for seed in range(x.shape[1])]
    return Link(predictor, statistics.kendall(x.mean(1), y.mean(1), generator=stream), each, spread)


def tau(x: Tensor, y: Tensor) -> float:
    """Kendall's tau-b alone, without its p; 0 where a side is constant."""
    a, b = (torch.sign(side[:, None] - side[None, :]) for side in (x, y))
    scale = float(a.abs().sum() * b.abs().sum()) ** 0.5
    return float((a * b).sum()) / scale if scale else 0.0


def ranks(numbers: Tensor) -> list[int]:
    """1 for the largest; equal numbers share the better rank."""
    return [int((numbers > one).sum()) + 1 for one in numbers]


def reliability(result: Any, value: Value) -> float | None:
    """Kendall's tau-b between two seeds' orders of the attributes, the mean over pairs; None for one seed.

    No measure can be expected to predict what a second training does not repeat.
    """
    found = values(result, targets(result)[0], value)
    pairs = [(i, j) for i in range(found.shape[1]) for j in range(i)]
    return sum(tau(found[:, i], found[:, j]) for i, j in pairs) / len(pairs) if pairs else None


def difference(
    result: Any, predictor: str, other: str = HEADLINE[0], reading: str = HEADLINE[1]
) -> statistics.Interval:
    """tau-b of one predictor less that of another, 95 % when the attributes are resampled, both alike."""
    x, z, y = (means(result, v) for v in (PREDICTORS[predictor], PREDICTORS[other], KNOWLEDGE[reading]))
    draws = [_taus(side, y, compute.generator(0, "attributes", "difference")) for side in (x, z)]
    low, high = _ends(draws[0] - draws[1])
    return statistics.Interval(low, tau(x, y) - tau(z, y), high)


def _resampled(x: Tensor, y: Tensor, generator: torch.Generator) -> statistics.Interval:
    low, high = _ends(_taus(x, y, generator))
    return statistics.Interval(low, tau(x, y), high)


def _taus(x: Tensor, y: Tensor, generator: torch.Generator, repeats: int = 1000) -> Tensor:
    """tau-b of resampled sources (repeats,); a source drawn twice is tied with itself."""
    a, b = (torch.sign(side[:, None] - side[None, :]) for side in (x, y))
    draws = torch.randint(len(x), (repeats, len(x)), generator=generator)
    a, b = (signs[draws[:, :, None], draws[:, None, :]] for signs in (a, b))
    scale = (a.abs().sum((1, 2)) * b.abs().sum((1, 2))).sqrt()
    return (a * b).sum((1, 2)) / scale.clamp(min=1)


def _ends(draws: Tensor) -> list[float]:
    """The middle 95 %."""
    return draws.quantile(torch.tensor([0.025, 0.975], dtype=torch.float64)).tolist()


def _has(result: Any, value: Value) -> bool:
    try:
        return all(value(r) is not None for r in result.records)
    except KeyError:
        return False


__all__ = [
    "HEADLINE", "KNOWLEDGE", "MEASURES", "PERMUTED", "PREDICTORS", "RIVALS", "UNTRAINED", "Link", "at",
    "called", "control_names", "difference", "knowledge", "link", "means", "ranks", "reliability",
    "select", "source_names", "targets", "tau", "title", "values",
]  # fmt: skip
