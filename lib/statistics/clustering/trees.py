"""Agglomerative trees over tasks, their clusters, and how alike two clusterings or two matrices are."""

from __future__ import annotations

import math
from collections.abc import Hashable, Sequence
from typing import Literal, cast

import numpy as np
import torch
from scipy.cluster import hierarchy
from scipy.stats import rankdata
from sklearn.metrics import adjusted_rand_score
from torch import Tensor

from lib.statistics.order import Permutation, permutation, random_orders

LINKAGES = ("ward", "average", "complete", "single")  # those whose merges never go down again

Labels = Tensor | Sequence[Hashable]


def tree(matrix: Tensor, *, linkage: str = "ward", distance: str = "euclidean") -> np.ndarray:
    """The agglomerative tree over the ROWS of ``matrix``, in scipy's form (n - 1, 4), for its dendrogram.

    For an affinity (sources, targets) a row says how one task does as a source for every target. That is
    what the authors cluster; the transpose clusters tasks as targets. The paper names neither linkage nor
    distance: Ward's with Euclidean distance is what the authors' code gets from its library's defaults.

    Raises ValueError for fewer than 2 rows, a value that is not finite, or a linkage whose heights may fall.
    """
    if matrix.ndim != 2 or len(matrix) < 2 or not bool(torch.isfinite(matrix).all()):
        raise ValueError(f"shape {tuple(matrix.shape)}: a tree needs 2 or more rows of finite numbers")
    if linkage not in LINKAGES or (linkage == "ward" and distance != "euclidean"):
        raise ValueError(
            f"linkage {linkage!r} with {distance!r}: use one of {', '.join(LINKAGES)}, ward with 'euclidean'"
        )
    return cast(np.ndarray, hierarchy.linkage(matrix.double().numpy(), method=linkage, metric=distance))


def cuts(tree: np.ndarray) -> Tensor:
    """Every partition on the way up the tree: (n, n) int64, row k - 1 has exactly k clusters.

    Clusters are numbered by their first member.
    """
    items = len(tree) + 1
    members = {item: [item] for item in range(items)}
    label = torch.arange(items)
    rows = [label.clone()]
    for step, (left, right) in enumerate(tree[:, :2].astype(int)):
        members[items + step] = members.pop(left) + members.pop(right)
        label[members[items + step]] = items + step
        rows.append(codes(label))
    return torch.stack(rows[::-1])


def cut(tree: np.ndarray, clusters: int) -> Tensor:
    """The partition into ``clusters`` clusters, int64 (n,), numbered by first member.

    Raises ValueError for a number outside 1..n.
    """
    if not 1 <= clusters <= len(tree) + 1:
        raise ValueError(f"{clusters} clusters of {len(tree) + 1} items: choose 1 to {len(tree) + 1}")
    return cuts(tree)[clusters - 1]


def codes(labels: Labels) -> Tensor:
    """Any labels as int64 0, 1, ... in the order of first appearance, along a single dimension."""
    values = labels.tolist() if isinstance(labels, Tensor) else list(labels)
    order = {value: code for code, value in enumerate(dict.fromkeys(values))}
    return torch.tensor([order[value] for value in values])


def adjusted_rand(first: Labels, second: Labels) -> float:
    """The adjusted Rand index of two partitions: 1 if equal, 0 on average for random ones of these sizes."""
    return float(adjusted_rand_score(codes(first), codes(second)))


def mantel(
    first: Tensor, second: Tensor, *, generator: torch.Generator, repeats: int = 10_000,
    kind: Literal["pearson", "spearman", "columns"] = "spearman",
) -> Permutation:  # fmt: skip
    """Do two square matrices over the same tasks agree, off the diagonal? Mantel's permutation test.

    The statistic is the correlation of the n (n - 1) off-diagonal entries: of the values ("pearson"), of
    their ranks ("spearman"), or of the ranks within each column ("columns": for affinities whose values may
    be compared only within a target). Its null gives the tasks of ``second`` other names, rows and columns
    together, so that dependence within rows and columns stays. p counts the observed order. A matrix
    without any order gives NaN and p = 1.

    Raises ValueError unless both are finite and square of one size, 3 or more.
    """
    if first.shape != second.shape or first.ndim != 2 or first.shape[0] != first.shape[1] or len(first) < 3:
        raise ValueError(
            f"shapes {tuple(first.shape)}, {tuple(second.shape)}: two square ones, 3 or more tasks"
        )
    a, b = _scores(first, kind), _scores(second, kind)
    scale = float(a.norm() * b.norm())
    if scale == 0 or repeats < 1:
        return Permutation(math.nan, math.nan, 1.0, 1.0, repeats)
    orders = random_orders(len(a), repeats, generator)
    null = torch.stack([(a * b[order][:, order]).sum() for order in orders]) / scale
    return permutation(float((a * b).sum()) / scale, null)


def _scores(matrix: Tensor, kind: str) -> Tensor:
    """What is correlated, centred, with 0 on the diagonal; transposed, which a correlation of two ignores."""
    n = len(matrix)
    values = matrix.double()
    off = ~torch.eye(n, dtype=torch.bool)
    if not bool(torch.isfinite(values[off]).all()):
        raise ValueError("NaN or infinity off the diagonal: leave that task out and say so")
    flat = values.mT[off.mT].reshape(n, n - 1)  # one row a column
    if kind == "columns":
        flat = torch.from_numpy(rankdata(flat.numpy(), axis=1))
    elif kind == "spearman":
        flat = torch.from_numpy(rankdata(flat.numpy()).reshape(n, n - 1))
    elif kind != "pearson":
        raise ValueError(f"kind {kind!r} is unknown: use 'pearson', 'spearman' or 'columns'")
    scores = torch.zeros(n, n, dtype=torch.float64)
    scores[off] = (flat - flat.mean()).flatten()
    return scores


def spearman(first: Tensor, second: Tensor) -> float:
    """Spearman's rho of two vectors without ties."""
    ranks = torch.stack([values.argsort().argsort().double() for values in (first, second)])
    return float(torch.corrcoef(ranks)[0, 1])
