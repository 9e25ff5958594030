"""Order, intervals and null models for small samples: what a correlation over three points is worth.

Everything is exact where n is small enough and says how it was done where it is not. Random numbers come
from a generator that the caller passes; results are plain floats.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache

import torch
from scipy import stats
from torch import Tensor

ENUMERATED = 8  # 8! = 40,320 orders are enumerated; beyond, ties are handled by sampling
SAMPLED = 20_000
LARGE = 150  # beyond, exact counting takes seconds and then minutes
TAU = (-1.0, 1.0)  # where a tau-b lies
_SLACK = 1e-9  # equal statistics must count as equal after rounding

Values = Tensor | Sequence[float]


@dataclass(frozen=True)
class Kendall:
    """tau-b in [-1, 1] (NaN if a side is constant) and its permutation p-values; `method` says how."""

    tau: float
    p_one_sided: float
    p_two_sided: float
    n: int
    method: str


@dataclass(frozen=True)
class Interval:
    """An estimate and its interval, low <= high."""

    low: float
    value: float
    high: float


@dataclass(frozen=True)
class Permutation:
    """A statistic, the mean of its null, and p-values that count the observed order among the permuted."""

    value: float
    null: float
    p_one_sided: float
    p_two_sided: float
    repeats: int


def kendall(x: Values, y: Values, *, generator: torch.Generator | None = None) -> Kendall:
    """Kendall's tau-b and its p under exchangeability of y: P(tau' >= tau) and P(|tau'| >= |tau|).

    tau_b = (concordant - discordant) / sqrt((pairs untied in x) (pairs untied in y)). Without ties p is exact
    (counting inversions). With ties it is exact up to n = 8 (all orders); beyond, it is (1 + hits) /
    (1 + 20,000) over random orders from `generator` (seed 0 if none is given). Above n = 150 it is that of
    the normal approximation, then as good. `method` says which.
    A constant side orders nothing: tau is NaN and p is 1.

    Raises ValueError for fewer than 2 values, different lengths, NaN or infinity.
    """
    first, second = paired(x, y)
    n = len(first)
    signs_x, signs_y = _signs(first), _signs(second)
    scale = math.sqrt(float(signs_x.abs().sum()) * float(signs_y.abs().sum()))
    if scale == 0:
        return Kendall(math.nan, 1.0, 1.0, n, "constant")
    score = float((signs_x * signs_y).sum())
    if n > LARGE:
        one, two = (
            float(stats.kendalltau(first, second, method="asymptotic", alternative=side).pvalue)
            for side in ("greater", "two-sided")
        )
        return Kendall(score / scale, one, two, n, "normal")
    if scale == n * (n - 1):  # every pair is untied on both sides
        return Kendall(score / scale, *_inversion_p(n, round(score) // 2), n, "exact")
    if n <= ENUMERATED:
        orders, method = torch.tensor(list(itertools.permutations(range(n)))), "exact"
    else:
        generator = generator or torch.Generator().manual_seed(0)
        orders, method = random_orders(n, SAMPLED, generator), f"sampled ({SAMPLED:,})"
    null = _scores(signs_x, signs_y, orders)
    return Kendall(score / scale, *_p_values(score, null, exact=method == "exact"), n, method)


def seed_interval(
    values: Values, *, level: float = 0.95, limits: tuple[float, float] = (-math.inf, math.inf)
) -> Interval:
    """Student's t interval of the mean over seeds; with few seeds it is honest where a bootstrap is not.

    It is cut at `limits`, where the values lie by nature: (-1, 1) for a tau-b (see TAU).

    Raises ValueError for fewer than 2 values, values outside `limits` or a level outside (0, 1).
    """
    rows = _finite(values)
    if rows.ndim != 1 or len(rows) < 2 or not 0 < level < 1:
        raise ValueError(f"shape {tuple(rows.shape)}, level {level}: needs 2 or more values, level in (0, 1)")
    lowest, highest = limits
    if not (lowest - _SLACK <= float(rows.min()) and float(rows.max()) <= highest + _SLACK):
        raise ValueError(f"values from {rows.min():.3g} to {rows.max():.3g} are outside limits={limits}")
    mean = float(rows.mean())
    half = float(stats.t.ppf((1 + level) / 2, len(rows) - 1)) * float(rows.std()) / math.sqrt(len(rows))
    return Interval(max(mean - half, lowest), mean, min(mean + half, highest))


def sign_test(values: Values) -> float:
    """One-sided exact p that as many values are positive by fair coin flips; zeros are left out."""
    rows = _finite(values)
    positive, used = int((rows > 0).sum()), int((rows != 0).sum())
    return float(stats.binom.sf(positive - 1, used, 0.5)) if used else 1.0


def holm(p_values: Sequence[float]) -> list[float]:
    """Holm's adjusted p-values, in the given order: what survives at a level holds for all tests together.

    Raises ValueError for a p that is NaN or not in [0, 1].
    """
    if not all(0 <= p <= 1 for p in p_values):
        raise ValueError(f"p-values {list(p_values)}: each must be in [0, 1]; leave out tests without one")
    order = sorted(range(len(p_values)), key=lambda i: p_values[i])
    adjusted, largest = [0.0] * len(p_values), 0.0
    for rank, i in enumerate(order):
        largest = max(largest, min(1.0, (len(p_values) - rank) * p_values[i]))
        adjusted[i] = largest
    return adjusted


def other_orders(n: int, repeats: int, generator: torch.Generator, *, alone: bool = True) -> Tensor:
    """Orders (k, n) of n units to hold against the given one.

    All others if the units stand `alone`, in one group, and are at most seven; else `repeats` random ones.
    With the given order counted in, the share of orders that do as well is then an exact p.
    """
    if alone and 2 <= n <= 7:
        return torch.tensor(list(itertools.permutations(range(n)))[1:])
    return random_orders(n, repeats, generator)


def mismatched(x: Values, y: Values, *, generator: torch.Generator, repeats: int = 2_000) -> Permutation:
    """Do x and y move together along a sweep more than any two sweeps would? x, y: (units, points).

    The statistic is the mean over units of tau-b along the points. Its null pairs the x of one unit with
    the y of another (permuted): what a shared driver, such as the sweep's t, explains by itself is in
    `null`; only the rest is evidence for a link of the two.

    Raises ValueError unless both are (units, points) of one shape with 2 or more units.
    """
    first, second = paired(x, y, most_dimensions=2)
    if first.shape[1] < 2 or repeats < 1:
        raise ValueError(
            f"shape {tuple(first.shape)}, {repeats} repeats: a sweep needs (units, points) with 2 or more "
            "points, and 1 or more repeats"
        )
    table = torch.tensor([[_tau(a, b) for b in second] for a in first], dtype=torch.float64)
    units = torch.arange(len(first))
    null = table[units, random_orders(len(first), repeats, generator)].mean(1)
    return permutation(float(table.diagonal().mean()), null)


def paired(x: Values, y: Values, *, most_dimensions: int = 1) -> tuple[Tensor, Tensor]:
    """Both sides as float64; as (units, conditions) where two dimensions are allowed.

    Raises ValueError for shapes that differ, fewer than 2 rows, no value, NaN or infinity.
    """
    first, second = _finite(x), _finite(y)
    fit = first.shape == second.shape and 1 <= first.ndim <= most_dimensions
    if not fit or len(first) < 2 or first.numel() == 0:
        raise ValueError(
            f"shapes {tuple(first.shape)} and {tuple(second.shape)}: give two of one shape, 2 or more rows"
        )
    if most_dimensions == 2 and first.ndim == 1:
        first, second = first[:, None], second[:, None]
    return first, second


def permutation(value: float, null: Tensor) -> Permutation:
    """A statistic against its values (repeats,) under random orders."""
    return Permutation(value, float(null.mean()), *_p_values(value, null, exact=False), len(null))


def random_orders(n: int, repeats: int, generator: torch.Generator) -> Tensor:
    """Random orders (repeats, n) of n units."""
    return torch.rand(repeats, n, generator=generator, dtype=torch.float64).argsort(1)


def _tau(x: Tensor, y: Tensor) -> float:
    signs_x, signs_y = _signs(x), _signs(y)
    scale = math.sqrt(float(signs_x.abs().sum()) * float(signs_y.abs().sum()))
    return float((signs_x * signs_y).sum()) / scale if scale else 0.0


def _finite(values: Values) -> Tensor:
    rows = torch.as_tensor(values, dtype=torch.float64).detach()
    if not bool(torch.isfinite(rows).all()):
        raise ValueError("NaN or infinity among the values: leave those rows out and say so")
    return rows


def _signs(values: Tensor) -> Tensor:
    return torch.sign(values[:, None] - values[None, :])


def _scores(signs_x: Tensor, signs_y: Tensor, orders: Tensor) -> Tensor:
    """Concordant minus discordant ordered pairs for each order (row) of y; in parts to bound memory."""
    parts = orders.split(max(1, 4_000_000 // signs_x.numel()))
    return torch.cat([(signs_x * signs_y[part[:, :, None], part[:, None, :]]).sum((1, 2)) for part in parts])


def _p_values(value: float, null: Tensor, *, exact: bool) -> tuple[float, float]:
    """Shares of the null at least as large, and as large in size; sampled ones count the observed order."""
    extra = 0 if exact else 1
    slack = _SLACK * max(1.0, abs(value))
    above = int((null >= value - slack).sum()) + extra
    beyond = int((null.abs() >= abs(value) - slack).sum()) + extra
    return above / (len(null) + extra), beyond / (len(null) + extra)


@cache
def _inversions(n: int) -> tuple[int, ...]:
    """How many of the n! orders have 0, 1, ..., n(n-1)/2 inversions (Mahonian numbers)."""
    counts = [1]
    for size in range(2, n + 1):
        sums = list(itertools.accumulate(counts + [0] * (size - 1)))
        counts = [total - (sums[i - size] if i >= size else 0) for i, total in enumerate(sums)]
    return tuple(counts)


def _inversion_p(n: int, score: int) -> tuple[float, float]:
    """P(S >= score) and P(|S| >= |score|), where S = pairs - 2 inversions."""
    counts, pairs, total = _inversions(n), n * (n - 1) // 2, math.factorial(n)
    above = sum(counts[: (pairs - score) // 2 + 1])
    beyond = min(total, 2 * sum(counts[: (pairs - abs(score)) // 2 + 1])) if score else total
    return above / total, beyond / total
