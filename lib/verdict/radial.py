"""The synthetic sweep of section 4.1 read as a setting: sources are the directions of one target, at fixed t.

Offers what the summary modules of the other experiments offer, but for `values`: targets differ in their
sources here, so that there is a `grid` instead.
"""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

from lib import statistics
from lib.experiments.synthetic import tables, tracking
from lib.verdict import order, rule
from lib.verdict.order import Grid, Group

MEASURES = {
    "τ₁": "tau1",
    "τ₂": "tau2",
    "τ₁ τ₂": "tau1 tau2",
    "α²": "alpha_squared",
    "bound of Theorem 2": "theorem_2_paper",
    "bound of Theorem 3": "theorem_3_paper",
    "gradient difference": "gradient_difference",
}
KNOWLEDGE = {"transferred loss (−)": "−transferred_loss", "fresh loss (−)": "−transferred_loss_fresh"}
RIVALS: dict[str, str] = {}
HEADLINE = "α²", "transferred loss (−)"  # section 4.1 calls alpha its normalised cross adversarial loss


def grid(result: Any, x: str, y: str) -> Grid | None:
    """One group for each trained target network: (directions, points t > 0). x, y: quantities of a record.

    "−name" is the quantity with its sign turned, "a b" the product of two; None if no target is trained.
    """
    records = tables.tested(result)
    found = []
    for pair in tracking.pairs(records):
        for seed, (a, b) in enumerate(zip(_curves(records, x, pair), _curves(records, y, pair))):
            points = a.shape[1] - 1
            found.append(Group(a[:, 1:], b[:, 1:], (seed,) * points, (pair,) * points))
    return found or None


def along(result: Any, x: str, y: str) -> statistics.Interval | None:
    """Mean tau-b along t of each seed's first direction: Student's t interval over seeds."""
    records = tables.tested(result)
    found = []
    for pair in tracking.pairs(records):
        for seed, (a, b) in enumerate(zip(_curves(records, x, pair), _curves(records, y, pair))):
            found.append(Group(a[0].unsqueeze(1), b[0].unsqueeze(1), (seed,), (pair,)))
    seeds = order.by_seed(found) if found else torch.empty(0)
    return rule.spread(seeds)


def points(result: Any, name: str) -> Tensor:
    """A quantity at every recorded point with t > 0, of all pairs of widths, seeds and directions."""
    records = result.records
    return torch.cat([_curves(records, name, pair)[:, :, 1:].flatten() for pair in tracking.pairs(records)])


def _curves(records: Any, name: str, pair: tuple[int, int]) -> Tensor:
    sign, value = (-1.0, name[1:]) if name.startswith("−") else (1.0, name)
    factors = [tracking.curves(records, part, pair) for part in value.split(" ")]
    return sign * torch.stack(factors).prod(0)
