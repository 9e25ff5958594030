"""The later version's questions, on the same runs: does knowledge transfer point back at adversarial one?

tau-b is the same in both directions: where one order follows the other, the other follows the one; so is
the number of times that both have the same source first. What can differ is what a wrong choice costs: a
teacher picked by attack, or an attacker picked by knowledge transfer. The later paper's gamma is not in any
record; its gradient matching distance takes the best linear map, ours A.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

from lib.base import compute
from lib.verdict import order, radial, settings
from lib.verdict.rule import Evidence, Hits
from lib.verdict.settings import Run, Setting


@dataclass(frozen=True)
class Both:
    """One setting: the order, how often both have the same first, and the two regrets (`order.regret`)."""

    setting: Setting
    found: Evidence
    same: Hits
    forward: float
    backward: float


def both(runs: Mapping[str, Run]) -> list[Both]:
    """The recorded settings, with the synthetic sweep."""
    rows = []
    for setting in settings.SETTINGS:
        run = runs[setting.key]
        grid = setting.grid(run, *setting.headline) if run else None
        if grid:
            turned = [replace(group, x=group.y, y=group.x) for group in grid]
            found = order.evidence(grid, generator=compute.generator(0, "reverse", setting.key))
            same = order.hits(grid, generator=compute.generator(0, "verdict", setting.key, "best"))
            rows.append(Both(setting, found, same, order.regret(grid), order.regret(turned)))
    return rows


PAIRS = (  # of the later paper, as far as the recorded sweeps hold them
    ("α and the transferred loss (−)", "alpha", "−transferred_loss"),
    ("τ₁ and the transferred loss (−)", "tau1", "−transferred_loss"),
    ("gradient difference (−) and the transferred loss (−)", "−gradient_difference", "−transferred_loss"),
    ("α and the gradient difference (−)", "alpha", "−gradient_difference"),
)


def gradients(run: Run) -> list[tuple[str, Evidence]]:
    """At fixed t, the pairs of `PAIRS` in one recorded sweep; nothing if no target is trained."""
    found = []
    for name, x, y in PAIRS:
        grid = radial.grid(run, x, y) if run else None
        if grid:
            found.append((name, order.evidence(grid, generator=compute.generator(0, "gradients", name))))
    return found
