"""What predicts knowledge transfer best: the paper's measures, the rivals, or a cheap baseline?

Every predictor is scored by the mean tau-b with the section's own knowledge transfer; intervals draw the
sources with replacement, and differences of two predictors draw the same sources for both.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import torch

from lib import statistics
from lib.base import compute
from lib.measures import estimators
from lib.verdict import order, settings
from lib.verdict.settings import OWN, Run, Setting

MEASURES = (OWN, "τ₁", "τ₂", "τ₁ τ₂", "α²")
RIVALS = tuple(estimators.TITLES.values())
BASELINES = (
    "source accuracy", "class overlap", "class balance", "identity in the labels", "nearness of the data",
)  # fmt: skip
PREDICTORS = {**dict.fromkeys(MEASURES, "measure"), **dict.fromkeys(RIVALS, "rival"),
              **dict.fromkeys(BASELINES, "baseline")}  # fmt: skip
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
    tau: statistics.Interval
    gain: statistics.Interval

    @property
    def title(self) -> str:
        """What the predictor is in this setting."""
        return MEANS.get(self.predictor, {}).get(self.setting.key, self.predictor)

    @property
    def kind(self) -> str:
        """ "measure", "rival" or "baseline"."""
        return PREDICTORS[self.predictor]


def scores(runs: Mapping[str, Run], keys: Sequence[str] = settings.FOUR) -> list[Score]:
    """Every predictor that a recorded run holds, setting by setting."""
    found = []
    for setting in settings.of(*keys):
        run, knowledge = runs[setting.key], setting.headline[1]
        own = setting.grid(run, OWN, knowledge) if run else None
        for name in PREDICTORS if own else ():
            grid = setting.grid(run, name, knowledge)
            if own and grid and _varies(grid):
                stream = compute.generator(0, "rivals", setting.key, name)
                tau = order.bootstrap([grid], lambda t: t[0], generator=stream)
                gain = order.bootstrap([grid, own], lambda t: t[0] - t[1], generator=stream)
                found.append(Score(setting, name, tau, gain))
    return found


@dataclass(frozen=True)
class Best:
    """In one setting: the best of the paper's measures, the best other predictor, and other - measure."""

    setting: Setting
    measure: Score
    other: Score
    difference: statistics.Interval


def best(runs: Mapping[str, Run], found: Sequence[Score]) -> list[Best]:
    """Setting by setting: does anything do better than the best of the paper's measures?

    Both were chosen by looking, from five and from up to ten: the difference flatters the larger group.
    """
    rows = []
    for setting in dict.fromkeys(score.setting.key for score in found):
        own = [score for score in found if score.setting.key == setting]
        measure = max((s for s in own if s.kind == "measure"), key=lambda s: s.tau.value)
        others = [s for s in own if s.kind != "measure"]
        if others:
            other = max(others, key=lambda s: s.tau.value)
            rows.append(Best(measure.setting, measure, other, _gap(runs[setting], other, measure)))
    return rows


def _gap(run: Run, other: Score, measure: Score) -> statistics.Interval:
    """tau-b of the one less that of the other: a known `gain`, if the measure is the section's own."""
    if measure.predictor == OWN:
        return other.gain
    setting, knowledge = measure.setting, measure.setting.headline[1]
    grids = [setting.grid(run, score.predictor, knowledge) for score in (other, measure)]
    stream = compute.generator(0, "best", setting.key)
    return order.bootstrap([grid for grid in grids if grid], lambda t: t[0] - t[1], generator=stream)


def mean(found: Sequence[Score], predictor: str) -> float | None:
    """The mean tau-b over the settings; None where one of the recorded settings does not have it."""
    keys = {score.setting.key for score in found}
    own = [score.tau.value for score in found if score.predictor == predictor]
    return float(torch.tensor(own).mean()) if len(own) == len(keys) else None


def label(predictor: str) -> str:
    """A predictor's name for all settings, with what it stands for in some: "class overlap (text: ...)"."""
    others = "; ".join(f"{key}: {name}" for key, name in MEANS.get(predictor, {}).items())
    return f"{predictor} ({others})" if others else predictor


def _varies(grid: order.Grid) -> bool:
    """Whether the predictor orders anything: a class overlap that all sources share does not."""
    return bool((order.taus([order.Group(g.x, g.x, g.seeds, g.targets) for g in grid]) > 0).any())
