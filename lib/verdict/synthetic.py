"""The rows of section 4.1, from the recorded sweeps."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import torch

from lib.base import compute, paper
from lib.base.tables import number
from lib.experiments.synthetic import networks as problems
from lib.verdict import order, radial, rule
from lib.verdict.rows import NOTHING, Row, at, unrecorded

PART = "4.1 synthetic"
PAGE = "synthetic"
FIGURE = f"Figure 2: one curve a width, {NOTHING}"


@dataclass(frozen=True)
class Curves:
    """A sentence about two curves: the first rises with the second ("−": falls)."""

    claim: str
    key: str
    first: str
    second: str


LINKS = (
    Curves("τ₁ goes with the transferred loss", "rbf_correlations", "tau1", "−transferred_loss"),
    Curves("τ₂ goes with the transferred loss", "rbf_correlations", "tau2", "−transferred_loss"),
    Curves("α goes with the transferred loss", "rbf_correlations", "alpha", "−transferred_loss"),
    Curves("Theorem 2's bound tracks the true value", "rbf_theorem_2_tracks", "theorem_2_paper",
           "gradient_difference"),
    Curves("Theorem 3's bound and the loss have similar trends", "rbf_theorem_3_trend", "theorem_3_paper",
           "transferred_loss"),
    Curves("τ₁ tracks α", "rbf_tau1_tracks_alpha", "tau1", "alpha"),
)  # fmt: skip
AXES = ["green", "blue", "red", "magenta", "black"]  # the y-axes that the caption of Figure 2 names


def rows(run: Any) -> list[Row]:
    """Every sentence of section 4.1; `run` may be a `results.Absent`."""
    return [_literal(), *[_link(run, link) for link in LINKS], _beta(run), _axes()]


def _link(run: Any, link: Curves) -> Row:
    source = paper.claim(link.key)
    if not run:
        return unrecorded(PART, link.claim, at(source), FIGURE, PAGE, source.quote)
    grid, along = radial.grid(run, link.first, link.second), radial.along(run, link.first, link.second)
    stream = compute.generator(0, "verdict", link.first, link.second)
    fixed = order.evidence(grid, generator=stream) if grid else None
    ours = (
        f"along t {along.value:.2f} [{along.low:.2f}, {along.high:.2f}]; at fixed t {fixed}" if along else "–"
    )
    size = "not a test"
    if fixed and grid:
        size = f"{fixed.sources} directions × {len(grid)} targets, {fixed.seeds} seeds, {run.config.preset}"
    decision = rule.sweep(along, fixed)
    return Row(PART, link.claim, at(source), FIGURE, ours, size, decision, PAGE, source.quote, test=True)


def _literal() -> Row:
    """The data set as printed: is there a function to learn?"""
    source, seeds = paper.claim("rbf_dataset"), 5
    largest = max(float(problems.basis(problems.PROBLEMS["literal"], s)[1].max()) for s in range(seeds))
    empty = largest < 1e-3
    ours = f"the largest basis function on any sample is {number(largest, 2)}: y is constant"
    return Row(PART, "the data set as printed can be learnt", at(source), "a formula", ours, f"{seeds} seeds",
               rule.theory(not empty), PAGE, source.quote)  # fmt: skip


def _beta(run: Any) -> Row:
    """Is most of the gap between Theorem 3's bound and the loss gone, in powers of ten, without beta?"""
    source, claim = paper.claim("rbf_beta"), "Theorem 3's gap is due to β"
    if not run:
        return unrecorded(PART, claim, at(source), "none", PAGE, source.quote)
    loss = radial.points(run, "transferred_loss")
    gap = (radial.points(run, "theorem_3_paper") / loss).log10()
    left = (radial.points(run, "theorem_3_no_beta") / loss).log10()
    share = 1 - left / gap
    ours = (
        f"without β the bound is still 10^{float(left.median()):.1f} times the loss, with it "
        f"10^{float(gap.median()):.1f}; asked: more than half of the powers of ten, true at "
        f"{float((share > 0.5).double().mean()):.0%} of the points"
    )
    decision = rule.share(float((share > 0.5).double().mean()))
    size = f"{len(torch.atleast_1d(loss))} points, {run.config.preset}"
    return Row(PART, claim, at(source), "none", ours, size, decision, PAGE, source.quote)


def _axes() -> Row:
    source = paper.claim("rbf_four_axes")
    ours = f"the caption itself names {len(AXES)}: {', '.join(AXES)}"
    return Row(PART, "Figure 2 has four y-axes", at(source), "a caption", ours, "counted",
               rule.theory(len(AXES) == 4), PAGE, source.quote)  # fmt: skip
