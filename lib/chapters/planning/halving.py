"""Successive halving: measure all candidates on few samples, keep the better ones, measure these on more.

The model is the plainest: true scores are standard normal, and a measurement on a share b of the samples
adds normal noise of standard deviation `noise` / sqrt(b). `noise` is thus the error of a full measurement, in
units of the spread between candidates.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from statistics import fmean, stdev
from typing import Any

import torch


@dataclass(frozen=True)
class Kept:
    """Of many draws: how often the `best` candidate was chosen; the mean `shortfall` of the chosen one's true
    score, in units of the spread; and the `cost`, as a share of measuring every candidate on every sample.
    """

    best: float
    shortfall: float
    cost: float


def rounds(candidates: int, keep: float, last: int) -> list[tuple[int, float]]:
    """(candidates, share of the samples) of each round; the last has at most `last` and every sample.

    Raises:
        ValueError: `keep`, the share that goes on, is not inside (0, 1), or a count is below 1.
    """
    if not 0 < keep < 1:
        raise ValueError(f"keep = {keep} must lie inside (0, 1)")
    if candidates < 1 or last < 1:
        raise ValueError(f"candidates = {candidates} and last = {last} must be at least 1")
    counts = [candidates]
    while counts[-1] > last:
        counts.append(max(last, min(counts[-1] - 1, round(counts[-1] * keep))))  # at least one goes
    return [(count, keep ** (len(counts) - 1 - turn)) for turn, count in enumerate(counts)]


def play(
    plan: Sequence[tuple[int, float]], noise: float, *, repeats: int, generator: torch.Generator
) -> Kept:
    """Draw candidates and measurements `repeats` times and follow the plan (see `rounds`).

    Samples add up: what a candidate was measured on before counts in later rounds and is paid once.

    Raises:
        ValueError: `noise` is negative or `repeats` is below 1.
    """
    if noise < 0 or repeats < 1:
        raise ValueError(f"noise = {noise} must not be negative, repeats = {repeats} at least 1")
    best, shortfall = [], []
    for _ in range(repeats):
        true = torch.randn(plan[0][0], generator=generator, dtype=torch.float64)
        chosen = _follow(plan, noise, true, generator)
        best.append(float(chosen == true.argmax()))
        shortfall.append(float(true.max() - true[chosen]))
    return Kept(fmean(best), fmean(shortfall), cost(plan))


def cost(plan: Sequence[tuple[int, float]]) -> float:
    """Samples measured, over all samples of all candidates."""
    shares = [0.0, *(share for _, share in plan)]
    paid = sum(count * (share - before) for (count, share), before in zip(plan, shares))
    return paid / plan[0][0]


def noise_of(records: Sequence[dict[str, Any]], measure: str) -> float:
    """Standard deviation between seeds of one source, over that between the sources, for one target.

    Raises:
        ValueError: fewer than two sources or two seeds, or sources that are all alike.
    """
    groups: dict[str, list[float]] = {}
    for record in records:
        groups.setdefault(record["source"], []).append(record[measure])
    if len(groups) < 2 or min(map(len, groups.values())) < 2:
        raise ValueError("needs two or more sources, each with two or more seeds")
    within = fmean(stdev(values) ** 2 for values in groups.values()) ** 0.5
    spread = stdev(fmean(values) for values in groups.values())
    if spread == 0:
        raise ValueError(f"the sources are all alike in {measure}: there is no spread to compare noise with")
    return within / spread


def _follow(
    plan: Sequence[tuple[int, float]], noise: float, true: torch.Tensor, generator: torch.Generator
) -> torch.Tensor:
    """The candidate that is left, or has the highest mean in the end."""
    alive, total, seen = torch.arange(len(true)), torch.zeros_like(true), 0.0
    for count, share in plan:
        alive = alive[total[alive].topk(count).indices] if seen else alive
        fresh = share - seen  # the sum over a share b of the samples has mean b t and variance b noise^2
        draw = torch.randn(len(alive), generator=generator, dtype=torch.float64)
        total[alive] += fresh * true[alive] + fresh**0.5 * noise * draw
        seen = share
    return alive[total[alive].argmax()]
