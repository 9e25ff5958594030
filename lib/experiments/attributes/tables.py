"""The tables of the attribute chapter; the last ones set the paper, or what its authors released, beside."""

from __future__ import annotations

import math
from typing import Any

import torch
from torch import Tensor

from lib import statistics
from lib.base import paper, streams
from lib.base.tables import Table, number
from lib.engine.results import Result, Value, at
from lib.experiments.attributes import readings, selection
from lib.experiments.attributes.readings import ACCURACY, LOSS, READINGS, called, link, tau
from lib.experiments.attributes.settings import CELEBA, PERMUTED, STRANGERS, UNTRAINED, attributes
from lib.experiments.common import tables
from lib.experiments.common.tables import spread, stamped
from lib.measures import estimators

MEASURES = READINGS.measures
COLUMNS: dict[str, Value] = {
    "τ₁ (× chance)": lambda r: float(r["tau1"] / r["tau1_chance"]),
    "τ₂": at("tau2"),
    "its kept null, 95 %": at("tau2_kept_null", 1),
    "α²": at("alpha_squared"),
    LOSS: READINGS.value(LOSS),
    ACCURACY: READINGS.value(ACCURACY),
}
OWN: dict[str, Value] = {
    "own accuracy, balanced": at("baselines", "balanced_accuracy"),
    "rarer class": at("baselines", "balance"),
    "identity in the labels": at("baselines", "identity"),
}
FRAMES = ("clean", "noise", "white_box", "clean_familiar")
ASKED = (
    LOSS, "τ₁", "τ₂", "α²", "LogME", "H-score", "k-NN", "identity in the labels", "class balance",
    "balanced accuracy",
)  # fmt: skip
MEANS = "Means over seeds."


def reference_table(result: Result) -> Table:
    """The reference of each seed: is it a test, and what frames the losses to come?"""
    rows = []
    for seed in range(result.config.seeds):
        one = next(r for r in result.records if r["seed"] == seed)
        verified = ", ".join(
            f"{name if name == STRANGERS else name.upper().replace('_', '-')} {value:.3f}"
            for name, value in one["reference_verification"].items()
        )
        losses = [one["attacks"][name]["loss"] for name in FRAMES]
        rows.append([seed, one["reference_accuracy"], result.config.floor, tables.passed([one]), verified,
                     *losses, one["own_attack"]["products"]])  # fmt: skip
    columns = ["seed", "people named", "floor", "a test", "own verification", "clean loss", "under noise",
               "attacked itself", "clean, familiar", "products"]  # fmt: skip
    return stamped(result, "The reference models", columns, rows)


def source_table(result: Result) -> Table:
    """Every attribute by its adversarial loss, then the controls: means over seeds."""
    seen = READINGS.of(result)
    names = [seen.sources[i] for i in seen.means(LOSS).argsort(descending=True).tolist()]
    controls = [name for kind in (UNTRAINED, PERMUTED) for name in seen.controls(kind)]
    columns = COLUMNS | OWN
    rows = [[called(name), *tables.means(seen, columns, name)] for name in [*names, *controls]]
    return stamped(result, "All sources", ["source", *columns], rows, MEANS)


def control_table(result: Result) -> Table:
    """The controls beside the range of the attributes."""
    seen = READINGS.of(result)
    rows: list[list[Any]] = []
    for title, value in COLUMNS.items():
        every = seen.means(value)
        limits = f"{number(float(every.min()))} to {number(float(every.max()))}"
        rows.append([title, limits, float(every.median())])
        for kind in (UNTRAINED, PERMUTED):
            found = seen.means(value, sources=seen.controls(kind))
            rows[-1] += [float(found.mean()), int((every > found.max()).sum())]
    columns = ["measure", "attributes", "median", "untrained", "attributes above all", "permuted labels",
               "attributes above all of these"]  # fmt: skip
    return stamped(result, "What a network gives that knows nothing of faces", columns, rows, MEANS)


def link_table(result: Result, reading: str = ACCURACY) -> Table:
    """Which measure, rival or baseline orders all attributes as verification does; best first."""
    seen = READINGS.of(result)
    rows: list[list[Any]] = []
    for name in READINGS.predictors:
        one = link(seen, name, reading)
        kind, each = estimators.kind(name, MEASURES), ", ".join(f"{value:.2f}" for value in one.each)
        own, lead = map(spread, readings.intervals(seen, name, reading))
        gap = "–" if name == LOSS else lead
        rows.append([name, kind, one.order.value, one.order.p_one_sided, own, gap, each,
                     readings.reliability(seen, name)])  # fmt: skip
    rows.sort(key=lambda row: -row[2])
    columns = ["predictor", "kind", "τ_b", "p", "95 %", "less that of the loss, 95 %", "by seed",
               "with itself, other seed"]  # fmt: skip
    note = (f"τ_b: mean over seeds. p: one-sided, {one.order.repeats:,} random orders of the attributes; "
            "intervals resample them.")  # fmt: skip
    title = f"Kendall's τ_b with {reading}, {len(seen.sources)} attributes"
    return stamped(result, title, columns, rows, note, digits=2)


def joint_table(result: Result) -> Table:
    """The same τ_b for each benchmark."""
    seen, marks = READINGS.of(result), readings.knowledge(result)
    rows: list[list[Any]] = [
        [name, *[tau(seen.values(name), seen.values(mark)) for mark in marks]] for name in READINGS.predictors
    ]
    rows.append(["with itself, other seed", *[readings.reliability(seen, mark) for mark in marks]])
    return stamped(result, "τ_b by benchmark", ["predictor", *marks], rows, digits=2)


def partial_table(
    result: Result, given: tuple[str, ...] = ("identity in the labels", "balanced accuracy", "class balance")
) -> Table:
    """What is left of a measure's τ_b when a rival explanation is held fixed (Kendall's partial tau).

    Both are means over seeds of what is found within a seed.
    """
    seen = READINGS.of(result)
    y = seen.values(ACCURACY)
    rows = []
    for name, x in ((name, seen.values(name)) for name in MEASURES):
        rows.append([name, tau(x, y), *[_partial(x, y, seen.values(other)) for other in given]])
    columns = ["measure", "τ_b", *[f"given {other}" for other in given]]
    return stamped(result, "Partial τ_b with verification accuracy", columns, rows, digits=2)


def logit_table(result: Result) -> Table:
    """Two logits or one: the same networks, attacked through both and through their difference."""
    seen = READINGS.of(result)
    rows: list[list[Any]] = []
    for name, key in (("τ₁", "tau1"), ("τ₂", "tau2"), ("α²", "alpha_squared")):
        two, one = seen.values(at(key)), seen.values(at("one_logit", key))
        rows.append([name, float(two.mean()), float(one.mean()), tau(two, one)])
    rows.append(["λ of the source", float(seen.means(at("lambda", 0)).mean()), 0.0, None])
    columns = ["measure", "two logits", "one: their difference", "τ_b of the two orders"]
    return stamped(result, "Logits of a source", columns, rows, "Means over sources and seeds.")


def taking_part(result: Result) -> Table:
    """How many attributes of the data set are in the run, and which the rule left out."""
    here, every = READINGS.of(result).sources, attributes(result.config.data)
    out = ", ".join(called(name) for name in every if name not in here)
    columns = ["attributes that take part", "of", "left out: too few photographs with it, or without"]
    return Table(columns, [[len(here), len(every), out or "none"]], note=result.caption)


def table_1(result: Result) -> Table:
    """Table 1 of the paper beside this run's numbers for the same five attributes."""
    seen = READINGS.of(result)
    by_loss, by_accuracy = (readings.ranks(seen.means(name)) for name in (LOSS, ACCURACY))
    columns = {"tau1": "τ₁", "tau2": "τ₂", "adversarial_loss": LOSS, "knowledge": ACCURACY}
    rows = []
    for index, (name, place) in enumerate(zip(selection.SHOWN, selection.shown_ranks())):
        pairs = [
            f"{number(paper.ATTRIBUTES.columns[printed][index])} / {number(seen.mean(own, name))}"
            for printed, own in columns.items()
        ]
        here = seen.sources.index(name)
        rows.append(
            [called(name), *pairs, f"{place} / {by_accuracy[here]}", f"{index + 1} / {by_loss[here]}"]
        )
    heads = ["attribute", "τ₁", "τ₂", "adversarial loss", "accuracy", "rank by accuracy", "rank by loss"]
    note = f"Paper / here. Ranks: of the {len(CELEBA)} released / of {len(seen.sources)} here."
    return Table(heads, rows, caption="Table 1", note=f"{note} {result.caption}")


def chosen_table(result: Result) -> Table:
    """This run's own Table 1: the five attributes with the highest value of each measure."""
    seen = READINGS.of(result)
    rows = []
    for name in MEASURES:
        one = selection.chosen(seen, name)
        listed = ", ".join(f"{called(n)} ({r})" for n, r in zip(one.names, one.ranks))
        among, every = one.among, link(seen, name).order.value
        rows.append([name, listed, among.tau, among.p_one_sided, among.method, every])
    columns = ["five highest by", "attributes (rank by accuracy)", "τ_b of the five", "p", "p is",
               "τ_b of all"]  # fmt: skip
    note = ("The five: by means over seeds, for a printed table has one number an attribute; one-sided p. "
            f"All: mean over seeds, as in the other tables. {result.caption}")  # fmt: skip
    return Table(columns, rows, caption="Five shown of all", note=note, digits=2)


def selection_table(
    correlations: tuple[float, ...] = (0.0, 0.2, 0.4, 0.6, 0.8), repeats: int = 2000
) -> Table:
    """What five of forty, taken from the top, say of the correlation over all."""

    def tails(values: Tensor) -> str:
        return f"{float(values.quantile(0.05)):.2f} to {float(values.quantile(0.95)):.2f}"

    rows = []
    for true in correlations:
        draws = selection.simulate(true, repeats=repeats)
        spans = [tails(draws.whole), float(draws.top.mean()), tails(draws.top)]
        rows.append([true, *spans, *draws.share(0.8)])
    columns = ["true τ", "τ of all 40, 90 %", "τ of the top five, mean", "90 %", "all: τ ≥ .8",
               "top five: τ ≥ .8"]  # fmt: skip
    note = f"Simulated: {repeats:,} draws of forty normal pairs, seed 0."
    return Table(columns, rows, caption="Choosing five of forty", note=note, digits=2)


def printed_table() -> Table:
    """Table 1 taken at its word: how its columns order the five by the printed accuracy."""
    y, rows = selection.printed("knowledge"), []
    for column, title in (("adversarial_loss", "adversarial loss"), ("tau1", "τ₁"), ("tau2", "τ₂")):
        one = statistics.kendall(selection.printed(column), y)
        rows.append([title, one.tau, one.p_one_sided, one.p_two_sided, one.method])
    note = f"n = {len(y)}. {paper.ATTRIBUTES.place}, p. {paper.ATTRIBUTES.page}"
    columns = ["column", "τ_b with accuracy", "p, one-sided", "p, two-sided", "p is"]
    return Table(columns, rows, caption="The paper's five", note=note, digits=2)


def released_table(result: Result) -> Table:
    """Do our numbers order the attributes as the authors' released accuracies do?"""
    every = selection.released()
    if every is None:
        return Table(["released accuracies"], [["not here: python data_scripts/face_verification.py"]])
    seen = READINGS.of(result)
    names = [name for name in seen.sources if name in every]
    theirs = torch.tensor([every[name] for name in names], dtype=torch.float64)
    rows: list[list[Any]] = []
    for title in (*readings.knowledge(result), *ASKED):
        ours = seen.values(title, sources=names)
        stream = streams.generator(0, "released", title)
        one = statistics.stratified_permutation([(theirs.expand(ours.T.shape).T, ours)], generator=stream)
        rows.append([title, one.value, one.p_one_sided])
    rows.sort(key=lambda row: -row[1])
    note = "Mean over our seeds, theirs has one; one-sided p, random orders of the attributes."
    return Table(
        ["measured here", "τ_b with the released accuracy", "p"], rows, digits=2,
        caption=f"Two experiments, {len(names)} attributes",
        note=f"{note} {selection.stamp()} · {result.caption}",
    )  # fmt: skip


def _partial(x: Tensor, y: Tensor, z: Tensor) -> float:
    """The mean over seeds, the columns."""
    found = []
    for a, b, c in zip(x.T, y.T, z.T):
        ab, ac, bc = tau(a, b), tau(a, c), tau(b, c)
        found.append((ab - ac * bc) / max(math.sqrt((1 - ac**2) * (1 - bc**2)), 1e-12))
    return sum(found) / len(found)
