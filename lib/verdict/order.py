"""What the rule asks of a grid (`lib.statistics.grid`): evidence of an order, and hits of the best source."""

from __future__ import annotations

import torch
from torch import Tensor

from lib.statistics.grid import (
    REPEATS,
    Grid,
    Group,
    bootstrap,
    by_seed,
    null,
    p_value,
    pairs,
    regret,
    taus,
)
from lib.statistics.order import other_orders
from lib.verdict import rule
from lib.verdict.rule import Evidence, Hits

__all__ = ["REPEATS", "Grid", "Group", "bootstrap", "by_seed", "evidence", "hits", "null", "p_value", "pairs",
           "regret", "taus"]  # fmt: skip


def evidence(grid: Grid, *, generator: torch.Generator, repeats: int = REPEATS) -> Evidence:
    """What the rule asks of a grid. Each p counts the observed order among the permuted ones."""
    value, drawn = float(taus(grid).mean()), null(grid, generator=generator, repeats=repeats)
    seeds = by_seed(grid)
    return Evidence(
        value,
        p_value(drawn, value),
        p_value(-drawn, -value),
        rule.spread(seeds),
        sources=max(len(g.x) for g in grid),
        targets=len({target for g in grid for target in g.targets}),
        seeds=len(seeds),
    )


def hits(grid: Grid, *, generator: torch.Generator, repeats: int = REPEATS) -> Hits:
    """How often the unit with the largest x has the largest y; ties in y count as found."""
    found, cells, per_target = torch.zeros(1), 0, []
    right = 0
    for g in grid:
        orders = other_orders(len(g.x), repeats, generator, alone=len(grid) == 1)
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
