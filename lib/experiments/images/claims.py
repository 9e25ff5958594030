"""What Section 4.2 says of images, and what a run on photographs says: rows for `ledger.Row(*fact)`."""

from __future__ import annotations

from collections.abc import Callable
from statistics import fmean
from typing import Any

from lib.experiments.images.settings import UNTRAINED, split_target
from lib.experiments.images.summary import (
    KNOWLEDGE,
    MEASURES,
    RIVALS,
    choices,
    targets,
    title,
    together,
    values,
    within,
)

Fact = tuple[str, str, str, str, str, tuple[Callable[[], bool], ...]]
PROBE, LOSS, COUNT = "probe accuracy", "adversarial loss", "class overlap"


def facts(result: Any) -> list[Fact]:
    """(claim, where, as printed, what we found, verdict, checks) for a run with both kinds of target."""
    source = result.config.source_data
    near = [target for target in targets(result) if split_target(target)[0] == source]
    far = [target for target in targets(result) if split_target(target)[0] != source]
    return [
        _best_source(result, near, "observed"),
        _best_source(result, far, "not shown"),
        _noise(result),
        _one_is_not_enough(result, far),
        _counting(result),
        _rivals(result),
        _untrained(result),
    ]


def _best_source(result: Any, where: list[str], verdict: str) -> Fact:
    """Does picking the source by its adversarial loss find the one with the highest accuracy?"""
    found = {target: choices(result, target, LOSS, PROBE) for target in where}
    always = verdict == "observed"
    return (
        "the most adversarially transferable source transfers best: " + ", ".join(map(title, where)),
        "4.2, Results",
        "'it's clear'",
        "; ".join(f"{c.right} of {c.seeds} seeds, accuracy lost {c.regret:.3f}" for c in found.values()),
        verdict,
        tuple(lambda c=c: (c.right == c.seeds) is always for c in found.values()),
    )


def _noise(result: Any) -> Fact:
    """Is it the source that fools the reference, or any change of that size?"""

    def margin(target: str) -> float:
        rise = values(result, target, lambda r: r["attacks"]["pgd"]["loss"] - r["attacks"]["noise"]["loss"])
        return float(rise.mean(1).min())

    least = min(margin(target) for target in targets(result))
    return (
        "attacks on every source fool the reference more than noise does",
        "4.2",
        "no control",
        f"smallest rise of the loss over noise {least:.2f}",
        "observed",
        (lambda: least > 0,),
    )


def _one_is_not_enough(result: Any, far: list[str]) -> Fact:
    one = [tau for target in far for tau in within(result, target, "τ₁", PROBE)]
    both = [tau for target in far for tau in within(result, target, "τ₁ τ₂", PROBE)]
    return (
        "τ₁ alone does not indicate knowledge transfer: " + ", ".join(map(title, far)),
        "4.2, Results",
        "'only τ₁ is not sufficient'",
        f"τ_b by seed {min(one):.1f} to {max(one):.1f}, mean {fmean(one):.2f}; of τ₁ τ₂ {min(both):.1f} to "
        f"{max(both):.1f}, mean {fmean(both):.2f}",
        "observed",
        (lambda: fmean(one) < 0, lambda: fmean(both) > 0),
    )


def _counting(result: Any) -> Fact:
    every = {m: together(result, m, PROBE).value for m in MEASURES}
    count = together(result, COUNT, PROBE).value
    best = max(every, key=lambda m: every[m])
    return (
        "no attack orders the sources better than the count of shared classes",
        "ours",
        "not considered",
        f"mean τ_b {count:.2f} by counting, {every[best]:.2f} by {best}, the best measure",
        "observed",
        tuple(
            lambda k=k: all(together(result, COUNT, k).value >= together(result, m, k).value for m in every)
            for k in KNOWLEDGE
        ),
    )


def _rivals(result: Any) -> Fact:
    labelled = [name for name in RIVALS if name not in (COUNT, "source accuracy")]
    worst = min(labelled, key=lambda name: together(result, name, PROBE).value)
    best = max(MEASURES, key=lambda name: together(result, name, PROBE).value)
    low, high = (together(result, name, PROBE).value for name in (worst, best))
    return (
        "every rival, and the nearness of the data, orders the sources better than every attack",
        "ours",
        "not considered",
        f"mean τ_b {low:.2f} by {worst}, the worst of these, {high:.2f} by {best}, the best measure",
        "observed",
        (lambda: low > high,),
    )


def _untrained(result: Any) -> Fact:
    control = [r for r in result.records if r["source"] == UNTRAINED]
    above = [r["tau2"] > r["tau2_null"][1] for r in control]
    return (
        "τ₂ above its null shows that the source has learnt something",
        "ours",
        "no null",
        f"an untrained network is above the 95th per cent of the null in {sum(above)} of {len(above)} cases",
        "refuted",
        (lambda: any(above),),
    )
