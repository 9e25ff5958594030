"""Face verification: do two features show the same person? The protocol of LFW and its kin (section 4.3).

No parameter is trained but one threshold a fold (G.3: "a facial recognition head without parameters").
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn.functional import normalize, pad

from lib.measures import _checks


@dataclass(frozen=True)
class Verification:
    """Mean accuracy over the folds, the accuracy of each, and its threshold on the cosine, in fold order.

    The mean weighs all folds alike, as LFW's protocol does. Its interval over folds is
    `statistics.seed_interval(fold_accuracies)`: for one data set, the uncertainty of its pairs.
    """

    accuracy: float
    fold_accuracies: tuple[float, ...]
    thresholds: tuple[float, ...]


def verify(left: Tensor, right: Tensor, same: Tensor, folds: Tensor) -> Verification:
    """Verification accuracy of features: "same person" where their cosine is at least a threshold.

    left, right (P, D) floating: the features of each pair's images; same (P,) bool; folds (P,) integers
    0 .. K-1, K >= 2. Fold by fold, the threshold with the greatest accuracy on all other folds is scored on
    this one. Candidates lie halfway between neighbouring cosines of the other folds, and beyond both ends;
    of several that are equally good the middle one counts (the lower of two middles). A zero feature has
    cosine 0 with all. Computed in float64.

    Raises TypeError or ValueError for other shapes or types, NaN or infinity, a fold without pairs, pairs of
    one kind only, and cosines that are all equal (constant features).
    """
    cosine = _cosines(left, right)
    same, folds = _flags(same, len(cosine)), _folds(folds, len(cosine))
    spread = float(cosine.max() - cosine.min())
    if spread <= 16 * torch.finfo(left.dtype).eps:
        raise ValueError(
            f"all {len(cosine)} cosines are {float(cosine[0]):.6g}: the features are constant and verify "
            "nothing; look at the model before scoring it"
        )
    thresholds, accuracies = [], []
    for fold in range(int(folds.max()) + 1):
        here = folds == fold
        threshold = _threshold(cosine[~here], same[~here])
        thresholds.append(threshold)
        accuracies.append(((cosine[here] >= threshold) == same[here]).double().mean().item())
    return Verification(sum(accuracies) / len(accuracies), tuple(accuracies), tuple(thresholds))


def _threshold(cosine: Tensor, same: Tensor) -> float:
    """The middle one of the most accurate thresholds; all of them scored at once by counting from below."""
    value, order = cosine.sort()
    kind = same[order].long()
    # Below threshold j lie the j smallest: right are the different ones there, and the same ones above.
    right = pad(torch.cumsum(1 - 2 * kind, 0), (1, 0)) + kind.sum()
    apart = pad(value.diff() > 0, (1, 1), value=True)
    right = torch.where(apart, right, -1)  # no threshold parts two equal cosines
    best = (right == right.max()).nonzero().flatten()
    j = int(best[(len(best) - 1) // 2])
    if j == 0:
        return -1.0
    if j == len(value):
        return math.nextafter(1.0, 2.0)
    low, high = float(value[j - 1]), float(value[j])
    middle = (low + high) / 2
    return middle if middle > low else high


def _cosines(left: Tensor, right: Tensor) -> Tensor:
    """The cosine of each pair (P,), 0 where a feature is; on the CPU."""
    left, right = _checks.matrix(left, "left"), _checks.matrix(right, "right")
    if left.shape != right.shape:
        raise ValueError(f"left is {tuple(left.shape)} but right {tuple(right.shape)}: give two of one shape")
    product = normalize(left, dim=1) * normalize(right, dim=1)
    return product.sum(1).clamp(-1, 1).cpu()


def _flags(same: Tensor, pairs: int) -> Tensor:
    if not isinstance(same, Tensor) or same.dtype != torch.bool or same.shape != (pairs,):
        shape = f"{same.dtype} {tuple(same.shape)}" if isinstance(same, Tensor) else type(same).__name__
        raise TypeError(f"same is {shape}: pass bool ({pairs},), one a pair")
    if same.all() or not same.any():
        raise ValueError("same holds one kind of pair only: verification needs both")
    return same.cpu()


def _folds(folds: Tensor, pairs: int) -> Tensor:
    if not isinstance(folds, Tensor) or folds.is_floating_point() or folds.shape != (pairs,):
        shape = f"{folds.dtype} {tuple(folds.shape)}" if isinstance(folds, Tensor) else type(folds).__name__
        raise TypeError(f"folds is {shape}: pass integers ({pairs},), one a pair")
    present = set(folds.tolist())
    if min(present) < 0 or len(present) < 2 or len(present) != max(present) + 1:
        raise ValueError(
            f"folds are numbered {sorted(present)}: number two or more from 0 on, each with at least one pair"
        )
    return folds.cpu().long()
