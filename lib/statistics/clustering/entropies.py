"""The entropy of known categories within clusters (Fig. 5), and what it would be without any structure.

All entropies are in nats. With as many clusters as tasks every cluster is pure and the entropy is 0 whatever
was clustered; with one cluster it is the entropy of the category proportions. What lies between proves
something only against a null.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from typing import cast

import torch
from torch import Tensor
from torch.nn.functional import one_hot

from lib.statistics.clustering.trees import Labels, codes, cuts, tree


@dataclass(frozen=True)
class Band:
    """Pointwise mean and quantiles of a null's curves, each (points,)."""

    mean: Tensor
    low: Tensor
    high: Tensor


def entropy(labels: Labels, categories: Labels, weighted: bool = False) -> float:
    """Mean over clusters of the entropy of the categories within: -sum_c p_c ln p_c.

    Unweighted, as the authors average it, a cluster of one task counts as much as a cluster of ten;
    ``weighted`` weights by size (the conditional entropy of the category given the cluster).

    Raises ValueError for labels and categories of different lengths, or none.
    """
    first, second = codes(labels), codes(categories)
    if first.shape != second.shape or not len(first):
        raise ValueError(f"{len(first)} labels and {len(second)} categories: give one of each for every item")
    return float(_entropies(first, second, weighted))


def entropy_curve(cuts: Tensor, categories: Labels | Tensor, weighted: bool = False) -> Tensor:
    """Entropy for each number of clusters: cuts (..., n, n) as from ``cuts(tree)`` -> (..., n).

    ``categories`` are n labels, the same for every number of clusters; or (n, n), the cuts of a
    reference tree, compared at equal numbers of clusters. The second is what the authors' script for Fig. 5
    does: that curve is 0 at both ends by construction.
    """
    fixed = not isinstance(categories, Tensor) or categories.ndim == 1
    known = codes(categories) if fixed else torch.as_tensor(categories)
    if cuts.shape[-1] != known.shape[-1]:
        raise ValueError(
            f"cuts of {cuts.shape[-1]} items, categories of {known.shape[-1]}: one for each item"
        )
    return _entropies(cuts, known.expand(cuts.shape), weighted)


def random_partitions(items: int, clusters: int, *, generator: torch.Generator, repeats: int) -> Tensor:
    """Draw uniformly from all partitions into that many non-empty clusters: int64 (repeats, items).

    Raises ValueError for a number outside 1..items.
    """
    if not 1 <= clusters <= items:
        raise ValueError(f"{clusters} clusters of {items} items: choose 1 to {items}")
    labels = torch.empty(repeats, items, dtype=torch.int64)
    left = torch.full((repeats,), clusters)
    for n in range(items, 0, -1):  # the n-th item opens a cluster, or joins one of those of items before it
        odds = [_stirling(n - 1, k - 1) / max(1, _stirling(n, k)) for k in range(clusters + 1)]
        opens = torch.tensor(odds, dtype=torch.float64)
        draws = torch.rand(2, repeats, generator=generator, dtype=torch.float64)
        alone = draws[0] < opens[left]
        labels[:, n - 1] = torch.where(alone, left - 1, (draws[1] * left).long())
        left = left - alone.long()
    return labels


def random_cuts(items: int, *, generator: torch.Generator, repeats: int) -> Tensor:
    """Random partitions for each number of clusters, (repeats, n, n): the null of no structure at all."""
    rows = [random_partitions(items, k, generator=generator, repeats=repeats) for k in range(1, items + 1)]
    return torch.stack(rows, 1)


def permuted_cuts(
    matrix: Tensor, *, generator: torch.Generator, repeats: int, linkage: str = "ward"
) -> Tensor:
    """Cuts of the trees of shuffled matrices, (repeats, n, n): the null that keeps the method and the values.

    Each column's entries are shuffled, apart from the diagonal: a task under its own attack stands out in
    every matrix, and should in the null.
    """
    return torch.stack([cuts(tree(m, linkage=linkage)) for m in _shuffled(matrix, generator, repeats)])


def band(curves: Tensor, level: float = 0.95) -> Band:
    """Mean and central ``level`` interval of curves (repeats, points), point by point."""
    tails = torch.tensor([(1 - level) / 2, (1 + level) / 2], dtype=curves.dtype)
    low, high = torch.quantile(curves, tails, dim=0)
    return Band(curves.mean(0), low, high)


def curve_p(observed: Tensor, null: Tensor) -> float:
    """P that a null curve lies as low as the observed one on average over all numbers of clusters.

    One test for the whole curve: (1 + hits) / (1 + repeats). The ends, where all curves agree, do not matter.
    """
    hits = int((null.mean(1) <= observed.mean() + 1e-12).sum())
    return (1 + hits) / (1 + len(null))


def _entropies(labels: Tensor, categories: Tensor, weighted: bool) -> Tensor:
    counts = one_hot(labels).mT.double() @ one_hot(categories).double()  # (..., clusters, categories)
    sizes = counts.sum(-1)
    inside = torch.special.entr(counts / sizes.clamp(min=1)[..., None]).sum(-1)
    weights = sizes if weighted else (sizes > 0).double()
    return cast(Tensor, (inside * weights).sum(-1) / weights.sum(-1))


@cache
def _stirling(items: int, clusters: int) -> int:
    """In how many ways n items fall into k non-empty clusters."""
    if clusters < 1 or clusters > items:
        return int(items == clusters)
    return clusters * _stirling(items - 1, clusters) + _stirling(items - 1, clusters - 1)


def _shuffled(matrix: Tensor, generator: torch.Generator, repeats: int) -> Iterator[Tensor]:
    n = len(matrix)
    off = ~torch.eye(n, dtype=torch.bool)
    columns = matrix.mT[off].reshape(n, n - 1)
    for _ in range(repeats):
        order = torch.rand(n, n - 1, generator=generator, dtype=torch.float64).argsort(1)
        mixed = matrix.mT.clone()
        mixed[off] = columns.gather(1, order).flatten()
        yield mixed.mT
