"""Small samples: orders, intervals, permutations (`order`), and trees of rankings (`clustering`)."""

from lib.statistics.order import (
    ENUMERATED,
    LARGE,
    SAMPLED,
    TAU,
    Interval,
    Kendall,
    Permutation,
    Values,
    bootstrap,
    holm,
    kendall,
    mismatched,
    other_orders,
    seed_interval,
    sign_test,
    stratified_permutation,
)

__all__ = [
    "ENUMERATED",
    "LARGE",
    "SAMPLED",
    "TAU",
    "Interval",
    "Kendall",
    "Permutation",
    "Values",
    "bootstrap",
    "holm",
    "kendall",
    "mismatched",
    "other_orders",
    "seed_interval",
    "sign_test",
    "stratified_permutation",
]
