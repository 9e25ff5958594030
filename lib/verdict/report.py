"""The tables of the last chapter, from rows that were decided elsewhere."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, get_args

from lib.base import fingerprint
from lib.base.tables import Table
from lib.engine.results import Absent, Result
from lib.statistics import Interval
from lib.statistics.grid import REPEATS
from lib.verdict import claims, costs, robustness, rule, sections, settings, synthetic, theory, trees
from lib.verdict.claims import Row
from lib.verdict.robustness import Best, Score
from lib.verdict.rule import Evidence
from lib.verdict.settings import Settings

_LINK = re.compile(r"\[([^\]]+)\]\((\w+)\)")
_CAPTIONS = {
    "theory": "The theory (sections 3, A to F)",
    "4.1": "The synthetic experiment (section 4.1)",
    "4.2": "Data distributions (section 4.2)",
    "4.3": "Attributes (section 4.3)",
    "4.4": "Tasks (section 4.4)",
    "the question": "The question itself",
}


@dataclass(frozen=True)
class Linked(Table):
    """A table whose cells may link to a chapter: "[text](page)"."""

    def _repr_html_(self) -> str:
        return _LINK.sub(r'<a href="\2.html">\1</a>', super()._repr_html_())


def link(page: str) -> str:
    """ "[page](page)" if the book has such a chapter, else the bare name."""
    listed = (fingerprint.ROOT / "_toc.yml").read_text(encoding="utf-8").split()
    return f"[{page}]({page})" if page in listed else page


def rows(every: Settings) -> list[Row]:
    """Every claim of the paper, decided now: theory, section 4.1, sections 4.2 to 4.4, and the question."""
    own = synthetic.rows(every["synthetic"].run)
    return [*theory.rows(), *own, *sections.rows(every), *sections.general(every)]


def table(found: Sequence[Row], part: str) -> Linked:
    """The rows of one part, or of all parts that begin so."""
    cells = [
        [row.claim, row.where, row.evidence, row.ours, row.sample, row.decision, link(row.page)]
        for row in found
        if row.part.startswith(part)
    ]
    columns = ["claim", "where", "the paper's evidence", "ours", "from", "decision", "page"]
    return Linked(columns, cells, caption=_CAPTIONS.get(part, ""))


def section(run: Result) -> Table:
    """The rows of a recorded run's own section, for its chapter: one rule, one set of numbers."""
    one = settings.Setting(run.experiment, settings.READINGS[run.experiment], run)
    cells = [[row.claim, row.where, row.ours, row.sample, row.decision] for row in sections.section(one)]
    columns = ["claim", "where", "ours", "from", "decision"]
    return Table(columns, cells, caption="By the rule of the verdict", note=run.caption)


def counts(found: Sequence[Row]) -> Table:
    """How many rows of each part were decided how."""
    parts = {name: [row for row in found if row.part == name] for name in [row.part for row in found]}
    parts["together"] = list(found)
    decisions = get_args(rule.Decision)
    cells = [[part, *[claims.total(own, decision) for decision in decisions]] for part, own in parts.items()]
    note = (
        f"{sum(row.test for row in found)} of the {len(found)} decisions involve a test. "
        f"{claims.readings(found)} of those that are false are readings of what is printed, not sentences of "
        "the paper."
    )
    return Table(["part", *decisions], cells, note=note)


def settings_table(every: Settings) -> Linked:
    """The headline of each setting, and all of them together."""
    cells = [[one.part, *_line(one.found), link(one.key)] for one in every.values()]
    pooled = {"the four of the question": settings.four(every), "with the synthetic one": [*every.values()]}
    cells += [[name, *_line(settings.together(some)), ""] for name, some in pooled.items()]
    columns = ["setting", "from", "mean τ_b", "95 %", "p", "decision", "page"]
    note = (
        "Each section's own measure against its own knowledge transfer. Intervals: over seeds; in the last "
        "two rows over settings. p: one-sided, sources permuted, each with all its targets and seeds: "
        f"{REPEATS:,} random orders, or all of them where sources are few. In the last two rows it "
        "speaks against no link in any setting, not for one in each."
    )
    return Linked(columns, cells, note=note, digits=2)


def _line(found: Evidence | None) -> list[Any]:
    if found is None:
        return ["", "not recorded", None, None, "not shown"]
    size = f" × {found.targets} × {found.seeds}" if found.over == "seed" else f", {found.targets} settings"
    return [f"{found.sources} sources{size}", *_numbers(found)]


def _numbers(found: Evidence) -> list[Any]:
    spread = found.interval
    over = f"{spread.low:.2f} to {spread.high:.2f}" if spread else f"one {found.over}"
    return [found.tau, over, rule.short(found.p), rule.correlation(found)]


def left_out_table(every: Settings) -> Table:
    """The pooled answer without each setting in turn: does it hang on one of them?"""
    cells = []
    for one in settings.four(every):
        rest = settings.together(other for other in settings.four(every) if other is not one)
        if one and rest:
            cells.append([f"without {one.title}", *_numbers(rest)])
    return Table(["settings", "mean τ_b", "95 %", "p", "decision"], cells, digits=2)


def first_go_table(every: Settings) -> Table:
    """The answers of the first seeds alone beside those of all: did the seeds that were added turn one?"""
    now = settings.four(every)
    before = [one.first_go() for one in now]
    cells = [[new.part, *_go(old.found), *_go(new.found)] for old, new in zip(before, now)]
    pooled = [cell for some in (before, now) for cell in _go(settings.together(some))]
    cells.append(["the four of the question", *pooled])
    columns = [
        "setting",
        "first seeds",
        "their answer",
        "decision",
        "all seeds",
        "the answer",
        "decision now",
    ]
    note = "For the four together: the fewest seeds of a setting; interval over settings."
    return Table(columns, cells, note=note)


def _go(found: Evidence | None) -> list[Any]:
    return [found.seeds if found else None, str(found or "not recorded"), rule.correlation(found)]


def rival_table(found: Sequence[Score]) -> Table:
    """Mean tau-b of every predictor in every setting, with what it gains on the section's own measure."""
    names = list(dict.fromkeys(score.setting.key for score in found))
    cells: list[list[Any]] = []
    for predictor, kind in robustness.PREDICTORS.items():
        own = {s.setting.key: s for s in found if s.predictor == predictor}
        each = [f"{own[n].tau.value:.2f} ({_gain(own[n].gain)})" if n in own else None for n in names]
        cells.append([robustness.label(predictor), kind, *each, robustness.mean(found, predictor)])
    cells.sort(key=lambda row: -(row[-1] if row[-1] is not None else -2))
    note = "In brackets: the difference to the section's own measure, 95 % interval, same sources for both."
    return Table(["predictor", "kind", *names, "mean"], cells, note=note, digits=2)


def _gain(gain: Interval) -> str:
    return "–" if gain.low == gain.high == 0 else f"{gain.low:+.2f} to {gain.high:+.2f}"


def best_table(found: Sequence[Best]) -> Linked:
    """The best of the paper's measures against the best of everything else."""

    def ahead(gap: Interval) -> str:
        return "the measure" if gap.high < 0 else "the other" if gap.low > 0 else "undecided"

    cells = []
    for row in found:
        gap, both = row.difference, [f"{s.title} ({s.tau.value:.2f})" for s in (row.measure, row.other)]
        between = f"{gap.value:+.2f} [{gap.low:+.2f}, {gap.high:+.2f}]"
        cells.append([row.setting.part, *both, between, ahead(gap), link(row.setting.key)])
    columns = ["setting", "best measure", "best rival or baseline", "difference", "ahead", "page"]
    return Linked(columns, cells, note="Mean τ_b; the difference with a 95 % interval over sources, paired.")


def sensitivity_table(every: Settings) -> Table:
    """Every change, and whether the conclusion flips."""
    cells = [
        [c.setting.title, c.kind, c.what, str(c.found), c.decision, "flips" if c.flips else "stays"]
        for c in robustness.changes(every)
    ]
    return Table(["setting", "changed", "to", "order", "decision", "conclusion"], cells)


def reverse_table(every: Settings) -> Table:
    """Choosing in both directions."""
    cells = []
    for both in robustness.both(every):
        same = f"{both.same.cells[0]} of {both.same.cells[1]} (p {rule.short(both.same.p)})"
        cells.append([both.setting.part, both.found.tau, same, both.forward, both.backward])
    columns = ["setting", "mean τ_b", "same source first", "lost: teacher by attack", "attacker by transfer"]
    note = (
        "Over all targets and seeds (in the synthetic sweep: all t as well). Lost: 0 is the best choice, 1 "
        "as bad as a blind one."
    )
    return Table(columns, cells, note=note, digits=2)


def gradient_table(run: Result | Absent) -> Table:
    """The later version's pairs at fixed t."""
    cells = [[name, str(found), rule.correlation(found)] for name, found in robustness.gradients(run)]
    cells.append(["the later paper's γ", "not measured", "not shown"])
    note = "" if isinstance(run, Absent) else run.caption
    return Table(["pair", "order at fixed t", "decision"], cells, note=note)


def relation_table(run: Result) -> Table:
    """What the rule does not ask of the tasks: who suits whom, apart from who is strong or easy."""
    cells = [[f"ε = {radius}", r, p] for radius, r, p in trees.relations(run)]
    return Table(["radius", "Mantel r", "p"], cells, note=f"Exploratory. {run.caption}", digits=2)


def cost_table(every: Settings) -> Table:
    """Seconds and passes, a row for each part and a column for each setting."""
    found = costs.costs(every)
    names = list(dict.fromkeys(cost.setting.key for cost in found))
    cells: list[list[Any]] = []
    for part, label in costs.PARTS.items():
        own = {cost.setting.key: cost for cost in found if cost.part == part}
        passes = "; ".join(f"{n}: {own[n].passes}" for n in names if n in own and own[n].passes)
        cells.append([label, *[own[n].seconds if n in own else None for n in names], passes])
    note = "Median seconds a record: one source, target and seed; for tasks one fold, with all 225 pairs."
    return Table(["", *[f"{n}, s" for n in names], "passes of one sample"], cells, note=note)


def price_table(every: Settings) -> Table:
    """How long each part takes, with knowledge transfer itself as the unit."""
    cells = [[title, *shares.values()] for title, shares in costs.prices(every).items()]
    columns = ["setting", *[costs.PARTS[part] for part in costs.COMPARED]]
    note = "Ratios of median seconds; above 1: takes longer than measuring knowledge transfer itself."
    return Table(columns, cells, note=note, digits=2)
