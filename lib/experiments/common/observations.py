"""One grid: any value of every source and seed on any target, from the records of a run.

An experiment says once what its records can be read by (`Readings`); `READINGS.of(result)` is then the grid
that its tables, figures and claims ask, and the one that the verdict asks.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

import torch
from torch import Tensor

from lib import statistics
from lib.base import streams
from lib.engine.results import Record, Result, Value, at
from lib.statistics.link import Choice, Link, Ties

TANGENT: dict[str, Value] = {  # what every experiment reads of `tangent`
    "τ₁": at("tau1"),
    "τ₂": at("tau2"),
    "τ₁ τ₂": lambda r: float(r["tau1"] * r["tau2"]),
    "α²": at("alpha_squared"),
}
PIXELS: dict[str, Value] = {  # and, of photographs, of the losses in `pixels`
    "adversarial loss": at("attacks", "pgd", "loss"),
    "adversarial loss, ε/2": at("attacks", "pgd_half", "loss"),
    "adversarial loss, Def. 1": at("attacks", "definition_1", "loss"),
}


@dataclass(frozen=True)
class Readings:
    """What an experiment's records are read by: name -> record -> number, higher is better in all of them.

    `measures` are the paper's and its variants, `rivals` estimators and baselines, `knowledge` the readings
    of knowledge transfer; `headline` is the pair (measure, knowledge) that the section's claim is about.
    `title` is a target or source as readers know it; `control` says which sources are none of the section's.
    `rows` gives one record a source, target and seed, where the run keeps them otherwise; `order` the sources
    in theirs, where the first rows do not show it. `ties`: what a choice among equals is (`Link.choice`).
    `section` of the paper and `scenario` say where the verdict has it; `first_seeds` is how many seeds were
    known when the others were run, None where all were run at once. `groups` are the observations of two
    names, where records are no sources x targets.
    """

    measures: Mapping[str, Value]
    knowledge: Mapping[str, Value]
    rivals: Mapping[str, Value]
    headline: tuple[str, str]
    title: Callable[[str], str] = str
    control: Callable[[str], bool] = lambda source: False
    rows: Callable[[Result], list[Record]] = lambda result: result.records
    order: tuple[str, ...] = ()
    ties: Ties = "first"
    section: str = ""
    scenario: str = ""
    first_seeds: int | None = None
    groups: Callable[[Result, str, str], statistics.Grid] | None = None

    @property
    def predictors(self) -> dict[str, Value]:
        """Measures, then rivals."""
        return {**self.measures, **self.rivals}

    def value(self, name: str | Value) -> Value:
        """The value of a name among all three; a value itself is given back. Raises KeyError naming them."""
        if not isinstance(name, str):
            return name
        known = {**self.predictors, **self.knowledge}
        if name not in known:
            raise KeyError(f"{name!r} is no reading of this experiment: use one of {', '.join(known)}")
        return known[name]

    def of(self, result: Result) -> Observations:
        """The grid of a run."""
        return Observations(result, self)


@dataclass(frozen=True, eq=False)
class Observations:
    """The records of a run as sources x seeds on each target; controls are apart.

    A target may be left out where a run has one. Values are given by name or as a function of a record.
    """

    result: Result
    readings: Readings

    @cached_property
    def rows(self) -> list[Record]:
        """One record a source, target and seed."""
        return self.readings.rows(self.result)

    @cached_property
    def targets(self) -> list[str]:
        """The targets, in the run's order."""
        return list(dict.fromkeys(r["target"] for r in self.rows))

    @cached_property
    def sources(self) -> list[str]:
        """The sources in the run's order, without controls."""
        return [name for name in self._names if not self.readings.control(name)]

    def controls(self, kind: str = "") -> list[str]:
        """The controls whose name begins with `kind`."""
        return [name for name in self._names if self.readings.control(name) and name.startswith(kind)]

    def records(self, source: str, target: str | None = None) -> list[Record]:
        """The records of one source on one target, by seed; none where it has no record there."""
        return self._cells.get((self._target(target), source), [])

    def values(
        self, value: str | Value, target: str | None = None, sources: Iterable[str] | None = None
    ) -> Tensor:
        """(sources, seeds) float64 of one value, of the sources or of those named (controls, too).

        Sources without a record on the target are left out. Raises TypeError or KeyError where a record has
        no such number.
        """
        found = [self.records(name, target) for name in (self.sources if sources is None else sources)]
        number = self.readings.value(value)
        return torch.tensor([[number(r) for r in row] for row in found if row], dtype=torch.float64)

    def means(
        self, value: str | Value, target: str | None = None, sources: Iterable[str] | None = None
    ) -> Tensor:
        """(sources,) of the means over seeds."""
        return self.values(value, target, sources).mean(1)

    def mean(self, value: str | Value, source: str, target: str | None = None) -> float | None:
        """The mean over the seeds of one source (or control); None where the value is None in a record."""
        number = self.readings.value(value)
        found = [number(r) for r in self.records(source, target)]
        return None if any(one is None for one in found) else sum(found) / len(found)

    def group(self, x: str | Value, y: str | Value, *targets: str) -> statistics.Group:
        """Two values of every source and seed, side by side for these targets (none named: for all).

        A source that has no record on one of several targets is NaN there.
        """
        wanted = targets or tuple(self.targets)
        here = [n for n in self.sources if any(self.records(n, target) for target in wanted)]
        first, second = (torch.cat([self._columns(v, target, here) for target in wanted], 1) for v in (x, y))
        cells = [(seed, target) for target in wanted for seed in self._seeds(target)]
        return statistics.Group(first, second, *zip(*cells))

    def link(
        self, x: str | Value, y: str | Value, *targets: str, stream: Sequence[str | int] | None = None
    ) -> Link:
        """How well x orders the sources by y on these targets (none named: on all, a source moves with all).

        `stream` names the random stream of the permutations; the default holds the names of x and y. Seven
        sources or fewer need none: all their orders are tried.
        """
        names = ("links", *(one for one in (x, y) if isinstance(one, str))) if stream is None else stream
        return Link(self.group(x, y, *targets), streams.generator(0, *names))

    def choice(self, x: str | Value, y: str | Value, *targets: str) -> Choice:
        """What is lost in y by the source with the largest x, seed by seed."""
        return self.link(x, y, *targets).choice(self.readings.ties)

    @cached_property
    def _names(self) -> list[str]:
        found = dict.fromkeys(r["source"] for r in self.rows)
        return [name for name in dict.fromkeys([*self.readings.order, *found]) if name in found]

    @cached_property
    def _cells(self) -> dict[tuple[str, str], list[Record]]:
        found: dict[tuple[str, str], list[Record]] = {}
        for r in sorted(self.rows, key=lambda r: int(r["seed"])):
            found.setdefault((r["target"], r["source"]), []).append(r)
        return found

    def _target(self, target: str | None) -> str:
        if target is None and len(self.targets) != 1:
            raise ValueError(
                f"the run has {len(self.targets)} targets: name one of {', '.join(self.targets)}"
            )
        return self.targets[0] if target is None else target

    def _seeds(self, target: str) -> list[int]:
        return sorted({int(r["seed"]) for r in self.rows if r["target"] == target})

    def _columns(self, value: str | Value, target: str, sources: list[str]) -> Tensor:
        """`values` with a row of NaN for each source that has no record on the target."""
        found = self.values(value, target, sources)
        whole = torch.full((len(sources), found.shape[1]), torch.nan, dtype=torch.float64)
        whole[torch.tensor([bool(self.records(name, target)) for name in sources])] = found
        return whole


def interval(seeds: Tensor | Sequence[float]) -> tuple[float, float, float]:
    """(low, mean, high) over seeds: Student's 95 % interval, or three times the value of a single seed."""
    seeds = torch.as_tensor(seeds, dtype=torch.float64)
    if len(seeds) < 2:
        return (float(seeds[0]),) * 3
    found = statistics.seed_interval(seeds)
    return found.low, found.value, found.high
