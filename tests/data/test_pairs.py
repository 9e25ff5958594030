from itertools import combinations

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from lib.data import pairs as module
from lib.data.pairs import verification_pairs


def generator(seed=0):
    return torch.Generator().manual_seed(seed)


@settings(max_examples=60, deadline=None)
@given(st.lists(st.integers(0, 5), min_size=4, max_size=30), st.integers(0, 1000), st.data())
def test_pairs_are_distinct_balanced_and_true(people, seed, data):
    kinds = [people[a] == people[b] for a, b in combinations(range(len(people)), 2)]
    most = min(sum(kinds), len(kinds) - sum(kinds))
    if most == 0:
        return
    n = 2 * data.draw(st.integers(1, most))
    pairs = verification_pairs(torch.tensor(people), n, generator=generator(seed))
    assert len(pairs) == n
    assert pairs.same.tolist() == [True, False] * (n // 2)
    assert [people[a] == people[b] for a, b in pairs.index.tolist()] == pairs.same.tolist()
    assert all(a < b for a, b in pairs.index.tolist())
    assert len({(a, b) for a, b in pairs.index.tolist()}) == n


def test_every_pair_is_equally_likely():
    people = torch.tensor([1, 0, 1, 1, 0, 2])
    for count in (2, 6):
        seen = torch.zeros(6, 6)
        source = generator()
        for _ in range(1000):
            pairs = verification_pairs(people, count, generator=source)
            seen.index_put_(tuple(pairs.index.T), torch.tensor(1.0), accumulate=True)
        same = people[:, None] == people
        upper = torch.ones(6, 6).triu(1).bool()
        for kind in (same & upper, ~same & upper):
            expected = 1000 * count / 2 / kind.sum()
            assert (seen[kind] / expected - 1).abs().max() < 0.3


@pytest.mark.parametrize("number", [4, 12])  # few are drawn by rejection, many by permutation
def test_every_choice_and_order_is_equally_likely(number):
    source = generator()
    drawn = torch.stack([module._distinct(20, number, source) for _ in range(3000)])
    assert (drawn.sort(1).values.diff(dim=1) > 0).all()
    for column in (drawn[:, 0], drawn[:, -1], drawn.flatten()):
        share = torch.bincount(column, minlength=20) * 20 / len(column)
        assert (share - 1).abs().max() < 0.3


def test_the_generator_decides():
    people = torch.arange(1000) // 10
    first, again, other = (verification_pairs(people, 600, generator=generator(s)) for s in (1, 1, 2))
    assert torch.equal(first.index, again.index)
    assert not torch.equal(first.index, other.index)


def test_many_images_need_no_list_of_all_pairs():
    people = torch.randint(10_000, (200_000,), generator=generator())
    pairs = verification_pairs(people, 6000, generator=generator())
    assert torch.equal(people[pairs.index[:, 0]] == people[pairs.index[:, 1]], pairs.same)
    assert len(torch.unique(pairs.index, dim=0)) == 6000


@pytest.mark.parametrize(
    ("people", "n", "error", "message"),
    [
        ([0, 0, 1], 3, ValueError, "n_pairs is 3"),
        ([0, 0, 1], 0, ValueError, "n_pairs is 0"),
        ([0, 0, 1], 4, ValueError, "2 pairs of the same person .* only 1"),
        ([0, 0, 0], 2, ValueError, "different people .* only 0"),
        ([], 2, ValueError, "only 0"),
        ([[0, 1]], 2, TypeError, "vector"),
        ([0.0, 1.0], 2, TypeError, "integers"),
    ],
)
def test_bad_requests(people, n, error, message):
    dtype = torch.float32 if any(isinstance(p, float) for p in people) else torch.int64
    with pytest.raises(error, match=message):
        verification_pairs(torch.tensor(people, dtype=dtype), n, generator=generator())
