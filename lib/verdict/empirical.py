"""The rows of sections 4.2 to 4.4, and of the sentences over all of them, from recorded runs."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from lib.base import compute, paper
from lib.verdict import clusters, order, pooled, rule, settings
from lib.verdict.order import Grid
from lib.verdict.rows import NOTHING, Row, at, column, curve, extremes, sample, unrecorded
from lib.verdict.rule import Evidence
from lib.verdict.settings import OWN, Run, Setting

Runs = Mapping[str, Run]
COLUMNS = {"tau1": "τ₁", "tau2": "τ₂", "adversarial_loss": OWN}  # of the printed tables


def rows(runs: Runs) -> list[Row]:
    """Every sentence and every printed column of sections 4.2 to 4.4, in the paper's order."""
    return [row for key in settings.FOUR for row in section(key, runs[key])]


def section(key: str, run: Run) -> list[Row]:
    """The rows of one of the four settings."""
    made = {"images": _images, "text": _text, "attributes": _attributes, "tasks": _tasks}
    return made[key](settings.of(key)[0], run)


def general(runs: Runs) -> list[Row]:
    """The sentences about adversarial and knowledge transferability as such."""
    return [
        _overall(
            runs, paper.claim("affirmative"), "adversarial transferability indicates knowledge transfer"
        ),
        _overall(runs, paper.claim("strong_correlation"), "a strong positive correlation", rule.strong),
        _overall(
            runs,
            paper.claim("strong_correlation_introduction"),
            "a strong positive correlation, again",
            rule.strong,
        ),
        _overall(runs, paper.claim("conclusion"), "theory and experiments show it"),
        _like_tau1(runs),
    ]


def evidence(
    setting: Setting, run: Run, x: Any, y: Any, *, targets: Any = None, name: str | None = None
) -> tuple[Evidence, Grid] | None:
    """The order of two values in a setting, and the grid it comes from; None where they were not recorded.

    `targets`: on these alone; `name`: what x is called, where it is a function.
    """
    grid = setting.grid(run, x, y, targets) if run else None
    if not grid:
        return None
    stream = compute.generator(0, "verdict", setting.key, name or x, y)
    return order.evidence(grid, generator=stream), grid


def _link(
    setting: Setting, run: Run, claim: str, source: paper.Claim | str, paper_says: str, x: Any, y: Any = None,
    rule_of: Callable[[Evidence | None], rule.Decision] = rule.correlation,
) -> Row:  # fmt: skip
    """A row about a correlation; `y` is the section's knowledge transfer unless another is given."""
    place, quote = (source, "") if isinstance(source, str) else (at(source), source.quote)
    part = f"{setting.section} {setting.title}"
    found = evidence(setting, run, x, y or setting.headline[1])
    if found is None:
        return unrecorded(part, claim, place, paper_says, setting.page, quote)
    one, _ = found
    size = sample(one.sources, one.targets, one.seeds, run.config.preset)
    return Row(part, claim, place, paper_says, str(one), size, rule_of(one), setting.page, quote, test=True)


def _best(setting: Setting, run: Run, claim: str, source: paper.Claim, paper_says: str) -> Row:
    """A row about the best source."""
    part = f"{setting.section} {setting.title}"
    found = evidence(setting, run, *setting.headline) if run else None
    if found is None:
        return unrecorded(part, claim, at(source), paper_says, setting.page, source.quote)
    one, grid = found
    hits = order.hits(grid, generator=compute.generator(0, "verdict", setting.key, "best"))
    size = sample(one.sources, one.targets, one.seeds, run.config.preset)
    decision = rule.choice(hits)
    return Row(part, claim, at(source), paper_says, str(hits), size, decision, setting.page, source.quote,
               test=True)  # fmt: skip


def _columns(setting: Setting, run: Run, table: paper.Table) -> list[Row]:
    """A row for each printed column: does it go with knowledge transfer?"""
    return [
        _link(setting, run, f"{_called(ours)} goes with knowledge transfer",
              f"{table.place}, p. {table.page}", column(table, printed), ours)
        for printed, ours in COLUMNS.items()
    ]  # fmt: skip


def _called(measure: str) -> str:
    return "the adversarial loss" if measure == OWN else measure


def _images(setting: Setting, run: Run) -> list[Row]:
    figure = curve("Figure 3, left", 5)
    best, closer = paper.claim("images_best_is_best"), paper.claim("images_closer_data")
    return [
        _link(setting, run, "closer data attack better", closer, figure, "class overlap", OWN),
        _link(setting, run, "closer data transfer better", closer, figure, "class overlap"),
        *[
            _link(
                setting, run, f"{_called(m)} goes with knowledge transfer", "Figure 3, left, p. 7", figure, m
            )
            for m in COLUMNS.values()
        ],
        _best(setting, run, "the source that attacks best transfers best", best, figure),
    ]


def _text(setting: Setting, run: Run) -> list[Row]:
    best = "the source that attacks best transfers best, in text too"
    return [
        *_columns(setting, run, paper.TEXT),
        _best(setting, run, best, paper.claim("prominent_in_both"), extremes(paper.TEXT, "adversarial_loss")),
        _alone(setting, run),
    ]


def _alone(setting: Setting, run: Run) -> Row:
    """Is there a pair of sources that tau1 orders against knowledge transfer in every seed?"""
    source, part = paper.claim("text_tau1_alone"), f"{setting.section} {setting.title}"
    claim, printed = "τ₁ alone is not sufficient", column(paper.TEXT, "tau1")
    grid = setting.grid(run, "τ₁", setting.headline[1]) if run else None
    if not grid:
        return unrecorded(part, claim, at(source), printed, setting.page, source.quote)
    against = sum(int((order.pairs(group) < 0).all(0).sum()) for group in grid) // 2
    whole = sum(len(g.x) * (len(g.x) - 1) // 2 for g in grid)
    ours = f"{against} of {whole} pairs of sources are ordered against it in every seed"
    size = sample(len(grid[0].x), 1, len(set(grid[0].seeds)), run.config.preset)
    return Row(part, claim, at(source), printed, ours, size, rule.possible(against > 0), setting.page,
               source.quote)  # fmt: skip


def _attributes(setting: Setting, run: Run) -> list[Row]:
    table = paper.ATTRIBUTES
    more = "the more adversarially transferable, the better"
    return [
        _link(setting, run, more, paper.claim("attributes_more_is_better"),
              column(table, "adversarial_loss"), OWN),
        *_columns(setting, run, table)[:2],
        _best(setting, run, "the attribute that attacks best transfers best", paper.claim("attributes_young"),
              extremes(table, "adversarial_loss")),
        _young(setting, run),
    ]  # fmt: skip


def _young(setting: Setting, run: Run) -> Row:
    """Where 'Young' stands among the attributes, by both."""
    source, claim = paper.claim("attributes_young"), "Young is first in both"
    part, printed = f"{setting.section} {setting.title}", "Table 1: five of 40 attributes, chosen by the loss"
    grid = setting.grid(run, *setting.headline) if run else None
    if not grid or "Young" not in setting.summary.source_names(run):
        return unrecorded(part, claim, at(source), printed, setting.page, source.quote)
    row = setting.summary.source_names(run).index("Young")
    ranks = [1 + int((side.mean(1) > side.mean(1)[row]).sum()) for g in grid for side in (g.x, g.y)]
    ours = (
        f"of {len(grid[0].x)} attributes it is number {ranks[0]} by attack and number {ranks[1]} by transfer"
    )
    decision: rule.Decision = "holds" if ranks == [1, 1] else "not shown"
    size = sample(len(grid[0].x), len(set(grid[0].targets)), len(set(grid[0].seeds)), run.config.preset)
    return Row(part, claim, at(source), printed, ours, size, decision, setting.page, source.quote)


def _tasks(setting: Setting, run: Run) -> list[Row]:
    trees = f"Figures 4 and 5: two trees, {NOTHING}"
    return [
        *clusters.rows(run),
        _link(setting, run, "a strong positive correlation among tasks",
              paper.claim("strong_correlation_tasks"), trees, OWN, rule_of=rule.strong),
    ]  # fmt: skip


def _overall(
    runs: Runs, source: paper.Claim, claim: str,
    rule_of: Callable[[Evidence | None], rule.Decision] = rule.correlation,
) -> Row:  # fmt: skip
    """A row about all four settings at once."""
    found = pooled.together(runs, settings.FOUR)
    evidence = f"four experiments, {NOTHING}"
    if found is None:
        return unrecorded("the question", claim, at(source), evidence, "verdict", source.quote)
    size = f"{found.targets} of 4 settings, {found.sources} sources"
    return Row("the question", claim, at(source), evidence, str(found), size, rule_of(found), "verdict",
               source.quote, test=True)  # fmt: skip


def _like_tau1(runs: Runs) -> Row:
    source = paper.claim("loss_like_tau1")
    claim = "the cross adversarial loss is 'similar to τ₁': it orders sources as τ₁ does"
    found = pooled.together(runs, settings.FOUR, pair=("τ₁", OWN))
    if found is None:
        return unrecorded("the question", claim, at(source), "Proposition 2", "verdict", source.quote)
    size = f"{found.targets} of 4 settings, {found.sources} sources"
    return Row("the question", claim, at(source), "Proposition 2", str(found), size, rule.correlation(found),
               "verdict", source.quote, test=True)  # fmt: skip
