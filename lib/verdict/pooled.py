"""All settings at once: one permutation test, and the mean tau-b with an interval over the settings.

Assumptions. Permutation: within a setting, sources are exchangeable if the measure has nothing to do with
knowledge transfer; a source keeps all its targets and seeds, because they share its network; settings are
independent (no network is shared between them). Mean: every setting counts alike, whatever its number of
sources or targets. Interval: the settings are a sample of the settings that one could have chosen, their
means are near normal. With four of them the interval is wide, and should be. The permutation test speaks of
these settings only.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import torch

from lib.base import compute
from lib.verdict import order, rule, settings
from lib.verdict.order import Grid
from lib.verdict.rule import Evidence
from lib.verdict.settings import Run


def together(
    runs: Mapping[str, Run], keys: Sequence[str], *, pair: tuple[Any, Any] | None = None
) -> Evidence | None:
    """Evidence over the recorded ones of these settings: `pair`, or each one's headline.

    `sources` is the number of sources in all, `targets` the number of settings. None if none is recorded.
    """
    recorded = grids(runs, keys, pair)
    if not recorded:
        return None
    means = torch.stack([order.taus(grid).mean() for grid in recorded.values()])
    nulls = [
        order.null(grid, generator=compute.generator(0, "pooled", key), alone=False)
        for key, grid in recorded.items()
    ]
    value, null = float(means.mean()), torch.stack(nulls).mean(0)
    return Evidence(
        value,
        order.p_value(null, value),
        order.p_value(-null, -value),
        rule.spread(means),
        sources=sum(max(len(g.x) for g in grid) for grid in recorded.values()),
        targets=len(recorded),
        seeds=min(len({seed for g in grid for seed in g.seeds}) for grid in recorded.values()),
        over="setting",
    )


def grids(
    runs: Mapping[str, Run], keys: Sequence[str], pair: tuple[Any, Any] | None = None
) -> dict[str, Grid]:
    """{setting: grid} of the recorded ones that hold both values; each one's headline if `pair` is None."""
    found = {}
    for setting in settings.of(*keys):
        run = runs[setting.key]
        grid = setting.grid(run, *(pair or setting.headline)) if run else None
        if grid:
            found[setting.key] = grid
    return found
