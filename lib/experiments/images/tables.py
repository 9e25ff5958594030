"""The tables of the image chapter."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from lib.base.tables import Table, number
from lib.engine import results
from lib.experiments.images.settings import UNTRAINED
from lib.experiments.images.summary import (
    KNOWLEDGE,
    MEASURES,
    PREDICTORS,
    Record,
    Value,
    at,
    choices,
    link,
    select,
    source_names,
    targets,
    title,
    together,
)
from lib.measures import estimators

PLAIN_COLUMNS: dict[str, Value] = {
    "τ₂ split-half": at("tau2_split_half"),
    "α²": at("alpha_squared"),
    "α": at("alpha"),
    "loss under PGD": at("attacks", "pgd", "loss"),
    "ε/2": at("attacks", "pgd_half", "loss"),
    "Def. 1": at("attacks", "definition_1", "loss"),
    "probe accuracy": at("knowledge", "probe_accuracy"),
    "probe loss": at("knowledge", "probe_loss"),
    "fine-tuned accuracy": at("knowledge", "tuned_accuracy"),
}
FRAME_COLUMNS: dict[str, Value] = {
    "accuracy": at("reference_accuracy"),
    "clean loss": at("attacks", "clean", "loss"),
    "random noise": at("attacks", "noise", "loss"),
    "white box": at("attacks", "white_box", "loss"),
    "white-box accuracy": at("attacks", "white_box", "accuracy"),
}


def source_table(result: Any, target: str) -> Table:
    """Every source's numbers on one target: means over seeds."""
    rows = []
    for name in [*source_names(result), UNTRAINED]:
        found = select(result, target, name)
        rows.append([
            name,
            None if name == UNTRAINED else _mean(found, at("source_accuracy")),
            _beside(found, at("tau1"), lambda r: r["tau1"] / r["tau1_chance"]),
            _beside(found, at("tau2"), lambda r: r["tau2_null"][1]),
            *[_mean(found, value) for value in PLAIN_COLUMNS.values()],
        ])  # fmt: skip
    columns = ["source", "own accuracy", "τ₁ (× chance)", "τ₂ (null 95 %)", *PLAIN_COLUMNS]
    return Table(
        columns,
        rows,
        caption=results.titled(result, f"Target: {title(target)}"),
        note=f"Means over seeds. {result.caption}",
    )


def frame_table(result: Any) -> Table:
    """The reference models: accuracy, the floor, and the losses that frame the cross adversarial ones."""
    rows = []
    for target in targets(result):
        found = select(result, target, source_names(result)[0])
        passed = all(r["is_test"] for r in found)
        means = [_mean(found, value) for value in FRAME_COLUMNS.values()]
        rows.append([title(target), result.config.floor, "yes" if passed else "not a test", *means])
    columns = ["target", "floor", "a test", *FRAME_COLUMNS]
    return Table(
        columns,
        rows,
        caption=results.titled(result, "The reference models"),
        note=f"Means over seeds. {result.caption}",
    )


def link_table(result: Any, knowledge: str = "probe accuracy") -> Table:
    """Which measure orders the sources as knowledge transfer does, target by target."""
    rows: list[list[Any]] = []
    for target in targets(result):
        for measure in MEASURES:
            one = link(result, target, measure, knowledge)
            spread = f"{one.interval.low:.2f} to {one.interval.high:.2f}" if one.interval else "one seed"
            means = [one.means.tau, one.means.p_one_sided]
            rows.append([title(target), measure, *means, one.order.value, spread, one.order.p_one_sided])
    columns = ["target", "measure", "τ_b of means", "p of the means", "τ_b within seeds", "95 % over seeds",
               "p within seeds"]  # fmt: skip
    note = f"One-sided exact p; within seeds the sources are permuted with all their seeds. {result.caption}"
    return Table(
        columns, rows, caption=results.titled(result, f"Kendall's τ_b with {knowledge}"), note=note, digits=2
    )


def joint_table(result: Any) -> Table:
    """All targets in one test, for each measure and each kind of knowledge transfer: mean tau-b (and p)."""
    tests = {m: [together(result, m, knowledge) for knowledge in KNOWLEDGE] for m in MEASURES}
    rows = [
        [measure, *[f"{t.value:.2f} (p {number(t.p_one_sided, 2)})" for t in row]]
        for measure, row in sorted(tests.items(), key=lambda item: -item[1][0].value)
    ]
    note = f"One-sided p; best predictor of probe accuracy first. {result.caption}"
    return Table(
        ["measure", *KNOWLEDGE],
        rows,
        caption=results.titled(result, "Mean τ_b over targets and seeds"),
        note=note,
    )


def rival_table(result: Any) -> Table:
    """What one could ask instead of attacking, ordered by how well it orders the sources on all targets."""
    rows: list[list[Any]] = []
    for name in PREDICTORS:
        tests = [together(result, name, knowledge) for knowledge in KNOWLEDGE]
        picks = [choices(result, target, name, "probe accuracy") for target in targets(result)]
        lost = sum(pick.regret for pick in picks) / len(picks)
        kind = estimators.kind(name, MEASURES)
        rows.append([name, kind, *[t.value for t in tests], tests[0].p_one_sided, lost])
    rows.sort(key=lambda row: -row[2])
    columns = ["predictor", "kind", *KNOWLEDGE, "p, probe accuracy", "probe accuracy lost"]
    note = f"Mean τ_b over targets and seeds; one-sided p. {result.caption}"
    return Table(columns, rows, caption=results.titled(result, "Measures and rivals"), note=note, digits=2)


def choice_table(result: Any, knowledge: str = "probe accuracy") -> Table:
    """What is lost by picking one of the five sources by a measure, and how often the pick is the best."""
    rows: list[list[Any]] = []
    for target in targets(result):
        for measure in MEASURES:
            found = choices(result, target, measure, knowledge)
            rows.append(
                [title(target), measure, f"{found.right} of {found.seeds}", found.regret, found.random]
            )
    columns = ["target", "chosen by", "best source found", f"{knowledge} lost", "lost by a random choice"]
    note = f"Per seed. {result.caption}"
    return Table(columns, rows, results.titled(result, "Choosing a source"), note, digits=2)


def _mean(records: Sequence[Record], measure: Value) -> float:
    return sum(measure(r) for r in records) / len(records)


def _beside(records: Sequence[Record], first: Value, second: Value) -> str:
    return f"{number(_mean(records, first))} ({number(_mean(records, second), 2)})"
