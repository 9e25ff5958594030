"""The entropy of categories within clusters, its random partitions and their closed form."""

import itertools
import math
from collections import Counter

import numpy as np
import pytest
import torch
from expected_entropy import expected_entropy
from hypothesis import given, settings
from hypothesis import strategies as st

from lib.statistics import clustering
from lib.statistics.clustering.entropies import _shuffled

GROUPS = ["2D"] * 5 + ["3D"] * 7 + ["semantic"] * 3  # as the authors colour the paper's fifteen tasks


def stream(seed=0):
    return torch.Generator().manual_seed(seed)


def set_partitions(items):
    """Every partition of 0..items-1, as labels numbered by first appearance."""
    labels = [[0]]
    for _ in range(items - 1):
        labels = [[*row, new] for row in labels for new in range(max(row) + 2)]
    return labels


def slow_entropy(labels, categories, weighted=False):
    total = weight = 0
    for cluster in set(labels):
        inside = Counter(c for c, label in zip(categories, labels) if label == cluster)
        size = sum(inside.values())
        h = -sum(x / size * math.log(x / size) for x in inside.values())
        total += h * (size if weighted else 1)
        weight += size if weighted else 1
    return total / weight


@settings(deadline=None)
@given(st.lists(st.tuples(st.integers(0, 3), st.sampled_from("abc")), min_size=1, max_size=9))
def test_entropy_is_the_mean_over_clusters(pairs):
    labels, categories = zip(*pairs)
    for weighted in (False, True):
        found = clustering.entropy(labels, categories, weighted)
        assert found == pytest.approx(slow_entropy(labels, categories, weighted), abs=1e-12)


def test_entropy_curve_takes_fixed_categories_or_a_reference_at_equal_numbers():
    trees = [clustering.tree(torch.rand(15, 4, generator=stream(s), dtype=torch.float64)) for s in range(2)]
    ours, reference = (clustering.cuts(tree) for tree in trees)
    fixed = clustering.entropy_curve(ours, GROUPS, weighted=True)
    paired = clustering.entropy_curve(ours, reference)
    for k in range(15):
        assert fixed[k].item() == pytest.approx(slow_entropy(ours[k].tolist(), GROUPS, True))
        assert paired[k].item() == pytest.approx(slow_entropy(ours[k].tolist(), reference[k].tolist()))
    assert paired[0] == paired[-1] == 0
    assert paired[1:-1].max() > 0


@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize("categories", ["aabbbc", "abcdef", "aaaaab"])
def test_the_expected_entropy_is_the_mean_over_every_partition(categories, weighted):
    everything = set_partitions(6)
    for clusters in range(1, 7):
        rows = [row for row in everything if max(row) + 1 == clusters]
        mean = np.mean([slow_entropy(row, categories, weighted) for row in rows])
        assert expected_entropy(categories, clusters, weighted) == pytest.approx(mean, abs=1e-12)
    for sizes in ([6], [1, 2, 3], [2, 2, 2], [1, 1, 4]):
        labels = [i for i, size in enumerate(sizes) for _ in range(size)]
        orders = itertools.permutations(categories)
        mean = np.mean([slow_entropy(labels, order, weighted) for order in orders])
        assert expected_entropy(categories, sizes, weighted) == pytest.approx(mean, abs=1e-12)


def test_the_null_curve_of_the_papers_fifteen_tasks():
    """0 at 15 clusters, the entropy of (5, 7, 3) / 15 at 1, and between them uniform partitions."""
    shares = np.array([5, 7, 3]) / 15
    assert expected_entropy(GROUPS, 1) == pytest.approx(-(shares * np.log(shares)).sum())
    assert expected_entropy(GROUPS, 15) == 0
    plain = [expected_entropy(GROUPS, k) for k in (1, 3, 4, 6, 10)]
    by_size = [expected_entropy(GROUPS, k, weighted=True) for k in (3, 4, 6, 10)]
    np.testing.assert_allclose(plain, [1.0438, 0.8170, 0.6905, 0.4807, 0.2049], atol=1e-4)
    np.testing.assert_allclose(by_size, [0.868, 0.780, 0.616, 0.325], atol=1e-3)


def test_sampled_partitions_have_the_expected_entropy():
    for weighted in (False, True):
        drawn = clustering.random_cuts(15, generator=stream(), repeats=3000)
        mean = clustering.band(clustering.entropy_curve(drawn, GROUPS, weighted)).mean
        exact = [expected_entropy(GROUPS, k, weighted) for k in range(1, 16)]
        np.testing.assert_allclose(mean, exact, atol=0.012)


@pytest.mark.parametrize(("items", "clusters"), [(5, 3), (5, 2), (6, 4)])
def test_random_partitions_are_uniform(items, clusters):
    rows = [tuple(row) for row in set_partitions(items) if max(row) + 1 == clusters]
    drawn = clustering.random_partitions(items, clusters, generator=stream(), repeats=20_000)
    counts = Counter(map(tuple, drawn.tolist()))
    assert set(counts) == set(rows)  # numbered by first appearance, too
    expected = 20_000 / len(rows)
    assert max(abs(counts[row] - expected) for row in rows) < 5 * math.sqrt(expected)


def test_shuffling_keeps_each_columns_values_and_the_diagonal():
    matrix = torch.arange(25.0).reshape(5, 5)
    (mixed,) = _shuffled(matrix, stream(), 1)
    assert torch.equal(mixed.sort(0).values, matrix.sort(0).values)
    assert torch.equal(mixed.diagonal(), matrix.diagonal())
    assert not torch.equal(mixed, matrix)
