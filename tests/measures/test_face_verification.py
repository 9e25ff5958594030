"""Verification beside a slow implementation of the protocol, and on cases whose answer is known."""

import math
from itertools import pairwise
from statistics import median_low

import pytest
import torch

from lib.measures.face_verification import Verification, verify


def generator(seed=0):
    return torch.Generator().manual_seed(seed)


def pairs(count=120, dimensions=8, noise=1.0, folds=10, seed=0, dtype=torch.float64):
    """Two noisy views of one person, or of two; the kinds alternate."""
    first = torch.randn(count, dimensions, generator=generator(seed), dtype=dtype)
    other = torch.randn(count, dimensions, generator=generator(seed + 1), dtype=dtype)
    same = torch.arange(count) % 2 == 0
    right = torch.where(same[:, None], first, other)
    right = right + noise * torch.randn(count, dimensions, generator=generator(seed + 2), dtype=dtype)
    return first, right, same, torch.arange(count) * folds // count


def slow(left, right, same, folds):
    """Fold by fold, threshold by threshold, pair by pair."""

    def cosine(a, b):
        norm = math.sqrt(sum(v * v for v in a)) * math.sqrt(sum(v * v for v in b))
        return sum(v * w for v, w in zip(a, b)) / norm if norm else 0.0

    scores = [cosine(a, b) for a, b in zip(left.tolist(), right.tolist())]
    same, folds = same.tolist(), folds.tolist()
    accuracies, thresholds = [], []
    for fold in sorted(set(folds)):
        learn = [i for i in range(len(scores)) if folds[i] != fold]
        test = [i for i in range(len(scores)) if folds[i] == fold]
        seen = sorted({scores[i] for i in learn})
        candidates = [-1.0, *((a + b) / 2 for a, b in pairwise(seen)), math.nextafter(1.0, 2.0)]
        right_ones = [sum((scores[i] >= c) == same[i] for i in learn) for c in candidates]
        chosen = median_low([c for c, n in zip(candidates, right_ones) if n == max(right_ones)])
        thresholds.append(chosen)
        accuracies.append(sum((scores[i] >= chosen) == same[i] for i in test) / len(test))
    return Verification(sum(accuracies) / len(accuracies), tuple(accuracies), tuple(thresholds))


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize("noise", [0.5, 2.0, 20.0])
def test_verify_is_the_slow_protocol(seed, noise):
    case = pairs(noise=noise, seed=10 * seed)
    found, wanted = verify(*case), slow(*case)
    assert found.fold_accuracies == pytest.approx(wanted.fold_accuracies, abs=1e-12)
    assert found.thresholds == pytest.approx(wanted.thresholds, abs=1e-12)
    assert found.accuracy == pytest.approx(wanted.accuracy, abs=1e-12)


def test_ties_among_cosines_and_uneven_folds_do_not_matter():
    left, right, same, _ = pairs(count=60, dimensions=2, noise=0.3)
    left, right = left.round(), right.round()  # few directions: many equal cosines, some zero features
    folds = torch.tensor([0, 0, 0, 1, 2, 2, 2, 2, 1, 3] * 6)
    assert (left == 0).all(1).any()
    found, wanted = verify(left, right, same, folds), slow(left, right, same, folds)
    assert found.fold_accuracies == pytest.approx(wanted.fold_accuracies, abs=1e-12)


def at(cosines):
    """Pairs of plane vectors with these cosines."""
    angle = torch.tensor(cosines, dtype=torch.float64).acos()
    left = torch.tensor([[2.0, 0.0]], dtype=torch.float64).expand(len(cosines), 2)
    return left, 3 * torch.stack([angle.cos(), angle.sin()], 1)


def lfw_case():
    """Ten folds as LFW orders them, each four same pairs, then four different ones; cosines by hand.

    Same pairs lie at .50 .55 .60 .65, different ones at .10 .15 .20 .25, but fold 3 has two same pairs at
    .05 and fold 7 one different pair at .90.
    """
    cosines = [0.50, 0.55, 0.60, 0.65, 0.10, 0.15, 0.20, 0.25] * 10
    cosines[3 * 8], cosines[3 * 8 + 1], cosines[7 * 8 + 7] = 0.05, 0.05, 0.90
    return *at(cosines), torch.tensor(([True] * 4 + [False] * 4) * 10), torch.arange(80) // 8


def test_the_protocol_s_numbers_on_a_case_by_hand():
    """Eight folds are all right, fold 3 has 6 of 8, fold 7 has 7 of 8; every threshold is (.25 + .50) / 2."""
    found = verify(*lfw_case())
    assert found.fold_accuracies == (1, 1, 1, 6 / 8, 1, 1, 1, 7 / 8, 1, 1)
    assert found.accuracy == pytest.approx((8 + 6 / 8 + 7 / 8) / 10)
    assert found.thresholds == pytest.approx([0.375] * 10)


def test_the_grid_of_distances_that_others_use_gives_the_same_accuracies():
    """Public LFW scripts scan squared distances of unit features from 0 to 4 in steps of .01."""
    left, right, same, folds = lfw_case()
    unit = [v / v.norm(dim=1, keepdim=True) for v in (left, right)]
    distance = (unit[0] - unit[1]).square().sum(1)
    grid = torch.arange(0, 4, 0.01, dtype=torch.float64)
    right_ones = (distance[:, None] < grid) == same[:, None]
    accuracies = []
    for fold in range(10):
        best = right_ones[folds != fold].double().mean(0).argmax()
        accuracies.append(right_ones[folds == fold].double().mean(0)[best].item())
    assert verify(left, right, same, folds).fold_accuracies == pytest.approx(accuracies)


def test_a_threshold_never_sees_its_own_fold():
    """One fold turned upside down: its own threshold is that of the others, and it scores zero."""
    cosines = [0.9, 0.1] * 10 + [0.1, 0.9]
    same, folds = torch.arange(22) % 2 == 0, torch.tensor([0] * 10 + [1] * 10 + [2] * 2)
    found = verify(*at(cosines), same, folds)
    assert found.fold_accuracies == (1, 1, 0)


def test_folds_weigh_alike_whatever_their_size():
    cosines = [0.9, 0.1] * 10 + [0.1, 0.9]
    folds = torch.tensor([0] * 10 + [1] * 10 + [2] * 2)
    assert verify(*at(cosines), torch.arange(22) % 2 == 0, folds).accuracy == pytest.approx(2 / 3)


@pytest.mark.parametrize(("pairs_to_learn", "wanted"), [(3, 0.35), (2, 0.15)])
def test_of_equally_good_thresholds_the_middle_one_counts(pairs_to_learn, wanted):
    """Different, same, different, same, ... at .1, .2, .3, ...: .15, .35 and .55 are equally good."""
    count = 2 * pairs_to_learn
    cosines = [0.0, 0.5, *((i + 1) / 10 for i in range(count))]
    same, folds = torch.arange(count + 2) % 2 == 1, torch.tensor([0, 0] + [1] * count)
    assert verify(*at(cosines), same, folds).thresholds[0] == pytest.approx(wanted)


def test_scale_and_rotation_do_not_matter_and_single_precision_is_enough():
    left, right, same, folds = pairs()
    turn = torch.linalg.qr(torch.randn(8, 8, generator=generator(5), dtype=torch.float64))[0]
    wanted = verify(left, right, same, folds)
    scaled = verify(7 * left @ turn, 1e-3 * right @ turn, same, folds)
    assert scaled.fold_accuracies == wanted.fold_accuracies
    single = verify(left.float(), right.float(), same, folds)
    assert single.accuracy == pytest.approx(wanted.accuracy, abs=0.02)


def test_random_features_are_at_chance_and_perfect_ones_are_right():
    left, _, same, folds = pairs(count=4000)
    noise = torch.randn(left.shape, generator=generator(9), dtype=torch.float64)
    assert verify(left, noise, same, folds).accuracy == pytest.approx(0.5, abs=0.03)
    assert verify(left, torch.where(same[:, None], left, -left), same, folds).accuracy == 1


L, R, S, F = pairs(count=20, folds=2)
BAD = {
    "integers": (L.long(), R, S, F, TypeError, "left is torch.int64"),
    "a list": (L.tolist(), R, S, F, TypeError, "left is list"),
    "one dimension": (L[0], R, S, F, ValueError, "left has shape"),
    "no pair": (L[:0], R[:0], S[:0], F[:0], ValueError, "left has shape"),
    "other shape": (L, R[:, :3], S, F, ValueError, "give two of one shape"),
    "NaN": (L, R / 0 * 0, S, F, ValueError, "right holds NaN"),
    "constant": (torch.ones_like(L), torch.ones_like(R), S, F, ValueError, "features are constant"),
    "constant up to scale": (L[:1].expand(20, 8), L[:1] * (1 + S[:, None]), S, F, ValueError, "constant"),
    "flags": (L, R, S.long(), F, TypeError, "same is torch.int64"),
    "too few flags": (L, R, S[:3], F, TypeError, "same is torch.bool"),
    "one kind": (L, R, torch.ones_like(S), F, ValueError, "one kind"),
    "float folds": (L, R, S, F.double(), TypeError, "folds is torch.float64"),
    "one fold": (L, R, S, 0 * F, ValueError, "two or more"),
    "an empty fold": (L, R, S, 2 * F, ValueError, r"numbered \[0, 2\]"),
    "a negative fold": (L, R, S, F - 1, ValueError, r"numbered \[-1, 0\]"),
}


@pytest.mark.parametrize("name", BAD)
def test_bad_input_names_the_remedy(name):
    *call, error, message = BAD[name]
    with pytest.raises(error, match=message):
        verify(*call)
