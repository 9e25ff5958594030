"""What the answer hangs on: do rivals guide better, does a change turn it, does it point back?"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from statistics import fmean
from typing import Any

from torch import Tensor

from lib.base import streams
from lib.engine.results import Absent, Result, Value, at
from lib.experiments.synthetic import tracking
from lib.measures import estimators
from lib.statistics import Interval
from lib.statistics.grid import bootstrap, regret, taus
from lib.verdict import rule, settings
from lib.verdict.evidence import evidence
from lib.verdict.rule import Evidence, Hits
from lib.verdict.settings import OWN, Setting, Settings

# -- rivals: what predicts knowledge transfer best? -------------------------------------------------------
#
# Every predictor is scored by the mean tau-b with the section's own knowledge transfer; intervals draw the
# sources with replacement, and differences of two predictors draw the same sources for both.

PREDICTORS = {
    **dict.fromkeys((OWN, "τ₁", "τ₂", "τ₁ τ₂", "α²"), "measure"),
    **dict.fromkeys(estimators.RECORDED.values(), "rival"),
    **dict.fromkeys(("source accuracy", "class overlap", "class balance", "identity in the labels",
                     "nearness of the data"), "baseline"),
}  # fmt: skip
MEANS = {  # what a shared name stands for where it is something else
    OWN: {"tasks": "adversarial affinity"},
    "class overlap": {"text": "same kind of task", "tasks": "same category"},
    "source accuracy": {"tasks": "source's own success"},
}


@dataclass(frozen=True)
class Score:
    """One predictor in one setting: its mean tau-b, and that less the tau-b of the section's own measure."""

    setting: Setting
    predictor: str
    tau: Interval
    gain: Interval

    @property
    def title(self) -> str:
        """What the predictor is in this setting."""
        return MEANS.get(self.predictor, {}).get(self.setting.key, self.predictor)

    @property
    def kind(self) -> str:
        """ "measure", "rival" or "baseline"."""
        return PREDICTORS[self.predictor]


def scores(every: Settings) -> list[Score]:
    """Every predictor that a recorded run holds, setting by setting."""
    return [score for one in settings.four(every) for score in scored(one)]


def scored(one: Setting) -> list[Score]:
    """Every predictor of one setting."""
    found, own = [], one.grid(*one.headline)
    for name in PREDICTORS if own else ():
        grid = one.grid(name, one.headline[1])
        # a predictor that orders nothing is none: a class overlap that all sources share
        if own and grid and (taus([replace(group, y=group.x) for group in grid]) > 0).any():
            stream = one.stream("rivals", name)
            tau = bootstrap([grid], lambda t: t[0], generator=stream)
            found.append(Score(one, name, tau, bootstrap([grid, own], _difference, generator=stream)))
    return found


def _difference(taus: Sequence[Tensor]) -> Tensor:
    return taus[0] - taus[1]


@dataclass(frozen=True)
class Best:
    """In one setting: the best of the paper's measures, the best other predictor, and other - measure."""

    measure: Score
    other: Score
    difference: Interval

    @property
    def setting(self) -> Setting:
        """Theirs."""
        return self.measure.setting


def best(found: Sequence[Score]) -> list[Best]:
    """Setting by setting: does anything do better than the best of the paper's measures?

    Both were chosen by looking, from five and from up to ten: the difference flatters the larger group.
    """
    rows = []
    for one in {score.setting.key: score.setting for score in found}.values():
        own = sorted((s for s in found if s.setting.key == one.key), key=lambda s: -s.tau.value)
        measure = next(score for score in own if score.kind == "measure")
        if other := next((score for score in own if score.kind != "measure"), None):
            gap = other.gain
            if measure.predictor != OWN:  # else the gain on the section's own measure is the difference
                grids = [one.grid(score.predictor, one.headline[1]) for score in (other, measure)]
                both = [grid for grid in grids if grid]
                gap = bootstrap(both, _difference, generator=one.stream("best"))
            rows.append(Best(measure, other, gap))
    return rows


def mean(found: Sequence[Score], predictor: str) -> float | None:
    """The mean tau-b over the settings; None where one of the recorded settings does not have it."""
    own = [score.tau.value for score in found if score.predictor == predictor]
    return fmean(own) if own and len(own) == len({score.setting.key for score in found}) else None


def label(predictor: str) -> str:
    """A predictor's name for all settings, with what it stands for in some: "class overlap (text: ...)"."""
    others = "; ".join(f"{key}: {name}" for key, name in MEANS.get(predictor, {}).items())
    return f"{predictor} ({others})" if others else predictor


# -- sensitivity: which conclusions flip when one thing changes that the paper leaves open? ---------------

FEW = 5  # targets up to which each is shown by itself
Variant = tuple[str, str, str | Value, str, list[str] | None]  # kind, what, x, y, targets
Extra = Iterator[tuple[str, str, Value]]  # kind, what, x


@dataclass(frozen=True)
class Change:
    """One change against the section's headline: the evidence after it, and whether the decision differs."""

    setting: Setting
    kind: str  # what was changed: "target", "attack", ...
    what: str
    found: Evidence
    before: rule.Decision

    @property
    def decision(self) -> rule.Decision:
        """By the same rule."""
        return rule.correlation(self.found)

    @property
    def flips(self) -> bool:
        """Whether a conclusion in favour becomes one that is not, or the other way round."""
        return self.decision.startswith("holds") is not self.before.startswith("holds")


def changes(every: Settings) -> list[Change]:
    """All changes of all recorded settings."""
    found = []
    for one in settings.four(every):
        for kind, what, x, y, targets in _variants(one) if one.found else ():
            after = one.evidence(x, y, targets, what if callable(x) else "")
            if after:
                found.append(Change(one, kind, what, after, rule.correlation(one.found)))
    return found


def _variants(one: Setting) -> Iterator[Variant]:
    """Other targets, readings of knowledge, attacks, and measures."""
    own, knowledge = one.headline
    if 1 < len(one.targets) <= FEW:
        for target in one.targets:
            yield "target", one.readings.title(target), own, knowledge, [target]
    for name in one.readings.knowledge:
        if name != knowledge:
            yield "knowledge", name, own, name, None
    for name, value in one.predictors.items():
        if name.startswith(("adversarial", "τ", "α")) and value is not one.predictors[OWN]:
            yield "measure", name, name, knowledge, None
    for kind, what, extra in EXTRA[one.key](one.result.config) if one.key in EXTRA else ():
        yield kind, what, extra, knowledge, None


def _images(config: Any) -> Extra:
    """Radius, steps, number of images, reading of alpha, how the loss is averaged."""
    some = f"{config.sweep_images} images"
    for index, epsilon in enumerate(config.sweep_epsilons):
        if epsilon:
            yield "radius", f"ε = {epsilon:g}, {some}", at("sweeps", "epsilon", index)
    for index, steps in enumerate(config.sweep_steps):
        yield "steps", f"{steps} step{'s' if steps > 1 else ''}, {some}", at("sweeps", "steps", index)
    yield "measure", "α, not squared", at("alpha")
    yield "measure", "τ₂, split half", at("tau2_split_half")
    loss, noise = at("attacks", "pgd", "loss"), at("attacks", "noise", "loss")
    yield "loss", "of correctly classified images, as the authors' code", at("attacks", "pgd", "loss_authors")
    yield "loss", "the rise over random noise", lambda r: loss(r) - noise(r)


def _attributes(config: Any) -> Extra:
    """A classifier of two classes has one logit, or two: the paper does not say."""
    for name, title in (("tau1", "τ₁"), ("tau2", "τ₂")):
        yield "outputs", f"{title} of a source with one logit", at("one_logit", name)


EXTRA = {"images": _images, "attributes": _attributes}


# -- both directions: does knowledge transfer point back at adversarial transfer? -------------------------
#
# The later version's questions, on the same runs. tau-b is the same in both directions: where one order
# follows the other, the other follows the one; so is the number of times that both have the same source
# first. What can differ is what a wrong choice costs: a teacher picked by attack, or an attacker picked by
# knowledge transfer. The later paper's gamma is not in any record; its gradient matching distance takes the
# best linear map, ours A.

PAIRS = (  # of the later paper, as far as the recorded sweeps hold them
    ("α and the transferred loss (−)", "alpha", "−transferred_loss"),
    ("τ₁ and the transferred loss (−)", "tau1", "−transferred_loss"),
    ("gradient difference (−) and the transferred loss (−)", "−gradient_difference", "−transferred_loss"),
    ("α and the gradient difference (−)", "alpha", "−gradient_difference"),
)


@dataclass(frozen=True)
class Both:
    """One setting: the order, how often both have the same first, and the two regrets (`grid.regret`)."""

    setting: Setting
    found: Evidence
    same: Hits
    forward: float
    backward: float


def both(every: Settings) -> list[Both]:
    """The recorded settings, with the synthetic sweep."""
    rows = []
    for one in every.values():
        grid = one.grid(*one.headline)
        if grid and one.hits:
            turned = [replace(group, x=group.y, y=group.x) for group in grid]
            found = evidence(grid, generator=one.stream("reverse"))
            rows.append(Both(one, found, one.hits, regret(grid), regret(turned)))
    return rows


def gradients(run: Result | Absent) -> list[tuple[str, Evidence]]:
    """At fixed t, the pairs of `PAIRS` in one recorded sweep; nothing if no target is trained."""
    records = [] if isinstance(run, Absent) else tracking.tested(run)
    return [
        (name, evidence(grid, generator=streams.generator(0, "gradients", name)))
        for name, x, y in PAIRS
        if (grid := tracking.at_fixed_t(records, x, y))
    ]
