import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lib.data import splits

RANK = 5943622065344542363  # computed once, then frozen
NAMES = st.lists(st.text(min_size=1, max_size=8), min_size=1, max_size=60, unique=True)


def test_a_rank_is_the_same_on_every_machine():
    assert splits.rank("train/airplane/0000.jpg") == RANK
    assert splits.rank("train/airplane/0000.jpg", seed=1) != RANK


@given(NAMES, st.randoms())
def test_order_forgets_the_order_of_files(names, chance):
    shuffled = random.sample(names, len(names))
    chance.shuffle(shuffled)
    assert splits.order(names) == splits.order(shuffled)
    assert sorted(splits.order(names)) == sorted(names)


@given(
    st.dictionaries(st.text(max_size=8), st.integers(0, 3), min_size=1, max_size=80),
    st.integers(0, 3),
    st.randoms(),
)
def test_parts_are_disjoint_complete_balanced_and_frozen(labels, each, chance):
    groups = {value: sum(label == value for label in labels.values()) for value in set(labels.values())}
    counts = {"test": each, "valid": 1}
    if min(groups.values()) < each + 1:
        with pytest.raises(ValueError, match="too few"):
            splits.hold_out(labels, counts)
        return
    parts = splits.hold_out(labels, counts)
    dealt = [item for items in parts.values() for item in items]
    assert sorted(dealt) == sorted(labels)
    for part, count in counts.items():
        for value in groups:
            assert sum(labels[item] == value for item in parts[part]) == count
    items = list(labels.items())
    chance.shuffle(items)
    assert splits.hold_out(dict(items), counts) == parts


def test_another_seed_deals_anew():
    labels = {f"{i}": i % 2 for i in range(200)}
    first, second = (set(splits.hold_out(labels, {"test": 20}, seed)["test"]) for seed in (0, 1))
    assert first != second


def test_an_item_more_moves_no_other_item():
    """A hash deals each item for itself: with one more file, at most one leaves the held-out part."""
    labels = {f"{i}": 0 for i in range(100)}
    before = set(splits.hold_out(labels, {"test": 20})["test"])
    after = set(splits.hold_out(labels | {"new": 0}, {"test": 20})["test"])
    assert len(before - after) <= 1


@given(
    st.dictionaries(st.text(max_size=6), st.integers(0, 9), min_size=2, max_size=60),
    st.integers(2, 4),
    st.randoms(),
)
def test_folds_keep_groups_together(groups, number, chance):
    if len(set(groups.values())) < number:
        with pytest.raises(ValueError, match="are possible"):
            splits.folds(groups, number)
        return
    dealt = splits.folds(groups, number)
    assert sorted(item for fold in dealt for item in fold) == sorted(groups)
    homes = {(groups[item], place) for place, fold in enumerate(dealt) for item in fold}
    assert len(homes) == len(set(groups.values()))
    largest = max(list(groups.values()).count(value) for value in groups.values())
    assert max(map(len, dealt)) - min(map(len, dealt)) <= largest
    items = list(groups.items())
    chance.shuffle(items)
    assert splits.folds(dict(items), number) == dealt


def test_texts_are_the_same_in_any_case_and_spacing():
    assert splits.normal(" A  good\nFILM ") == splits.normal("a good film")
    assert splits.normal("a good film") != splits.normal("a goodfilm")
