"""The rows of sections 4.2 to 4.4, and of the sentences over all of them, from recorded runs."""

from __future__ import annotations

from collections.abc import Callable

from lib.base import paper
from lib.engine.results import Value
from lib.statistics.grid import pairs
from lib.verdict import rule, settings, trees
from lib.verdict.claims import NOTHING, Row, asked, column, curve, extremes, sample
from lib.verdict.rule import Decision, Evidence
from lib.verdict.settings import OWN, Setting, Settings

COLUMNS = {"tau1": "τ₁", "tau2": "τ₂", "adversarial_loss": OWN}  # of the printed tables
Rule = Callable[[Evidence | None], Decision]


def rows(every: Settings) -> list[Row]:
    """Every sentence and every printed column of sections 4.2 to 4.4, in the paper's order."""
    return [row for one in settings.four(every) for row in section(one)]


def section(one: Setting) -> list[Row]:
    """The rows of one of the four settings."""
    return {"images": _images, "text": _text, "attributes": _attributes, "tasks": _tasks}[one.key](one)


def general(every: Settings) -> list[Row]:
    """The sentences about adversarial and knowledge transferability as such."""
    four = settings.four(every)
    whole, like = settings.together(four), settings.together(four, "τ₁", OWN)
    claim = "the cross adversarial loss is 'similar to τ₁': it orders sources as τ₁ does"
    sentences: list[tuple[str, str, Rule, Evidence | None]] = [
        ("adversarial transferability indicates knowledge transfer", "affirmative", rule.correlation, whole),
        ("a strong positive correlation", "strong_correlation", rule.strong, whole),
        ("a strong positive correlation, again", "strong_correlation_introduction", rule.strong, whole),
        ("theory and experiments show it", "conclusion", rule.correlation, whole),
        (claim, "loss_like_tau1", rule.correlation, like),
    ]
    rows = []
    for claim, key, rule_of, found in sentences:
        printed = "Proposition 2" if key == "loss_like_tau1" else f"four experiments, {NOTHING}"
        row = asked("the question", "verdict", claim, key, printed)
        size = f"{found.targets} of 4 settings, {found.sources} sources" if found else ""
        rows.append(row.decided(str(found), size, rule_of(found), test=True) if found else row)
    return rows


def _link(
    one: Setting, claim: str, source: str, printed: str, x: str | Value, y: str = "",
    rule_of: Rule = rule.correlation,
) -> Row:  # fmt: skip
    """A row about a correlation; `y` is the section's knowledge transfer unless another is given."""
    row, found = asked(one.part, one.key, claim, source, printed), one.evidence(x, y)
    return row.decided(str(found), _sample(one, found), rule_of(found), test=True) if found else row


def _best(one: Setting, claim: str, source: str, printed: str) -> Row:
    """A row about the best source."""
    row = asked(one.part, one.key, claim, source, printed)
    if one.found is None or one.hits is None:
        return row
    return row.decided(str(one.hits), _sample(one, one.found), rule.choice(one.hits), test=True)


def _sample(one: Setting, found: Evidence) -> str:
    return sample(found, one.result.config.preset)


def _goes(one: Setting, measure: str, place: str, printed: str) -> Row:
    """Does a measure go with knowledge transfer?"""
    called = "the adversarial loss" if measure == OWN else measure
    return _link(one, f"{called} goes with knowledge transfer", place, printed, measure)


def _columns(one: Setting, table: paper.Table) -> list[Row]:
    """A row for each printed column."""
    place = f"{table.place}, p. {table.page}"
    return [_goes(one, ours, place, column(table, printed)) for printed, ours in COLUMNS.items()]


def _images(one: Setting) -> list[Row]:
    figure, best = curve("Figure 3, left", 5), "the source that attacks best transfers best"
    return [
        _link(one, "closer data attack better", "images_closer_data", figure, "class overlap", OWN),
        _link(one, "closer data transfer better", "images_closer_data", figure, "class overlap"),
        *[_goes(one, measure, "Figure 3, left, p. 7", figure) for measure in COLUMNS.values()],
        _best(one, best, "images_best_is_best", figure),
    ]


def _text(one: Setting) -> list[Row]:
    best, printed = (
        "the source that attacks best transfers best, in text too",
        extremes(paper.TEXT, "adversarial_loss"),
    )
    return [*_columns(one, paper.TEXT), _best(one, best, "prominent_in_both", printed), _alone(one)]


def _alone(one: Setting) -> Row:
    """Is there a pair of sources that tau1 orders against knowledge transfer in every seed?"""
    printed = column(paper.TEXT, "tau1")
    row = asked(one.part, one.key, "τ₁ alone is not sufficient", "text_tau1_alone", printed)
    grid, found = one.grid("τ₁", one.headline[1]), one.evidence("τ₁")
    if not grid or found is None:
        return row
    against = sum(int((pairs(group) < 0).all(0).sum()) for group in grid) // 2
    whole = sum(len(g.x) * (len(g.x) - 1) // 2 for g in grid)
    ours = f"{against} of {whole} pairs of sources are ordered against it in every seed"
    return row.decided(ours, _sample(one, found), rule.possible(against > 0))


def _attributes(one: Setting) -> list[Row]:
    table, more = paper.ATTRIBUTES, "the more adversarially transferable, the better"
    best, loss = "the attribute that attacks best transfers best", "adversarial_loss"
    return [
        _link(one, more, "attributes_more_is_better", column(table, loss), OWN),
        *_columns(one, table)[:2],
        _best(one, best, "attributes_young", extremes(table, loss)),
        _young(one),
    ]


def _young(one: Setting) -> Row:
    """Where 'Young' stands among the attributes, by both."""
    printed = "Table 1: five of 40 attributes, chosen by the loss"
    row = asked(one.part, one.key, "Young is first in both", "attributes_young", printed)
    grid = one.grid(*one.headline)
    if not grid or one.found is None or "Young" not in one.seen.sources:
        return row
    young = one.seen.sources.index("Young")
    attack, transfer = (1 + int((v.mean(1) > v.mean(1)[young]).sum()) for v in (grid[0].x, grid[0].y))
    ours = f"of {len(grid[0].x)} attributes it is number {attack} by attack and number {transfer} by transfer"
    return row.decided(ours, _sample(one, one.found), rule.possible(attack == transfer == 1))


def _tasks(one: Setting) -> list[Row]:
    claim, printed = "a strong positive correlation among tasks", f"Figures 4 and 5: two trees, {NOTHING}"
    strong = _link(one, claim, "strong_correlation_tasks", printed, OWN, rule_of=rule.strong)
    return [*trees.rows(one), strong]
