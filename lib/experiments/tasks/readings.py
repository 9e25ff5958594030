"""What the records of a task run are read by, pair by pair of tasks, and which measure follows transfer.

The folds of a seed are one test: every image is tested once, by networks that have not seen it.
A network attacked through itself, or read out for its own task, says nothing about transfer: `READINGS` leave
each target's own source out.
"""

from __future__ import annotations

import torch
from torch import Tensor

from lib.engine.results import Record, Result, at
from lib.experiments.common.observations import TANGENT, Observations, Readings
from lib.experiments.tasks import matrices
from lib.experiments.tasks.matrices import CATEGORIES, NAMES
from lib.experiments.tasks.settings import UNTRAINED
from lib.measures import estimators
from lib.statistics import Permutation, clustering

CATEGORY = dict(zip(NAMES, CATEGORIES))
PROBABILITIES = ("leep", "nce")  # estimators that ask for them: a source of maps has none


def title(target: str) -> str:
    """A task's name for a reader."""
    return target.replace("Segmentation-3D", "Segmentation-2.5D")


def targets(result: Result) -> list[str]:
    """The targets whose own network has learnt its task in every record; the others cannot be fooled."""
    known = [r["own"] for r in result.records]
    return [name for name in NAMES if all(own.get(name, {"learnt": True})["learnt"] for own in known)]


def seeds(result: Result) -> list[int]:
    """The seeds of which every fold is there."""
    found = [r["seed"] for r in result.records]
    return [seed for seed in dict.fromkeys(found) if found.count(seed) == result.config.folds]


def rows(result: Result) -> list[Record]:
    """A record a source, target and seed; a task is no source for itself, and no test unless it is learnt."""
    learnt = targets(result)
    return [
        pair | {"is_test": target in learnt}
        for target in NAMES
        for seed in seeds(result)
        for source, pair in pairs(result, target, seed).items()
        if source != target
    ]


def pairs(result: Result, target: str, seed: int) -> dict[str, Record]:
    """All that is known of each source (and the untrained one) for one target and seed, means over folds."""
    t, records = NAMES.index(target), matrices.of_seed(result, seed)
    first = records[0]

    def mean(*path: str | int) -> float:
        return float(sum(at(*path)(r) for r in records) / len(records))

    def or_none(part: str, key: str, s: int) -> float | None:
        """None where a fold has no such table, or none there."""
        known = all(r[part].get(key) and r[part][key][s][t] is not None for r in records)
        return mean(part, key, s, t) if known else None

    def affinity(*wins: str) -> Tensor:
        found = matrices.won(records, *wins, size=len(first["sources"]), target=t)
        return clustering.affinity_of_wins(found)[:, 0]

    attacked = {e: affinity("attacks", e, "wins", "1") for e in matrices.radii(result)}
    clean = mean("attacks", "clean", t) or 1.0
    taught = affinity("knowledge", "wins") if first["knowledge"] else None
    found: dict[str, Record] = {}
    for s, source in enumerate(first["sources"]):
        read = None
        if taught is not None:
            loss = mean("knowledge", "loss", s, t)
            gain = 1 - loss / mean("own", target, "constant")
            read = {"affinity": float(taught[s]), "loss": loss, "gain": gain}
        found[source] = {
            "target": target,
            "source": source,
            "seed": seed,
            "same_category": float(CATEGORY[target] == CATEGORY.get(source)),
            "own_gain": 1 - mean("own", source, "relative") if source in first["own"] else None,
            "affinity": {e: float(column[s]) for e, column in attacked.items()},
            "rise": {e: mean("attacks", e, "loss", s, t) / clean for e in attacked},
            "taught": read,
            "rivals": {key: or_none("rivals", key, s) for key in first["rivals"]},
            **{key: or_none("tangent", key, s) for key in ("tau1", "tau2", "alpha_squared")},
        }
    return found


READINGS = Readings(
    measures={
        "adversarial affinity, ε = .03": at("affinity", "0.03"),
        "adversarial affinity, ε = .06": at("affinity", "0.06"),
        "adversarial loss, ε = .03": at("rise", "0.03"),
        "adversarial loss, ε = .06": at("rise", "0.06"),
        **TANGENT,
    },
    rivals={
        **{name: at("rivals", key) for key, name in estimators.RECORDED.items() if key not in PROBABILITIES},
        "same category": at("same_category"),
        "source's own success": at("own_gain"),
    },
    knowledge={"readout affinity": at("taught", "affinity"), "readout gain": at("taught", "gain")},
    headline=("adversarial affinity, ε = .03", "readout affinity"),
    title=title,
    control=UNTRAINED.__eq__,
    rows=rows,
    order=tuple(NAMES),
    section="4.4",
    scenario="tasks",
    first_seeds=2,
)
AFFINITY, READOUT = READINGS.headline


def link(
    seen: Observations, measure: str, knowledge: str = READOUT, *, learnt: bool = False
) -> dict[str, Permutation]:
    """Kendall's tau-b of two readings over the fourteen other sources, for every learnt target.

    The mean over seeds of the tau-b within a seed, as `lib.verdict` has it; p by permuting the sources, each
    with all its seeds. `learnt` keeps only sources that have learnt their own task. The targets are no
    independent repetitions: they share their sources. Raises TypeError or KeyError as `Observations.values`.
    """
    found, known = {}, targets(seen.result)
    for target in known:
        one = seen.link(measure, knowledge, target, stream=("link", target))
        if learnt:
            one = one.among(torch.tensor([name in known for name in seen.sources if name != target]))
        found[target] = one.order
    return found


def mean_tau(found: dict[str, Permutation]) -> float:
    """The mean of tau-b over the targets."""
    return sum(one.value for one in found.values()) / len(found)
