"""When a ranking should not be trusted: each doubt in one sentence, with what to do."""

from __future__ import annotations

from collections.abc import Iterator

from lib.ranking.measures import ADVERSARIAL, DIRECT, MEASURES, TITLES
from lib.ranking.result import Findings

FEW = 20  # test samples of a class, below which an accuracy is hardly a number


def doubts(ranking: Findings) -> list[str]:
    """Every reason not to trust the order, the gravest first."""
    found = [_same(ranking), _apart(ranking), _reference(ranking), _chance(ranking), _others(ranking)]
    return [*ranking.alerts, *(doubt for each in found for doubt in each)]


def _same(ranking: Findings) -> Iterator[str]:
    """Models that are equal in all that was measured."""
    left = list(ranking.found)
    while left:
        first, *others = left
        twins = [name for name in others if _equal(ranking, first, name)]
        if twins:
            yield (
                f"{_listed([first, *twins])} cannot be told apart: they are equal in everything that was "
                "measured. Is it the same model under several names?"
            )
        left = [name for name in others if name not in twins]


def _equal(ranking: Findings, first: str, second: str) -> bool:
    pairs = [(ranking.value(first, m), ranking.value(second, m)) for m in MEASURES]
    return all(a == b or (a is not None and b is not None and abs(a - b) <= 1e-6 * abs(a)) for a, b in pairs)


def _apart(ranking: Findings) -> Iterator[str]:
    rivals = ranking.contenders
    if len(ranking.found) > 1 and len(rivals) > 1:
        yield (
            f"{TITLES[ranking.by]} cannot separate {_listed(rivals)}: over resamples of the samples each of "
            "them may be the best. Take the cheapest (see ranking.costs), or bring more labelled samples"
        )


def _reference(ranking: Findings) -> Iterator[str]:
    frame = ranking.frame
    if frame.accuracy < frame.chance + 0.5 * (1 - frame.chance):
        yield (
            f"the reference gets {frame.accuracy:.2f} of the test samples right (chance "
            f"{frame.chance:.2f}): τ₁, τ₂, α and the adversarial loss compare candidates with a model that "
            "knows little of the task. Pass a better reference=, or leave these columns alone"
        )
    if frame.noise > frame.clean + 0.5 * abs(frame.clean) + 0.1:
        yield (
            f"random noise alone takes the reference's loss from {frame.clean:.3g} to {frame.noise:.3g}: "
            "read the adversarial loss against that, or lower epsilon"
        )


def _chance(ranking: Findings) -> Iterator[str]:
    """Measures that an untrained network gets as well."""
    for measure in (DIRECT, *ADVERSARIAL):
        floor = _number(ranking.baseline.value(measure))
        beaten = [n for n, each in ranking.found.items() if _number(each.value(measure)) > floor]
        if len(beaten) > len(ranking.found) / 2:
            continue
        others = "no candidate beats" if not beaten else f"only {_listed(beaten)} can beat"
        yield (
            f"{others} an untrained network by {TITLES[measure]} ({floor:.3g}): it measures no knowledge here"
        )
    unpaired = [name for name, each in ranking.found.items() if _number(each.value("tau2")) <= each.null[1]]
    if unpaired:
        yield (
            f"τ₂ of {_listed(unpaired)} is no higher than what remains when the attacks are paired with "
            "other samples"
        )


def _others(ranking: Findings) -> Iterator[str]:
    first = {m: ranking.order(m)[0] for m in ADVERSARIAL}
    other = [TITLES[m] for m, name in first.items() if name != ranking.best]
    if ranking.by == DIRECT and other:
        yield (
            f"{_listed(other)} would put another model first than {DIRECT} does; {DIRECT} is the direct "
            "measure, they are guesses at it"
        )
    for name, each in ranking.found.items():
        if each.kept < 0.9:
            yield (
                f"{name}: τ and α see the {each.attacked.deviation_source.shape[1]} principal directions of "
                f"its outputs, which carry {each.kept:.0%} of their variance; raise outputs= to see more"
            )
    size = ranking.frame.smallest
    if size < FEW:
        yield (
            f"the smallest class has {size} test samples: one more or less of them right moves its accuracy "
            f"by {1 / size:.2f}"
        )


def _listed(names: list[str]) -> str:
    return names[0] if len(names) == 1 else f"{', '.join(names[:-1])} and {names[-1]}"


def _number(value: float | None) -> float:
    return 0.0 if value is None else value
