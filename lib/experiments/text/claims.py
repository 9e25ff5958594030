"""What Section 4.2 says of text, and what a recorded run says; why tau2 might be so small."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from lib import statistics
from lib.base import paper
from lib.engine.results import Result, Value, at
from lib.experiments.common.observations import Observations
from lib.experiments.text.readings import READINGS, among_others, span
from lib.experiments.text.settings import UNTRAINED
from lib.theory.ledger import OURS, Row

LOSS, TUNED = READINGS.headline
HALF = (0.4, 0.6)  # what passes for the paper's tau1


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


def hypotheses(result: Result) -> list[Hypothesis]:
    """The candidates, each with its least and largest mean over the sources of a run."""
    seen = READINGS.of(result)

    def given(name: str, first: Value | None, second: Value, sources: list[str] | None = None) -> Hypothesis:
        return Hypothesis(name, first and span(seen, first, sources), span(seen, second, sources))

    def reading(key: str, part: str = "tau2") -> Value:
        return at("readings", key, part)

    tau1, contrasts = at("tau1"), (reading("contrasts", "tau1"), reading("contrasts"))
    words = at("textfooler", "tau1_textfooler")
    least = str(min(int(key) for key in result.records[0]["by_size"]))
    return [
        given("Definition 3 on logits", tau1, at("tau2")),
        given("on contrasts of logits", *contrasts),
        given("on probabilities, which repeat one another in both models",
              reading("probabilities", "tau1"), reading("probabilities")),
        given("logits whose common part is a thousandth of ours", tau1, at("by_scale", "0.001", 0)),
        given("one model was not trained, contrasts", *contrasts, [UNTRAINED]),
        given("Δ_T under the reference's own attack, so that signs are random",
              tau1, reading("each model's own attack")),
        given("nothing in common, all texts", at("tau1_strangers"), reading("contrasts", "null")),
        given(f"nothing in common, {least} texts", None, at("by_size", least, "null")),
        given("TextFooler's changes in place of Definition 1", words, at("textfooler", "tau2_textfooler")),
        given("the same, each model's own changes", words, at("textfooler", "tau2_textfooler_own")),
    ]  # fmt: skip


def rows(result: Result) -> list[Row]:
    """The claims, decided by a run with two kinds of sources."""
    seen = READINGS.of(result)
    makers = (_order, _best_source, _beyond_the_task, _random_words, _control, _rivals, _tau1, _collapse)
    return [_three_sources(), *(make(seen) for make in makers), _both(result)]


def _three_sources() -> Row:
    columns = paper.TEXT.columns
    printed = (columns["adversarial_loss"], columns["tau1"])
    perfect, other = (statistics.kendall(column, columns["knowledge"]) for column in printed)
    return Row(
        "three sources show that adversarial and knowledge transferability go together", OURS, "three rows",
        f"even a perfect order of three has p = {perfect.p_one_sided:.2f}; τ₁'s has τ_b {other.tau:.2f}",
        "refuted", (lambda: perfect.tau == 1.0, lambda: perfect.p_one_sided > 0.05),
    )  # fmt: skip


def _order(seen: Observations) -> Row:
    found = seen.link(LOSS, TUNED)
    means, order = found.means, found.order
    return Row(
        "the adversarial loss orders the sources as knowledge transfer does", "4.2, Results",
        "'prominent in both [...] domains'",
        f"{means.n} sources: τ_b of means {means.tau:.2f}, exact one-sided p {means.p_one_sided:.3f}; within "
        f"seeds {order.value:.2f}, p {order.p_one_sided:.3f}", "observed",
        (lambda: means.tau > 0, lambda: order.p_one_sided < 0.05),
    )  # fmt: skip


def _best_source(seen: Observations) -> Row:
    found = seen.choice(LOSS, TUNED)
    return Row(
        "the most adversarially transferable source is among the best to transfer from", "4.2, Results",
        "'it's clear'",
        f"the best in {found.right} of {found.seeds} seeds; accuracy lost {found.regret:.3f}, "
        f"by a blind pick {found.random:.3f}", "observed",
        (lambda: found.right > found.seeds / 2, lambda: found.regret < found.random / 4),
    )  # fmt: skip


def _beyond_the_task(seen: Observations) -> Row:
    loss, task = (among_others(seen, name, TUNED) or 0.0 for name in (LOSS, "same kind of task"))
    return Row(
        "beyond the kind of task, the adversarial loss says little", OURS, "not considered",
        f"among the sources of other tasks: mean τ_b {loss:.2f} (not planned)", "observed",
        (lambda: abs(loss) < 0.25, lambda: task == 0.0),
    )  # fmt: skip


def _random_words(seen: Observations) -> Row:
    """Does the attack on a source of another task do more to the reference than random words?"""
    rise = seen.means(lambda r: r["attacks"]["textfooler"]["loss"] - r["attacks"]["chance"]["loss"])
    same, other = _by_kind(seen, rise)
    return Row(
        "attacks on every source fool the reference more than random words do", OURS, "no control",
        f"loss over random words: {_signed(same)} through sources that judge sentiment, {_signed(other)} "
        "through the others", "refuted",
        (lambda: float(other.min()) <= 0, lambda: float(same.min()) > float(other.max())),
    )  # fmt: skip


def _control(seen: Observations) -> Row:
    """Is a source of another task worth more than the encoder as it was pretrained?"""
    gain = (seen.values(TUNED) - seen.values(TUNED, sources=[UNTRAINED])).mean(1)
    same, other = _by_kind(seen, gain)
    return Row(
        "training on any of the sources is better than none", OURS, "no control",
        f"accuracy over the untrained control: {_signed(same)} of sources that judge sentiment, "
        f"{_signed(other)} of the others", "refuted",
        (lambda: float(same.min()) > float(other.max()), lambda: float(other.min()) < 0),
    )  # fmt: skip


def _rivals(seen: Observations) -> Row:
    own, tau = (_tau(seen, name) for name in (LOSS, "τ₁"))
    found = {name: _tau(seen, name) for name in READINGS.rivals}
    best = max(found, key=found.__getitem__)
    return Row(
        "nothing that spares the attack orders the sources better than the adversarial loss", OURS,
        "not considered",
        f"mean τ_b within seeds {own:.2f} by adversarial loss, {found[best]:.2f} by {best}, the best rival "
        f"or baseline; {tau:.2f} by τ₁", "refuted", (lambda: found[best] > own,),
    )  # fmt: skip


def _tau1(seen: Observations) -> Row:
    one, loss, two, both = (_tau(seen, name) for name in ("τ₁", LOSS, "τ₂", "τ₁ τ₂"))
    each = seen.link("τ₁", TUNED).each
    return Row(
        "τ₁ alone orders the sources better than the adversarial loss, τ₂ or τ₁ τ₂", "4.2, Results",
        "'only τ₁ is not sufficient'",
        f"τ_b by seed {min(each):.2f} to {max(each):.2f}; mean {one:.2f}, of the loss {loss:.2f}, of τ₂ "
        f"{two:.2f}, of τ₁ τ₂ {both:.2f}", "observed",
        (lambda: one > max(loss, two, both), lambda: min(each) > 0),
    )  # fmt: skip


def _collapse(seen: Observations) -> Row:
    """tau2 of probabilities against tau2 of contrasts, for every source and seed."""
    found = [r["readings"] for r in seen.rows]
    low, high = (max(one[name]["tau2"] for one in found) for name in ("probabilities", "contrasts"))
    return Row(
        "τ₂ says how well a linear map aligns the deviations", "Definition 3",
        "no word on outputs that repeat one another",
        f"of probabilities at most {low:.0e} in any record, of contrasts of the same models up to {high:.2f}",
        "refuted", (lambda: low < 1e-4, lambda: high > 0.5),
    )  # fmt: skip


def _both(result: Result) -> Row:
    found = hypotheses(result)
    small = [one for one in found if one.gives_tau2()]
    both = [one for one in small if one.gives_tau1()]
    return Row(
        "one of our readings gives the paper's τ₁ and τ₂ together", OURS,
        "τ₁ near .5, τ₂ from 3e-6 to 1.34e-3",
        f"{len(small)} of {len(found)} give such a τ₂, none of them such a τ₁", "refuted",
        (lambda: not both, lambda: bool(small)),
    )  # fmt: skip


def _tau(seen: Observations, name: str) -> float:
    return seen.link(name, TUNED).order.value


def _by_kind(seen: Observations, each: Tensor) -> tuple[Tensor, Tensor]:
    """The values of the sources of the target's kind of task, and of the others."""
    same: Tensor = seen.values("same kind of task")[:, 0].to(torch.bool)
    return each[same], each[~same]


def _signed(found: Tensor) -> str:
    return f"{float(found.min()):+.3f} to {float(found.max()):+.3f}"
