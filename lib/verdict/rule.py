"""From evidence to a decision, by the rule in the package's docstring and by nothing else."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from lib.statistics import Interval

Decision = Literal["holds", "holds weakly", "not shown", "false as printed"]
LEVEL = 0.05
STRONG = 0.5  # the least mean tau-b that deserves the word


@dataclass(frozen=True)
class Evidence:
    """A mean tau-b over the cells (target, seed) of a run, and what speaks against chance.

    p: one-sided, sources permuted; p_opposite: in the other direction; interval: Student's over seeds (or
    over settings), cut to where a tau-b can lie, None for a single one; sources, targets, seeds: how many.
    """

    tau: float
    p: float
    p_opposite: float
    interval: Interval | None
    sources: int
    targets: int
    seeds: int
    over: str = "seed"

    @property
    def above(self) -> bool:
        """Whether the interval over seeds excludes 0 from above."""
        return self.interval is not None and self.interval.low > 0

    def __str__(self) -> str:
        spread = self.interval
        over = f"[{spread.low:.2f}, {spread.high:.2f}]" if spread else f"(one {self.over})"
        return f"τ_b {self.tau:.2f} {over}, p {short(self.p)}"


def correlation(found: Evidence | None) -> Decision:
    """A sentence that two things go together."""
    if found is None:
        return "not shown"
    if found.tau < 0 and found.p_opposite <= LEVEL:
        return "false as printed"
    return by_count((found.tau > 0 and found.p <= LEVEL) + found.above)


def strong(found: Evidence | None) -> Decision:
    """A sentence that says "strong" of a correlation."""
    decision = correlation(found)
    return "holds weakly" if decision == "holds" and found and found.tau < STRONG else decision


def sweep(along: Interval | None, fixed: Evidence | None) -> Decision:
    """A sentence about curves over t: `along` the sweep, and at `fixed` t."""
    if along is None or along.low <= 0 <= along.high:
        return "not shown"
    if along.high < 0:
        return "false as printed"
    return "holds" if correlation(fixed) == "holds" else "holds weakly"


@dataclass(frozen=True)
class Hits:
    """How often the largest measure finds the best source.

    targets: on how many targets, by means over seeds, out of how many; cells: the same over target and seed;
    p: that permuted sources give as many cells.
    """

    targets: tuple[int, int]
    cells: tuple[int, int]
    p: float

    def __str__(self) -> str:
        return (
            f"right on {self.targets[0]} of {self.targets[1]} targets, "
            f"{self.cells[0]} of {self.cells[1]} with each seed by itself, p {short(self.p)}"
        )


def choice(found: Hits | None) -> Decision:
    """A sentence that the source with the most of one thing has the most of another."""
    if found is None or found.p > LEVEL:
        return "not shown"
    return "holds" if found.targets[0] == found.targets[1] else "holds weakly"


def theory(proved: bool, *, everywhere: bool = True) -> Decision:
    """A statement that exact algebra has decided: proved (everywhere, or in a special case), or refuted."""
    if not proved:
        return "false as printed"
    return "holds" if everywhere else "holds weakly"


def share(true: float | None) -> Decision:
    """An inequality that is true of this share of the recorded points."""
    return "not shown" if true is None else by_count((true >= 0.5) + (true >= 0.9))


def possible(shown: bool | None) -> Decision:
    """A sentence that something can happen."""
    return "holds" if shown else "not shown"


def by_count(passed: int) -> Decision:
    """None, one or both of two conditions."""
    decisions: tuple[Decision, ...] = ("not shown", "holds weakly", "holds")
    return decisions[passed]


def short(value: float) -> str:
    """A p-value for a sentence."""
    return f"{value:.3f}" if value >= 0.001 else "< .001"
