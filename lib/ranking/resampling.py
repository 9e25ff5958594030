"""How much of a ranking is the samples' doing: every measure again on resamples, the same for all models."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from lib.ranking.measures import RIVALS, Evidence

LEVEL = 0.95
RIVAL_REPEATS = 40  # an SVD a model and resample
_TAILS = torch.tensor([(1 - LEVEL) / 2, (1 + LEVEL) / 2], dtype=torch.float64)
_SLACK = 1e-9  # relative; equal models must count as equal after rounding


@dataclass(frozen=True, eq=False)
class Spread:
    """One measure over resamples: draws (repeats, models), and each model's interval of ranks, 1 the best.

    first: how often each model is the best; a tie shares it.
    """

    draws: Tensor
    ranks: list[tuple[int, int]]
    first: list[float]

    def behind(self, leader: int) -> list[tuple[float, float]]:
        """Each model's interval of the difference to the `leader`, both on the same resamples."""
        lost = self.draws - self.draws[:, leader : leader + 1]
        low, high = lost.quantile(_TAILS, dim=0)
        return list(zip(low.tolist(), high.tolist()))


def spread(
    found: Sequence[Evidence], measure: str, *, repeats: int, generator: torch.Generator
) -> Spread | None:
    """Resample the samples behind `measure`; None where it is undefined for a model.

    A bootstrap (n of n, with replacement) for means over samples and for tau2. For the rivals, which compare
    samples with one another and would see a repeated one as its own neighbour, random halves without
    replacement: half the samples make the spread of a mean as wide as a bootstrap does.
    """
    if any(each.value(measure) is None for each in found):
        return None
    labels, count, rival = found[0].labels, found[0].count(measure), measure in RIVALS
    rows = []
    for _ in range(min(repeats, RIVAL_REPEATS) if rival else repeats):
        chosen = _half(labels, generator) if rival else torch.randint(count, (count,), generator=generator)
        rows.append([each.value(measure, chosen) for each in found])
    draws = torch.tensor(rows, dtype=torch.float64)
    low, high = ranks(draws)
    best = (low == 1).double()
    first = (best / best.sum(1, keepdim=True)).mean(0)
    ends = zip(low.double().quantile(_TAILS[0], dim=0), high.double().quantile(_TAILS[1], dim=0))
    return Spread(draws, [(math.floor(a), math.ceil(b)) for a, b in ends], first.tolist())


def ranks(values: Tensor) -> tuple[Tensor, Tensor]:
    """Best and worst rank (repeats, models) that each value can claim: they differ where there are ties."""
    slack = _SLACK * values.abs().amax(1, keepdim=True)
    over = values.unsqueeze(1) - values.unsqueeze(2)  # [r, i, j]: by how much j beats i
    low = 1 + (over > slack.unsqueeze(2)).sum(2)
    high = (over >= -slack.unsqueeze(2)).sum(2)
    return low, high


def pairs_right(values: Tensor, known: Tensor) -> Tensor:
    """The share (repeats,) of pairs that rows of values (repeats, models) order as `known`; a tie is half."""
    wanted = torch.sign(known.unsqueeze(0) - known.unsqueeze(1))
    found = torch.sign(values.unsqueeze(1) - values.unsqueeze(2))
    return ((1 + wanted * found) / 2 * wanted.abs()).sum((1, 2)) / wanted.abs().sum()


def _half(labels: Tensor, generator: torch.Generator) -> Tensor:
    """Half of each class, so that no class is lost."""
    parts = []
    for label in labels.unique():
        rows = torch.nonzero(labels == label).flatten()
        parts.append(rows[torch.randperm(len(rows), generator=generator)][: max(1, (len(rows) + 1) // 2)])
    return torch.cat(parts)
