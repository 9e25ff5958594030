"""What Section 4.1 says of its curves, as numbers: how far they follow one another, and because of what.

Along a sweep every quantity follows t, so any two of them are ordered alike whether or not they have to do
with one another. Each claim is therefore asked three times: along the sweep (Kendall's tau-b over t, a seed
the unit); against sweeps of other seeds (`statistics.mismatched`); and at fixed t, among the directions V of
one seed (`statistics.stratified_permutation`), where t is no common cause. Rules were fixed beforehand.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import torch
from torch import Tensor

from lib import statistics
from lib.base import devices, streams
from lib.engine.results import Record, Result
from lib.statistics import Interval, Permutation, grid

LEVEL = 0.05  # of every interval and test, after Holm's correction over the claims of one run
REPEATS = 2_000
QUANTILES = (0.1, 0.5, 0.9)  # of every band and ratio
Records = Sequence[Record]
Pair = tuple[int, int]  # width of the target, width of the source


@dataclass(frozen=True)
class Link:
    """A sentence of Section 4.1 as an order: `first` rises with `second` (sign +1) or falls (-1)."""

    title: str
    claim: str  # key in lib.base.paper
    first: str
    second: str
    sign: int = 1

    @property
    def turned(self) -> str:
        """The quantity that `first` rises with: `second`, or "−second"."""
        return self.second if self.sign > 0 else f"−{self.second}"


LINKS = (
    Link("τ₁ goes with the transferred loss", "rbf_correlations", "tau1", "transferred_loss", -1),
    Link("τ₂ goes with the transferred loss", "rbf_correlations", "tau2", "transferred_loss", -1),
    # alpha squared has the same order
    Link("α goes with the transferred loss", "rbf_correlations", "alpha", "transferred_loss", -1),
    Link("Theorem 2's bound tracks the true value", "rbf_theorem_2_tracks", "theorem_2_paper",
         "gradient_difference"),
    Link("Theorem 3's bound and the loss have similar trends", "rbf_theorem_3_trend", "theorem_3_paper",
         "transferred_loss"),
    Link("τ₁ tracks α", "rbf_tau1_tracks_alpha", "tau1", "alpha"),
)  # fmt: skip


@dataclass(frozen=True)
class Tracking:
    """One link in one pair of widths; `fixed` is None for one direction, `adjusted` is its p after Holm."""

    link: Link
    pair: Pair
    along: Interval  # mean tau-b over t, Student's t interval over seeds
    sign_p: float  # as many seeds in the claimed direction, by coin flips
    other_seeds: Permutation  # the same statistic when the seeds are mismatched
    fixed: Permutation | None  # mean tau-b among directions at fixed t > 0
    fixed_interval: Interval | None  # the same, Student's t interval over seeds
    adjusted: float | None

    @property
    def finding(self) -> str:
        """The decision, by rule, from the intervals and the adjusted p."""
        if self.along.high < 0:
            return "contradicted"
        if self.along.low <= 0:
            return "not seen"
        if self.fixed_interval is None or self.adjusted is None:
            return "along t only tested"
        if self.adjusted <= LEVEL:
            return "holds, also at fixed t"
        return "opposite at fixed t" if self.fixed_interval.high < 0 else "with t; not seen at fixed t"


def sweeps(records: Records) -> dict[Pair, list[Record]]:
    """{(target width, source width): its records}, in the run's order."""
    found: dict[Pair, list[Record]] = {}
    for row in records:
        found.setdefault((row["width"], row["source_width"]), []).append(row)
    return found


def label(pair: Pair) -> str:
    """ "50", or "100 ← 50" for a target of width 100 and a source of width 50."""
    return str(pair[0]) if pair[0] == pair[1] else f"{pair[0]} ← {pair[1]}"


def trained(row: Record, floor: float) -> bool:
    """Whether the record's target counts as trained: its loss is at most `floor` of the targets' variance."""
    return bool(row["reference_loss"] <= floor * row["target_variance"])


def tested(result: Result) -> Records:
    """The records that are a test: of seeds whose targets are all trained to the floor; none if under two."""
    failed = {row["seed"] for row in result.records if not trained(row, result.config.floor)}
    kept = [row for row in result.records if row["seed"] not in failed]
    return kept if len({row["seed"] for row in kept}) > 1 else []


def curves(records: Records, name: str, pair: Pair) -> Tensor:
    """A quantity as (seeds, directions, points), for one pair of widths.

    "−name" is the quantity with its sign turned, "a b" the product of two. Raises ValueError if the pair has
    no record.
    """
    known = sweeps(records)
    if pair not in known:
        raise ValueError(f"no record of widths {pair}: this run has {list(known)}")
    seeds = dict.fromkeys(row["seed"] for row in known[pair])

    def quantity(part: str) -> Tensor:
        values = [[row[part] for row in known[pair] if row["seed"] == seed] for seed in seeds]
        return torch.tensor(values, dtype=torch.float64)

    whole = torch.stack([quantity(part) for part in name.removeprefix("−").split(" ")]).prod(0)
    return -whole if name.startswith("−") else whole


def points(records: Records, name: str) -> Tensor:
    """A quantity at every recorded point with t > 0, of all pairs of widths, seeds and directions."""
    return torch.cat([curves(records, name, pair)[:, :, 1:].flatten() for pair in sweeps(records)])


def centred(records: Records, name: str, pair: Pair) -> Tensor:
    """A quantity (seeds, directions, points) less the mean over its seed's directions, at each t."""
    values = curves(records, name, pair)
    return values - values.mean(1, keepdim=True)


def band(records: Records, name: str, pair: Pair) -> list[list[float]]:
    """Low, middle, high over the seeds at each t: quantiles .1, .5, .9 of the first direction's sweeps."""
    first = curves(records, name, pair)[:, 0]
    found: list[list[float]] = torch.quantile(first, first.new_tensor(QUANTILES), dim=0).tolist()
    return found


def at_fixed_t(records: Records, x: str, y: str, *pairs: Pair) -> list[statistics.Group]:
    """Two quantities as a grid, a group a target network: its directions at every t > 0 (0 is one network).

    `pairs` of widths; none named: all.
    """
    return _groups(records, x, y, pairs, lambda values: values[:, 1:])


def along_t(records: Records, x: str, y: str, *pairs: Pair) -> list[statistics.Group]:
    """The same for the order of the points of each seed's first sweep."""
    return _groups(records, x, y, pairs, lambda values: values[0].unsqueeze(1))


def _groups(
    records: Records, x: str, y: str, pairs: Sequence[Pair], of: Callable[[Tensor], Tensor]
) -> list[statistics.Group]:
    """A group a pair of widths and seed, `of` its (directions, points)."""
    found = []
    for pair in pairs or sweeps(records):
        for seed, both in enumerate(zip(curves(records, x, pair), curves(records, y, pair))):
            a, b = map(of, both)
            found.append(statistics.Group(a, b, (seed,) * a.shape[1], (pair,) * a.shape[1]))
    return found


def over_seeds(cells: Sequence[statistics.Group]) -> Interval:
    """The mean tau-b with Student's t interval over seeds, cut to where a tau-b can lie."""
    return statistics.seed_interval(grid.by_seed(cells), limits=statistics.TAU)


def tracking(records: Records) -> list[Tracking]:
    """Every link in every pair of widths of one run; needs at least two seeds."""
    with devices.at_most_threads(1):  # thousands of tiny operations: threads would only wait for one another
        found = [_track(records, link, pair) for pair in sweeps(records) for link in LINKS]
    adjusted = iter(statistics.holm([item.fixed.p_one_sided for item in found if item.fixed]))
    return [replace(item, adjusted=next(adjusted)) if item.fixed else item for item in found]


def _track(records: Records, link: Link, pair: Pair) -> Tracking:
    first, second = (curves(records, name, pair) for name in (link.first, link.turned))
    along = along_t(records, link.first, link.turned, pair)
    fixed = at_fixed_t(records, link.first, link.turned, pair) if first.shape[1] > 1 else []
    stream = streams.generator(0, "tracking", *pair, link.first, link.second)
    mismatched = statistics.mismatched(first[:, 0], second[:, 0], generator=stream, repeats=REPEATS)
    groups = [(group.x, group.y) for group in fixed]
    test = statistics.stratified_permutation(groups, generator=stream, repeats=REPEATS) if fixed else None
    signs, interval = statistics.sign_test(grid.by_seed(along)), over_seeds(fixed) if fixed else None
    return Tracking(link, pair, over_seeds(along), signs, mismatched, test, interval, adjusted=None)


def ratio(records: Records, over: str, under: str, pair: Pair) -> Interval:
    """How many times `under` goes into `over`: quantiles .1, .5, .9 of all points with t > 0."""
    return _spread(curves(records, over, pair) / curves(records, under, pair))


def smoothness_share(records: Records, pair: Pair) -> Interval:
    """The share that the beta term has in the root of Theorem 3's bound; quantiles as in `ratio`."""
    without, whole = (curves(records, f"theorem_3_{name}", pair).sqrt() for name in ("no_beta", "paper"))
    return _spread(1 - without / whole)


def _spread(values: Tensor) -> Interval:
    moved = values[:, :, 1:].flatten()
    return Interval(*torch.quantile(moved, moved.new_tensor(QUANTILES)).tolist())
