"""Settings of the synthetic experiment (Sec. 4.1), fixed before the runs were looked at."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Literal

from lib.engine.parameters import Checked, Count, Positive, Some, limits

LABELS = {"quick": "quick: the paper's size", "reduced": "reduced: the paper's size, more seeds"}


@dataclass(frozen=True)
class Config(Checked):
    """What the paper leaves open is marked so. `floor` was set before any transfer was measured."""

    preset: str
    seeds: Count  # open: the paper shows one curve
    device: str
    variant: Literal["default", "literal", "icml"]  # a key of networks.PROBLEMS (Section 4.1, Dataset)
    widths: Some[Count]  # of the target's hidden layer (Figure 2)
    directions: Count  # V per seed: the paper's figure has one, a test at fixed t needs two or more
    points: Annotated[int, limits(ge=2)]  # of t in [0, 1], evenly (Section 4.1); their number is open
    moves: Literal["all", "weights", "hidden"]  # open: which parameters the W of W + t V holds
    epsilon: Positive  # open: radius of the attack in the true cross adversarial loss (Def. 6)
    train_steps: Count  # open: iterations of L-BFGS
    floor: Annotated[float, limits(gt=0, lt=1)]  # of the targets' variance; a loss above is 'not a test'
    nulls: Count  # draws of tau2's null


PRESETS = {
    preset: Config(
        preset=preset, seeds=seeds, device="cpu", variant="default", widths=(50, 100), directions=directions,
        points=11, moves="all", epsilon=0.1, train_steps=500, floor=0.1, nulls=20,
    )
    for preset, seeds, directions in (("quick", 5, 2), ("reduced", 20, 4), ("paper", 20, 4))
}  # fmt: skip
