"""What Section 4.2 says of images, and what a run on photographs says."""

from __future__ import annotations

from collections.abc import Callable
from statistics import fmean
from typing import Literal

from lib.engine.results import Result
from lib.experiments.common.observations import Observations
from lib.experiments.images.readings import READINGS, title
from lib.experiments.images.settings import UNTRAINED, split_target
from lib.theory.ledger import OURS, Row

LOSS, PROBE = READINGS.headline
COUNT = "class overlap"


def rows(result: Result) -> list[Row]:
    """Decided by a run with both kinds of target: of the sources' own collection of photographs, and not."""
    seen = READINGS.of(result)
    own = result.config.source_data
    near, far = ([t for t in seen.targets if (split_target(t)[0] == own) is here] for here in (True, False))
    best = _best_source(seen, near, "observed"), _best_source(seen, far, "not shown")
    others = _counting(seen), _rivals(seen), _untrained(seen)
    return [*best, _noise(seen), _one_is_not_enough(seen, far), *others]


def _best_source(seen: Observations, where: list[str], verdict: Literal["observed", "not shown"]) -> Row:
    """Does picking the source by its adversarial loss find the one with the highest accuracy?"""
    found = [seen.choice(LOSS, PROBE, target) for target in where]
    always = verdict == "observed"
    return Row(
        "the most adversarially transferable source transfers best: " + ", ".join(map(title, where)),
        "4.2, Results", "'it's clear'",
        "; ".join(f"{c.right} of {c.seeds} seeds, accuracy lost {c.regret:.3f}" for c in found), verdict,
        tuple(_always(c.right == c.seeds, always) for c in found),
    )  # fmt: skip


def _always(found: bool, wanted: bool) -> Callable[[], bool]:
    return lambda: found is wanted


def _noise(seen: Observations) -> Row:
    """Is it the source that fools the reference, or any change of that size?"""

    def margin(target: str) -> float:
        rise = seen.means(lambda r: r["attacks"]["pgd"]["loss"] - r["attacks"]["noise"]["loss"], target)
        return float(rise.min())

    least = min(map(margin, seen.targets))
    return Row(
        "attacks on every source fool the reference more than noise does", "4.2", "no control",
        f"smallest rise of the loss over noise {least:.2f}", "observed", (lambda: least > 0,),
    )  # fmt: skip


def _one_is_not_enough(seen: Observations, far: list[str]) -> Row:
    one, both = (seen.link(name, PROBE, *far).each for name in ("τ₁", "τ₁ τ₂"))
    return Row(
        "τ₁ alone does not indicate knowledge transfer: " + ", ".join(map(title, far)), "4.2, Results",
        "'only τ₁ is not sufficient'",
        f"τ_b by seed {min(one):.1f} to {max(one):.1f}, mean {fmean(one):.2f}; of τ₁ τ₂ {min(both):.1f} to "
        f"{max(both):.1f}, mean {fmean(both):.2f}", "observed",
        (lambda: fmean(one) < 0, lambda: fmean(both) > 0),
    )  # fmt: skip


def _counting(seen: Observations) -> Row:
    best, high = _best(seen)
    count = _tau(seen, COUNT)

    def none_better(knowledge: str) -> Callable[[], bool]:
        counted = _tau(seen, COUNT, knowledge)
        return lambda: all(counted >= _tau(seen, name, knowledge) for name in READINGS.measures)

    return Row(
        "no attack orders the sources better than the count of shared classes", OURS, "not considered",
        f"mean τ_b {count:.2f} by counting, {high:.2f} by {best}, the best measure", "observed",
        tuple(map(none_better, READINGS.knowledge)),
    )  # fmt: skip


def _rivals(seen: Observations) -> Row:
    labelled = {n: _tau(seen, n) for n in READINGS.rivals if n not in (COUNT, "source accuracy")}
    worst = min(labelled, key=labelled.__getitem__)
    best, high = _best(seen)
    return Row(
        "every rival, and the nearness of the data, orders the sources better than every attack", OURS,
        "not considered",
        f"mean τ_b {labelled[worst]:.2f} by {worst}, the worst of these, {high:.2f} by {best}, "
        "the best measure", "observed", (lambda: labelled[worst] > high,),
    )  # fmt: skip


def _untrained(seen: Observations) -> Row:
    control = [r for target in seen.targets for r in seen.records(UNTRAINED, target)]
    above = [r["tau2"] > r["tau2_null"][1] for r in control]
    return Row(
        "τ₂ above its null shows that the source has learnt something", OURS, "no null",
        f"an untrained network is above the 95th per cent of the null in {sum(above)} of {len(above)} cases",
        "refuted", (lambda: any(above),),
    )  # fmt: skip


def _best(seen: Observations) -> tuple[str, float]:
    """The measure that orders the sources best over all targets, and its mean tau-b."""
    found = {name: _tau(seen, name) for name in READINGS.measures}
    best = max(found, key=found.__getitem__)
    return best, found[best]


def _tau(seen: Observations, name: str, knowledge: str = PROBE) -> float:
    return seen.link(name, knowledge).order.value
