"""What the verdict reads the sweeps by: the sources are the directions of one target network, at fixed t."""

from __future__ import annotations

from lib.engine.results import Result
from lib.experiments.common.observations import Readings
from lib.experiments.synthetic import tracking
from lib.statistics import Grid

NAMES = {
    "α²": "alpha_squared",
    "transferred loss (−)": "−transferred_loss",
}  # as `tracking.curves` takes them


def groups(result: Result, x: str, y: str) -> Grid:
    """Two quantities as a grid, a group a trained target network; empty where none is trained."""
    return tracking.at_fixed_t(tracking.tested(result), NAMES.get(x, x), NAMES.get(y, y))


READINGS = Readings(  # section 4.1 calls alpha its normalised cross adversarial loss
    {}, {}, {}, ("α²", "transferred loss (−)"), section="4.1", scenario="synthetic", groups=groups
)
