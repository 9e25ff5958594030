"""What Section 4.1 says that one look at every point can decide: rows for `lib.theory.ledger.Row(*fact)`."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from torch import Tensor

from lib.base import paper
from lib.base.tables import number
from lib.engine.results import Result
from lib.experiments.synthetic import controls, tracking

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
        _literal_curves(literal),
    ]


def recorded(result: Result) -> list[Fact]:
    """What the recorded run adds: transfer beyond an untrained network, Theorem 3 at fixed t."""
    return [_beyond_untrained(result), _theorem_3_trend(result)]


def paired(found: Sequence[controls.Pairing]) -> Fact:
    """Our own hypothesis: without the projection, the deviations agree sample by sample."""

    def check() -> bool:
        costs_more = all(p.tau2 / p.explained < p.tau2_null / p.explained_null for p in found)
        return controls.above_null(found, projected=False) == len(found) and costs_more

    least, most = (number(pick(p.explained - p.explained_null for p in found), 2) for pick in (min, max))
    text = (
        f"R² without projection is above the null with kept signs in "
        f"{controls.above_null(found, projected=False)} of {len(found)} networks, by {least} to {most}; "
        f"τ₂ is in {controls.above_null(found, projected=True)}. Of R² the projection leaves at most "
        f"{max(p.tau2 / p.explained for p in found):.0%} to the right pairs, at least "
        f"{min(p.tau2_null / p.explained_null for p in found):.0%} to the shuffled ones"
    )
    return _decided("knowing the right sample adds to what is explained", "ours", "—", text, check)


class _Whole:
    """A quantity over all seeds, directions and points, in all pairs of widths."""

    def __init__(self, result: Result):
        self.records = result.records
        self.pairs = tracking.pairs(result.records)

    def __call__(self, name: str) -> list[Tensor]:
        return [tracking.curves(self.records, name, pair) for pair in self.pairs]

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
    return _decided(claim, f"{source.place}, p. {source.page}", source.quote, found, check)


def _decided(claim: str, where: str, printed: str, found: str, check: Callable[[], bool]) -> Fact:
    verdict = "observed" if check() else "refuted"
    checks = (check,) if verdict == "observed" else (lambda: not check(),)
    return claim, where, printed, found, verdict, checks


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
    shares = [tracking.smoothness_share(whole.records, pair) for pair in whole.pairs]
    rest = whole.times("theorem_3_no_beta", "transferred_loss")
    low, high = number(min(s.low for s in shares), 2), number(max(s.high for s in shares), 2)
    found = (
        f"its term is {low} to {high} of the root (80 % of the points); "
        f"without it the expression is still {rest} times the refit loss"
    )
    return _fact("the gap is due to β", "rbf_beta", found, lambda: all(share.low > 0.5 for share in shares))


def _proposition_2(whole: _Whole) -> Fact:
    gaps = [
        max(tracking.distance(whole.records, "tau1", name, pair) for pair in whole.pairs)
        for name in ("alpha_squared", "alpha")
    ]
    worst = max(float(v.max()) for v in whole("lambda_target"))
    found = (
        f"α² lies between Proposition 2's ends at every point; it is within {number(gaps[0], 2)} of τ₁, "
        f"its root only within {number(gaps[1], 2)}. λ_T is at most {number(worst, 2)} at any sample"
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


def _literal_curves(literal: Result) -> Fact:
    """Figure 2 has a loss that rises with t: not from the formula as printed, where tau1 falls at once."""
    rows = literal.records
    change = [row["transferred_loss"][-1] / row["transferred_loss"][0] - 1 for row in rows]
    first = [(row["tau1"][0] - row["tau1"][1]) / (row["tau1"][0] - row["tau1"][-1]) for row in rows]
    return _fact(
        "with σ ~ U(−½, ½) as printed, the transferred loss rises with t",
        "rbf_correlations",
        f"it changes by {min(change):.1%} to {max(change):.1%} from t = 0 to 1; "
        f"{min(first):.0%} or more of τ₁'s fall is in the first step",
        lambda: all(c > 0 for c in change) or all(f < 0.5 for f in first),
    )


def _beyond_untrained(result: Result) -> Fact:
    ratios = [row["transferred_loss"][-1] / row["blank_loss"] for row in result.records]
    found = (
        f"at t = 1 the refit loss is {number(min(ratios), 2)} to {number(max(ratios), 2)} times that of a "
        f"random hidden layer, below it in {sum(r < 1 for r in ratios)} of {len(ratios)} sweeps"
    )
    return _decided("something is transferred at t = 1", "ours", "—", found, lambda: max(ratios) < 1)


def _theorem_3_trend(result: Result) -> Fact:
    link = next(one for one in tracking.LINKS if one.claim == "rbf_theorem_3_trend")
    pooled = tracking.pooled(result.records, link)
    source = paper.claim(link.claim)
    spread = f"[{pooled.low:.2f}, {pooled.high:.2f}]"
    found = f"mean τ_b of both widths {pooled.value:.2f} {spread}, 95 % over seeds"
    rises, falls = pooled.low > 0, pooled.high < 0
    return (
        "at fixed t, Theorem 3's bound rises with the loss",
        f"{source.place}, p. {source.page}",
        source.quote,
        f"it falls as the loss rises: {found}" if falls else found,
        "observed" if rises else "not shown",
        ((lambda: pooled.low > 0) if rises else (lambda: pooled.low <= 0),),
    )
