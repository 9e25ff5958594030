"""The tables of the chapter on Section 4.1, each from the records of a run."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from statistics import median
from typing import Any

from lib.base import paper
from lib.base.tables import Table, number
from lib.engine.results import Record, Result
from lib.experiments.synthetic import networks, pairing, tracking
from lib.experiments.synthetic.tracking import label, sweeps
from lib.statistics import Interval

NAMES = {
    "tau1": "τ₁", "tau2": "τ₂", "alpha": "α", "transferred_loss": "transferred loss",
    "theorem_2_paper": "bound of Theorem 2", "gradient_difference": "gradient difference",
    "theorem_3_paper": "bound of Theorem 3",
}  # fmt: skip
RATIOS = (  # bound, what it bounds, how the bound is called
    ("theorem_2_lipschitz", "gradient_difference", "Theorem 2, Lipschitz form"),
    ("theorem_2_paper", "gradient_difference", "Theorem 2, as printed (5)"),
    ("theorem_2_constant_two", "gradient_difference", "Theorem 2, constant 2"),
    ("theorem_2_minkowski", "gradient_difference", "Theorem 2, square of sums"),
    ("theorem_2_pointwise", "gradient_difference", "Theorem 2, pointwise"),
    ("theorem_3_paper", "theorem_g_loss", "Theorem 3, as printed"),
    ("theorem_3_half_beta", "theorem_g_loss", "Theorem 3, β / 2"),
    ("theorem_3_sampled_beta", "theorem_g_loss", "Theorem 3, β / 2 with the sharpest bend found (no bound)"),
    ("theorem_3_no_beta", "theorem_g_loss", "Theorem 3 without its β term (no bound)"),
    ("theorem_3_paper", "transferred_loss", "Theorem 3, as printed, against the refit last layer"),
    ("theorem_3_no_beta", "transferred_loss", "without its β term, against the refit last layer"),
)
Column = Callable[[Sequence[Record]], Any]  # from the records of one pair of widths
SHARES = "Loss over the variance of y, medians over seeds."


def problem(variants: Sequence[str] = ("default", "literal", "icml")) -> Table:
    """The numbers of each variant of the problem."""
    names = ("n, inputs", "d, outputs", "M, basis functions", "N, samples", "centres of the mixture",
             "s in φ = exp(−|x − μ|² / s)", "y")  # fmt: skip
    columns = [
        [p.inputs, p.outputs, p.functions, p.samples, p.centres,
         "100 U(0, 1)" if p.wide else "(2 U(−½, ½))²", "Cφ + b" if p.bias else "Cφ"]
        for p in map(networks.PROBLEMS.__getitem__, variants)
    ]  # fmt: skip
    return Table(["", *variants], list(zip(names, *columns)))


def targets(seeds: int, variants: Sequence[str] = ("default", "literal")) -> Table:
    """How much there is to learn: the largest basis value and the targets' variance, medians over seeds."""
    rows = []
    for name in variants:
        drawn = [networks.basis(networks.PROBLEMS[name], seed)[1] for seed in range(seeds)]
        y = [networks.sample(networks.PROBLEMS[name], seed)[1] for seed in range(seeds)]
        largest, mean = max(float(phi.max()) for phi in drawn), median(float(phi.mean()) for phi in drawn)
        rows.append([name, largest, mean, median(float(networks.squared(part - part.mean(0))) for part in y)])
    columns = ["variant", "largest φ, any seed", "mean φ", "variance of y"]
    return Table(columns, rows, note=f"seeds 0-{seeds - 1}")


def references(result: Result) -> Table:
    """Is it a test? The target's loss as a share of the variance, in and out of sample, and its rivals'."""

    def passed(own: Sequence[Record]) -> str:
        return f"{sum(tracking.trained(row, result.config.floor) for row in own)} of {len(own)}"

    losses = {
        "f_T": "reference_loss", "f_T, fresh x": "reference_loss_fresh", "linear fit": "linear_loss",
        "random hidden layer": "blank_loss", "the same, fresh x": "blank_loss_fresh",
    }  # fmt: skip
    columns = {title: _middle(name, share=True) for title, name in losses.items()}
    return _by_width(result, {**columns, "trained": passed}, SHARES)


def untrained(result: Result) -> Table:
    """The refit loss at the end of the sweep beside that of the random hidden layer: is anything left?"""

    def better(own: Sequence[Record]) -> str:
        return f"{sum(row['transferred_loss'][-1] < row['blank_loss'] for row in own)} of {len(own)}"

    columns = {
        "last layer refit, t = 1": _middle("transferred_loss", -1, share=True),
        "random hidden layer": _middle("blank_loss", share=True),
        "sweeps in which the first is less": better,
    }
    return _by_width(result, columns, SHARES)


def strangers(result: Result, t: float) -> Table:
    """tau1 and tau2 at one t, beside what an untrained network and the two nulls of tau2 reach; medians."""
    index = result.records[0]["t"].index(t)
    columns = {
        "τ₁": _middle("tau1", index),
        "τ₁, untrained network": _middle("blank_tau1"),
        "τ₂": _middle("tau2", index),
        "τ₂, split half": _middle("tau2_split", index),
        "τ₂, untrained network": _middle("blank_tau2"),
        "τ₂, null, signs kept, 95 %": _middle("tau2_kept_high", index),
        "τ₂, null, random signs, 95 %": _middle("tau2_null_high", index),
    }
    note = f"t = {t:g}; medians over seeds; 95 %: the point that 95 % of a null's draws stay below."
    return _by_width(result, columns, note)


def over_t(results: Mapping[str, Result]) -> Table:
    """tau1, tau2 and the refit loss, as a share of the best constant's, at every t; medians over seeds."""
    first = next(iter(results.values()))
    grid = first.records[0]["t"]
    columns: dict[str, list[Any]] = {}
    for name, title in (("tau1", "τ₁"), ("tau2", "τ₂"), ("transferred_loss", "refit")):
        at = [_middle(name, index, share=title == "refit") for index in range(len(grid))]
        columns |= {f"{title}, {key}": [one(r.records) for one in at] for key, r in results.items()}
    note = f"refit: loss of the refit last layer over the variance of y. Medians over seeds. {first.caption}"
    return Table(["t", *columns], list(zip(grid, *columns.values())), note=note)


def movements(results: Mapping[str, Result], t: float) -> Table:
    """What moves with t: the same sweep for each reading of W, medians over seeds at one t."""
    columns = {
        "τ₁": "tau1",
        "τ₂": "tau2",
        "α²": "alpha_squared",
        "gradient difference": "gradient_difference",
        "last layer refit": "transferred_loss",
        "best affine g": "affine_loss",
    }
    rows = []
    for reading, result in results.items():
        index = result.records[0]["t"].index(t)
        rows.append([reading, *[_middle(name, index)(result.records) for name in columns.values()]])
    note = f"t = {t:g}. {next(iter(results.values())).caption}"
    return Table(["what moves", *columns], rows, note=note)


def ratios(result: Result) -> Table:
    """Each bound over what it bounds, where the source has moved: median [10 %, 90 %] of all points."""
    pairs = list(sweeps(result.records))
    rows = [
        [name, *[_interval(tracking.ratio(result.records, over, under, pair)) for pair in pairs]]
        for over, under, name in RATIOS
    ]
    columns = ["bound over the true value", *[f"width {label(p)}" for p in pairs]]
    return Table(columns, rows, note=result.caption)


def smoothness(result: Result) -> Table:
    """beta at the two ends of the sweep from above and from below, the radius, and its share of Theorem 3."""
    rows = []
    for pair, own in sweeps(result.records).items():
        share = _interval(tracking.smoothness_share(result.records, pair))
        for index, t in ((0, 0.0), (-1, own[0]["t"][-1])):
            betas = [_middle(name, index)(own) for name in ("beta_sampled", "beta", "beta_product")]
            rows.append([label(pair), t, *betas, _middle("radius")(own), share])
    columns = ["width", "t", "β, found", "β, certified", "c |W₁|² |W₂|", "max |x|", "β's share of the root"]
    note = f"β of the less smooth of source and target; medians over seeds. {result.caption}"
    return Table(columns, rows, note=note)


def pairings(found: Sequence[pairing.Pairing], caption: str) -> Table:
    """Medians over seeds, and in how many networks the value is above its null's 95 % point."""
    rows = []
    for width in dict.fromkeys(item.width for item in found):
        own = [item for item in found if item.width == width]
        names = ("psi", "tau2", "tau2_null", "explained", "explained_null")
        psi, *values = (median(getattr(item, name) for item in own) for name in names)
        above = [f"{pairing.above_null(own, projected=one)} of {len(own)}" for one in (True, False)]
        rows.append([width, psi, *values[:2], above[0], *values[2:], above[1]])
    columns = ["width", "ψ", "τ₂", "its null", "above", "R², no projection", "its null", "above"]
    note = f"t = 1; null: the 95 % point of {pairing.REPEATS} shuffles, signs kept; medians over seeds."
    return Table(columns, rows, note=f"{note} {caption}")


def links(result: Result) -> Table:
    """Each correlation that the text claims: along the sweep, with seeds mismatched, and at fixed t."""
    found, note = _tracked(result)
    rows = []
    for item in found:
        pair = f"{NAMES[item.link.first]} and {'−' if item.link.sign < 0 else ''}{NAMES[item.link.second]}"
        fixed, others = item.fixed_interval and _interval(item.fixed_interval), item.other_seeds
        along = [_interval(item.along), item.sign_p, others.null, others.p_one_sided]
        rows.append([pair, label(item.pair), *along, fixed, item.adjusted])
    columns = ["pair", "width", "along t", "p, signs", "other seeds' curve", "p, above other seeds",
               "at fixed t", "p, Holm"]  # fmt: skip
    explained = "Kendall's tau-b: mean over seeds [95 % t interval over seeds, cut at -1 and 1]. "
    return Table(columns, rows, note=f"{explained}Every p is one-sided. {note}", digits=2)


def verdicts(result: Result) -> Table:
    """The sentences of Section 4.1 about its curves, each with what the rule of `Tracking` decides."""
    found, note = _tracked(result)
    rows = [
        [paper.claim(link.claim).quote, f"{NAMES[link.first]}, {NAMES[link.second]}"]
        + [item.finding for item in found if item.link == link]
        for link in tracking.LINKS
    ]
    widths = [f"width {label(pair)}" for pair in sweeps(tracking.tested(result))]
    return Table(["as printed", "pair", *widths], rows, note=note)


def _tracked(result: Result) -> tuple[list[tracking.Tracking], str]:
    """The tracking of the records that are a test, and the note that goes with it."""
    kept = tracking.tested(result)
    if not kept:
        return [], f"Not a test: fewer than two seeds have a trained target. {result.caption}"
    left_out = len(result.records) - len(kept)
    note = f"{left_out} sweeps left out: not a test. " if left_out else ""
    return tracking.tracking(kept), note + result.caption


def _by_width(result: Result, columns: Mapping[str, Column], note: str) -> Table:
    """A row for each pair of widths."""
    pairs = sweeps(result.records).items()
    rows = [[label(pair), *[column(own) for column in columns.values()]] for pair, own in pairs]
    return Table(["width", *columns], rows, note=f"{note} {result.caption}")


def _middle(name: str, index: int | None = None, *, share: bool = False) -> Column:
    """The median of a quantity (at a point of the sweep), as a share of the targets' variance if asked."""

    def value(row: Record) -> float:
        found: float = row[name] if index is None else row[name][index]
        return found / row["target_variance"] if share else found

    return lambda rows: median(map(value, rows))


def _interval(found: Interval) -> str:
    return f"{number(found.value)} [{number(found.low)}, {number(found.high)}]"
