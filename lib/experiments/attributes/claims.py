"""What Section 4.3 says of attributes, and what a run on photographs says."""

from __future__ import annotations

from lib.base import paper
from lib.engine.results import Result, Value, at
from lib.experiments.attributes import selection
from lib.experiments.attributes.readings import ACCURACY, LOSS, READINGS, called, intervals, link, ranks, tau
from lib.experiments.attributes.settings import PERMUTED, UNTRAINED
from lib.experiments.common.observations import Observations
from lib.measures import estimators
from lib.theory.ledger import OURS, Row

LEARNT = 0.55  # balanced accuracy, where one half is a guess
MEASURES = READINGS.measures


def rows(result: Result) -> list[Row]:
    """Decided by a recorded run."""
    seen = READINGS.of(result)
    makers = (_order, _first, _young, _five, _untrained, _permuted, _noise, _labels, _names, _learnt, _tau2)
    return [make(seen) for make in makers]


def ordinal(rank: int) -> str:
    """1st, 2nd, 3rd, 4th, 11th, 21st ..."""
    ending = {1: "st", 2: "nd", 3: "rd"}.get(rank % 10, "th")
    return f"{rank}{'th' if rank % 100 in (11, 12, 13) else ending}"


def _order(seen: Observations) -> Row:
    one = link(seen, LOSS)
    each = " and ".join(f"{value:.2f}" for value in one.each)
    found, n = one.order, len(seen.sources)
    return Row(
        "the more an attribute's attacks transfer, the better its network recognises people: all attributes",
        "4.3", "five of forty shown",
        f"mean τ_b {found.value:.2f} over {n}, one-sided p {found.p_one_sided:.1g}; by seed {each}",
        "observed",
        (lambda: found.p_one_sided < 0.01, lambda: min(one.each) > 0,
         lambda: intervals(seen, LOSS)[0].low > 0),
    )  # fmt: skip


def _first(seen: Observations) -> Row:
    """Is the attribute with the highest loss the one that recognises people best?"""
    best = selection.chosen(seen, top=2)
    name, rank = best.names[0], best.ranks[0]
    return Row(
        "the attribute with the highest adversarial loss has the highest accuracy", "4.3, Result",
        "'as a result, it also achieves highest' accuracy",
        f"{called(name)} is 1st by loss and {ordinal(rank)} by accuracy of {len(seen.sources)}",
        "observed", (lambda: rank == 1,),
    )  # fmt: skip


def _young(seen: Observations) -> Row:
    young = seen.sources.index("Young")
    loss, accuracy = (ranks(seen.means(name))[young] for name in (LOSS, ACCURACY))
    return Row(
        "that attribute is Young", paper.ATTRIBUTES.place, "first in both columns",
        f"Young is {ordinal(loss)} by loss and {ordinal(accuracy)} by accuracy of {len(seen.sources)}",
        "not shown", (lambda: loss > 1, lambda: accuracy > 1),
    )  # fmt: skip


def _five(seen: Observations) -> Row:
    """How far do the top five by each attack stray from the order over all?"""
    five = [selection.chosen(seen, name).among.tau for name in MEASURES]
    every = [link(seen, name).order.value for name in MEASURES]
    return Row(
        "five attributes from the top show the order over all", OURS, "5 of 40",
        f"by {len(five)} attacks, τ_b of the top five {min(five):.1f} to {max(five):.1f}, "
        f"of all {min(every):.2f} to {max(every):.2f}", "refuted",
        (lambda: max(five) - min(five) > 3 * (max(every) - min(every)), lambda: min(five) <= 0 < min(every)),
    )  # fmt: skip


def _untrained(seen: Observations) -> Row:
    beaten, number = _above(seen, UNTRAINED)
    each = {
        name: number - _above(seen, UNTRAINED, at("knowledge", name, "accuracy"))[0]
        for name in seen.result.config.benchmarks
    }
    apart = ", ".join(f"{count} on {name.replace('lfw', 'LFW')}" for name, count in each.items())
    return Row(
        "learning an attribute is what makes the features know people", OURS, "no control",
        f"{number - beaten} of {number} attributes verify less well than the mean untrained network; {apart}",
        "refuted",
        (lambda: 2 * beaten < number, lambda: all(2 * count > number for count in each.values())),
    )  # fmt: skip


def _permuted(seen: Observations) -> Row:
    beaten, number = _above(seen, PERMUTED)
    return Row(
        "what is learnt matters: noise learnt by heart verifies worse than an attribute", OURS, "no control",
        f"{beaten} of {number} attributes verify better than the mean network with permuted labels",
        "observed", (lambda: beaten >= 0.75 * number,),
    )  # fmt: skip


def _noise(seen: Observations) -> Row:
    above, number = _positive(seen, lambda r: r["attacks"]["pgd"]["loss"] - r["attacks"]["noise"]["loss"])
    return Row(
        "attacks on every attribute fool the reference more than noise of the same radius does", OURS,
        "no control", f"on {above} of {number} attributes", "refuted", (lambda: above < number,),
    )  # fmt: skip


def _labels(seen: Observations) -> Row:
    own, free = (link(seen, name).order.value for name in (LOSS, "identity in the labels"))
    return Row(
        "no attack is needed: how much identity is in the labels orders the attributes as well", OURS,
        "not considered", f"τ_b {free:.2f} from labels alone, {own:.2f} by adversarial loss", "observed",
        (lambda: free >= own,),
    )  # fmt: skip


def _names(seen: Observations) -> Row:
    attacks = max(link(seen, name).order.value for name in MEASURES)
    rivals = {name: link(seen, name).order.value for name in estimators.RECORDED.values()}
    higher = [name for name, value in rivals.items() if value > attacks]
    clear = [name for name in rivals if intervals(seen, name)[1].low > 0]
    return Row(
        "most estimators that read named photographs order the attributes better than any attack", OURS,
        "not considered",
        f"{len(higher)} of {len(rivals)} above the best attack ({attacks:.2f}): "
        + ", ".join(f"{name} {rivals[name]:.2f}" for name in higher)
        + f"; clearly ahead of the adversarial loss: {', '.join(clear) or 'none'}",
        "observed", (lambda: len(higher) > len(rivals) / 2, lambda: bool(clear)),
    )  # fmt: skip


def _learnt(seen: Observations) -> Row:
    balanced = seen.means("balanced accuracy")
    keep = balanced >= LEARNT
    both = [seen.values(name) for name in (LOSS, ACCURACY)]
    taus = tau(*(side[keep] for side in both)), tau(*both)
    return Row(
        "some of the networks have hardly learnt their attribute", OURS, "no accuracy of a source is given",
        f"{len(keep) - int(keep.sum())} of {len(keep)} have a balanced accuracy below {LEARNT}; "
        f"over the others the adversarial loss has τ_b {taus[0]:.2f}, over all {taus[1]:.2f}", "observed",
        (lambda: not bool(keep.all()),),
    )  # fmt: skip


def _tau2(seen: Observations) -> Row:
    above, number = _positive(seen, lambda r: r["tau2"] - r["tau2_kept_null"][1])
    return Row(
        "on every attribute, τ₂ exceeds what two networks share without pairing their deviations", OURS,
        "no null", f"above the 95th per cent of the null with kept signs on {above} of {number} attributes",
        "refuted", (lambda: above < number,),
    )  # fmt: skip


def _above(seen: Observations, kind: str, value: str | Value = ACCURACY) -> tuple[int, int]:
    """How many attributes verify better than the mean control of a kind, and of how many."""
    every, control = seen.means(value), seen.means(value, sources=seen.controls(kind))
    return int((every > control.mean()).sum()), len(every)


def _positive(seen: Observations, value: Value) -> tuple[int, int]:
    """On how many attributes the mean of a value is above 0, and of how many."""
    means = seen.means(value)
    return int((means > 0).sum()), len(means)
