"""What Section 4.3 says of attributes, and what a run on photographs says: for `ledger.Row(*fact)`."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from lib.base import paper
from lib.experiments.attributes import selection, summary
from lib.experiments.attributes.settings import PERMUTED, UNTRAINED
from lib.experiments.attributes.summary import HEADLINE, KNOWLEDGE, MEASURES, PREDICTORS, at, called, link
from lib.measures import estimators

Fact = tuple[str, str, str, str, str, tuple[Callable[[], bool], ...]]
LEARNT = 0.55  # balanced accuracy, where one half is a guess
LOSS, ACCURACY = PREDICTORS[HEADLINE[0]], KNOWLEDGE[HEADLINE[1]]


def facts(result: Any) -> list[Fact]:
    """(claim, where, as printed, what we found, verdict, checks) for a recorded run."""
    return [
        _order(result),
        _first(result),
        _young(result),
        _five(result),
        _untrained(result),
        _permuted(result),
        _noise(result),
        _labels(result),
        _names(result),
        _learnt(result),
        _tau2(result),
    ]


def ordinal(rank: int) -> str:
    """1st, 2nd, 3rd, 4th, 11th, 21st ..."""
    ending = {1: "st", 2: "nd", 3: "rd"}.get(rank % 10, "th")
    return f"{rank}{'th' if rank % 100 in (11, 12, 13) else ending}"


def _order(result: Any) -> Fact:
    one = link(result, HEADLINE[0])
    each = " and ".join(f"{tau:.2f}" for tau in one.seeds)
    return (
        "the more an attribute's attacks transfer, the better its network recognises people: all attributes",
        "4.3",
        "five of forty shown",
        f"mean τ_b {one.all.value:.2f} over {one.n}, one-sided p {one.all.p_one_sided:.1g}; by seed {each}",
        "observed",
        (lambda: one.all.p_one_sided < 0.01, lambda: min(one.seeds) > 0, lambda: one.interval.low > 0),
    )


def _first(result: Any) -> Fact:
    """Is the attribute with the highest loss the one that recognises people best?"""
    best = selection.chosen(result, top=2)
    name, rank = best["names"][0], best["ranks"][0]
    return (
        "the attribute with the highest adversarial loss has the highest accuracy",
        "4.3, Result",
        "'as a result, it also achieves highest' accuracy",
        f"{called(name)} is 1st by loss and {ordinal(rank)} by accuracy "
        f"of {len(summary.source_names(result))}",
        "observed",
        (lambda: rank == 1,),
    )


def _young(result: Any) -> Fact:
    names = summary.source_names(result)
    ranks = [
        dict(zip(names, summary.ranks(summary.means(result, value))))["Young"] for value in (LOSS, ACCURACY)
    ]
    return (
        "that attribute is Young",
        paper.ATTRIBUTES.place,
        "first in both columns",
        f"Young is {ordinal(ranks[0])} by loss and {ordinal(ranks[1])} by accuracy of {len(names)}",
        "not shown",
        (lambda: ranks[0] > 1, lambda: ranks[1] > 1),
    )


def _five(result: Any) -> Fact:
    """How far do the top five by each attack stray from the order over all?"""
    found = {name: selection.chosen(result, name) for name in MEASURES}
    five = [one["top"].tau for one in found.values()]
    every = [link(result, name).all.value for name in MEASURES]
    return (
        "five attributes from the top show the order over all",
        "ours",
        "5 of 40",
        f"by {len(found)} attacks, τ_b of the top five {min(five):.1f} to {max(five):.1f}, "
        f"of all {min(every):.2f} to {max(every):.2f}",
        "refuted",
        (lambda: max(five) - min(five) > 3 * (max(every) - min(every)), lambda: min(five) <= 0 < min(every)),
    )


def _untrained(result: Any) -> Fact:
    beaten, number = _above(result, UNTRAINED)
    each = {name: number - _above(result, UNTRAINED, name)[0] for name in result.config.benchmarks}
    apart = ", ".join(f"{count} on {name.replace('lfw', 'LFW')}" for name, count in each.items())
    return (
        "learning an attribute is what makes the features know people",
        "ours",
        "no control",
        f"{number - beaten} of {number} attributes verify less well than the mean untrained network; {apart}",
        "refuted",
        (lambda: 2 * beaten < number, lambda: all(2 * count > number for count in each.values())),
    )


def _permuted(result: Any) -> Fact:
    beaten, number = _above(result, PERMUTED)
    return (
        "what is learnt matters: noise learnt by heart verifies worse than an attribute",
        "ours",
        "no control",
        f"{beaten} of {number} attributes verify better than the mean network with permuted labels",
        "observed",
        (lambda: beaten >= 0.75 * number,),
    )


def _noise(result: Any) -> Fact:
    rise = summary.means(result, lambda r: r["attacks"]["pgd"]["loss"] - r["attacks"]["noise"]["loss"])
    above, number = int((rise > 0).sum()), len(rise)
    return (
        "attacks on every attribute fool the reference more than noise of the same radius does",
        "ours",
        "no control",
        f"on {above} of {number} attributes",
        "refuted",
        (lambda: above < number,),
    )


def _labels(result: Any) -> Fact:
    own, free = (link(result, name).all.value for name in (HEADLINE[0], "identity in the labels"))
    return (
        "no attack is needed: how much identity is in the labels orders the attributes as well",
        "ours",
        "not considered",
        f"τ_b {free:.2f} from labels alone, {own:.2f} by adversarial loss",
        "observed",
        (lambda: free >= own,),
    )


def _names(result: Any) -> Fact:
    attacks = max(link(result, name).all.value for name in MEASURES)
    rivals = {name: link(result, name) for name in estimators.TITLES.values()}
    higher = [name for name, one in rivals.items() if one.all.value > attacks]
    clear = [name for name, one in rivals.items() if one.lead.low > 0]
    return (
        "most estimators that read named photographs order the attributes better than any attack",
        "ours",
        "not considered",
        f"{len(higher)} of {len(rivals)} above the best attack ({attacks:.2f}): "
        + ", ".join(f"{name} {rivals[name].all.value:.2f}" for name in higher)
        + f"; clearly ahead of the adversarial loss: {', '.join(clear) or 'none'}",
        "observed",
        (lambda: len(higher) > len(rivals) / 2, lambda: bool(clear)),
    )


def _learnt(result: Any) -> Fact:
    balanced = summary.means(result, PREDICTORS["balanced accuracy"])
    keep = (balanced >= LEARNT).nonzero().flatten()
    both = [summary.every(result, value) for value in (LOSS, ACCURACY)]
    taus = summary.tau(*(side[keep] for side in both)), summary.tau(*both)
    return (
        "some of the networks have hardly learnt their attribute",
        "ours",
        "no accuracy of a source is given",
        f"{len(balanced) - len(keep)} of {len(balanced)} have a balanced accuracy below {LEARNT}; "
        f"over the others the adversarial loss has τ_b {taus[0]:.2f}, over all {taus[1]:.2f}",
        "observed",
        (lambda: len(keep) < len(balanced),),
    )


def _tau2(result: Any) -> Fact:
    beyond = summary.means(result, lambda r: r["tau2"] - r["tau2_kept_null"][1])
    above, number = int((beyond > 0).sum()), len(beyond)
    return (
        "on every attribute, τ₂ exceeds what two networks share without pairing their deviations",
        "ours",
        "no null",
        f"above the 95th per cent of the null with kept signs on {above} of {number} attributes",
        "refuted",
        (lambda: above < number,),
    )


def _above(result: Any, kind: str, benchmark: str | None = None) -> tuple[int, int]:
    """How many attributes verify better than the mean control of a kind, and of how many."""
    value = at("knowledge", benchmark, "accuracy") if benchmark else ACCURACY
    every = summary.means(result, value)
    control = summary.means(result, value, summary.control_names(result, kind))
    return int((every > control.mean()).sum()), len(every)
