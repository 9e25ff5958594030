"""What Section 4.2 says of text, and what a recorded run says: rows for `lib.theory.ledger.Row(*fact)`."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor

from lib import statistics
from lib.base import paper
from lib.experiments.text import explain
from lib.experiments.text.settings import UNTRAINED
from lib.experiments.text.summary import (
    HEADLINE,
    MEASURES,
    RIVALS,
    Value,
    among_others,
    at,
    choices,
    link,
    select,
    source_names,
    value_of,
    values,
    within,
)

Fact = tuple[str, str, str, str, str, tuple[Callable[[], bool], ...]]
LOSS, TUNED = HEADLINE


def facts(result: Any) -> list[Fact]:
    """(claim, where, as printed, what we found, verdict, checks) for a run with two kinds of sources."""
    return [
        _three_sources(),
        _order(result),
        _best_source(result),
        _beyond_the_task(result),
        _random_words(result),
        _control(result),
        _rivals(result),
        _tau1(result),
        _collapse(result),
        _both(result),
    ]


def _three_sources() -> Fact:
    columns = paper.TEXT.columns
    found = {
        key: statistics.kendall(columns[key], columns["knowledge"]) for key in ("adversarial_loss", "tau1")
    }
    perfect, other = found["adversarial_loss"], found["tau1"]
    return (
        "three sources show that adversarial and knowledge transferability go together",
        "ours",
        "three rows",
        f"even a perfect order of three has p = {perfect.p_one_sided:.2f}; τ₁'s has τ_b {other.tau:.2f}",
        "refuted",
        (lambda: perfect.tau == 1.0, lambda: perfect.p_one_sided > 0.05),
    )


def _order(result: Any) -> Fact:
    found = link(result, LOSS, TUNED)
    means, order = found.means, found.order
    return (
        "the adversarial loss orders the sources as knowledge transfer does",
        "4.2, Results",
        "'prominent in both [...] domains'",
        f"{means.n} sources: τ_b of means {means.tau:.2f}, exact one-sided p {means.p_one_sided:.3f}; within "
        f"seeds {order.value:.2f}, p {order.p_one_sided:.3f}",
        "observed",
        (lambda: means.tau > 0, lambda: order.p_one_sided < 0.05),
    )


def _beyond_the_task(result: Any) -> Fact:
    found = [among_others(result, name, TUNED) or 0.0 for name in (LOSS, "same kind of task")]
    return (
        "beyond the kind of task, the adversarial loss says little",
        "ours",
        "not considered",
        f"among the sources of other tasks: mean τ_b {found[0]:.2f} (not planned)",
        "observed",
        (lambda: abs(found[0]) < 0.25, lambda: found[1] == 0.0),
    )


def _best_source(result: Any) -> Fact:
    found = choices(result, LOSS, TUNED)
    return (
        "the most adversarially transferable source is among the best to transfer from",
        "4.2, Results",
        "'it's clear'",
        f"the best in {found.right} of {found.seeds} seeds; accuracy lost {found.regret:.3f}, "
        f"by a blind pick {found.random:.3f}",
        "observed",
        (lambda: found.right > found.seeds / 2, lambda: found.regret < found.random / 4),
    )


def _random_words(result: Any) -> Fact:
    """Does the attack on a source of another task do more to the reference than random words?"""
    rise = _rows(result, lambda r: r["attacks"]["textfooler"]["loss"] - r["attacks"]["chance"]["loss"])
    same, other = _by_kind(result, rise.mean(1))
    return (
        "attacks on every source fool the reference more than random words do",
        "ours",
        "no control",
        f"loss over random words: {_span(same)} through sources that judge sentiment, {_span(other)} through "
        "the others",
        "refuted",
        (lambda: float(other.min()) <= 0, lambda: float(same.min()) > float(other.max())),
    )


def _control(result: Any) -> Fact:
    """Is a source of another task worth more than the encoder as it was pretrained?"""
    tuned = value_of(TUNED)
    nothing = torch.tensor([tuned(r) for r in select(result, UNTRAINED)], dtype=torch.float64)
    gain = (_rows(result, tuned) - nothing).mean(1)
    same, other = _by_kind(result, gain)
    return (
        "training on any of the sources is better than none",
        "ours",
        "no control",
        f"accuracy over the untrained control: {_span(same)} of sources that judge sentiment, {_span(other)} "
        "of the others",
        "refuted",
        (lambda: float(same.min()) > float(other.max()), lambda: float(other.min()) < 0),
    )


def _rivals(result: Any) -> Fact:
    own, tau = (link(result, name, TUNED).order.value for name in (LOSS, "τ₁"))
    found = {name: link(result, name, TUNED).order.value for name in RIVALS}
    best = max(found, key=lambda name: found[name])
    return (
        "nothing that spares the attack orders the sources better than the adversarial loss",
        "ours",
        "not considered",
        f"mean τ_b within seeds {own:.2f} by adversarial loss, {found[best]:.2f} by {best}, the best rival "
        f"or baseline; {tau:.2f} by τ₁",
        "refuted",
        (lambda: found[best] > own,),
    )


def _tau1(result: Any) -> Fact:
    found = {name: link(result, name, TUNED).order.value for name in MEASURES}
    each = within(result, "τ₁", TUNED)
    return (
        "τ₁ alone orders the sources better than the adversarial loss, τ₂ or τ₁ τ₂",
        "4.2, Results",
        "'only τ₁ is not sufficient'",
        f"τ_b by seed {min(each):.2f} to {max(each):.2f}; mean {found['τ₁']:.2f}, of the loss "
        f"{found[LOSS]:.2f}, of τ₂ {found['τ₂']:.2f}, of τ₁ τ₂ {found['τ₁ τ₂']:.2f}",
        "observed",
        (lambda: found["τ₁"] > max(found[name] for name in (LOSS, "τ₂", "τ₁ τ₂")), lambda: min(each) > 0),
    )


def _collapse(result: Any) -> Fact:
    """tau2 of probabilities against tau2 of contrasts, for every source and seed."""
    low = max(r["readings"]["probabilities"]["tau2"] for r in result.records)
    high = max(r["readings"]["contrasts"]["tau2"] for r in result.records)
    return (
        "τ₂ says how well a linear map aligns the deviations",
        "Definition 3",
        "no word on outputs that repeat one another",
        f"of probabilities at most {low:.0e} in any record, of contrasts of the same models up to {high:.2f}",
        "refuted",
        (lambda: low < 1e-4, lambda: high > 0.5),
    )


def _both(result: Any) -> Fact:
    found = explain.hypotheses(result)
    both = [one.name for one in found if one.gives_tau1() and one.gives_tau2()]
    small = [one.name for one in found if one.gives_tau2()]
    return (
        "one of our readings gives the paper's τ₁ and τ₂ together",
        "ours",
        "τ₁ near .5, τ₂ from 3e-6 to 1.34e-3",
        f"{len(small)} of {len(found)} give such a τ₂, none of them such a τ₁",
        "refuted",
        (lambda: not both, lambda: bool(small)),
    )


def _rows(result: Any, value: Value) -> Tensor:
    return values(result, result.config.target, value)


def _by_kind(result: Any, each: Tensor) -> tuple[Tensor, Tensor]:
    """The values of the sources of the target's kind of task, and of the others."""
    same = torch.tensor([bool(at("same_task")(select(result, name)[0])) for name in source_names(result)])
    return each[same], each[~same]


def _span(found: Tensor) -> str:
    return f"{float(found.min()):+.3f} to {float(found.max()):+.3f}"
