"""The tables of the last chapter, from rows that were decided elsewhere."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, get_args

from lib.base.tables import Table
from lib.engine import fingerprint
from lib.statistics import Interval
from lib.verdict import (
    clusters,
    costs,
    empirical,
    order,
    pooled,
    reverse,
    rivals,
    rule,
    sensitivity,
    settings,
    synthetic,
    theory,
)
from lib.verdict.rows import READING, Row, total
from lib.verdict.settings import Run

Runs = Mapping[str, Run]
_LINK = re.compile(r"\[([^\]]+)\]\((\w+)\)")


@dataclass(frozen=True)
class Linked(Table):
    """A table whose cells may link to a chapter: "[text](page)"."""

    def _repr_html_(self) -> str:
        return _LINK.sub(r'<a href="\2.html">\1</a>', super()._repr_html_())


def rows(runs: Runs) -> list[Row]:
    """Every claim of the paper, decided now: theory, section 4.1, sections 4.2 to 4.4, and the question."""
    return [
        *theory.rows(),
        *synthetic.rows(runs["synthetic"]),
        *empirical.rows(runs),
        *empirical.general(runs),
    ]


def table(found: Sequence[Row], part: str) -> Linked:
    """The rows of one part, or of all parts that begin so."""
    own = [row for row in found if row.part.startswith(part)]
    cells = [
        [row.claim, row.where, row.evidence, row.ours, row.sample, row.decision, link(row.page)]
        for row in own
    ]
    columns = ["claim", "where", "the paper's evidence", "ours", "from", "decision", "page"]
    return Linked(columns, cells, caption=_captions(part))


def section(run: Run) -> Table:
    """The rows of a recorded run's own section, for its chapter: one rule, one set of numbers."""
    found = empirical.section(run.experiment, run)
    cells = [[row.claim, row.where, row.ours, row.sample, row.decision] for row in found]
    columns = ["claim", "where", "ours", "from", "decision"]
    return Table(columns, cells, caption="By the rule of the verdict", note=run.caption)


def counts(found: Sequence[Row]) -> Table:
    """How many rows of each part were decided how."""
    parts = dict.fromkeys(row.part for row in found)
    decisions = get_args(rule.Decision)
    cells = [[part, *[total([r for r in found if r.part == part], d) for d in decisions]] for part in parts]
    cells.append(["together", *[total(found, d) for d in decisions]])
    tests = sum(row.test for row in found)
    note = (
        f"{tests} of the {len(found)} decisions involve a test. {readings(found)} of those that are false "
        "are readings of what is printed, not sentences of the paper."
    )
    return Table(["part", *decisions], cells, note=note)


def readings(found: Sequence[Row]) -> int:
    """How many of what is false is a reading of the paper and no sentence of it."""
    return sum(row.evidence == READING and row.decision == "false as printed" for row in found)


def settings_table(runs: Runs) -> Linked:
    """The headline of each setting, and all of them together."""
    cells: list[list[Any]] = []
    for setting in settings.SETTINGS:
        run = runs[setting.key]
        found = empirical.evidence(setting, run, *setting.headline) if run else None
        cells.append(
            [f"{setting.section} {setting.title}", *_line(found[0] if found else None), link(setting.page)]
        )
    for name, keys in (("the four of the question", settings.FOUR), ("with the synthetic one", None)):
        one = pooled.together(runs, keys or [s.key for s in settings.SETTINGS])
        cells.append([name, *_line(one), ""])
    columns = ["setting", "from", "mean τ_b", "95 %", "p", "decision", "page"]
    note = (
        "Each section's own measure against its own knowledge transfer. Intervals: over seeds; in the last "
        "two rows over settings. p: one-sided, sources permuted, each with all its targets and seeds: "
        f"{order.REPEATS:,} random orders, or all of them where sources are few. In the last two rows it "
        "speaks against no link in any setting, not for one in each."
    )
    return Linked(columns, cells, note=note, digits=2)


def _line(found: rule.Evidence | None) -> list[Any]:
    if found is None:
        return ["", "not recorded", None, None, "not shown"]
    size = f"{found.sources} sources"
    size += (
        f", {found.targets} settings" if found.over == "setting" else f" × {found.targets} × {found.seeds}"
    )
    return [size, *_numbers(found)]


def left_out_table(runs: Runs) -> Table:
    """The pooled answer without each setting in turn: does it hang on one of them?"""
    cells = []
    for setting in settings.of(*settings.FOUR):
        one = pooled.together(runs, [key for key in settings.FOUR if key != setting.key])
        if runs[setting.key] and one:
            cells.append([f"without {setting.title}", *_numbers(one)])
    return Table(["settings", "mean τ_b", "95 %", "p", "decision"], cells, digits=2)


def first_go_table(runs: Runs) -> Table:
    """The answers of the first seeds alone beside those of all: did the seeds that were added turn one?"""
    before = {setting.key: setting.first_go(runs[setting.key]) for setting in settings.SETTINGS}
    cells = []
    for setting in settings.of(*settings.FOUR):
        found = [empirical.evidence(setting, go[setting.key], *setting.headline) for go in (before, runs)]
        both = [cell for one in found for cell in _go(one[0] if one else None)]
        cells.append([f"{setting.section} {setting.title}", *both])
    pair = [pooled.together(go, settings.FOUR) for go in (before, runs)]
    cells.append(["the four of the question", *[cell for one in pair for cell in _go(one)]])
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


def _go(found: rule.Evidence | None) -> list[Any]:
    if found is None:
        return [None, "not recorded", "not shown"]
    return [found.seeds, str(found), rule.correlation(found)]


def rival_table(found: Sequence[rivals.Score]) -> Table:
    """Mean tau-b of every predictor in every setting, with what it gains on the section's own measure."""
    names = list(dict.fromkeys(score.setting.key for score in found))
    cells: list[list[Any]] = []
    for predictor, kind in rivals.PREDICTORS.items():
        own = {s.setting.key: s for s in found if s.predictor == predictor}
        cells.append([
            rivals.label(predictor), kind,
            *[f"{own[n].tau.value:.2f} ({_gain(own[n].gain)})" if n in own else None for n in names],
            rivals.mean(found, predictor),
        ])  # fmt: skip
    cells.sort(key=lambda row: -(row[-1] if row[-1] is not None else -2))
    note = "In brackets: the difference to the section's own measure, 95 % interval, same sources for both."
    return Table(["predictor", "kind", *names, "mean"], cells, note=note, digits=2)


def best_table(found: Sequence[rivals.Best]) -> Linked:
    """The best of the paper's measures against the best of everything else."""
    cells = [
        [
            f"{row.setting.section} {row.setting.title}",
            f"{row.measure.title} ({row.measure.tau.value:.2f})",
            f"{row.other.title} ({row.other.tau.value:.2f})",
            _signed(row.difference),
            "the measure"
            if row.difference.high < 0
            else "the other"
            if row.difference.low > 0
            else "undecided",
            link(row.setting.page),
        ]
        for row in found
    ]
    columns = ["setting", "best measure", "best rival or baseline", "difference", "ahead", "page"]
    return Linked(columns, cells, note="Mean τ_b; the difference with a 95 % interval over sources, paired.")


def cost_table(runs: Runs) -> Table:
    """Seconds and passes, a row for each part and a column for each setting."""
    found = costs.costs(runs)
    names = list(dict.fromkeys(cost.setting.key for cost in found))
    at = {(cost.part, cost.setting.key): cost for cost in found}
    cells = [
        [label, *[at[part, n].seconds if (part, n) in at else None for n in names],
         "; ".join(f"{n}: {at[part, n].passes}" for n in names if (part, n) in at and at[part, n].passes)]
        for part, label in costs.PARTS.items()
    ]  # fmt: skip
    note = "Median seconds a record: one source, target and seed; for tasks one fold, with all 225 pairs."
    return Table(["", *[f"{n}, s" for n in names], "passes of one sample"], cells, note=note)


def price_table(runs: Runs) -> Table:
    """How long each part takes, with knowledge transfer itself as the unit."""
    cells = [[setting.title, *shares.values()] for setting, shares in costs.prices(runs).items()]
    columns = ["setting", *[costs.PARTS[part] for part in costs.COMPARED]]
    note = "Ratios of median seconds; above 1: takes longer than measuring knowledge transfer itself."
    return Table(columns, cells, note=note, digits=2)


def sensitivity_table(runs: Runs) -> Table:
    """Every change, and whether the conclusion flips."""
    cells = [
        [c.setting.title, c.kind, c.what, str(c.found), c.decision, "flips" if c.flips else "stays"]
        for c in sensitivity.changes(runs)
    ]
    return Table(["setting", "changed", "to", "order", "decision", "conclusion"], cells)


def reverse_table(runs: Runs) -> Table:
    """Choosing in both directions."""
    cells = [
        [f"{b.setting.section} {b.setting.title}", b.found.tau, _share(b.same), b.forward, b.backward]
        for b in reverse.both(runs)
    ]
    columns = ["setting", "mean τ_b", "same source first", "lost: teacher by attack", "attacker by transfer"]
    note = (
        "Over all targets and seeds (in the synthetic sweep: all t as well). Lost: 0 is the best choice, 1 "
        "as bad as a blind one."
    )
    return Table(columns, cells, note=note, digits=2)


def gradient_table(run: Run) -> Table:
    """The later version's pairs at fixed t."""
    cells = [[name, str(found), rule.correlation(found)] for name, found in reverse.gradients(run)]
    cells.append(["the later paper's γ", "not measured", "not shown"])
    return Table(["pair", "order at fixed t", "decision"], cells, note=run.caption if run else "")


def relation_table(run: Run) -> Table:
    """What the rule does not ask of the tasks: who suits whom, apart from who is strong or easy."""
    cells = [[f"ε = {radius}", r, p] for radius, r, p in clusters.relations(run)]
    return Table(["radius", "Mantel r", "p"], cells, note=f"Exploratory. {run.caption}", digits=2)


def link(page: str) -> str:
    """ "[page](page)" if the book has such a chapter, else the bare name."""
    listed = (fingerprint.ROOT / "_toc.yml").read_text(encoding="utf-8").split()
    return f"[{page}]({page})" if page in listed else page


def _numbers(found: rule.Evidence) -> list[Any]:
    spread = (
        f"{found.interval.low:.2f} to {found.interval.high:.2f}" if found.interval else f"one {found.over}"
    )
    return [found.tau, spread, rule.short(found.p), rule.correlation(found)]


def _gain(gain: Interval) -> str:
    return "–" if gain.low == gain.high == 0 else f"{gain.low:+.2f} to {gain.high:+.2f}"


def _signed(gain: Interval) -> str:
    return f"{gain.value:+.2f} [{gain.low:+.2f}, {gain.high:+.2f}]"


def _share(hits: rule.Hits) -> str:
    return f"{hits.cells[0]} of {hits.cells[1]} (p {rule.short(hits.p)})"


def _captions(part: str) -> str:
    return {
        "theory": "The theory (sections 3, A to F)",
        "4.1": "The synthetic experiment (section 4.1)",
        "4.2": "Data distributions (section 4.2)",
        "4.3": "Attributes (section 4.3)",
        "4.4": "Tasks (section 4.4)",
        "the question": "The question itself",
    }.get(part, "")
