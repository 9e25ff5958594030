"""What the records of a task run are read by, pair by pair of tasks, and which measure follows transfer.

The folds of a seed are one test: every image is tested once, by networks that have not seen it.
A network attacked through itself, or read out for its own task, says nothing about transfer: `READINGS` leave
each target's own source out.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

import torch
from torch import Tensor

from lib import statistics
from lib.base import streams
from lib.engine.results import Record, Result, at
from lib.experiments.common.observations import Readings
from lib.experiments.tasks.matrices import CATEGORIES, NAMES, affinity, of_seed, radii
from lib.experiments.tasks.settings import UNTRAINED
from lib.measures import estimators

CATEGORY = dict(zip(NAMES, CATEGORIES))


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
    t, records = NAMES.index(target), of_seed(result, seed)
    mean = partial(_mean_at, records)
    control = len(records[0]["sources"]) > len(NAMES)
    columns = {
        e: affinity(records, ("attacks", e, "wins", "1"), "attacked", control, t)[:, 0] for e in radii(result)
    }
    taught = None
    if records[0]["knowledge"]:
        taught = affinity(records, ("knowledge", "wins"), "images", control, t)[:, 0]
    found: dict[str, Record] = {}
    for s, source in enumerate(records[0]["sources"]):
        found[source] = {
            "target": target,
            "source": source,
            "seed": seed,
            "same_category": float(CATEGORY[target] == CATEGORY.get(source)),
            "own_gain": 1 - mean("own", source, "relative") if source in records[0]["own"] else None,
            "affinity": {e: float(column[s]) for e, column in columns.items()},
            "rise": {
                e: mean("attacks", e, "loss", s, t) / (mean("attacks", "clean", t) or 1.0) for e in columns
            },
            "taught": taught is not None
            and {
                "affinity": float(taught[s]),
                "loss": mean("knowledge", "loss", s, t),
                "gain": 1 - mean("knowledge", "loss", s, t) / mean("own", target, "constant"),
            },
            "rivals": {key: _or_none(records, "rivals", key, s, t) for key in records[0]["rivals"]},
            **{key: _or_none(records, "tangent", key, s, t) for key in ("tau1", "tau2", "alpha_squared")},
        }
    return found


def cubes(result: Result, *names: str) -> dict[str, Tensor]:
    """Each reading as (sources, targets, seeds); values that are missing somewhere are left out."""
    rounds = [[pairs(result, target, seed) for seed in seeds(result)] for target in NAMES]
    found = {}
    for name, value in ((name, READINGS.value(name)) for name in names):
        try:
            rows = [[[value(one[source]) for one in seeded] for seeded in rounds] for source in NAMES]
            found[name] = torch.tensor(rows, dtype=torch.float64)
        except (TypeError, KeyError, RuntimeError):  # a None, or a radius that was not attacked
            continue
    return found


def link(
    result: Result, measure: Tensor, knowledge: Tensor, *, learnt: bool = False
) -> dict[str, statistics.Permutation]:
    """Kendall's tau-b of two cubes over the fourteen other sources, for every learnt target.

    The mean over seeds of the tau-b within a seed, as `lib.verdict` has it; p by permuting the sources, each
    with all its seeds. `learnt` keeps only sources that have learnt their own task. The targets are no
    independent repetitions: they share their sources.
    """
    found, kept = {}, targets(result) if learnt else NAMES
    for target in targets(result):
        rows = torch.tensor([name in kept and name != target for name in NAMES])
        x, y = (cube[rows, NAMES.index(target)] for cube in (measure, knowledge))
        stream = streams.generator(0, "link", target)
        found[target] = statistics.stratified_permutation([(x, y)], generator=stream)
    return found


def mean_tau(found: dict[str, statistics.Permutation]) -> float:
    """The mean of tau-b over the targets."""
    return sum(one.value for one in found.values()) / len(found)


def _mean_at(records: Sequence[Record], *path: str | int) -> float:
    return float(sum(at(*path)(r) for r in records) / len(records))


def _or_none(records: Sequence[Record], part: str, key: str, source: int, target: int) -> float | None:
    """The mean over folds, None where one of them has none."""
    found = [r[part].get(key) and r[part][key][source][target] for r in records]
    return None if None in found else sum(found) / len(found)


READINGS = Readings(
    measures={
        "adversarial affinity, ε = .03": at("affinity", "0.03"),
        "adversarial affinity, ε = .06": at("affinity", "0.06"),
        "adversarial loss, ε = .03": at("rise", "0.03"),
        "adversarial loss, ε = .06": at("rise", "0.06"),
        "τ₁": at("tau1"),
        "τ₂": at("tau2"),
        "τ₁ τ₂": lambda pair: float(pair["tau1"] * pair["tau2"]),
        "α²": at("alpha_squared"),
    },
    rivals={
        **{
            name: at("rivals", key) for key, name in estimators.RECORDED.items() if key not in ("leep", "nce")
        },
        "same category": at("same_category"),
        "source's own success": at("own_gain"),
    },
    knowledge={"readout affinity": at("taught", "affinity"), "readout gain": at("taught", "gain")},
    headline=("adversarial affinity, ε = .03", "readout affinity"),
    title=title,
    control=UNTRAINED.__eq__,
    rows=rows,
    order=tuple(NAMES),
)
AFFINITY, READOUT = READINGS.headline
