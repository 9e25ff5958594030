"""The experiments that a verdict is made of: one table, and how each one's recorded run is read."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import torch
from torch import Tensor

from lib.engine import results
from lib.experiments.attributes.readings import READINGS as ATTRIBUTES
from lib.experiments.common.observations import Readings
from lib.experiments.images.readings import READINGS as IMAGES
from lib.experiments.tasks import summary as rooms
from lib.experiments.text.readings import READINGS as TEXT
from lib.verdict import radial
from lib.verdict.order import Grid, Group

Value = Callable[[dict[str, Any]], float]
OWN = "adversarial loss"  # in every setting: the measure that its section of the paper uses
ALIASES = {  # one name for what the settings call differently
    "same kind of task": "class overlap",
    "same category": "class overlap",
    "source's own success": "source accuracy",
}
Run = Any  # a results.Result, or a results.Absent, which is false


@dataclass(frozen=True)
class Setting:
    """One scenario of section 4: its chapter, its experiment, and the module that reads its records.

    `summary` offers MEASURES, KNOWLEDGE, RIVALS (name -> record -> number, higher is better), HEADLINE (the
    pair that the paper's claim is about), targets, source_names, values and title.
    """

    key: str
    title: str
    section: str
    page: str
    experiment: str
    summary: Any
    preset: str = "reduced"
    first: int | None = None  # seeds whose results were known when the others were run; None: all at once

    def run(self, folder: Path | None = None) -> Run:
        """The recorded run, or a `results.Absent`."""
        return results.one(self.experiment, self.preset, folder=folder)

    def first_go(self, run: Run) -> Run:
        """The run as it was before the last seeds were added."""
        if not run or self.first is None:
            return run
        return replace(run, records=[row for row in run.records if row["seed"] < self.first])

    @property
    def headline(self) -> tuple[str, str]:
        """(OWN, the section's knowledge transfer); OWN stands for the summary's own name of the measure."""
        return OWN, self.summary.HEADLINE[1]

    @property
    def predictors(self) -> dict[str, Value]:
        """Measures, rivals and baselines, by the names that all settings share."""
        found = {**self.summary.MEASURES, **self.summary.RIVALS}
        named = {ALIASES.get(name, name): value for name, value in found.items()}
        return {**named, OWN: found[self.summary.HEADLINE[0]]}

    def targets(self, run: Run) -> list[Any]:
        """The targets that are a test: none of their records has a reference below its floor."""
        failed = {row.get("target") for row in run.records if not row.get("is_test", True)}
        return [target for target in self.summary.targets(run) if target not in failed]

    def grid(
        self, run: Run, x: str | Value, y: str | Value, targets: Sequence[Any] | None = None
    ) -> Grid | None:
        """The two values of every source, target (or these) and seed; None where they were not recorded."""
        tables = []
        try:
            first, second = self._value(x), self._value(y)
            for target in self.targets(run) if targets is None else targets:
                tables.append((target, *(self.values(run, target, value) for value in (first, second))))
        except (KeyError, TypeError):  # a value that this run did not record, or None where it is not defined
            return None
        if not tables:
            return None
        seeds = [range(a.shape[1]) for _, a, _ in tables]
        return [
            Group(
                torch.cat([a for _, a, _ in tables], dim=1),
                torch.cat([b for _, _, b in tables], dim=1),
                tuple(seed for each in seeds for seed in each),
                tuple(target for (target, _, _), each in zip(tables, seeds) for _ in each),
            )
        ]

    def values(self, run: Run, target: Any, value: Value) -> Tensor:
        """(sources, seeds) of one value; the rows are the same sources for every target."""
        return self.summary.values(run, target, value)

    def _value(self, name: str | Value) -> Value:
        return {**self.predictors, **self.summary.KNOWLEDGE}[name] if isinstance(name, str) else name


@dataclass(frozen=True)
class Sweep(Setting):
    """The synthetic sweep of section 4.1."""

    def grid(
        self, run: Run, x: str | Value, y: str | Value, targets: Sequence[Any] | None = None
    ) -> Grid | None:
        """One group for each target network, of its directions at fixed t."""
        names = {**self.predictors, **self.summary.KNOWLEDGE}
        return self.summary.grid(run, names.get(x, x), names.get(y, y))


@dataclass(frozen=True)
class Tasks(Setting):
    """The tasks of section 4.4: a target's own network is no source for it, and counts as NaN."""

    def values(self, run: Run, target: Any, value: Value) -> Tensor:
        """All tasks in the same order for every target."""
        rows = [[value(_pairs(run, target, seed, self.summary)[name]) for seed in self.summary.seeds(run)]
                for name in self.summary.NAMES]  # fmt: skip
        found = torch.tensor(rows, dtype=torch.float64)
        found[self.summary.NAMES.index(target)] = torch.nan
        return found


_PAIRS: dict[tuple[int, Any, int], Any] = {}


def _pairs(run: Run, target: Any, seed: int, summary: Any) -> Any:
    """`summary.pairs`, once for each run: every value of a pair comes from the same sums."""
    key = id(run), target, seed
    if key not in _PAIRS:
        _PAIRS[key] = run, summary.pairs(run, target, seed)  # the run is kept, or its id could be used again
    return _PAIRS[key][1]


def _read_by(readings: Readings) -> Any:
    """What `Setting.summary` asks of an experiment whose records are read by `Readings`."""
    return SimpleNamespace(
        MEASURES=readings.measures,
        KNOWLEDGE=readings.knowledge,
        RIVALS=readings.rivals,
        HEADLINE=readings.headline,
        title=readings.title,
        targets=lambda run: readings.of(run).targets,
        source_names=lambda run: readings.of(run).sources,
        values=lambda run, target, value: readings.of(run).values(value, target),
    )


SETTINGS: tuple[Setting, ...] = (
    Sweep("synthetic", "synthetic", "4.1", "synthetic", "synthetic", radial),
    Setting("images", "data, images", "4.2", "images", "images", _read_by(IMAGES), first=3),
    Setting("text", "data, text", "4.2", "text", "text", _read_by(TEXT), first=3),
    Setting("attributes", "attributes", "4.3", "attributes", "attributes", _read_by(ATTRIBUTES), first=2),
    Tasks("tasks", "tasks", "4.4", "tasks", "tasks", rooms, first=2),
)
FOUR = ("images", "text", "attributes", "tasks")  # the settings that the question in the title is about


def load(folder: Path | None = None) -> Mapping[str, Run]:
    """{key: recorded run or `results.Absent`} of all settings."""
    return {setting.key: setting.run(folder) for setting in SETTINGS}


def of(*keys: str) -> tuple[Setting, ...]:
    """The settings of these keys."""
    return tuple(setting for setting in SETTINGS if setting.key in keys)
