"""A ledger: what a claim says as printed, what was found, and how it was decided, by checks that run.

A verdict is computed, never typed: a row holds the checks, `decide` runs them. Rows that disagree with what
their author expected raise, so that a page cannot keep a verdict its own checks no longer support.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any, Literal

from lib.base.tables import Table

Verdict = Literal["proved", "refuted", "observed", "not shown"]
Check = Callable[[], bool]
HOW = {
    "proved": "proved: exact algebra, every step checked",
    "refuted": "refuted: an instance that breaks it, checked",
    "observed": "observed: seen in what this page computed",
    "not shown": "not shown: this page's numbers say otherwise, and cannot speak for the paper's own",
}
OURS = "ours"  # the place of a hypothesis that the paper does not print
FAILED = "did not hold: our own hypothesis, against what this page computed"


@dataclass(frozen=True)
class Row:
    """One claim.

    `where` is the paper's section or equation, or OURS for a hypothesis of this book, which is not said to be
    "refuted" where it fails, for the paper does not print it. `printed` is what stands there, `found` what is
    true instead (or "as printed"); `verdict` holds if every one of `checks` returns True: for "proved" checks
    of proof steps, for "refuted" checks that an instance breaks the claim, for "observed" and "not shown"
    comparisons of computed numbers.
    """

    claim: str
    where: str
    printed: str
    found: str
    verdict: Verdict
    checks: tuple[Check, ...]

    def __post_init__(self) -> None:
        if self.verdict not in HOW:
            raise ValueError(f"verdict {self.verdict!r} of {self.claim!r} is not one of {', '.join(HOW)}")
        if not self.checks:
            raise ValueError(f"{self.claim!r} has no check: a verdict needs at least one that can fail")

    def decide(self) -> str:
        """Run the checks and return how the verdict was reached.

        Raises ValueError if a check fails or returns anything but a bool.
        """
        for number, check in enumerate(self.checks, 1):
            outcome = check()
            if outcome is not True:
                raise ValueError(
                    f"check {number} of {len(self.checks)} for {self.claim!r} ({self.where}) returned "
                    f"{outcome!r}: {self.verdict!r} is not supported; correct the row or what it checks"
                )
        return FAILED if (self.where, self.verdict) == (OURS, "refuted") else HOW[self.verdict]


def table(rows: Iterable[Row], caption: str = "Ledger") -> Table:
    """The rows with their verdicts, decided now. Raises ValueError as `Row.decide`."""
    columns = ["claim", "where", "as printed", "what we found", "how", "checks"]
    decided = [[r.claim, r.where, r.printed, r.found, r.decide(), len(r.checks)] for r in rows]
    return Table(columns, decided, caption=caption)


def of(claims: Callable[..., Iterable[Row | tuple[Any, ...]]], *arguments: Any) -> Table:
    """The ledger of what a function finds in its arguments (recorded runs): rows, or a `Row`'s fields."""
    return table(one if isinstance(one, Row) else Row(*one) for one in claims(*arguments))
