"""A claim of the paper as a row of the verdict, and what the paper's own evidence for it weighs."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from lib import statistics
from lib.base import paper
from lib.verdict import rule
from lib.verdict.rule import Decision

READING = "a reading of the text"  # what a refuted row weighs against where no sentence is quoted
NOTHING = "no number, no interval, no test"


@dataclass(frozen=True)
class Row:
    """One claim: what it is, where it stands, the paper's evidence, ours, and the decision.

    `sample` says what ours rests on (sources, targets, seeds, preset); `page` is the chapter that shows it.
    `test`: whether the decision involves a test that chance can pass. A row is not shown until it is decided.
    """

    part: str
    page: str
    claim: str
    where: str
    quote: str
    evidence: str
    ours: str = "not recorded"
    sample: str = "–"
    decision: Decision = "not shown"
    test: bool = False

    def decided(self, ours: str, sample: str, decision: Decision, *, test: bool = False) -> Row:
        """The row with what we found."""
        return replace(self, ours=ours, sample=sample, decision=decision, test=test)


def asked(part: str, page: str, claim: str, source: str, evidence: str) -> Row:
    """A row before anything is measured; `source`: the key of a sentence in `lib.base.paper`, or a place."""
    if source not in paper.CLAIMS:
        return Row(part, page, claim, source, "", evidence)
    printed = paper.claim(source)
    return Row(part, page, claim, f"{printed.place}, p. {printed.page}", printed.quote, evidence)


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


def sample(found: rule.Evidence, preset: str) -> str:
    """ "5 sources × 3 targets × 3 seeds, reduced"."""
    counts = {"source": found.sources, "target": found.targets, "seed": found.seeds}
    return " × ".join(f"{n} {noun}{'' if n == 1 else 's'}" for noun, n in counts.items()) + f", {preset}"


def total(rows: Sequence[Row], decision: Decision) -> int:
    """How many rows were so decided."""
    return sum(row.decision == decision for row in rows)


def readings(rows: Sequence[Row]) -> int:
    """How many of what is false is a reading of the paper and no sentence of it."""
    return sum(row.evidence == READING and row.decision == "false as printed" for row in rows)
