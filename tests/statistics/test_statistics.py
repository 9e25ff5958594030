import itertools
import math

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from lib import statistics


def stream(seed=0):
    return torch.Generator().manual_seed(seed)


def tau_b(x, y):
    """The definition, pair by pair."""
    concordant = untied_x = untied_y = 0
    for i, j in itertools.combinations(range(len(x)), 2):
        a, b = (x[i] > x[j]) - (x[i] < x[j]), (y[i] > y[j]) - (y[i] < y[j])
        concordant, untied_x, untied_y = concordant + a * b, untied_x + abs(a), untied_y + abs(b)
    return concordant / math.sqrt(untied_x * untied_y) if untied_x and untied_y else math.nan


def enumerated_p(x, y):
    observed, everything = tau_b(x, y), [tau_b(x, order) for order in itertools.permutations(y)]
    above = sum(value >= observed - 1e-12 for value in everything) / len(everything)
    return above, sum(abs(value) >= abs(observed) - 1e-12 for value in everything) / len(everything)


@given(st.lists(st.tuples(st.integers(0, 4), st.integers(0, 4)), min_size=2, max_size=5))
def test_kendall_is_exact_with_and_without_ties(pairs):
    x, y = zip(*pairs)
    result = statistics.kendall(x, y)
    if len(set(x)) == 1 or len(set(y)) == 1:
        assert math.isnan(result.tau)
        assert (result.p_one_sided, result.method) == (1.0, "constant")
        return
    assert result.tau == pytest.approx(tau_b(x, y))
    assert (result.p_one_sided, result.p_two_sided) == pytest.approx(enumerated_p(x, y))
    assert result.method == "exact"


@pytest.mark.parametrize("n", [9, 20, 40])
def test_kendall_agrees_with_scipy_beyond_enumeration(n):
    x = torch.arange(n).double()
    y = x + n / 3 * torch.randn(n, generator=stream(n), dtype=torch.float64)
    ours = statistics.kendall(x, y)
    theirs = {
        side: stats.kendalltau(x, y, method="exact", alternative=side) for side in ("greater", "two-sided")
    }
    assert ours.tau == pytest.approx(theirs["greater"].statistic)
    assert ours.p_one_sided == pytest.approx(theirs["greater"].pvalue)
    assert ours.p_two_sided == pytest.approx(theirs["two-sided"].pvalue)


def test_ties_beyond_enumeration_are_sampled_and_close_to_the_exact_value():
    x, y = [0, 0, 1, 1, 2, 2, 3, 3, 4], [0, 1, 0, 2, 1, 2, 2, 3, 1]
    result = statistics.kendall(x, y, generator=stream())
    assert result.method.startswith("sampled")
    normal = stats.kendalltau(x, y, method="asymptotic", alternative="greater")
    assert result.tau == pytest.approx(normal.statistic)
    assert result.p_one_sided == pytest.approx(normal.pvalue, abs=0.02)
    assert result == statistics.kendall(x, y)  # seed 0 unless a generator is given


def test_the_two_p_values_that_the_book_leans_on():
    assert statistics.kendall([1, 2, 3], [1, 2, 3]).p_one_sided == pytest.approx(1 / 6)
    table_1 = statistics.kendall([17.83, 16.21, 14.13, 13.22, 12.54], [0.593, 0.589, 0.562, 0.551, 0.554])
    assert (table_1.tau, table_1.p_one_sided) == pytest.approx((0.8, 5 / 120))


def test_intervals_cover_the_truth_as_often_as_they_say():
    draws = torch.randn(400, 5, generator=stream(3), dtype=torch.float64)
    intervals = [statistics.seed_interval(row) for row in draws]
    assert sum(i.low <= 0 <= i.high for i in intervals) / 400 == pytest.approx(0.95, abs=0.03)
    picks = torch.randint(5, (200, 5), generator=stream())
    tails = torch.tensor([0.025, 0.975], dtype=torch.float64)
    plain = [row[picks].mean(1).quantile(tails).tolist() for row in draws]  # bootstraps
    assert sum(low <= 0 <= high for low, high in plain) / 400 < 0.9  # why seed_interval exists


def test_an_interval_is_cut_where_no_value_can_lie():
    wide = statistics.seed_interval([0.2, 1.0, 0.9])
    cut = statistics.seed_interval([0.2, 1.0, 0.9], limits=statistics.TAU)
    assert wide.high > 1
    assert (cut.low, cut.value, cut.high) == (wide.low, wide.value, 1)
    below = statistics.seed_interval([-0.2, -1.0, -0.9], limits=statistics.TAU)
    assert (below.low, below.high) == (-1, -cut.low)
    with pytest.raises(ValueError, match=r"values from 0.5 to 1.5 are outside limits=\(-1"):
        statistics.seed_interval([0.5, 1.5], limits=statistics.TAU)


def test_sign_test_counts_heads():
    assert statistics.sign_test([1, 2, 3, 4, 5]) == pytest.approx(1 / 32)
    assert statistics.sign_test([1, -1, 0]) == pytest.approx(0.75)
    assert statistics.sign_test([0.0, 0.0]) == 1


def test_holm_by_hand():
    assert statistics.holm([0.01, 0.04, 0.03]) == pytest.approx([0.03, 0.06, 0.06])
    assert statistics.holm([0.6, 0.9]) == pytest.approx([1, 1])
    assert statistics.holm([]) == []


def two_sweeps(seed, link, units=12, points=9):
    """x and y rise with t in every unit; `link` adds a unit's own shift to both."""
    generator = stream(seed)
    t = torch.linspace(0, 1, points, dtype=torch.float64)
    own = torch.randn(units, 1, generator=generator, dtype=torch.float64)
    noise = torch.randn(2, units, points, generator=generator, dtype=torch.float64)
    return 5 * t + link * own + 0.2 * noise[0], 5 * t + link * own + 0.2 * noise[1]


def test_a_shared_driver_alone_is_no_evidence():
    ps = []
    for seed in range(40):
        x, y = two_sweeps(seed, link=0)
        along = statistics.mismatched(x, y, generator=stream(seed), repeats=200)
        assert along.value > 0.7  # looks like a strong link
        assert along.null == pytest.approx(along.value, abs=0.1)  # and is t's doing
        across = statistics.stratified_permutation([(x, y)], generator=stream(seed), repeats=200)
        ps += [along.p_one_sided, across.p_one_sided]
    assert sum(p <= 0.05 for p in ps) / len(ps) < 0.12


def test_a_link_of_the_units_is_found_at_fixed_conditions():
    x, y = two_sweeps(0, link=1)
    assert statistics.stratified_permutation([(x, y)], generator=stream()).p_one_sided < 0.01
    opposed = statistics.stratified_permutation([(x, -y)], generator=stream())
    assert opposed.p_one_sided > 0.9
    assert opposed.p_two_sided < 0.01


def test_mismatched_finds_wiggles_that_belong_together():
    wiggle = torch.randn(8, 12, generator=stream(5), dtype=torch.float64)
    t = torch.linspace(0, 3, 12, dtype=torch.float64)
    assert statistics.mismatched(t + wiggle, t + wiggle, generator=stream()).p_one_sided < 0.01


def test_strata_shield_from_differences_between_groups():
    generator, groups = stream(2), []
    for level in range(12):  # the groups differ hugely, in x and y alike; within one there is nothing
        noise = torch.randn(2, 4, generator=generator, dtype=torch.float64)
        groups.append((10 * level + noise[0], 10 * level + noise[1]))
    pooled = statistics.kendall(*(torch.cat(side) for side in zip(*groups)))
    assert pooled.p_one_sided < 1e-6
    assert statistics.stratified_permutation(groups, generator=stream()).p_one_sided > 0.05


@pytest.mark.parametrize(
    "call",
    [
        lambda: statistics.kendall([1], [1]),
        lambda: statistics.kendall([1, 2], [1, 2, 3]),
        lambda: statistics.kendall([1, math.nan], [1, 2]),
        lambda: statistics.seed_interval([1.0]),
        lambda: statistics.stratified_permutation([], generator=stream()),
        lambda: statistics.stratified_permutation([([1], [1])], generator=stream()),
        lambda: statistics.mismatched([1, 2], [1, 2], generator=stream()),
    ],
)
def test_bad_input_is_named(call):
    with pytest.raises(ValueError, match=r"give|needs|use|leave|pass"):
        call()


@pytest.mark.parametrize("p", [math.nan, -0.1, 1.1])
def test_holm_refuses_what_is_no_p(p):
    with pytest.raises(ValueError, match=r"in \[0, 1\]"):
        statistics.holm([0.01, p, 0.02])


def test_permutations_need_a_repeat_and_a_value():
    group = (torch.randn(3, 2, generator=stream()), torch.randn(3, 2, generator=stream(1)))
    for repeats in (0, -1):
        with pytest.raises(ValueError, match="repeats"):
            statistics.stratified_permutation([group], generator=stream(), repeats=repeats)
        with pytest.raises(ValueError, match="repeats"):
            statistics.mismatched(*group, generator=stream(), repeats=repeats)
    with pytest.raises(ValueError, match="shapes"):
        statistics.stratified_permutation([(torch.zeros(3, 0), torch.zeros(3, 0))], generator=stream())


def test_values_that_carry_a_gradient_are_values():
    x = torch.tensor([1.0, 2, 3], requires_grad=True)
    assert statistics.kendall(x, [1, 2, 3]).tau == 1


def test_few_units_in_one_group_have_all_their_orders_tried():
    """Five units in perfect order: 1 of 120, whatever the generator and the repeats."""
    x = torch.arange(5.0)
    for repeats in (10, 1000):
        found = statistics.stratified_permutation(
            [(x, x)], generator=torch.Generator().manual_seed(repeats), repeats=repeats
        )
        assert (found.p_one_sided, found.repeats) == (pytest.approx(1 / 120), 119)
        assert found.p_one_sided == pytest.approx(statistics.kendall(x, x).p_one_sided)
    many = statistics.other_orders(8, 20, torch.Generator().manual_seed(0))
    assert many.shape == (20, 8)


def test_many_values_take_the_normal_approximation():
    """Just above the limit it agrees with the exact count just below, with and without ties."""
    x = torch.randn(151, generator=torch.Generator().manual_seed(1), dtype=torch.float64)
    y = x + 12 * torch.randn(151, generator=torch.Generator().manual_seed(2), dtype=torch.float64)
    large, exact = statistics.kendall(x, y), statistics.kendall(x[:150], y[:150])
    assert (large.method, exact.method) == ("normal", "exact")
    wanted = stats.kendalltau(x[:150], y[:150], method="asymptotic", alternative="greater").pvalue
    assert exact.p_one_sided == pytest.approx(wanted, abs=1e-3)
    assert large.tau == pytest.approx(float(stats.kendalltau(x, y).statistic))
    rounded = statistics.kendall((2 * x).round(), y)
    assert rounded.method == "normal"
    assert rounded.tau == pytest.approx(float(stats.kendalltau((2 * x).round(), y).statistic))
    assert statistics.kendall(x, -x).p_one_sided == pytest.approx(1)
