"""What Section 4.1 says that one look at every point can decide, and our own questions beside it."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from torch import Tensor

from lib.base import paper
from lib.base.tables import number
from lib.engine.results import Record, Result
from lib.experiments.synthetic import pairing, tracking
from lib.theory.ledger import OURS, Row

SLACK = 1e-9  # of inequalities that hold with equality at t = 0


def rows(result: Result, literal: Result) -> list[Row]:
    """Refuted where it fails at any point; `literal` is a run of the variant "literal"."""
    whole = _Whole(result.records)
    swept = [one(whole) for one in (_alpha_range, _theorem_2, _theorem_3_vacuous, _beta, _proposition_2)]
    return [*swept, _literal(literal), _literal_curves(literal)]


def recorded(result: Result) -> list[Row]:
    """What the recorded run adds: transfer beyond an untrained network, Theorem 3 at fixed t."""
    return [_beyond_untrained(result), _theorem_3_trend(result)]


def paired(found: Sequence[pairing.Pairing]) -> Row:
    """Our own hypothesis: without the projection, the deviations agree sample by sample."""

    def check() -> bool:
        costs_more = all(p.tau2 / p.explained < p.tau2_null / p.explained_null for p in found)
        return pairing.above_null(found, projected=False) == len(found) and costs_more

    least, most = (number(pick(p.explained - p.explained_null for p in found), 2) for pick in (min, max))
    text = (
        f"R² without projection is above the null with kept signs in "
        f"{pairing.above_null(found, projected=False)} of {len(found)} networks, by {least} to {most}; "
        f"τ₂ is in {pairing.above_null(found, projected=True)}. Of R² the projection leaves at most "
        f"{max(p.tau2 / p.explained for p in found):.0%} to the right pairs, at least "
        f"{min(p.tau2_null / p.explained_null for p in found):.0%} to the shuffled ones"
    )
    return _row("knowing the right sample adds to what is explained", None, text, check)


class _Whole:
    """A quantity over all seeds, directions and points, in all pairs of widths."""

    def __init__(self, records: Sequence[Record]):
        self.records = records
        self.pairs = list(tracking.sweeps(records))

    def __call__(self, name: str) -> list[Tensor]:
        return [tracking.curves(self.records, name, pair) for pair in self.pairs]

    def every(self, low: str, high: str) -> bool:
        """Whether one quantity is nowhere above the other."""
        return all(bool((a <= b * (1 + SLACK) + SLACK).all()) for a, b in zip(self(low), self(high)))

    def times(self, over: str, under: str) -> str:
        """The smallest and the largest ratio over the points with t > 0."""
        return _to(*_ends([(a / b)[:, :, 1:] for a, b in zip(self(over), self(under))]))

    def distance(self, first: str, second: str) -> float:
        """The largest difference at any point."""
        return max(float((a - b).abs().max()) for a, b in zip(self(first), self(second)))


def _ends(values: Sequence[Tensor]) -> tuple[float, float]:
    return min(float(v.min()) for v in values), max(float(v.max()) for v in values)


def _to(low: float, high: float, digits: int = 3) -> str:
    return f"{number(low, digits)} to {number(high, digits)}"


def _row(claim: str, key: str | None, found: str, check: Callable[[], bool]) -> Row:
    """Observed or refuted, as the check says; `key` is the paper's sentence, None for a question of ours."""
    stands = (OURS, "—") if key is None else _printed(key)
    if check():
        return Row(claim, *stands, found, "observed", (check,))
    return Row(claim, *stands, found, "refuted", (lambda: not check(),))


def _printed(key: str) -> tuple[str, str]:
    source = paper.claim(key)
    return f"{source.place}, p. {source.page}", source.quote


def _alpha_range(whole: _Whole) -> Row:
    low, high = _ends(whole("alpha"))
    found = f"from {_to(low, high)}"
    return _row("α lies in [0, 1]", "alpha_range", found, lambda: 0 <= low <= high <= 1)


def _theorem_2(whole: _Whole) -> Row:
    true, sharp = "gradient_difference", "theorem_2_constant_two"
    printed, two = (whole.times(form, true) for form in ("theorem_2_paper", sharp))
    found = f"above it at every point, {printed} times; with the constant 2, {two} times"
    claim = "Theorem 2's bound lies above the gradient difference"
    return _row(claim, "rbf_theorem_2_tracks", found, lambda: whole.every(true, sharp))


def _theorem_3_vacuous(whole: _Whole) -> Row:
    own, refit = (whole.times("theorem_3_paper", loss) for loss in ("theorem_g_loss", "transferred_loss"))
    found = f"{own} times the loss of the theorem's own g, {refit} times that of the refit last layer"
    return _row("Theorem 3's bound can be big", "rbf_theorem_3_trend", found,
                lambda: whole.every("theorem_g_loss", "theorem_3_half_beta"))  # fmt: skip


def _beta(whole: _Whole) -> Row:
    shares = [tracking.smoothness_share(whole.records, pair) for pair in whole.pairs]
    found = (
        f"its term is {_to(min(s.low for s in shares), max(s.high for s in shares), 2)} of the root "
        f"(80 % of the points); without it the expression is still "
        f"{whole.times('theorem_3_no_beta', 'transferred_loss')} times the refit loss"
    )
    return _row("the gap is due to β", "rbf_beta", found, lambda: all(share.low > 0.5 for share in shares))


def _proposition_2(whole: _Whole) -> Row:
    squared, root = (whole.distance("tau1", name) for name in ("alpha_squared", "alpha"))
    found = (
        f"α² lies between Proposition 2's ends at every point; it is within {number(squared, 2)} of τ₁, "
        f"its root only within {number(root, 2)}. λ_T is at most "
        f"{number(_ends(whole('lambda_target'))[1], 2)} at any sample"
    )

    def check() -> bool:
        above = whole.every("proposition_2_lower", "alpha_squared")
        return above and whole.every("alpha_squared", "proposition_2_upper") and squared < root

    return _row("τ₁ is near the squared α, as Proposition 2 says", "rbf_tau1_tracks_alpha", found, check)


def _literal(literal: Result) -> Row:
    least = min(row["reference_loss"] / row["target_variance"] for row in literal.records)
    claim = "with σ ~ U(−½, ½) as printed, f_T learns the target function"
    found = f"its loss is at least {number(least)} times the variance of y: a constant does better"
    return _row(claim, "rbf_dataset", found, lambda: bool(least < 1))


def _literal_curves(literal: Result) -> Row:
    """Figure 2 has a loss that rises with t: not from the formula as printed, where tau1 falls at once."""
    rows = literal.records
    change = [row["transferred_loss"][-1] / row["transferred_loss"][0] - 1 for row in rows]
    first = [(row["tau1"][0] - row["tau1"][1]) / (row["tau1"][0] - row["tau1"][-1]) for row in rows]
    claim = "with σ ~ U(−½, ½) as printed, the transferred loss rises with t"
    found = f"it changes by {min(change):.1%} to {max(change):.1%} from t = 0 to 1; "
    found += f"{min(first):.0%} or more of τ₁'s fall is in the first step"
    return _row(claim, "rbf_correlations", found, lambda: min(change) > 0 or max(first) < 0.5)


def _beyond_untrained(result: Result) -> Row:
    ratios = [row["transferred_loss"][-1] / row["blank_loss"] for row in result.records]
    found = (
        f"at t = 1 the refit loss is {_to(min(ratios), max(ratios), 2)} times that of a "
        f"random hidden layer, below it in {sum(r < 1 for r in ratios)} of {len(ratios)} sweeps"
    )
    return _row("something is transferred at t = 1", None, found, lambda: bool(max(ratios) < 1))


def _theorem_3_trend(result: Result) -> Row:
    link = next(one for one in tracking.LINKS if one.claim == "rbf_theorem_3_trend")
    mean = tracking.over_seeds(tracking.at_fixed_t(result.records, link.first, link.turned))
    found = f"mean τ_b of both widths {mean.value:.2f} [{mean.low:.2f}, {mean.high:.2f}], 95 % over seeds"
    rises, falls = mean.low > 0, mean.high < 0
    return Row(
        "at fixed t, Theorem 3's bound rises with the loss",
        *_printed(link.claim),
        f"it falls as the loss rises: {found}" if falls else found,
        "observed" if rises else "not shown",
        ((lambda: mean.low > 0) if rises else (lambda: mean.low <= 0),),
    )
