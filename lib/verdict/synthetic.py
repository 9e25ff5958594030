"""The rows of section 4.1, from the recorded sweeps."""

from __future__ import annotations

from lib.base import streams
from lib.base.tables import number
from lib.engine.results import Absent, Result
from lib.experiments.synthetic import networks, tracking
from lib.statistics.grid import by_seed
from lib.verdict import rule
from lib.verdict.claims import NOTHING, Row, asked
from lib.verdict.evidence import evidence, spread

PART = "4.1 synthetic"
PAGE = "synthetic"
AXES = ["green", "blue", "red", "magenta", "black"]  # the y-axes that the caption of Figure 2 names


def rows(run: Result | Absent) -> list[Row]:
    """Every sentence of section 4.1."""
    return [_literal(), *[_link(run, link) for link in tracking.LINKS], _beta(run), _axes()]


def _link(run: Result | Absent, link: tracking.Link) -> Row:
    row = asked(PART, PAGE, link.title, link.claim, f"Figure 2: one curve a width, {NOTHING}")
    if isinstance(run, Absent):
        return row
    names, records = (link.first, link.turned), tracking.tested(run)
    if not records:
        return row.decided("–", "not a test", rule.sweep(None, None), test=True)
    along, grid = spread(by_seed(tracking.along_t(records, *names))), tracking.at_fixed_t(records, *names)
    fixed = evidence(grid, generator=streams.generator(0, "verdict", *names))
    ours = (
        f"along t {along.value:.2f} [{along.low:.2f}, {along.high:.2f}]; at fixed t {fixed}" if along else "–"
    )
    size = f"{fixed.sources} directions × {len(grid)} targets, {fixed.seeds} seeds, {run.config.preset}"
    return row.decided(ours, size, rule.sweep(along, fixed), test=True)


def _literal() -> Row:
    """The data set as printed: is there a function to learn?"""
    problem, seeds = networks.PROBLEMS["literal"], 5
    largest = max(float(networks.basis(problem, seed)[1].max()) for seed in range(seeds))
    ours = f"the largest basis function on any sample is {number(largest, 2)}: y is constant"
    row = asked(PART, PAGE, "the data set as printed can be learnt", "rbf_dataset", "a formula")
    return row.decided(ours, f"{seeds} seeds", rule.theory(largest >= 1e-3))


def _beta(run: Result | Absent) -> Row:
    """Is most of the gap between Theorem 3's bound and the loss gone, in powers of ten, without beta?"""
    row = asked(PART, PAGE, "Theorem 3's gap is due to β", "rbf_beta", "none")
    if isinstance(run, Absent):
        return row
    loss = tracking.points(run.records, "transferred_loss")
    bounds = (tracking.points(run.records, f"theorem_3_{name}") for name in ("paper", "no_beta"))
    gap, left = ((bound / loss).log10() for bound in bounds)
    most = float((1 - left / gap > 0.5).double().mean())
    ours = (
        f"without β the bound is still 10^{float(left.median()):.1f} times the loss, with it "
        f"10^{float(gap.median()):.1f}; asked: more than half of the powers of ten, true at "
        f"{most:.0%} of the points"
    )
    return row.decided(ours, f"{len(loss)} points, {run.config.preset}", rule.share(most))


def _axes() -> Row:
    row = asked(PART, PAGE, "Figure 2 has four y-axes", "rbf_four_axes", "a caption")
    ours = f"the caption itself names {len(AXES)}: {', '.join(AXES)}"
    return row.decided(ours, "counted", rule.theory(len(AXES) == 4))
