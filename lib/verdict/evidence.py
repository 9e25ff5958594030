"""What speaks for an order: the evidence that the rule asks of a grid of observations, and of several grids.

All settings at once. Assumptions. Permutation: within a setting, sources are exchangeable if the measure has
nothing to do with knowledge transfer; a source keeps all its targets and seeds, because they share its
network; settings are independent (no network is shared between them). Mean: every setting counts alike,
whatever its number of sources or targets. Interval: the settings are a sample of the settings that one could
have chosen, their means are near normal. With four of them the interval is wide, and should be. The
permutation test speaks of these settings only.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

from lib import statistics
from lib.statistics.grid import REPEATS, Grid, by_seed, null, p_value, taus
from lib.verdict.rule import Evidence, Hits


def spread(values: Tensor) -> statistics.Interval | None:
    """Student's 95 % interval of mean tau-bs, cut to [-1, 1]; None for a single value."""
    return statistics.seed_interval(values, limits=statistics.TAU) if len(values) > 1 else None


def evidence(grid: Grid, *, generator: torch.Generator, repeats: int = REPEATS) -> Evidence:
    """What the rule asks of a grid. Each p counts the observed order among the permuted ones."""
    drawn, seeds = null(grid, generator=generator, repeats=repeats), by_seed(grid)
    targets = len({target for g in grid for target in g.targets})
    sizes = max(len(g.x) for g in grid), targets, len(seeds)
    return _against(drawn, float(taus(grid).mean()), seeds, sizes, "seed")


def together(settings: Sequence[tuple[Grid, torch.Generator]]) -> Evidence | None:
    """The evidence of several settings' grids in one, each with its random numbers; None for no grid.

    `sources` is the number of sources in all, `targets` the number of settings, `seeds` the fewest of one.
    """
    if not settings:
        return None
    grids = [grid for grid, _ in settings]
    means = torch.stack([taus(grid).mean() for grid in grids])
    drawn = torch.stack([null(grid, generator=stream, alone=False) for grid, stream in settings]).mean(0)
    sources = sum(max(len(g.x) for g in grid) for grid in grids)
    seeds = min(len({seed for g in grid for seed in g.seeds}) for grid in grids)
    return _against(drawn, float(means.mean()), means, (sources, len(grids), seeds), "setting")


def _against(drawn: Tensor, value: float, each: Tensor, sizes: tuple[int, int, int], over: str) -> Evidence:
    """A mean tau-b against its null; `each` of the units that the interval is over."""
    return Evidence(value, p_value(drawn, value), p_value(-drawn, -value), spread(each), *sizes, over)


def hits(grid: Grid, *, generator: torch.Generator, repeats: int = REPEATS) -> Hits:
    """How often the unit with the largest x has the largest y; ties in y count as found."""
    found, cells, per_target = torch.zeros(1), 0, []
    right = 0
    for g in grid:
        orders = statistics.other_orders(len(g.x), repeats, generator, alone=len(grid) == 1)
        best, picked = _best(g.y), g.x.nan_to_num(-torch.inf).argmax(0)
        right += int(best.gather(0, picked.unsqueeze(0)).sum())
        where = picked.expand(len(orders), 1, -1)
        hit, counts = (each[orders].gather(1, where).sum((1, 2)) for each in (best, ~g.y.isnan()))
        found = found + hit * g.x.shape[1] / counts.clamp(min=1)  # of the picks that count in that order
        cells += g.x.shape[1]
        for target in dict.fromkeys(g.targets):
            own = torch.tensor([t == target for t in g.targets])
            x, y = g.x[:, own].mean(1, keepdim=True), g.y[:, own].mean(1, keepdim=True)
            per_target.append(bool(_best(y)[x.nan_to_num(-torch.inf).argmax(0), 0]))
    return Hits((sum(per_target), len(per_target)), (right, cells), p_value(found, right))


def _best(y: Tensor) -> Tensor:
    y = y.nan_to_num(-torch.inf)
    return y == y.amax(0)
