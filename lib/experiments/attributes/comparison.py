"""Tables of the attribute chapter that set the paper, or the authors' released numbers, beside a run."""

from __future__ import annotations

from typing import Any

import torch

from lib import statistics
from lib.base import compute, paper
from lib.base.tables import Table, number
from lib.experiments.attributes import selection, summary
from lib.experiments.attributes.settings import CELEBA
from lib.experiments.attributes.summary import HEADLINE, KNOWLEDGE, MEASURES, PREDICTORS, at, called

ASKED = ("adversarial loss", "τ₁", "τ₂", "α²", "LogME", "H-score", "k-NN", "identity in the labels",
         "class balance", "balanced accuracy")  # fmt: skip
LOSS, ACCURACY = PREDICTORS[HEADLINE[0]], KNOWLEDGE[HEADLINE[1]]


def table_1(result: Any) -> Table:
    """Table 1 of the paper beside this run's numbers for the same five attributes."""
    names = [_celeba(name) for name in selection.SHOWN]
    every = summary.source_names(result)
    by_loss = dict(zip(every, summary.ranks(summary.means(result, LOSS))))
    by_accuracy = dict(zip(every, summary.ranks(summary.means(result, ACCURACY))))
    rows = []
    for index, name in enumerate(names):
        own = [
            float(summary.means(result, value, [name])) for value in (at("tau1"), at("tau2"), LOSS, ACCURACY)
        ]
        printed = [
            paper.ATTRIBUTES.columns[c][index] for c in ("tau1", "tau2", "adversarial_loss", "knowledge")
        ]
        pairs = [f"{number(p)} / {number(o)}" for p, o in zip(printed, own)]
        of_all = [f"{selection.shown_ranks()[index]} / {by_accuracy[name]}", f"{index + 1} / {by_loss[name]}"]
        rows.append([called(name), *pairs, *of_all])
    columns = ["attribute", "τ₁", "τ₂", "adversarial loss", "accuracy", "rank by accuracy", "rank by loss"]
    note = f"Paper / here. Ranks: of the {len(CELEBA)} released / of {len(every)} here. {result.caption}"
    return Table(columns, rows, caption="Table 1", note=note)


def chosen_table(result: Any) -> Table:
    """This run's own Table 1: the five attributes with the highest value of each measure."""
    rows = []
    for name in MEASURES:
        one, every = selection.chosen(result, name), summary.link(result, name).all
        listed = ", ".join(f"{called(n)} ({r})" for n, r in zip(one["names"], one["ranks"]))
        rows.append([name, listed, one["top"].tau, one["top"].p_one_sided, one["top"].method, every.value])
    columns = [
        "five highest by",
        "attributes (rank by accuracy)",
        "τ_b of the five",
        "p",
        "p is",
        "τ_b of all",
    ]
    note = (
        "The five: by means over seeds, for a printed table has one number an attribute; one-sided p. All: "
        f"mean over seeds, as in the other tables. {result.caption}"
    )
    return Table(columns, rows, caption="Five shown of all", note=note, digits=2)


def selection_table(
    correlations: tuple[float, ...] = (0.0, 0.2, 0.4, 0.6, 0.8), repeats: int = 2000
) -> Table:
    """What five of forty, taken from the top, say of the correlation over all."""
    rows = []
    for true in correlations:
        draws = selection.simulate(true, generator=compute.generator(0, "selection", true), repeats=repeats)
        tails = [
            f"{float(v.quantile(0.05)):.2f} to {float(v.quantile(0.95)):.2f}"
            for v in (draws.whole, draws.top)
        ]
        large, five = draws.share(0.8)
        rows.append([true, tails[0], float(draws.top.mean()), tails[1], large, five])
    columns = [
        "true τ",
        "τ of all 40, 90 %",
        "τ of the top five, mean",
        "90 %",
        "all: τ ≥ .8",
        "top five: τ ≥ .8",
    ]
    note = f"Simulated: {repeats:,} draws of forty normal pairs, seed 0."
    return Table(columns, rows, caption="Choosing five of forty", note=note, digits=2)


def printed_table() -> Table:
    """Table 1 taken at its word: how its columns order the five by the printed accuracy."""
    y = selection.printed("knowledge")
    names = {"adversarial_loss": "adversarial loss", "tau1": "τ₁", "tau2": "τ₂"}
    rows = []
    for column, title in names.items():
        one = statistics.kendall(selection.printed(column), y)
        rows.append([title, one.tau, one.p_one_sided, one.p_two_sided, one.method])
    note = f"n = {len(y)}. {paper.ATTRIBUTES.place}, p. {paper.ATTRIBUTES.page}"
    columns = ["column", "τ_b with accuracy", "p, one-sided", "p, two-sided", "p is"]
    return Table(columns, rows, caption="The paper's five", note=note, digits=2)


def released_table(result: Any) -> Table:
    """Do our numbers order the attributes as the authors' released accuracies do?"""
    every = selection.released()
    if every is None:
        return Table(["released accuracies"], [["not here: python data_scripts/face_verification.py"]])
    names = [name for name in summary.source_names(result) if name in every]
    theirs = torch.tensor([every[name] for name in names], dtype=torch.float64)
    rows: list[list[Any]] = []
    asked = {**summary.knowledge(result), **{name: PREDICTORS[name] for name in ASKED}}
    for title, value in asked.items():
        ours = summary.every(result, value, names)
        stream = compute.generator(0, "released", title)
        one = statistics.stratified_permutation([(theirs.expand(ours.T.shape).T, ours)], generator=stream)
        rows.append([title, one.value, one.p_one_sided])
    rows.sort(key=lambda row: -row[1])
    return Table(["measured here", "τ_b with the released accuracy", "p"], rows, digits=2,
                 caption=f"Two experiments, {len(names)} attributes",
                 note="Mean over our seeds, theirs has one; one-sided p, random orders of the attributes. "
                 f"{selection.stamp()} · {result.caption}")  # fmt: skip


def _celeba(name: str) -> str:
    return selection.CODE_NAMES.get(name, name).replace(" ", "_")
