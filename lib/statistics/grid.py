"""Kendall's tau-b over many cells at once, its null, and bootstraps of it and of differences.

A group is a set of units (sources) seen under several conditions (targets, seeds): x and y are (units,
conditions), NaN where a unit does not count (a task and itself). A grid is a list of groups; its statistic is
the mean tau-b over all their conditions.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from lib.statistics.order import Interval, Permutation, Values, other_orders, paired, permutation

REPEATS = 2_000
RESAMPLED = 1_000  # bootstrap samples
_ELEMENTS = 4_000_000  # of one part of a computation, to bound memory


@dataclass(frozen=True)
class Group:
    """x and y (units, conditions); `seeds` and `targets` name each condition's."""

    x: Tensor
    y: Tensor
    seeds: tuple[int, ...]
    targets: tuple[Any, ...]


Grid = Sequence[Group]


def taus(grid: Grid) -> Tensor:
    """tau-b of every condition (conditions of all groups); 0 where a side orders nothing."""
    return torch.cat([pairs(g).sum((1, 2)) / _scale(_signs(g.x), _signs(g.y)) for g in grid])


def by_seed(grid: Grid) -> Tensor:
    """The mean tau-b of each seed, (seeds,), over its groups and targets."""
    seeds = torch.tensor([seed for g in grid for seed in g.seeds])
    values = taus(grid)
    return torch.stack([values[seeds == seed].mean() for seed in torch.unique(seeds)])


def null(grid: Grid, *, generator: torch.Generator, repeats: int = REPEATS, alone: bool = True) -> Tensor:
    """The mean tau-b (orders,) after y's units were permuted, each with all its conditions.

    A permuted y that does not count takes its unit out of that condition: tau-b is that of the pairs left.
    `alone`: all orders of a single group of few units; False draws `repeats`, to be added to other nulls.
    """
    total, cells = torch.zeros(1, dtype=torch.float64), 0
    for g in grid:
        orders = other_orders(len(g.x), repeats, generator, alone=alone and len(grid) == 1)
        size = max(1, _ELEMENTS // (g.x.numel() * len(g.x)))
        total = total + torch.cat([_permuted(g, part).sum(1) for part in torch.split(orders, size)])
        cells += g.x.shape[1]
    return total / cells


def stratified_permutation(
    groups: Sequence[tuple[Values, Values]], *, generator: torch.Generator, repeats: int = REPEATS
) -> Permutation:
    """Does y follow x among like units? Kendall within each group; y's rows are permuted within it.

    Each group is (x, y), both (units,) or both (units, conditions). A unit's whole row moves together, so
    that the dependence between the points of one sweep stays in the null. The statistic is the mean
    tau-b over groups and conditions (constant ones count as 0). p counts the observed order: (1 + hits) /
    (1 + repeats). A single group of up to seven units has all its other orders tried: p is exact.

    Raises ValueError for no group, a group of one unit, or shapes that differ.
    """
    if not groups or repeats < 1:
        raise ValueError(f"{len(groups)} groups, {repeats} repeats: pass at least one (x, y), and 1 or more")
    grid = [Group(*paired(x, y, most_dimensions=2), (), ()) for x, y in groups]
    cells, drawn = taus(grid).tolist(), null(grid, generator=generator, repeats=repeats)
    return permutation(sum(cells) / len(cells), drawn)


def bootstrap(
    grids: Sequence[Grid], statistic: Callable[[Sequence[Tensor]], Tensor], *, generator: torch.Generator,
    repeats: int = RESAMPLED,
) -> Interval:  # fmt: skip
    """95 % percentile interval of `statistic`, when units are drawn with replacement.

    `statistic` gets the mean tau-b (repeats,) of each grid and returns (repeats,): a difference, for example.
    All grids share their units, group by group: the same units are drawn in each, so that differences are
    paired. With five units this is coarse, and for fewer than about ten it is too narrow.
    """
    sizes = [len(g.x) for g in grids[0]]
    if any([len(g.x) for g in grid] != sizes for grid in grids):
        raise ValueError("the grids have different units: pass measures of the same sources")
    picks = [torch.randint(size, (repeats, size), generator=generator) for size in sizes]
    whole = [torch.arange(size).unsqueeze(0) for size in sizes]
    drawn, value = (statistic([_resampled(grid, some) for grid in grids]) for some in (picks, whole))
    low, high = torch.quantile(drawn, torch.tensor([0.025, 0.975]).double()).tolist()
    return Interval(low, float(value[0]), high)


def pairs(group: Group) -> Tensor:
    """For each condition and ordered pair of units: 1 if x and y order them alike, -1 oppositely, else 0."""
    return _signs(group.x) * _signs(group.y)


def regret(grid: Grid) -> float:
    """What is lost in y by taking the unit with the largest x: 0 nothing, 1 as much as by a blind choice.

    Ratio of the means over all conditions of (best y - taken y) and (best y - mean y). 0 if all y are alike.
    """
    lost, blind = 0.0, 0.0
    for g in grid:
        best = g.y.nan_to_num(-torch.inf).amax(0)
        taken = g.y.gather(0, g.x.nan_to_num(-torch.inf).argmax(0, keepdim=True))[0]
        lost += float((best - taken).sum())
        blind += float((best - g.y.nanmean(0)).sum())
    return lost / blind if blind else 0.0


def _resampled(grid: Grid, picks: Sequence[Tensor]) -> Tensor:
    total, cells = torch.zeros(len(picks[0]), dtype=torch.float64), 0
    for g, pick in zip(grid, picks):
        x, y = _signs(g.x), _signs(g.y)
        for part in range(g.x.shape[1]):
            a = x[part][pick[:, :, None], pick[:, None, :]]
            b = y[part][pick[:, :, None], pick[:, None, :]]
            total += (a * b).sum((1, 2)) / _scale(a, b)
        cells += g.x.shape[1]
    return total / cells


def _signs(values: Tensor) -> Tensor:
    """(conditions, units, units): the order of each pair of units; 0 for ties and what does not count."""
    columns = values.double().T
    return torch.sign(columns[:, :, None] - columns[:, None, :]).nan_to_num(0.0)


def _permuted(g: Group, orders: Tensor) -> Tensor:
    """tau-b (orders, conditions), y's units in the given orders, over the pairs that count on both sides."""
    x, y = _signs(g.x), _signs(g.y)[:, orders[:, :, None], orders[:, None, :]]
    on_x, on_y = ((~side.isnan()).double().T for side in (g.x, g.y))
    score = torch.einsum("cij,crij->rc", x, y)
    if bool(on_x.all() and on_y.all()):
        return score / _scale(x, _signs(g.y))
    on_y = on_y[:, orders]
    untied_x = torch.einsum("cij,cri,crj->rc", x.abs(), on_y, on_y)
    untied_y = torch.einsum("crij,ci,cj->rc", y.abs(), on_x, on_x)
    scale = (untied_x * untied_y).sqrt()
    return score / scale.where(scale > 0, torch.inf)


def _scale(x: Tensor, y: Tensor) -> Tensor:
    scale = (x.abs().sum((1, 2)) * y.abs().sum((1, 2))).sqrt()
    return scale.where(scale > 0, torch.inf)


def p_value(drawn: Tensor, value: float) -> float:
    """The share of draws at least as large as the value, which is counted among them."""
    return (1 + int((drawn >= value - 1e-9).sum())) / (1 + len(drawn))
