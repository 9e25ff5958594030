"""What Section 4.1 says of its curves, as numbers: how far they follow one another, and because of what.

Along a sweep every quantity follows t, so any two of them are ordered alike whether or not they have to do
with one another. Each claim is therefore asked three times: along the sweep (Kendall's tau-b over t, a seed
the unit); against sweeps of other seeds (`statistics.mismatched`); and at fixed t, among the directions V of
one seed (`statistics.stratified_permutation`), where t is no common cause. Rules were fixed beforehand.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import torch
from torch import Tensor

from lib import statistics
from lib.base import compute

LEVEL = 0.05  # of every interval and test, after Holm's correction over the claims of one run
REPEATS = 2_000
QUANTILES = (0.1, 0.5, 0.9)  # of every band and ratio
Records = Sequence[dict[str, Any]]


@dataclass(frozen=True)
class Link:
    """A sentence of Section 4.1 as an order: `first` rises with `second` (sign +1) or falls (-1)."""

    claim: str  # key in lib.base.paper
    first: str
    second: str
    sign: int = 1


LINKS = (
    Link("rbf_correlations", "tau1", "transferred_loss", -1),
    Link("rbf_correlations", "tau2", "transferred_loss", -1),
    Link("rbf_correlations", "alpha", "transferred_loss", -1),  # alpha squared has the same order
    Link("rbf_theorem_2_tracks", "theorem_2_paper", "gradient_difference"),
    Link("rbf_theorem_3_trend", "theorem_3_paper", "transferred_loss"),
    Link("rbf_tau1_tracks_alpha", "tau1", "alpha"),
)


@dataclass(frozen=True)
class Tracking:
    """One link in one pair of widths; `fixed` is None for one direction, `adjusted` is its p after Holm."""

    link: Link
    width: int
    source_width: int
    along: statistics.Interval  # mean tau-b over t, Student's t interval over seeds
    sign_p: float  # as many seeds in the claimed direction, by coin flips
    other_seeds: statistics.Permutation  # the same statistic when the seeds are mismatched
    fixed: statistics.Permutation | None  # mean tau-b among directions at fixed t > 0
    fixed_interval: statistics.Interval | None  # the same, Student's t interval over seeds
    adjusted: float | None

    @property
    def finding(self) -> str:
        """The decision, by rule, from the intervals and the adjusted p."""
        if self.along.high < 0:
            return "contradicted"
        if self.along.low <= 0:
            return "not seen"
        if self.fixed is None or self.fixed_interval is None or self.adjusted is None:
            return "along t only tested"
        if self.adjusted <= LEVEL:
            return "holds, also at fixed t"
        return "opposite at fixed t" if self.fixed_interval.high < 0 else "with t; not seen at fixed t"


def pairs(records: Records) -> list[tuple[int, int]]:
    """The pairs (target width, source width) of a run, in its order."""
    return list(dict.fromkeys((row["width"], row["source_width"]) for row in records))


def own(records: Records, pair: tuple[int, int]) -> list[dict[str, Any]]:
    """The records of one pair of widths."""
    return [row for row in records if (row["width"], row["source_width"]) == pair]


def label(pair: tuple[int, int]) -> str:
    """ "50", or "100 ← 50" for a target of width 100 and a source of width 50."""
    return str(pair[0]) if pair[0] == pair[1] else f"{pair[0]} ← {pair[1]}"


def trained(row: dict[str, Any], floor: float) -> bool:
    """Whether the record's target counts as trained: its loss is at most `floor` of the targets' variance."""
    return row["reference_loss"] <= floor * row["target_variance"]


def curves(records: Records, name: str, pair: tuple[int, int]) -> Tensor:
    """A quantity as (seeds, directions, points), for one pair of widths.

    Raises ValueError if the pair has no record.
    """
    rows = own(records, pair)
    if not rows:
        raise ValueError(f"no record of widths {pair}: this run has {pairs(records)}")
    seeds = list(dict.fromkeys(row["seed"] for row in rows))
    values = [[row[name] for row in rows if row["seed"] == seed] for seed in seeds]
    return torch.tensor(values, dtype=torch.float64)


def centred(records: Records, name: str, pair: tuple[int, int]) -> Tensor:
    """A quantity (seeds, directions, points) less the mean over its seed's directions, at each t."""
    values = curves(records, name, pair)
    return values - values.mean(1, keepdim=True)


def band(records: Records, name: str, pair: tuple[int, int]) -> tuple[list[float], list[float], list[float]]:
    """Low, middle, high over the seeds at each t: quantiles .1, .5, .9 of the first direction's sweeps."""
    first = curves(records, name, pair)[:, 0]
    low, middle, high = torch.quantile(
        first, torch.tensor([0.1, 0.5, 0.9], dtype=first.dtype), dim=0
    ).tolist()
    return low, middle, high


def tracking(records: Records) -> list[Tracking]:
    """Every link in every pair of widths of one run; needs at least two seeds."""
    with compute.at_most_threads(1):  # thousands of tiny operations: threads would only wait for one another
        found = [_track(records, link, pair) for pair in pairs(records) for link in LINKS]
    tested = [item for item in found if item.fixed is not None]
    adjusted = iter(statistics.holm([item.fixed.p_one_sided for item in tested if item.fixed]))
    return [item if item.fixed is None else replace(item, adjusted=next(adjusted)) for item in found]


def _track(records: Records, link: Link, pair: tuple[int, int]) -> Tracking:
    first = curves(records, link.first, pair)
    second = link.sign * curves(records, link.second, pair)
    stream = compute.generator(0, "tracking", *pair, link.first, link.second)
    along = [statistics.kendall(x, y).tau for x, y in zip(first[:, 0], second[:, 0])]
    groups = [(x[:, 1:], y[:, 1:]) for x, y in zip(first, second)]  # t = 0 is one network for all directions
    many = first.shape[1] > 1
    own = [statistics.stratified_permutation([g], generator=stream, repeats=1).value for g in groups if many]
    return Tracking(
        link,
        *pair,
        along=_of_taus(along),
        sign_p=statistics.sign_test(along),
        other_seeds=statistics.mismatched(first[:, 0], second[:, 0], generator=stream, repeats=REPEATS),
        fixed=statistics.stratified_permutation(groups, generator=stream, repeats=REPEATS) if many else None,
        fixed_interval=_of_taus(own) if many else None,
        adjusted=None,
    )


def pooled(records: Records, link: Link) -> statistics.Interval:
    """The mean tau-b at fixed t over all pairs of widths; Student's t interval over 2 or more seeds."""
    taus = []
    for pair in pairs(records):
        first, second = (curves(records, name, pair) for name in (link.first, link.second))
        taus.append([
            statistics.stratified_permutation(
                [(x[:, 1:], link.sign * y[:, 1:])], generator=compute.generator(0, "pooled"), repeats=1
            ).value
            for x, y in zip(first, second)
        ])  # fmt: skip
    return _of_taus([sum(seed) / len(seed) for seed in zip(*taus)])


def _of_taus(values: list[float]) -> statistics.Interval:
    """The t interval over seeds, cut to where a tau-b can lie."""
    return statistics.seed_interval(values, limits=statistics.TAU)


def ratio(records: Records, over: str, under: str, pair: tuple[int, int]) -> statistics.Interval:
    """How many times `under` goes into `over`: quantiles .1, .5, .9 of all points with t > 0."""
    return _spread(curves(records, over, pair) / curves(records, under, pair))


def smoothness_share(records: Records, pair: tuple[int, int]) -> statistics.Interval:
    """The share that the beta term has in the root of Theorem 3's bound; quantiles as in `ratio`."""
    without, whole = (curves(records, f"theorem_3_{name}", pair).sqrt() for name in ("no_beta", "paper"))
    return _spread(1 - without / whole)


def distance(records: Records, first: str, second: str, pair: tuple[int, int]) -> float:
    """The largest |first - second| of any sweep and t."""
    return float((curves(records, first, pair) - curves(records, second, pair)).abs().max())


def _spread(values: Tensor) -> statistics.Interval:
    moved = values[:, :, 1:].flatten()
    low, middle, high = torch.quantile(moved, torch.tensor(QUANTILES, dtype=moved.dtype)).tolist()
    return statistics.Interval(low, middle, high)
