"""The tables of the attribute chapter."""

from __future__ import annotations

from typing import Any

from torch import Tensor

from lib.base.tables import Table, number
from lib.engine import results
from lib.experiments.attributes import summary
from lib.experiments.attributes.settings import PERMUTED, UNTRAINED, attributes
from lib.experiments.attributes.summary import HEADLINE, KNOWLEDGE, MEASURES, PREDICTORS, Value, at, called
from lib.measures import estimators

LOSS, ACCURACY = PREDICTORS[HEADLINE[0]], KNOWLEDGE[HEADLINE[1]]
COLUMNS: dict[str, Value] = {
    "τ₁ (× chance)": lambda r: r["tau1"] / r["tau1_chance"],
    "τ₂": at("tau2"),
    "its kept null, 95 %": lambda r: r["tau2_kept_null"][1],
    "α²": at("alpha_squared"),
    "adversarial loss": LOSS,
    "verification accuracy": ACCURACY,
}


def reference_table(result: Any) -> Table:
    """The reference of each seed: is it a test, and what frames the losses to come?"""
    rows = []
    for seed in range(result.config.seeds):
        one = next(r for r in result.records if r["seed"] == seed)
        losses = [one["attacks"][name]["loss"] for name in ("clean", "noise", "white_box", "clean_familiar")]
        verified = ", ".join(f"{_benchmark(n)} {v:.3f}" for n, v in one["reference_verification"].items())
        passed = "yes" if one["is_test"] else "not a test"
        rows.append([seed, one["reference_accuracy"], result.config.floor, passed, verified, *losses,
                     one["own_attack"]["products"]])  # fmt: skip
    columns = ["seed", "people named", "floor", "a test", "own verification", "clean loss", "under noise",
               "attacked itself", "clean, familiar", "products"]  # fmt: skip
    return Table(columns, rows, caption=results.titled(result, "The reference models"), note=result.caption)


def source_table(result: Any) -> Table:
    """Every attribute by its adversarial loss, then the controls: means over seeds."""
    order = summary.means(result, LOSS).argsort(descending=True).tolist()
    names = [summary.source_names(result)[i] for i in order]
    rest = [
        ("own accuracy, balanced", at("baselines", "balanced_accuracy")),
        ("rarer class", at("baselines", "balance")),
        ("identity in the labels", at("baselines", "identity")),
    ]
    rows = []
    for name in [*names, *_controls(result)]:
        values = [float(summary.means(result, value, [name])) for value in COLUMNS.values()]
        own = [None if name not in names else float(summary.means(result, v, [name])) for _, v in rest]
        rows.append([called(name), *values, *own])
    columns = ["source", *COLUMNS, *[title for title, _ in rest]]
    return Table(
        columns,
        rows,
        caption=results.titled(result, "All sources"),
        note=f"Means over seeds. {result.caption}",
    )


def control_table(result: Any) -> Table:
    """The controls beside the range of the attributes."""
    rows: list[list[Any]] = []
    for title, value in COLUMNS.items():
        every = summary.means(result, value)
        spread = f"{number(float(every.min()))} to {number(float(every.max()))}"
        rows.append([title, spread, float(every.median())])
        for kind in (UNTRAINED, PERMUTED):
            found = summary.means(result, value, summary.control_names(result, kind))
            rows[-1] += [float(found.mean()), int((every > found.max()).sum())]
    columns = ["measure", "attributes", "median", "untrained", "attributes above all", "permuted labels",
               "attributes above all of these"]  # fmt: skip
    title = results.titled(result, "What a network gives that knows nothing of faces")
    return Table(columns, rows, caption=title, note=f"Means over seeds. {result.caption}")


def link_table(result: Any, reading: str = HEADLINE[1]) -> Table:
    """Which measure, rival or baseline orders all attributes as verification does; best first."""
    rows: list[list[Any]] = []
    for name in PREDICTORS:
        one = summary.link(result, name, reading)
        spread = f"{one.interval.low:.2f} to {one.interval.high:.2f}"
        kind = estimators.kind(name, MEASURES)
        each = ", ".join(f"{tau:.2f}" for tau in one.seeds)
        again = summary.reliability(result, PREDICTORS[name])
        gap = "–" if name == HEADLINE[0] else f"{one.lead.low:.2f} to {one.lead.high:.2f}"
        rows.append([name, kind, one.all.value, one.all.p_one_sided, spread, gap, each, again])
    rows.sort(key=lambda row: -row[2])
    columns = [
        "predictor",
        "kind",
        "τ_b",
        "p",
        "95 %",
        "less that of the loss, 95 %",
        "by seed",
        "with itself, other seed",
    ]
    title = f"Kendall's τ_b with {reading}, {one.n} attributes"
    note = (
        f"τ_b: mean over seeds. p: one-sided, {one.all.repeats:,} random orders of the attributes; intervals "
        f"resample them. {result.caption}"
    )
    return Table(columns, rows, caption=results.titled(result, title), note=note, digits=2)


def joint_table(result: Any) -> Table:
    """The same τ_b for each benchmark."""
    readings = list(summary.knowledge(result))
    rows: list[list[Any]] = []
    for name, value in PREDICTORS.items():
        x = summary.every(result, value)
        rows.append([name, *[summary.tau(x, summary.every(result, KNOWLEDGE[r])) for r in readings]])
    rows.append(["with itself, other seed", *[summary.reliability(result, KNOWLEDGE[r]) for r in readings]])
    return Table(
        ["predictor", *readings],
        rows,
        caption=results.titled(result, "τ_b by benchmark"),
        note=result.caption,
        digits=2,
    )


def partial_table(
    result: Any, given: tuple[str, ...] = ("identity in the labels", "balanced accuracy", "class balance")
) -> Table:
    """What is left of a measure's τ_b when a rival explanation is held fixed (Kendall's partial tau).

    Both are means over seeds of what is found within a seed.
    """
    y = summary.every(result, ACCURACY)
    rows = []
    for name in MEASURES:
        x = summary.every(result, PREDICTORS[name])
        kept = [_partial(x, y, summary.every(result, PREDICTORS[other])) for other in given]
        rows.append([name, summary.tau(x, y), *kept])
    columns = ["measure", "τ_b", *[f"given {other}" for other in given]]
    return Table(
        columns,
        rows,
        caption=results.titled(result, "Partial τ_b with verification accuracy"),
        note=result.caption,
        digits=2,
    )


def logit_table(result: Any) -> Table:
    """Two logits or one: the same networks, attacked through both and through their difference."""
    rows = []
    for name, value in (("τ₁", "tau1"), ("τ₂", "tau2"), ("α²", "alpha_squared")):
        two, one = (summary.every(result, at(*path, value)) for path in ((), ("one_logit",)))
        rows.append([name, float(two.mean()), float(one.mean()), summary.tau(two, one)])
    ratio = summary.means(result, lambda r: r["lambda"][0])
    rows.append(["λ of the source", float(ratio.mean()), 0.0, None])
    columns = ["measure", "two logits", "one: their difference", "τ_b of the two orders"]
    return Table(
        columns,
        rows,
        caption=results.titled(result, "Logits of a source"),
        note=f"Means over sources and seeds. {result.caption}",
    )


def taking_part(result: Any) -> Table:
    """How many attributes of the data set are in the run, and which the rule left out."""
    out = [called(n) for n in attributes(result.config.data) if n not in summary.source_names(result)]
    counts = [len(summary.source_names(result)), len(attributes(result.config.data))]
    columns = ["attributes that take part", "of", "left out: too few photographs with it, or without"]
    return Table(columns, [[*counts, ", ".join(out) or "none"]], note=result.caption)


def _partial(x: Tensor, y: Tensor, z: Tensor) -> float:
    """The mean over seeds, the columns."""
    found = []
    for seed in range(x.shape[1]):
        a, b, c = x[:, seed], y[:, seed], z[:, seed]
        ab, ac, bc = summary.tau(a, b), summary.tau(a, c), summary.tau(b, c)
        found.append((ab - ac * bc) / max(((1 - ac**2) * (1 - bc**2)) ** 0.5, 1e-12))
    return sum(found) / len(found)


def _controls(result: Any) -> list[str]:
    return [name for kind in (UNTRAINED, PERMUTED) for name in summary.control_names(result, kind)]


def _benchmark(name: str) -> str:
    return name.upper().replace("_", "-") if name != "strangers" else name
