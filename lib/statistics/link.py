"""How well one value orders the units by another: all that a page says of a pair of values."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Literal

import torch
from torch import Tensor

from lib.statistics.grid import Group, bootstrap, stratified_permutation, taus
from lib.statistics.order import TAU, Interval, Kendall, Permutation, kendall, seed_interval

Ties = Literal["first", "shared"]


@dataclass(frozen=True)
class Choice:
    """Picking the unit with the largest x: in how many conditions it is the best one, and the mean loss.

    `regret` is y of the best unit less that of the picked one, `random` the same for a unit picked blindly,
    both means over the conditions (`seeds` is their number).
    """

    right: int
    seeds: int
    regret: float
    random: float


@dataclass(frozen=True, eq=False)
class Link:
    """Kendall's tau-b between the x and the y of a group; each question is answered when it is asked.

    `generator` draws the orders of `order` where there are too many to count.
    """

    group: Group
    generator: torch.Generator

    @cached_property
    def means(self) -> Kendall:
        """tau-b of the means over the conditions; p exact without ties (n = 5: at best 1/120, one-sided)."""
        return kendall(self.group.x.mean(1), self.group.y.mean(1))

    @cached_property
    def order(self) -> Permutation:
        """The mean of tau-b within the conditions; p permutes the units, each with all its conditions."""
        return stratified_permutation([(self.group.x, self.group.y)], generator=self.generator)

    @cached_property
    def each(self) -> list[float]:
        """tau-b of each condition by itself; 0 where a side is constant."""
        return list(taus([self.group]).tolist())

    @property
    def interval(self) -> Interval | None:
        """Student's 95 % interval of the mean tau-b over the conditions (seeds); None for one."""
        return seed_interval(self.each, limits=TAU) if len(self.each) > 1 else None

    def among(self, rows: Tensor) -> Link:
        """The same link over some of the units; `rows` (units,) is boolean, or their numbers."""
        g = self.group
        return Link(Group(g.x[rows], g.y[rows], g.seeds, g.targets), self.generator)

    def resampled(self, generator: torch.Generator, less: Link | None = None) -> Interval:
        """The mean tau-b (less that of another link of the same units), 95 % when the units are resampled."""
        if less is None:
            return bootstrap([[self.group]], lambda tau: tau[0], generator=generator)
        both = [[self.group], [less.group]]
        return bootstrap(both, lambda tau: tau[0] - tau[1], generator=generator)

    def choice(self, ties: Ties = "first") -> Choice:
        """What the unit with the largest x loses; among tied ones the first, or a blind pick ("shared")."""
        x, y = self.group.x, self.group.y
        most, tied = y.amax(0), (x == x.amax(0)).double()
        picked = y.gather(0, x.argmax(0, keepdim=True))[0]
        if ties == "shared":
            picked = (y * tied).sum(0) / tied.sum(0)
        right = int((picked == most).sum())
        return Choice(right, y.shape[1], float((most - picked).mean()), float((most - y.mean(0)).mean()))
