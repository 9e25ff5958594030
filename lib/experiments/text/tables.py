"""The tables of the text chapter."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from lib import statistics
from lib.attacks.words.candidates import opposites
from lib.base import paper
from lib.base.tables import Table, number
from lib.engine import results
from lib.experiments.text.settings import UNTRAINED
from lib.experiments.text.summary import (
    HEADLINE,
    KNOWLEDGE,
    MEASURES,
    RIVALS,
    Value,
    among_others,
    at,
    choices,
    interval,
    link,
    mean,
    rise,
    select,
    source_names,
    targets,
    title,
    values,
)
from lib.measures import estimators

FRAME: dict[str, Value] = {
    "accuracy": at("reference_accuracy"),
    "loss, clean": at("attacks", "clean", "loss"),
    "random words": at("attacks", "chance", "loss"),
    "attacked through itself": at("attacks", "white_box", "loss"),
}
ATTACK: dict[str, Value] = {
    "source flipped": at("textfooler", "flipped"),
    "words changed": at("textfooler", "share_changed"),
    "most in a text": at("textfooler", "most_changed"),
    "queries a text": at("textfooler", "queries"),
    "similarity": at("textfooler", "similarity"),
    "same words as the reference": at("textfooler", "same_words"),
    "seconds a text": lambda r: r["seconds"]["attack"] / r["textfooler"]["texts"],
}
COLUMNS = {
    "tau1": "τ₁",
    "tau2": "τ₂",
    "adversarial_loss": "adversarial loss",
    "knowledge": "fine-tuned accuracy",
}
SETTINGS = {
    "encoder": "encoder",
    "tokens": "tokens a text",
    "frozen_layers": "layers that stay as pretrained",
    "train_texts": "texts a model is trained on (0: all)",
    "transfer_texts": "target texts for transfer (0: all)",
    "epochs": "epochs",
    "lr": "learning rate",
    "transfer_lr": "learning rate of transfer",
    "attack_texts": "texts attacked",
    "tau_texts": "texts for τ₁ and τ₂",
    "candidates": "candidates for replacement",
    "seeds": "seeds",
}
READINGS = {
    "logits": "logits (Definition 3 to the letter)",
    "contrasts": "contrasts of logits",
    "probabilities": "probabilities",
    "one shift for all words": "one shift for all words",
    "each model's own attack": "Δ_T under the reference's own attack",
}


def preset_table(presets: Mapping[str, Any]) -> Table:
    """The settings of the three sizes of the experiment, side by side."""
    rows = [
        [label, *[str(getattr(one, name)) for one in presets.values()]] for name, label in SETTINGS.items()
    ]
    return Table(["setting", *presets], rows, caption="Three sizes of one experiment")


def source_table(result: Any) -> Table:
    """Every source's numbers: means over seeds."""
    rows = []
    for name in [*source_names(result), UNTRAINED]:
        cells = [
            at("baselines", "source_accuracy"),
            at("tau1"),
            lambda r: r["tau1"] / r["tau1_chance"],
            at("tau2"),
            at("readings", "contrasts", "tau2"),
            at("alpha_squared"),
            at("attacks", "textfooler", "loss"),
            rise,
            at("attacks", "definition_1", "loss"),
            *[at("knowledge", key) for key in ("tuned_accuracy", "probe_accuracy", "layer_accuracy")],
        ]
        rows.append([title(name), *[mean(result, name, cell) for cell in cells]])
    columns = ["source", "own accuracy", "τ₁", "× chance", "τ₂", "τ₂, contrasts", "α²", "adversarial loss",
               "over clean", "loss, Def. 1", "fine-tuned accuracy", "probe accuracy",
               "new layer only"]  # fmt: skip
    return Table(
        columns,
        rows,
        caption=results.titled(result, _caption(result)),
        note=f"Means over seeds. {result.caption}",
    )


def frame_table(result: Any) -> Table:
    """The reference model of each seed: accuracy, the floor, and the losses that frame the cross ones."""
    rows = []
    for record in select(result, source_names(result)[0]):
        passed = "yes" if record["is_test"] else "not a test"
        cells = [value(record) for value in FRAME.values()]
        rows.append([record["seed"], result.config.floor, passed, *cells])
    return Table(
        ["seed", "floor", "a test", *FRAME],
        rows,
        caption=results.titled(result, "The reference models"),
        note=result.caption,
    )


def attack_table(result: Any) -> Table:
    """How TextFooler fared through each source: means over seeds."""
    names = [*source_names(result), UNTRAINED]
    rows = [[title(name), *[mean(result, name, value) for value in ATTACK.values()]] for name in names]
    short = sum(r["textfooler"]["texts"] - r["textfooler"]["attackable"] for r in result.records)
    note = f"{result.config.attack_texts} texts a source; not attackable: {short}. {result.caption}"
    return Table(["source", *ATTACK], rows, caption=results.titled(result, "The attacks"), note=note)


def paper_table(result: Any) -> Table:
    """The paper's numbers beside ours: mean and 95 % interval over the seeds (Student)."""
    rows: list[list[Any]] = []
    for index, name in enumerate(paper.TEXT.sources):
        printed = [_printed(key, index) for key in COLUMNS]
        rows.append([f"{name}, as printed", *printed])
    for name in source_names(result):
        cells = [_interval(result, name, (MEASURES | KNOWLEDGE)[value]) for value in COLUMNS.values()]
        rows.append([title(name), *cells])
    columns = [
        "source",
        *[value if key != "knowledge" else "knowledge transfer" for key, value in COLUMNS.items()],
    ]
    where = f"Paper: {paper.TEXT.place}, p. {paper.TEXT.page}; it prints no interval."
    note = f"{where} Ours: 95 % (Student), cut where impossible. {result.caption}"
    return Table(columns, rows, caption=results.titled(result, "The paper's table and ours"), note=note)


def order_table(result: Any) -> Table:
    """What three sources can show at best, what the paper's three show, and what ours show."""
    rows: list[list[Any]] = []
    outcome = paper.TEXT.columns["knowledge"]
    for key, label in COLUMNS.items():
        if key != "knowledge":
            found = statistics.kendall(paper.TEXT.columns[key], outcome)
            rows.append(["paper", label, found.n, found.tau, found.p_one_sided, found.p_two_sided])
    for measure in ("τ₁", "τ₂", "τ₂, contrasts", "adversarial loss"):
        found = link(result, measure, HEADLINE[1]).means
        rows.append([_caption(result), measure, found.n, found.tau, found.p_one_sided, found.p_two_sided])
    columns = ["evidence", "measure", "sources", "τ_b", "p, one-sided", "p, two-sided"]
    note = f"Exact: all orders counted. Ours: means over seeds, {HEADLINE[1]}. {result.caption}"
    return Table(
        columns,
        rows,
        caption=results.titled(result, "Order of the sources by a measure and by knowledge transfer"),
        note=note,
    )


def link_table(result: Any, knowledge: str = HEADLINE[1]) -> Table:
    """Which measure or rival orders the sources as knowledge transfer does; the best first."""
    links = [link(result, name, knowledge) for name in (*MEASURES, *RIVALS)]
    rows = []
    for one in sorted(links, key=lambda found: -found.order.value):
        spread = f"{one.interval.low:.2f} to {one.interval.high:.2f}" if one.interval else "one seed"
        kind = estimators.kind(one.measure, MEASURES)
        means = [_defined(one.means.tau), one.means.p_one_sided]
        others = among_others(result, one.measure, knowledge)
        rows.append([one.measure, kind, *means, one.order.value, spread, one.order.p_one_sided, others])
    columns = ["", "kind", "τ_b of means", "p of the means", "τ_b within seeds", "95 % over seeds",
               "p within seeds", "τ_b among other tasks"]  # fmt: skip
    note = "One-sided exact p; within seeds the sources are permuted with all their seeds. The last column "
    note += f"was not planned. {result.caption}"
    return Table(
        columns, rows, caption=results.titled(result, f"Kendall's τ_b with {knowledge}"), note=note, digits=2
    )


def joint_table(result: Any) -> Table:
    """Each measure and rival against each reading of knowledge transfer: mean tau-b within seeds (and p)."""
    rows = []
    for name in (*MEASURES, *RIVALS):
        found = [link(result, name, knowledge).order for knowledge in KNOWLEDGE]
        rows.append([name, *[f"{one.value:.2f} (p {number(one.p_one_sided, 2)})" for one in found]])
    note = f"One-sided p, sources permuted with all their seeds. {result.caption}"
    return Table(
        ["", *KNOWLEDGE], rows, caption=results.titled(result, "Kendall's τ_b within seeds"), note=note
    )


def choice_table(result: Any, knowledge: str = HEADLINE[1]) -> Table:
    """What is lost by picking one source by a measure, and how often the pick is the best."""
    rows: list[list[Any]] = []
    for name in (*MEASURES, *RIVALS):
        found = choices(result, name, knowledge)
        rows.append([name, f"{found.right} of {found.seeds}", found.regret, found.random])
    rows.sort(key=lambda row: row[2])
    columns = ["chosen by", "best source found", f"{knowledge} lost", "lost by a random choice"]
    note = f"Per seed. {result.caption}"
    return Table(columns, rows, results.titled(result, "Choosing a source"), note, digits=2)


def reading_table(result: Any) -> Table:
    """tau1 and tau2 under other readings of the same Jacobians: least and largest mean of a source."""
    rows = []
    for key, label in READINGS.items():
        path = ("readings", key)
        cells = [_span(result, at("tau1") if key == "logits" else at(*path, "tau1"))]
        cells += [_span(result, at("tau2") if key == "logits" else at(*path, "tau2"))]
        if key == "each model's own attack":
            cells += ["–", "–", "–"]
        else:
            psi = at("projection_scale") if key == "logits" else at(*path, "psi")
            null = (lambda r: r["tau2_null"][0]) if key == "logits" else at(*path, "null")
            kept = (lambda r: r["tau2_kept_null"][0]) if key == "logits" else at(*path, "kept_null")
            cells += [_span(result, psi), _span(result, null), _span(result, kept)]
        rows.append([label, *cells])
    columns = ["reading", "τ₁", "τ₂", "ψ", "null of τ₂: random signs", "kept signs"]
    note = f"Least to largest over the sources, each a mean over seeds; without the control. {result.caption}"
    return Table(
        columns, rows, caption=results.titled(result, "What τ₁ and τ₂ are taken of"), note=note, digits=2
    )


def _span(result: Any, value: Value, names: list[str] | None = None) -> str:
    found = [mean(result, name, value) or 0.0 for name in names or source_names(result)]
    low, high = (number(float(one), 2) for one in (min(found), max(found)))
    return low if low == high else f"{low} to {high}"


def neighbour_table(found: list[tuple[str, list[str], list[str]]], stamp: str) -> Table:
    """What `example.neighbours` found for some words, under the caption of the run whose encoder it is."""
    rows = [[word, ", ".join(near), ", ".join(left_out)] for word, near, left_out in found]
    return Table(
        ["word", "nearest in the encoder's own table", "left out as opposites"],
        rows,
        note=f"Opposites: by {opposites()[0]}. {stamp}",
    )


def _interval(result: Any, name: str, value: Value) -> str:
    (target,) = targets(result)
    row = values(result, target, value)[source_names(result).index(name)]
    low, middle, high = interval(row)
    most = high if value is MEASURES["adversarial loss"] else min(high, 1.0)
    shown = [number(one, 2) for one in (middle, max(low, 0.0), most)]
    return shown[0] if len(row) < 2 else f"{shown[0]} ({shown[1]} to {shown[2]})"


def _printed(key: str, index: int) -> str:
    shown = number(paper.TEXT.columns[key][index])
    doubt = paper.TEXT.doubts.get((paper.TEXT.sources[index], key))
    return f"{shown} ({doubt})" if doubt else shown


def _defined(tau: float) -> float | None:
    return None if tau != tau else tau


def _caption(result: Any) -> str:
    return f"Target: {title(targets(result)[0])}"
