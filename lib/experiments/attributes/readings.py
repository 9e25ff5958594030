"""What the records of an attribute run are read by: measures, rivals, and readings of knowledge transfer."""

from __future__ import annotations

from torch import Tensor

from lib.base import streams
from lib.engine.results import Result, Value, at
from lib.experiments.attributes.settings import STRANGERS, is_control
from lib.experiments.common.observations import PIXELS, TANGENT, Observations, Readings
from lib.measures import estimators
from lib.statistics import Group, Interval, Link
from lib.statistics.grid import taus


def called(source: str) -> str:
    """ "Arched Eyebrows" from "Arched_Eyebrows", "5 o'Clock Shadow" as people write it."""
    return "5 o'Clock Shadow" if source == "5_o_Clock_Shadow" else source.replace("_", " ")


READINGS = Readings(
    measures={
        **TANGENT,
        **PIXELS,
        "adversarial loss, familiar photos": at("attacks", "pgd_familiar", "loss"),
        "turn of the embedding": at("attacks", "pgd", "distance"),
    },
    rivals={
        **{title: at("rivals", key) for key, title in estimators.RECORDED.items()},
        "source accuracy": at("baselines", "source_accuracy"),
        "balanced accuracy": at("baselines", "balanced_accuracy"),
        "class balance": at("baselines", "balance"),
        "identity in the labels": at("baselines", "identity"),
    },
    knowledge={
        "verification accuracy": at("knowledge", "mean"),
        "accuracy, strangers": at("knowledge", STRANGERS, "accuracy"),
        "accuracy, LFW": at("knowledge", "lfw", "accuracy"),
    },
    headline=("adversarial loss", "verification accuracy"),  # Sec. 4.3, Result
    title=called,
    control=is_control,
    section="4.3",
    scenario="attributes",
    first_seeds=2,
)
LOSS, ACCURACY = READINGS.headline


def knowledge(result: Result) -> list[str]:
    """The readings of knowledge transfer that a run has; the mean alone where there is one benchmark."""
    both = {STRANGERS, "lfw"} <= result.records[0]["knowledge"].keys()
    return list(READINGS.knowledge) if both else [ACCURACY]


def link(seen: Observations, predictor: str, reading: str = ACCURACY) -> Link:
    """How one predictor orders all attributes, by the random orders of `lib.verdict`: one p on both pages."""
    return seen.link(predictor, reading, stream=("verdict", "attributes", predictor, reading))


def intervals(seen: Observations, predictor: str, reading: str = ACCURACY) -> tuple[Interval, Interval]:
    """95 % of tau-b, and of what it exceeds that of the adversarial loss by; the attributes are resampled."""
    stream = streams.generator(0, "rivals", "attributes", predictor)
    one, own = link(seen, predictor, reading), link(seen, LOSS, reading)
    return one.resampled(stream), one.resampled(stream, less=own)


def tau(x: Tensor, y: Tensor) -> float:
    """The mean over seeds of tau-b, from (sources, seeds) or (sources,); a constant side counts as 0."""
    x, y = (side.reshape(len(side), -1) for side in (x, y))
    seeds = tuple(range(x.shape[1]))
    return float(taus([Group(x, y, seeds, seeds)]).mean())


def reliability(seen: Observations, value: str | Value) -> float | None:
    """Kendall's tau-b between two seeds' orders of the attributes, the mean over pairs; None for one seed.

    No measure can be expected to predict what a second training does not repeat.
    """
    found = seen.values(value)
    pairs = [(i, j) for i in range(found.shape[1]) for j in range(i)]
    return sum(tau(found[:, i], found[:, j]) for i, j in pairs) / len(pairs) if pairs else None


def ranks(numbers: Tensor) -> list[int]:
    """1 for the largest; equal numbers share the better rank."""
    return [int((numbers > one).sum()) + 1 for one in numbers]
