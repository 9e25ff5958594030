"""Why would tau2 be a thousandth beside a tau1 of one half? Candidates for an answer; which of them fit."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from scipy import stats

from lib.base import paper
from lib.base.tables import Table, number
from lib.experiments.text.settings import UNTRAINED
from lib.experiments.text.summary import Value, at, mean, source_names

HALF = (0.4, 0.6)  # what passes for the paper's tau1
SIZES = (100, 500, 1_000, 5_000)  # the paper does not say on how many sentences tau was taken


@dataclass(frozen=True)
class Hypothesis:
    """A reading or a mishap, and the spans of tau1 and tau2 that it gives here (None: says nothing)."""

    name: str
    tau1: tuple[float, float] | None
    tau2: tuple[float, float] | None

    def gives_tau1(self) -> bool | None:
        """Does its tau1 come near one half for some source?"""
        return None if self.tau1 is None else self.tau1[0] <= HALF[1] and self.tau1[1] >= HALF[0]

    def gives_tau2(self) -> bool | None:
        """Does its span of tau2 meet the paper's?"""
        low, high = min(paper.TEXT.columns["tau2"]), max(paper.TEXT.columns["tau2"])
        return None if self.tau2 is None else self.tau2[0] <= high and self.tau2[1] >= low


def hypotheses(result: Any) -> list[Hypothesis]:
    """The candidates, each with its least and largest mean over the sources of a run."""

    def spans(first: Value | None, second: Value | None, control: bool = False) -> list[Any]:
        names = [UNTRAINED] if control else source_names(result)
        return [None if value is None else _span(result, value, names) for value in (first, second)]

    def reading(key: str, part: str = "tau2") -> Value:
        return at("readings", key, part)

    smallest = str(min(int(key) for key in result.records[0]["by_size"]))
    words = ("textfooler", "tau1_textfooler")
    return [
        Hypothesis("Definition 3 on logits", *spans(at("tau1"), at("tau2"))),
        Hypothesis("on contrasts of logits", *spans(reading("contrasts", "tau1"), reading("contrasts"))),
        Hypothesis("on probabilities, which repeat one another in both models",
                   *spans(reading("probabilities", "tau1"), reading("probabilities"))),
        Hypothesis("logits whose common part is a thousandth of ours",
                   *spans(at("tau1"), lambda r: r["by_scale"]["0.001"][0])),
        Hypothesis("one model was not trained, contrasts",
                   *spans(reading("contrasts", "tau1"), reading("contrasts"), control=True)),
        Hypothesis("Δ_T under the reference's own attack, so that signs are random",
                   *spans(at("tau1"), reading("each model's own attack"))),
        Hypothesis("nothing in common, all texts",
                   *spans(at("tau1_strangers"), reading("contrasts", "null"))),
        Hypothesis(f"nothing in common, {smallest} texts", *spans(None, at("by_size", smallest, "null"))),
        Hypothesis("TextFooler's changes in place of Definition 1",
                   *spans(at(*words), at("textfooler", "tau2_textfooler"))),
        Hypothesis("the same, each model's own changes",
                   *spans(at(*words), at("textfooler", "tau2_textfooler_own"))),
    ]  # fmt: skip


def table(result: Any) -> Table:
    """The hypotheses, with the paper's own numbers on top."""
    printed = [(min(paper.TEXT.columns[key]), max(paper.TEXT.columns[key])) for key in ("tau1", "tau2")]
    rows: list[list[Any]] = [["as printed", *map(_shown, printed), None, None]]
    for one in hypotheses(result):
        rows.append([one.name, _shown(one.tau1), _shown(one.tau2), one.gives_tau1(), one.gives_tau2()])
    columns = ["reading", "τ₁", "τ₂", "τ₁ near a half", "τ₂ in the paper's range"]
    note = "Least to largest over the sources, means over seeds; near a half: this span meets "
    note += f"{HALF[0]:g} to {HALF[1]:g}; in range: it meets what the paper prints. {result.caption}"
    return Table(columns, rows, caption="What could have been measured?", note=note)


def by_luck() -> Table:
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


def _span(result: Any, value: Value, names: list[str]) -> tuple[float, float]:
    found = [mean(result, name, value) or 0.0 for name in names]
    return min(found), max(found)


def _shown(span: tuple[float, float] | None) -> str:
    if span is None:
        return "–"
    low, high = (number(float(value), 2) for value in span)
    return low if low == high else f"{low} to {high}"
