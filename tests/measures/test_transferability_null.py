"""tau2 beside its null and out of sample (`split_half`, `tau2_null`)."""

import pytest
import torch
from cases import generator, normal

from lib.measures import transferability
from lib.measures.transferability import split_half, tau2_null


def test_unrelated_models_score_about_m_over_n_in_sample_and_nothing_out_of_it():
    source, target = normal(400, 10), normal(400, 3, seed=1)
    null = tau2_null(source, target, generator=generator(0))
    assert null.shape == (200,)
    assert 0.5 * 10 / 400 < null.mean() < 1.5 * 10 / 400
    assert split_half(source, target, generator=generator(0)) < 0.01


def test_split_half_of_an_exact_map_is_one_and_the_null_is_not():
    source = normal(60, 3)
    target = source @ torch.linalg.qr(normal(3, 3, seed=2))[0]
    assert split_half(source, target, generator=generator(0)) > 0.98  # psi of a half may be below 1
    assert tau2_null(source, target, generator=generator(0)).max() < 0.4


def test_the_null_has_random_signs():
    """A common mean of the deviations is an accident of the attacks' signs and must not count."""
    source, target = normal(200, 2) + 5, normal(200, 2, seed=1) + 5
    assert tau2_null(source, target, generator=generator(0)).max() < 0.2


def constant_pair(size=0.1):
    """Deviations of two nearly affine models: constant but for noise, with arbitrary signs."""
    signs = torch.randint(0, 2, (200, 1), generator=generator(5)) * 2 - 1
    source = torch.tensor([1.0, 2, -1]) + size * normal(200, 3)
    return signs * source, signs * (torch.tensor([3.0, 1]) + size * normal(200, 2, seed=1))


def test_two_nearly_affine_models_share_nothing_and_still_have_tau2_near_one():
    pair = constant_pair()
    assert transferability.tau2(*pair) > 0.98
    assert tau2_null(*pair, generator=generator(0), signs="kept").min() > 0.98
    assert tau2_null(*pair, generator=generator(0), signs="random").max() < 0.1


def test_the_kept_null_does_not_see_the_signs_of_the_attacks():
    source, target = constant_pair(size=1.0)
    flips = torch.randint(0, 2, (200, 1), generator=generator(9)) * 2 - 1
    first = tau2_null(source, target, generator=generator(0), signs="kept")
    again = tau2_null(flips * source, flips * target, generator=generator(0), signs="kept")
    torch.testing.assert_close(first, again)
    assert first.std() > 0


def test_unknown_signs():
    with pytest.raises(ValueError, match="'random' or 'kept'"):
        tau2_null(*constant_pair(), generator=generator(0), signs="none")


def test_the_generator_decides_everything():
    source, target = normal(50, 3), normal(50, 2, seed=1)
    for function in (split_half, tau2_null):
        first, again = (function(source, target, generator=generator(4), repeats=5) for _ in range(2))
        assert torch.equal(torch.as_tensor(first), torch.as_tensor(again))


@pytest.mark.parametrize(
    ("source", "target", "message"),
    [
        (normal(4, 2), normal(3, 2), "same N"),
        (normal(1, 2), normal(1, 2), "N >= 2"),
        (normal(4), normal(4), r"deviations of the source has shape \(4,\): pass a non-empty matrix"),
        (normal(4, 2) / 0, normal(4, 2), "NaN or infinity"),
    ],
)
def test_bad_deviations(source, target, message):
    with pytest.raises(ValueError, match=message):
        split_half(source, target, generator=generator(0))


@pytest.mark.parametrize("function", [split_half, tau2_null])
def test_no_repeats(function):
    with pytest.raises(ValueError, match="repeats = 0"):
        function(normal(4, 2), normal(4, 2), generator=generator(0), repeats=0)
