"""Tables that all experiments show: how measures order the sources, and what choosing by one costs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from lib import statistics
from lib.base.tables import Table, number
from lib.engine import results
from lib.engine.results import Result, Value
from lib.experiments.common.observations import Observations
from lib.statistics.link import Choice, Link

LINK = ("τ_b of means", "p of the means", "τ_b within seeds", "95 % over seeds", "p within seeds")
EXACT = "One-sided exact p; within seeds the sources are permuted with all their seeds."


def stamped(
    result: Result, title: str, columns: Sequence[str], rows: Sequence[Sequence[Any]], note: str = "",
    digits: int = 3,
) -> Table:  # fmt: skip
    """A table of a run: "Recorded run · title" above, the note and the run's own caption below."""
    below = f"{note} {result.caption}" if note else result.caption
    return Table(columns, rows, caption=results.titled(result, title), note=below, digits=digits)


def means(
    seen: Observations, columns: Mapping[str, Value], source: str, target: str | None = None
) -> list[float | None]:
    """A row: the means over seeds of one source, a column a value; None where a value is not defined."""
    return [seen.mean(value, source, target) for value in columns.values()]


def passed(records: Sequence[Mapping[str, Any]]) -> str:
    """Is it a test? "yes", or "not a test" where a reference of these records is below its floor."""
    return "yes" if all(r["is_test"] for r in records) else "not a test"


def link_cells(link: Link) -> list[float | str | None]:
    """The cells of LINK."""
    return [link.means.tau, link.means.p_one_sided, link.order.value, over_seeds(link),
            link.order.p_one_sided]  # fmt: skip


def over_seeds(link: Link) -> str:
    """ "0.12 to 0.34": the interval over seeds, or that there is one seed."""
    return spread(link.interval) if link.interval else "one seed"


def spread(interval: statistics.Interval) -> str:
    """ "0.12 to 0.34"."""
    return f"{interval.low:.2f} to {interval.high:.2f}"


def with_p(test: statistics.Permutation) -> str:
    """ "0.82 (p 0.0083)": a mean tau-b and its one-sided p."""
    return f"{test.value:.2f} (p {number(test.p_one_sided, 2)})"


def choice_columns(knowledge: str) -> list[str]:
    """What `choice_cells` holds."""
    return ["best source found", f"{knowledge} lost", "lost by a random choice"]


def choice_cells(choice: Choice) -> list[str | float]:
    """How often the pick is the best, what it loses, and what a blind one does."""
    return [f"{choice.right} of {choice.seeds}", choice.regret, choice.random]


def least_to_largest(low: float, high: float) -> str:
    """ "0.012 to 0.34", with two digits; one number where both show alike."""
    first, last = (number(float(one), 2) for one in (low, high))
    return first if first == last else f"{first} to {last}"
