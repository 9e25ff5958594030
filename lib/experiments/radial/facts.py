"""What Section 4.1 says that one look at every point can decide: rows for `lib.ledger.Row(*fact)`."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from torch import Tensor

from lib import paper
from lib.experiments.radial import claims
from lib.records import Result
from lib.tables import number

Fact = tuple[str, str, str, str, str, tuple[Callable[[], bool], ...]]
SLACK = 1e-9  # of inequalities that hold with equality at t = 0


def facts(result: Result, literal: Result) -> list[Fact]:
    """(claim, where, as printed, what we found, verdict, checks); refuted where it fails at any point.

    `literal` is a run of the variant "literal".
    """
    whole = _Whole(result)
    return [
        _alpha_range(whole),
        _theorem_2(whole),
        _theorem_3_vacuous(whole),
        _beta(whole),
        _proposition_2(whole),
        _literal(literal),
    ]


class _Whole:
    """A quantity over all seeds, directions and points, in all pairs of widths."""

    def __init__(self, result: Result):
        self.records = result.records
        self.pairs = claims.pairs(result.records)

    def __call__(self, name: str) -> list[Tensor]:
        return [claims.curves(self.records, name, pair) for pair in self.pairs]

    def every(self, low: str, high: str) -> bool:
        return all(bool((a <= b * (1 + SLACK) + SLACK).all()) for a, b in zip(self(low), self(high)))

    def times(self, over: str, under: str) -> str:
        """The smallest and the largest ratio over the points with t > 0."""
        values = [(a / b)[:, :, 1:] for a, b in zip(self(over), self(under))]
        return (
            f"{number(min(float(v.min()) for v in values))} to {number(max(float(v.max()) for v in values))}"
        )


def _fact(claim: str, key: str, found: str, check: Callable[[], bool]) -> Fact:
    source = paper.claim(key)
    verdict = "observed" if check() else "refuted"
    checks = (check,) if verdict == "observed" else (lambda: not check(),)
    return claim, f"{source.place}, p. {source.page}", source.quote, found, verdict, checks


def _alpha_range(whole: _Whole) -> Fact:
    low = min(float(v.min()) for v in whole("alpha"))
    high = max(float(v.max()) for v in whole("alpha"))
    return _fact(
        "α lies in [0, 1]",
        "alpha_range",
        f"from {number(low)} to {number(high)}",
        lambda: 0 <= low <= high <= 1,
    )


def _theorem_2(whole: _Whole) -> Fact:
    paper_times = whole.times("theorem_2_paper", "gradient_difference")
    sharp = whole.times("theorem_2_constant_two", "gradient_difference")
    found = f"above it at every point, {paper_times} times; with the constant 2, {sharp} times"
    return _fact(
        "Theorem 2's bound lies above the gradient difference",
        "rbf_theorem_2_tracks",
        found,
        lambda: whole.every("gradient_difference", "theorem_2_constant_two"),
    )


def _theorem_3_vacuous(whole: _Whole) -> Fact:
    times = whole.times("theorem_3_paper", "theorem_g_loss")
    refit = whole.times("theorem_3_paper", "transferred_loss")
    return _fact(
        "Theorem 3's bound can be big",
        "rbf_theorem_3_trend",
        f"{times} times the loss of the theorem's own g, {refit} times that of the refit last layer",
        lambda: whole.every("theorem_g_loss", "theorem_3_half_beta"),
    )


def _beta(whole: _Whole) -> Fact:
    shares = [claims.smoothness_share(whole.records, pair) for pair in whole.pairs]
    rest = whole.times("theorem_3_no_beta", "transferred_loss")
    low, high = number(min(s.low for s in shares), 2), number(max(s.high for s in shares), 2)
    found = (
        f"its term is {low} to {high} of the root (80 % of the points); "
        f"without it the expression is still {rest} times the refit loss"
    )
    return _fact("the gap is due to β", "rbf_beta", found, lambda: all(share.low > 0.5 for share in shares))


def _proposition_2(whole: _Whole) -> Fact:
    gaps = [
        max(claims.distance(whole.records, "tau1", name, pair) for pair in whole.pairs)
        for name in ("alpha_squared", "alpha")
    ]
    found = (
        f"α² lies between Proposition 2's ends at every point; it is within {number(gaps[0], 2)} of τ₁, "
        f"its root only within {number(gaps[1], 2)}"
    )
    return _fact(
        "τ₁ is near the squared α, as Proposition 2 says",
        "rbf_tau1_tracks_alpha",
        found,
        lambda: (
            whole.every("proposition_2_lower", "alpha_squared")
            and whole.every("alpha_squared", "proposition_2_upper")
            and gaps[0] < gaps[1]
        ),
    )


def _literal(literal: Result) -> Fact:
    def share(row: dict[str, Any]) -> float:
        return row["reference_loss"] / row["target_variance"]

    least = min(map(share, literal.records))
    return _fact(
        "with σ ~ U(−½, ½) as printed, f_T learns the target function",
        "rbf_dataset",
        f"its loss is at least {number(least)} times the variance of y: a constant does better",
        lambda: least < 1,
    )
