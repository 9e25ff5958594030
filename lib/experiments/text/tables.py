"""The tables of the text chapter."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from scipy import stats

from lib import statistics
from lib.attacks.words.candidates import opposites
from lib.base import paper
from lib.base.tables import Table, number
from lib.engine.results import Result, Value, at
from lib.experiments.common import tables
from lib.experiments.common.observations import Observations, interval
from lib.experiments.common.tables import least_to_largest, stamped
from lib.experiments.text.claims import HALF, hypotheses
from lib.experiments.text.readings import READINGS, among_others, rise, span, title
from lib.experiments.text.settings import UNTRAINED, Config
from lib.measures import estimators

LOSS, TUNED = READINGS.headline
SOURCE: dict[str, Value] = {
    "own accuracy": at("baselines", "source_accuracy"),
    "τ₁": at("tau1"),
    "× chance": lambda r: float(r["tau1"] / r["tau1_chance"]),
    "τ₂": at("tau2"),
    "τ₂, contrasts": at("readings", "contrasts", "tau2"),
    "α²": at("alpha_squared"),
    "adversarial loss": at("attacks", "textfooler", "loss"),
    "over clean": rise,
    "loss, Def. 1": at("attacks", "definition_1", "loss"),
    "fine-tuned accuracy": at("knowledge", "tuned_accuracy"),
    "probe accuracy": at("knowledge", "probe_accuracy"),
    "new layer only": at("knowledge", "layer_accuracy"),
}
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
    "seconds a text": lambda r: float(r["seconds"]["attack"] / r["textfooler"]["texts"]),
}
COLUMNS = {"tau1": "τ₁", "tau2": "τ₂", "adversarial_loss": LOSS, "knowledge": TUNED}
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
READ = {
    "contrasts": "contrasts of logits",
    "probabilities": "probabilities",
    "one shift for all words": "one shift for all words",
}
SIZES = (100, 500, 1_000, 5_000)  # the paper does not say on how many sentences tau was taken


def preset_table(presets: Mapping[str, Config]) -> Table:
    """The settings of the three sizes of the experiment, side by side."""
    sizes = presets.values()
    rows = [[label, *[str(getattr(one, name)) for one in sizes]] for name, label in SETTINGS.items()]
    return Table(["setting", *presets], rows, caption="Three sizes of one experiment")


def source_table(result: Result) -> Table:
    """Every source's numbers: means over seeds."""
    return stamped(result, _target(result), ["source", *SOURCE], _rows(result, SOURCE), "Means over seeds.")


def frame_table(result: Result) -> Table:
    """The reference model of each seed: accuracy, the floor, and the losses that frame the cross ones."""
    seen = READINGS.of(result)
    rows = []
    for record in seen.records(seen.sources[0]):
        cells = [value(record) for value in FRAME.values()]
        rows.append([record["seed"], result.config.floor, tables.passed([record]), *cells])
    return stamped(result, "The reference models", ["seed", "floor", "a test", *FRAME], rows)


def attack_table(result: Result) -> Table:
    """How TextFooler fared through each source: means over seeds."""
    short = sum(r["textfooler"]["texts"] - r["textfooler"]["attackable"] for r in result.records)
    note = f"{result.config.attack_texts} texts a source; not attackable: {short}."
    return stamped(result, "The attacks", ["source", *ATTACK], _rows(result, ATTACK), note)


def paper_table(result: Result) -> Table:
    """The paper's numbers beside ours: mean and 95 % interval over the seeds (Student)."""
    seen = READINGS.of(result)
    rows = [
        [f"{name}, as printed", *[_printed(key, index) for key in COLUMNS]]
        for index, name in enumerate(paper.TEXT.sources)
    ]
    for name in seen.sources:
        rows.append([title(name), *[_interval(seen, name, value) for value in COLUMNS.values()]])
    note = f"Paper: {paper.TEXT.place}, p. {paper.TEXT.page}; it prints no interval."
    note += " Ours: 95 % (Student), cut where impossible."
    columns = ["source", "τ₁", "τ₂", LOSS, "knowledge transfer"]
    return stamped(result, "The paper's table and ours", columns, rows, note)


def order_table(result: Result) -> Table:
    """What three sources can show at best, what the paper's three show, and what ours show."""
    seen, printed = READINGS.of(result), paper.TEXT.columns
    keys = [key for key in COLUMNS if key != "knowledge"]
    found = [("paper", COLUMNS[key], statistics.kendall(printed[key], printed["knowledge"])) for key in keys]
    names = ("τ₁", "τ₂", "τ₂, contrasts", LOSS)
    found += [(_target(result), name, seen.link(name, TUNED).means) for name in names]
    rows = [[who, name, one.n, one.tau, one.p_one_sided, one.p_two_sided] for who, name, one in found]
    columns = ["evidence", "measure", "sources", "τ_b", "p, one-sided", "p, two-sided"]
    note = f"Exact: all orders counted. Ours: means over seeds, {TUNED}."
    return stamped(result, "Order of the sources by a measure and by knowledge transfer", columns, rows, note)


def link_table(result: Result, knowledge: str = TUNED) -> Table:
    """Which measure or rival orders the sources as knowledge transfer does; the best first."""
    seen = READINGS.of(result)
    links = {name: seen.link(name, knowledge) for name in READINGS.predictors}
    rows = []
    for name, one in sorted(links.items(), key=lambda item: -item[1].order.value):
        kind = estimators.kind(name, READINGS.measures)
        rows.append([name, kind, *tables.link_cells(one), among_others(seen, name, knowledge)])
    columns = ["", "kind", *tables.LINK, "τ_b among other tasks"]
    note = f"{tables.EXACT} The last column was not planned."
    return stamped(result, f"Kendall's τ_b with {knowledge}", columns, rows, note, digits=2)


def joint_table(result: Result) -> Table:
    """Each measure and rival against each reading of knowledge transfer: mean tau-b within seeds (and p)."""
    seen = READINGS.of(result)
    rows = [
        [name, *[tables.with_p(seen.link(name, knowledge).order) for knowledge in READINGS.knowledge]]
        for name in READINGS.predictors
    ]
    note = "One-sided p, sources permuted with all their seeds."
    return stamped(result, "Kendall's τ_b within seeds", ["", *READINGS.knowledge], rows, note)


def choice_table(result: Result, knowledge: str = TUNED) -> Table:
    """What is lost by picking one source by a measure, and how often the pick is the best."""
    seen = READINGS.of(result)
    rows = [[name, *tables.choice_cells(seen.choice(name, knowledge))] for name in READINGS.predictors]
    rows.sort(key=lambda row: row[2])
    columns = ["chosen by", *tables.choice_columns(knowledge)]
    return stamped(result, "Choosing a source", columns, rows, "Per seed.", digits=2)


def reading_table(result: Result) -> Table:
    """tau1 and tau2 under other readings of the same Jacobians: least and largest mean of a source."""
    seen = READINGS.of(result)

    def line(label: str, *values: Value) -> list[str]:
        return [label, *[least_to_largest(*span(seen, value)) for value in values]]

    whole = at("tau1"), at("tau2"), at("projection_scale"), at("tau2_null", 0), at("tau2_kept_null", 0)
    rows = [line("logits (Definition 3 to the letter)", *whole)]
    parts = ("tau1", "tau2", "psi", "null", "kept_null")
    rows += [line(label, *[at("readings", key, part) for part in parts]) for key, label in READ.items()]
    own = [at("readings", "each model's own attack", part) for part in ("tau1", "tau2")]
    rows.append([*line("Δ_T under the reference's own attack", *own), "–", "–", "–"])
    columns = ["reading", "τ₁", "τ₂", "ψ", "null of τ₂: random signs", "kept signs"]
    note = "Least to largest over the sources, each a mean over seeds; without the control."
    return stamped(result, "What τ₁ and τ₂ are taken of", columns, rows, note, digits=2)


def explanation_table(result: Result) -> Table:
    """Why would tau2 be a thousandth beside a tau1 of one half? Candidates, below the paper's numbers."""
    printed = [(min(paper.TEXT.columns[key]), max(paper.TEXT.columns[key])) for key in ("tau1", "tau2")]
    rows: list[list[Any]] = [["as printed", *map(_shown, printed), None, None]]
    for one in hypotheses(result):
        rows.append([one.name, _shown(one.tau1), _shown(one.tau2), one.gives_tau1(), one.gives_tau2()])
    columns = ["reading", "τ₁", "τ₂", "τ₁ near a half", "τ₂ in the paper's range"]
    note = "Least to largest over the sources, means over seeds; near a half: this span meets "
    note += f"{HALF[0]:g} to {HALF[1]:g}; in range: it meets what the paper prints. {result.caption}"
    return Table(columns, rows, caption="What could have been measured?", note=note)


def luck_table() -> Table:
    """How likely the three printed tau2 are for unrelated models with one output each, by N sentences.

    Then N tau2 is about chi-squared with one degree of freedom (a correlation through the origin).
    """
    low, high = min(paper.TEXT.columns["tau2"]), max(paper.TEXT.columns["tau2"])
    rows = []
    for size in SIZES:
        below, tiny = (float(stats.chi2.cdf(size * value, 1)) for value in (high, low))
        rows.append([size, 1 / size, below**3, 1 - (1 - tiny) ** 3])
    columns = ["sentences", "τ₂ to expect", f"chance that all three are ≤ {number(high)}",
               f"chance that one of three is ≤ {number(low)}"]  # fmt: skip
    return Table(columns, rows, caption="Three τ₂ of unrelated models", note="Computed; no data.", digits=2)


def neighbour_table(found: list[tuple[str, list[str], list[str]]], stamp: str) -> Table:
    """What `attacking.neighbours` found for some words, under the caption of the run whose encoder it is."""
    rows = [[word, ", ".join(near), ", ".join(left_out)] for word, near, left_out in found]
    columns = ["word", "nearest in the encoder's own table", "left out as opposites"]
    return Table(columns, rows, note=f"Opposites: by {opposites()[0]}. {stamp}")


def _rows(result: Result, columns: Mapping[str, Value]) -> list[list[Any]]:
    """A row a source, the control last."""
    seen = READINGS.of(result)
    return [[title(name), *tables.means(seen, columns, name)] for name in [*seen.sources, UNTRAINED]]


def _interval(seen: Observations, source: str, name: str) -> str:
    (row,) = seen.values(name, sources=[source])
    low, middle, high = interval(row)
    most = high if name == LOSS else min(high, 1.0)
    shown = [number(one, 2) for one in (middle, max(low, 0.0), most)]
    return shown[0] if len(row) < 2 else f"{shown[0]} ({shown[1]} to {shown[2]})"


def _printed(key: str, index: int) -> str:
    shown = number(paper.TEXT.columns[key][index])
    doubt = paper.TEXT.doubts.get((paper.TEXT.sources[index], key))
    return f"{shown} ({doubt})" if doubt else shown


def _shown(ends: tuple[float, float] | None) -> str:
    return "–" if ends is None else least_to_largest(*ends)


def _target(result: Result) -> str:
    return f"Target: {title(READINGS.of(result).targets[0])}"
