"""Small samples: orders, intervals, permutations (`order`), many cells at once (`grid`), one pair of values
(`link`), and trees of rankings (`clustering`)."""

from lib.statistics.grid import Grid, Group, stratified_permutation
from lib.statistics.link import Choice, Link
from lib.statistics.order import (
    TAU,
    Interval,
    Kendall,
    Permutation,
    holm,
    kendall,
    mismatched,
    other_orders,
    seed_interval,
    sign_test,
)

__all__ = [
    "TAU", "Choice", "Grid", "Group", "Interval", "Kendall", "Link",
    "Permutation", "holm", "kendall", "mismatched", "other_orders", "seed_interval", "sign_test",
    "stratified_permutation",
]  # fmt: skip
