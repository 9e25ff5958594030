"""The tables of the chapter on Section 4.1, each from the records of a run."""

from __future__ import annotations

from collections.abc import Sequence
from statistics import median
from typing import Any

from lib.base import paper
from lib.base.tables import Table, number
from lib.engine.results import Result
from lib.experiments.synthetic import networks, tracking
from lib.experiments.synthetic.tracking import Records
from lib.statistics import Interval

NAMES = {
    "tau1": "τ₁",
    "tau2": "τ₂",
    "alpha": "α",
    "transferred_loss": "transferred loss",
    "theorem_2_paper": "bound of Theorem 2",
    "gradient_difference": "gradient difference",
    "theorem_3_paper": "bound of Theorem 3",
}
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


def problem(variants: Sequence[str] = ("default", "literal", "icml")) -> Table:
    """The numbers of each variant of the problem."""
    numbers = [networks.PROBLEMS[name] for name in variants]
    rows: list[list[Any]] = [
        ["n, inputs", *[p.inputs for p in numbers]],
        ["d, outputs", *[p.outputs for p in numbers]],
        ["M, basis functions", *[p.functions for p in numbers]],
        ["N, samples", *[p.samples for p in numbers]],
        ["centres of the mixture", *[p.centres for p in numbers]],
        ["s in φ = exp(−|x − μ|² / s)", *["100 U(0, 1)" if p.wide else "(2 U(−½, ½))²" for p in numbers]],
        ["y", *["Cφ + b" if p.bias else "Cφ" for p in numbers]],
    ]  # fmt: skip
    return Table(["", *variants], rows)


def targets(seeds: int, variants: Sequence[str] = ("default", "literal")) -> Table:
    """How much there is to learn: the largest basis value and the targets' variance, medians over seeds."""
    rows = []
    for name in variants:
        drawn = [networks.basis(networks.PROBLEMS[name], seed)[1] for seed in range(seeds)]
        y = [networks.sample(networks.PROBLEMS[name], seed)[1] for seed in range(seeds)]
        rows.append([
            name,
            max(float(phi.max()) for phi in drawn),
            median(float(phi.mean()) for phi in drawn),
            median(float(networks.squared(part - part.mean(0))) for part in y),
        ])  # fmt: skip
    columns = ["variant", "largest φ, any seed", "mean φ", "variance of y"]
    return Table(columns, rows, note=f"seeds 0-{seeds - 1}")


def references(result: Result) -> Table:
    """Is it a test? The target's loss as a share of the variance, in and out of sample, and its rivals'."""
    rows = []
    for pair in tracking.pairs(result.records):
        own = tracking.own(result.records, pair)
        shares = [
            median(row[name] / row["target_variance"] for row in own)
            for name in (
                "reference_loss",
                "reference_loss_fresh",
                "linear_loss",
                "blank_loss",
                "blank_loss_fresh",
            )
        ]
        passed = sum(tracking.trained(row, result.config.floor) for row in own)
        rows.append([tracking.label(pair), *shares, f"{passed} of {len(own)}"])
    columns = [
        "width",
        "f_T",
        "f_T, fresh x",
        "linear fit",
        "random hidden layer",
        "the same, fresh x",
        "trained",
    ]
    return Table(columns, rows, note=f"Loss over the variance of y, medians over seeds. {result.caption}")


def tracking_table(result: Result) -> Table:
    """Each correlation that the text claims: along the sweep, with seeds mismatched, and at fixed t."""
    found, note = _tracked(result)
    rows = [
        [
            f"{NAMES[item.link.first]} and {'−' if item.link.sign < 0 else ''}{NAMES[item.link.second]}",
            tracking.label((item.width, item.source_width)),
            _interval(item.along),
            item.sign_p,
            item.other_seeds.null,
            item.other_seeds.p_one_sided,
            _interval(item.fixed_interval) if item.fixed_interval else None,
            item.adjusted,
        ]
        for item in found
    ]
    columns = [
        "pair",
        "width",
        "along t",
        "p, signs",
        "other seeds' curve",
        "p, above other seeds",
        "at fixed t",
        "p, Holm",
    ]
    explained = "Kendall's tau-b: mean over seeds [95 % t interval over seeds, cut at -1 and 1]. "
    explained += "Every p is one-sided. " + note
    return Table(columns, rows, note=explained, digits=2)


def verdicts(result: Result) -> Table:
    """The sentences of Section 4.1 about its curves, each with what the rule of `claims.Tracking` decides."""
    found, note = _tracked(result)
    pairs = tracking.pairs(tested(result))
    rows = [
        [paper.claim(link.claim).quote, f"{NAMES[link.first]}, {NAMES[link.second]}"]
        + [item.finding for item in found if item.link == link]
        for link in tracking.LINKS
    ]
    return Table(["as printed", "pair", *[f"width {tracking.label(p)}" for p in pairs]], rows, note=note)


def ratios(result: Result) -> Table:
    """Each bound over what it bounds, where the source has moved: median [10 %, 90 %] of all points."""
    pairs = tracking.pairs(result.records)
    rows = [
        [name, *[_interval(tracking.ratio(result.records, over, under, pair)) for pair in pairs]]
        for over, under, name in RATIOS
    ]
    return Table(
        ["bound over the true value", *[f"width {tracking.label(p)}" for p in pairs]],
        rows,
        note=result.caption,
    )


def smoothness(result: Result) -> Table:
    """beta at the two ends of the sweep from above and from below, the radius, and its share of Theorem 3."""
    rows = []
    for pair in tracking.pairs(result.records):
        own = tracking.own(result.records, pair)
        share = _interval(tracking.smoothness_share(result.records, pair))
        radius = median(row["radius"] for row in own)
        for index, t in ((0, 0.0), (-1, own[0]["t"][-1])):
            values = [
                median(row[name][index] for row in own) for name in ("beta_sampled", "beta", "beta_product")
            ]
            rows.append([tracking.label(pair), t, *values, radius, share])
    columns = ["width", "t", "β, found", "β, certified", "c |W₁|² |W₂|", "max |x|", "β's share of the root"]
    note = f"β of the less smooth of source and target; medians over seeds. {result.caption}"
    return Table(columns, rows, note=note)


def movements(results: dict[str, Result], t: float) -> Table:
    """What moves with t: the same sweep for each reading of W, medians over seeds at one t."""
    names = ("tau1", "tau2", "alpha_squared", "gradient_difference", "transferred_loss", "affine_loss")
    rows = []
    for reading, result in results.items():
        index = result.records[0]["t"].index(t)
        rows.append([reading, *[median(row[name][index] for row in result.records) for name in names]])
    columns = ["what moves", "τ₁", "τ₂", "α²", "gradient difference", "last layer refit", "best affine g"]
    return Table(columns, rows, note=f"t = {t:g}. {next(iter(results.values())).caption}")


def strangers(result: Result, t: float) -> Table:
    """tau1 and tau2 at one t, beside what an untrained network and the two nulls of tau2 reach; medians."""
    index = result.records[0]["t"].index(t)
    names = ("tau1", "blank_tau1", "tau2", "tau2_split", "blank_tau2", "tau2_kept_high", "tau2_null_high")
    rows = []
    for pair in tracking.pairs(result.records):
        own = tracking.own(result.records, pair)
        found = {
            name: median(row[name][index] if isinstance(row[name], list) else row[name] for row in own)
            for name in names
        }
        rows.append([tracking.label(pair), *found.values()])
    columns = [
        "width",
        "τ₁",
        "τ₁, untrained network",
        "τ₂",
        "τ₂, split half",
        "τ₂, untrained network",
        "τ₂, null, signs kept, 95 %",
        "τ₂, null, random signs, 95 %",
    ]
    note = f"t = {t:g}; medians over seeds; 95 %: the point that 95 % of a null's draws stay below. "
    note += result.caption
    return Table(columns, rows, note=note)


def tested(result: Result) -> Records:
    """The records that are a test: of seeds whose targets are all trained to the floor; none if under two."""
    failed = {row["seed"] for row in result.records if not tracking.trained(row, result.config.floor)}
    kept = [row for row in result.records if row["seed"] not in failed]
    return kept if len({row["seed"] for row in kept}) > 1 else []


def _tracked(result: Result) -> tuple[list[tracking.Tracking], str]:
    """The tracking of the records that are a test, and the note that goes with it."""
    kept = tested(result)
    if not kept:
        return [], f"Not a test: fewer than two seeds have a trained target. {result.caption}"
    left_out = len(result.records) - len(kept)
    return tracking.tracking(kept), (
        f"{left_out} sweeps left out: not a test. " if left_out else ""
    ) + result.caption


def _interval(found: Interval) -> str:
    return f"{number(found.value)} [{number(found.low)}, {number(found.high)}]"
