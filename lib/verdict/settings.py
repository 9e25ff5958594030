"""The settings that a verdict is made of: each an experiment's recorded run, asked by the names all share."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path

import torch

from lib.base import streams
from lib.engine import results
from lib.engine.results import Absent, Result, Value
from lib.experiments.attributes.readings import READINGS as ATTRIBUTES
from lib.experiments.common.observations import Observations, Readings
from lib.experiments.images.readings import READINGS as IMAGES
from lib.experiments.synthetic.readings import READINGS as SYNTHETIC
from lib.experiments.tasks.readings import READINGS as TASKS
from lib.experiments.text.readings import READINGS as TEXT
from lib.statistics import Grid
from lib.verdict import evidence
from lib.verdict.rule import Evidence, Hits

OWN = "adversarial loss"  # in every setting: the measure that its section of the paper uses
ALIASES = {  # one name for what the settings call differently
    "same kind of task": "class overlap",
    "same category": "class overlap",
    "source's own success": "source accuracy",
}


@dataclass(frozen=True, eq=False)
class Setting:
    """One scenario of section 4: its experiment's readings and recorded run (false where there is none).

    `key` is the name of experiment and chapter. Values are given by name or as a function of a record.
    """

    key: str
    readings: Readings
    run: Result | Absent = field(default=Absent("", ""))

    def __bool__(self) -> bool:
        return bool(self.run)

    @property
    def title(self) -> str:
        """ "data, images"."""
        return self.readings.scenario

    @property
    def part(self) -> str:
        """ "4.2 data, images"."""
        return f"{self.readings.section} {self.title}"

    def stream(self, *names: str) -> torch.Generator:
        """Random numbers; a renamed experiment keeps those of its first name, and so its numbers."""
        purpose, *rest = names
        return streams.generator(0, purpose, results.names_of(self.key)[-1], *rest)

    @property
    def result(self) -> Result:
        """The recorded run. Raises ValueError where there is none."""
        if isinstance(self.run, Absent):
            remedy = f"python -m lib run {self.key} --preset reduced --record"
            raise ValueError(f"{self.title} is not recorded: {remedy}")
        return self.run

    def first_go(self) -> Setting:
        """The setting as it was before the last seeds were added."""
        first = self.readings.first_seeds
        if first is None or not self:
            return self
        early = [row for row in self.result.records if row["seed"] < first]
        return replace(self, run=replace(self.result, records=early))

    @property
    def headline(self) -> tuple[str, str]:
        """(OWN, the section's knowledge transfer); OWN stands for the section's own name of the measure."""
        return OWN, self.readings.headline[1]

    @cached_property
    def predictors(self) -> dict[str, Value]:
        """Measures, rivals and baselines, by the names that all settings share."""
        found = self.readings.predictors
        named = {ALIASES.get(name, name): value for name, value in found.items()}
        return {**named, OWN: found[self.readings.headline[0]]}

    @cached_property
    def seen(self) -> Observations:
        """The grid of the recorded run."""
        return self.readings.of(self.result)

    @cached_property
    def targets(self) -> list[str]:
        """The targets that are a test: none of their records has a reference below its floor."""
        failed = {row["target"] for row in self.seen.rows if not row.get("is_test", True)}
        return [target for target in self.seen.targets if target not in failed]

    def grid(self, x: str | Value, y: str | Value, targets: Sequence[str] | None = None) -> Grid | None:
        """The two values of every source, target (or these) and seed; None where they were not recorded."""
        if not self:
            return None
        if groups := self.readings.groups:
            names = [self.readings.headline[0] if value == OWN else str(value) for value in (x, y)]
            return groups(self.result, *names) or None
        if not (wanted := self.targets if targets is None else targets):
            return None
        known = {**self.predictors, **self.readings.knowledge}
        try:
            first, second = (known[value] if isinstance(value, str) else value for value in (x, y))
            return [self.seen.group(first, second, *wanted)]
        except (KeyError, TypeError):  # a value that this run did not record, or None where it is not defined
            return None

    def evidence(
        self, x: str | Value, y: str | Value = "", targets: Sequence[str] | None = None, name: str = ""
    ) -> Evidence | None:
        """How x (called `name`) orders the sources by y, the section's knowledge transfer if not given.

        On these `targets` alone, where they are named. None where the values were not recorded.
        """
        y = y or self.headline[1]
        grid = self.grid(x, y, targets)
        stream = self.stream("verdict", str(name or x), str(y))
        return evidence.evidence(grid, generator=stream) if grid else None

    @cached_property
    def found(self) -> Evidence | None:
        """The evidence of the headline."""
        return self.evidence(*self.headline)

    @cached_property
    def hits(self) -> Hits | None:
        """How often the headline's measure has the best source first."""
        grid = self.grid(*self.headline)
        return evidence.hits(grid, generator=self.stream("verdict", "best")) if grid else None


Settings = Mapping[str, Setting]
READINGS = {"synthetic": SYNTHETIC, "images": IMAGES, "text": TEXT, "attributes": ATTRIBUTES, "tasks": TASKS}
FOUR = ("images", "text", "attributes", "tasks")  # the settings that the question in the title is about


def load(folder: Path | None = None) -> Settings:
    """{key: setting} with the recorded runs."""
    runs = {key: results.one(key, "reduced", folder=folder) for key in READINGS}
    return {key: Setting(key, READINGS[key], run) for key, run in runs.items()}


def four(every: Settings) -> list[Setting]:
    """The settings of the question, recorded or not."""
    return [every[key] for key in FOUR]


def together(some: Iterable[Setting], x: str = "", y: str = "") -> Evidence | None:
    """Evidence over these settings at once: of two values, or of each one's headline."""
    grids = [(one.grid(x or one.headline[0], y or one.headline[1]), one.stream("pooled")) for one in some]
    return evidence.together([(grid, stream) for grid, stream in grids if grid])
