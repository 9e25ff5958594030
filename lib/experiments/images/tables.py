"""The tables of the image chapter."""

from __future__ import annotations

from typing import Any

from lib.base.tables import Table, number
from lib.engine.results import Result, Value, at
from lib.experiments.common import tables
from lib.experiments.common.tables import stamped
from lib.experiments.images.readings import READINGS, title
from lib.experiments.images.settings import UNTRAINED
from lib.measures import estimators

MEASURES, PROBE = READINGS.measures, READINGS.headline[1]
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
MEANS = "Means over seeds."


def source_table(result: Result, target: str) -> Table:
    """Every source's numbers on one target: means over seeds."""
    seen = READINGS.of(result)

    def beside(source: str, first: Value, second: Value) -> str:
        pair = (seen.mean(value, source, target) for value in (first, second))
        return "{} ({})".format(*(number(value, digits) for value, digits in zip(pair, (3, 2))))

    rows = []
    for name in [*seen.sources, UNTRAINED]:
        own = None if name == UNTRAINED else seen.mean(at("source_accuracy"), name, target)
        taus = [beside(name, at("tau1"), lambda r: float(r["tau1"] / r["tau1_chance"]))]
        taus.append(beside(name, at("tau2"), at("tau2_null", 1)))
        rows.append([name, own, *taus, *tables.means(seen, PLAIN_COLUMNS, name, target)])
    columns = ["source", "own accuracy", "τ₁ (× chance)", "τ₂ (null 95 %)", *PLAIN_COLUMNS]
    return stamped(result, f"Target: {title(target)}", columns, rows, MEANS)


def frame_table(result: Result) -> Table:
    """The reference models: accuracy, the floor, and the losses that frame the cross adversarial ones."""
    seen = READINGS.of(result)
    rows = []
    for target in seen.targets:
        source = seen.sources[0]
        passed = tables.passed(seen.records(source, target))
        means = tables.means(seen, FRAME_COLUMNS, source, target)
        rows.append([title(target), result.config.floor, passed, *means])
    return stamped(result, "The reference models", ["target", "floor", "a test", *FRAME_COLUMNS], rows, MEANS)


def link_table(result: Result, knowledge: str = PROBE) -> Table:
    """Which measure orders the sources as knowledge transfer does, target by target."""
    seen = READINGS.of(result)
    rows = [
        [title(target), name, *tables.link_cells(seen.link(name, knowledge, target))]
        for target in seen.targets
        for name in MEASURES
    ]
    columns = ["target", "measure", *tables.LINK]
    return stamped(result, f"Kendall's τ_b with {knowledge}", columns, rows, tables.EXACT, digits=2)


def joint_table(result: Result) -> Table:
    """All targets in one test, for each measure and each kind of knowledge transfer: mean tau-b (and p).

    The targets share their source models, so this is no independent repetition; it asks whether a measure
    follows knowledge transfer both where animals help and where they hurt.
    """
    seen = READINGS.of(result)
    tests = {m: [seen.link(m, knowledge).order for knowledge in READINGS.knowledge] for m in MEASURES}
    ordered = sorted(tests.items(), key=lambda item: -item[1][0].value)
    rows = [[measure, *map(tables.with_p, row)] for measure, row in ordered]
    note = "One-sided p; best predictor of probe accuracy first."
    columns = ["measure", *READINGS.knowledge]
    return stamped(result, "Mean τ_b over targets and seeds", columns, rows, note)


def rival_table(result: Result) -> Table:
    """What one could ask instead of attacking, ordered by how well it orders the sources on all targets."""
    seen = READINGS.of(result)
    rows: list[list[Any]] = []
    for name in READINGS.predictors:
        tests = [seen.link(name, knowledge).order for knowledge in READINGS.knowledge]
        lost = [seen.choice(name, PROBE, target).regret for target in seen.targets]
        kind, taus = estimators.kind(name, MEASURES), [test.value for test in tests]
        rows.append([name, kind, *taus, tests[0].p_one_sided, sum(lost) / len(lost)])
    rows.sort(key=lambda row: -row[2])
    columns = ["predictor", "kind", *READINGS.knowledge, "p, probe accuracy", "probe accuracy lost"]
    note = "Mean τ_b over targets and seeds; one-sided p."
    return stamped(result, "Measures and rivals", columns, rows, note, digits=2)


def choice_table(result: Result, knowledge: str = PROBE) -> Table:
    """What is lost by picking one of the five sources by a measure, and how often the pick is the best."""
    seen = READINGS.of(result)
    rows = [
        [title(target), name, *tables.choice_cells(seen.choice(name, knowledge, target))]
        for target in seen.targets
        for name in MEASURES
    ]
    columns = ["target", "chosen by", *tables.choice_columns(knowledge)]
    return stamped(result, "Choosing a source", columns, rows, "Per seed.", digits=2)
