"""What was found of every candidate: the numbers, the orders, the intervals. Nothing here is shown."""

from __future__ import annotations

import math
from dataclasses import dataclass

from lib.ranking.checks import nearest
from lib.ranking.measures import Evidence, named
from lib.ranking.resampling import Spread


@dataclass(frozen=True, eq=False)
class Frame:
    """What the numbers are to be read against: the reference, and losses without and with other attacks."""

    reference: str
    accuracy: float
    chance: float
    clean: float
    noise: float
    tau1_chance: float
    samples: str
    smallest: int  # test samples of the smallest class
    fitting: float = 0.0  # seconds; 0 for a reference that was passed


@dataclass(frozen=True, eq=False)
class Findings:
    """Candidates, best first by the measure `by`.

    found: everything measured, by model; baseline: the same for an untrained network; spreads: ranks over
    resamples, by measure (None where a measure is undefined); alerts: what the caller left open; notes: what
    was done to models and samples. Measures go by their names or their titles; a model or measure that is
    not among them is a ValueError.
    """

    by: str
    found: dict[str, Evidence]
    baseline: Evidence
    spreads: dict[str, Spread | None]
    frame: Frame
    alerts: list[str]
    notes: list[str]

    @property
    def names(self) -> list[str]:
        """The models, best first by `by`; models that tie are in the order they were given."""
        return self.order(self.by)

    @property
    def best(self) -> str:
        """The first of them; see `warnings` and `contenders` before you take it."""
        return self.names[0]

    @property
    def contenders(self) -> list[str]:
        """Models that may be the best by `by`: their interval of ranks reaches 1. One: it is separated."""
        ends = {name: self.interval(name, self.by) for name in self.names}
        return [name for name, span in ends.items() if span is None or span[0] == 1]

    def value(self, name: str, measure: str) -> float | None:
        """One number of the table."""
        return self.found[self._known(name)].value(named(measure))

    def order(self, measure: str) -> list[str]:
        """The models, best first by a measure; those without a value come last."""
        values = {name: each.value(named(measure)) for name, each in self.found.items()}
        return sorted(values, key=lambda name: math.inf if (v := values[name]) is None else -v)

    def interval(self, name: str, measure: str) -> tuple[int, int] | None:
        """The model's interval of ranks by a measure, over resamples of the samples."""
        spread, at = self.spreads[named(measure)], list(self.found).index(self._known(name))
        return None if spread is None else spread.ranks[at]

    def behind(self, name: str, measure: str | None = None) -> tuple[float, float] | None:
        """Interval of the model's difference to the first by a measure (`by`), on the same resamples."""
        measure = named(measure or self.by)
        spread, names = self.spreads[measure], list(self.found)
        at = names.index(self._known(name))
        return None if spread is None else spread.behind(names.index(self.order(measure)[0]))[at]

    def _known(self, name: str) -> str:
        if name not in self.found:
            near = nearest(name, self.found)
            raise ValueError(f"{name!r} is none of the models{near}: they are {', '.join(self.found)}")
        return name
