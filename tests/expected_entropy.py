"""The exact mean entropy of categories within random clusters: what the sampled nulls are held against."""

from functools import cache
from math import comb, log

from lib.statistics.clustering.trees import codes


def expected_entropy(categories, clusters, weighted=False):
    """The exact mean of `entropy` over random partitions, without sampling.

    With sizes, items are dealt at random to clusters of these sizes: a category's count in a cluster is
    hypergeometric. With a number k, every partition of the n items into k non-empty clusters is equally
    likely: a cluster picked from a random one has size s with probability
    C(n, s) S(n - s, k - 1) / (k S(n, k)), S being Stirling's numbers of the second kind.
    """
    known = codes(categories)
    items, counts = len(known), known.bincount().tolist()
    if isinstance(clusters, int):
        total = clusters * stirling(items, clusters)
        shares = {s: comb(items, s) * stirling(items - s, clusters - 1) / total for s in range(1, items + 1)}
    else:
        shares = {s: clusters.count(s) / len(clusters) for s in set(clusters)}
    number = clusters if isinstance(clusters, int) else len(clusters)
    return sum(
        share * dealt(size, counts) * (number * size / items if weighted else 1)
        for size, share in shares.items()
        if share
    )


def dealt(size, counts):
    """Mean entropy of ``size`` items drawn without replacement from categories of these counts."""
    items, total = sum(counts), 0.0
    for count in counts:
        for x in range(1, min(count, size) + 1):
            share = comb(count, x) * comb(items - count, size - x) / comb(items, size)
            total -= share * x / size * log(x / size)
    return total


@cache
def stirling(items, clusters):
    """In how many ways n items fall into k non-empty clusters."""
    if clusters < 1 or clusters > items:
        return int(items == clusters)
    return clusters * stirling(items - 1, clusters) + stirling(items - 1, clusters - 1)
