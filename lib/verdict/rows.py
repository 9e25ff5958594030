"""A row of the verdict, and what the paper's own evidence for it weighs."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from lib import statistics
from lib.base import paper
from lib.verdict import rule
from lib.verdict.rule import Decision

READING = "a reading of the text"  # what a refuted row weighs against where no sentence is quoted


@dataclass(frozen=True)
class Row:
    """One claim: what it is, where it stands, the paper's evidence, ours, and the decision.

    `sample` says what ours rests on (sources, targets, seeds, preset); `page` is the chapter that shows it.
    `test`: whether the decision involves a test that chance can pass.
    """

    part: str
    claim: str
    where: str
    evidence: str
    ours: str
    sample: str
    decision: Decision
    page: str
    quote: str = ""
    test: bool = False


def at(source: paper.Claim) -> str:
    """ "Section 4.2, Results, p. 8"."""
    return f"{source.place}, p. {source.page}"


def column(table: paper.Table, name: str) -> str:
    """What a printed column weighs against the printed knowledge transfer: order, n, exact p."""
    found = statistics.kendall(table.columns[name], table.columns["knowledge"])
    return f"{table.place}: n = {found.n}, τ_b {found.tau:.2f}, exact p {rule.short(found.p_one_sided)}"


def curve(name: str, n: int) -> str:
    """What a curve of n sources without numbers could weigh at best: a perfect order."""
    best = statistics.kendall(range(n), range(n)).p_one_sided
    return f"{name}: a curve without numbers, n = {n}; a perfect order would have p {rule.short(best)}"


def extremes(table: paper.Table, name: str) -> str:
    """Of a printed table: whether the largest value and the best transfer are one source, and by chance."""
    values, best = table.columns[name], table.columns["knowledge"]
    same = values.index(max(values)) == best.index(max(best))
    return f"{table.place}: {'yes' if same else 'no'}, as one blind choice in {len(best)} would be"


NOTHING = "no number, no interval, no test"


def unrecorded(part: str, claim: str, where: str, evidence: str, page: str, quote: str = "") -> Row:
    """The row of a claim whose run is not in `results/`."""
    return Row(part, claim, where, evidence, "not recorded", "–", "not shown", page, quote)


def sample(sources: int, targets: int, seeds: int, preset: str) -> str:
    """ "5 sources × 3 targets × 3 seeds, reduced"."""
    parts = [_count(sources, "source"), _count(targets, "target"), _count(seeds, "seed")]
    return f"{' × '.join(parts)}, {preset}"


def total(rows: Sequence[Row], decision: Decision) -> int:
    """How many rows were so decided."""
    return sum(row.decision == decision for row in rows)


def _count(number: int, noun: str) -> str:
    return f"{number} {noun}{'' if number == 1 else 's'}"
