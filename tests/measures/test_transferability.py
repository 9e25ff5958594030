import math
from dataclasses import replace

import pytest
import reference
import torch
from cases import MODELS, STACKS, generator, mlp, normal, perturbed
from hypothesis import given, settings
from hypothesis import strategies as st
from test_jacobian import Largest

from lib.measures import singular, transferability
from lib.measures.transferability import measure, measure_jacobians

SCALARS = ("tau1", "tau2", "alpha_squared", "projection_scale")
SAMPLES = ("tau1_per_sample", "sigma_source", "sigma_target", "lambda_source", "lambda_target")


def close(found, wanted, tolerance=1e-9):
    found, wanted = (torch.as_tensor(value, dtype=torch.float64) for value in (found, wanted))
    torch.testing.assert_close(found, wanted, atol=tolerance, rtol=tolerance)


@pytest.mark.parametrize(
    "name",
    [
        n
        for n in STACKS
        if n not in ("many scales", "large, of many scales", "near tie 1e-8", "tiny second value")
    ],
)
def test_measure_jacobians_is_the_definitions_read_aloud(name):
    target = STACKS[name]
    source = perturbed(target, 0.3)
    found, wanted = measure_jacobians(source, target), reference.transferability(source, target)
    for field in SCALARS + SAMPLES:
        close(getattr(found, field), wanted[field], 1e-8)
    close(found.alpha, math.sqrt(wanted["alpha_squared"]), 1e-8)
    close(found.alignment, wanted["alignment"], 1e-7)
    sign = (found.deviation_source * wanted["deviation_source"]).sum(-1, keepdim=True).sign()
    close(found.deviation_source, sign * wanted["deviation_source"], 1e-7)  # the attack's sign is free
    close(found.deviation_target, sign * wanted["deviation_target"], 1e-7)


@pytest.mark.parametrize(("source", "target"), [("mlp", "mlp"), ("mlp", "one output"), ("one output", "mlp")])
@pytest.mark.parametrize("chunk_size", [None, 2])
def test_measure_is_the_jacobians_measured(source, target, chunk_size):
    f, x = MODELS[source]
    g = mlp(outputs=3, seed=5) if target == "mlp" else MODELS[target][0]
    found = measure(f, g, x, chunk_size=chunk_size)
    wanted = reference.transferability(reference.jacobian(f, x), reference.jacobian(g, x))
    for field in SCALARS + SAMPLES:
        close(getattr(found, field), wanted[field])


@pytest.mark.parametrize("outputs", [1, 4, 10])
def test_no_colour_picture_goes_through_a_dense_svd(outputs, monkeypatch):
    """The call that users make has 85 of them in a chunk, too few for the batched reduction."""
    svd, columns = torch.linalg.svd, []
    monkeypatch.setattr(torch.linalg, "svd", lambda J, **more: columns.append(J.shape[-1]) or svd(J, **more))
    x = normal(90, 3, 32, 32)
    measure(*(mlp(inputs=3072, outputs=outputs, seed=seed) for seed in (0, 1)), x.flatten(1))
    assert columns
    assert max(columns) <= outputs


def test_weights_are_repetitions():
    source, target = normal(5, 3, 4), normal(5, 2, 4, seed=1)
    often = torch.tensor([0, 1, 3, 2, 1])
    found = measure_jacobians(source, target, often.double() * 7)
    wanted = measure_jacobians(source.repeat_interleave(often, 0), target.repeat_interleave(often, 0))
    for field in (*SCALARS, "alignment"):
        close(getattr(found, field), getattr(wanted, field), 1e-12)


def test_memory_beside_the_stacks_is_flat(monkeypatch):
    monkeypatch.setattr(transferability, "_ELEMENTS", 300 * 5 * 8)
    sizes = []
    for count in (600, 2400):
        source, target = normal(count, 5, 8), normal(count, 4, 8, seed=1)
        with Largest() as largest:
            measure_jacobians(source, target)
        sizes.append(largest.size)
    outputs = 2400 * 5
    assert sizes[1] <= max(sizes[0], outputs)
    assert outputs < 300 * 5 * 8 * 2


# -- ranges and invariances -------------------------------------------------------------------------------


@st.composite
def pairs(draw, largest=1e153):
    """Two stacks with entries of any size up to `largest`, zeros, repeated and dependent rows among them."""
    count, m, d, n = (draw(st.integers(1, top)) for top in (6, 4, 4, 5))
    values = st.floats(-largest, largest, allow_nan=False) | st.sampled_from(
        [0.0, 1.0, -1.0, 1e-150, largest]
    )

    def stack(rows):
        entries = draw(st.lists(values, min_size=rows * n, max_size=rows * n))
        one = torch.tensor(entries, dtype=torch.float64).reshape(1, rows, n)
        if draw(st.booleans()):
            return one.repeat(count, 1, 1)
        return one * torch.randn(
            count, 1, n, generator=generator(draw(st.integers(0, 99))), dtype=torch.float64
        )

    return stack(m), stack(d)


@given(pairs())
@settings(max_examples=300, deadline=None)
def test_every_measure_is_in_its_range(pair):
    found = measure_jacobians(*pair)
    assert 0 <= found.tau1 <= 1
    assert 0 <= found.tau2 <= 1
    assert 0 <= found.alpha_squared <= 1
    assert 0 < found.projection_scale <= 1
    for name in ("tau1_per_sample", "lambda_source", "lambda_target"):
        value = getattr(found, name)
        assert ((value >= 0) & (value <= 1)).all()


def random_pair(seed, N=40):
    target = normal(N, 3, 6, seed=seed)
    return perturbed(target, 0.5, seed=seed), target[:, :2]


def same(first, second, fields=SCALARS, tolerance=1e-9):
    for field in fields:
        close(getattr(first, field), getattr(second, field), tolerance)


@pytest.mark.parametrize("seed", range(20))
def test_orthogonal_changes_of_the_input_change_nothing(seed):
    source, target = random_pair(seed)
    turn = torch.linalg.qr(normal(6, 6, seed=100 + seed))[0]
    same(
        measure_jacobians(source @ turn, target @ turn), measure_jacobians(source, target), SCALARS + SAMPLES
    )


@pytest.mark.parametrize("seed", range(20))
@pytest.mark.parametrize(("a", "b"), [(1e-160, 3.0), (-2.0, 1e160), (7.0, -1e-3)])
def test_scaling_the_outputs_changes_no_ratio(seed, a, b):
    source, target = random_pair(seed)
    same(measure_jacobians(a * source, b * target), measure_jacobians(source, target))


@pytest.mark.parametrize("seed", range(20))
def test_orthogonal_changes_of_the_outputs_change_nothing(seed):
    source, target = random_pair(seed)
    left, right = (torch.linalg.qr(normal(k, k, seed=seed + k))[0] for k in (3, 2))
    same(
        measure_jacobians(left @ source, right @ target), measure_jacobians(source, target), SCALARS + SAMPLES
    )


@pytest.mark.parametrize("seed", range(20))
def test_sign_flips_of_the_attacks_that_depend_on_x_change_nothing(seed, monkeypatch):
    source, target = random_pair(seed)
    plain, top_pairs = measure_jacobians(source, target), singular.top_pairs
    noise = generator(seed)

    def flipped(*stacks):
        signs = [torch.randint(0, 2, (len(J), 1), generator=noise) * 2.0 - 1 for J in stacks]
        return [replace(pair, vector=sign * pair.vector) for sign, pair in zip(signs, top_pairs(*stacks))]

    monkeypatch.setattr(singular, "top_pairs", flipped)
    turned = measure_jacobians(source, target)
    assert not torch.equal(turned.deviation_source, plain.deviation_source)
    same(turned, plain, (*SCALARS, *SAMPLES, "alignment"), 1e-12)


def test_tau2_has_a_direction():
    source, target = random_pair(3)
    assert abs(measure_jacobians(source, target).tau2 - measure_jacobians(target, source).tau2) > 0.05
    close(measure_jacobians(source, target).tau1, measure_jacobians(target, source).tau1)


def test_a_linear_image_transfers_completely():
    source = normal(30, 3, 6)
    # one orthogonal map, so that B* is within the projection's radius
    found = measure_jacobians(source, torch.linalg.qr(normal(3, 3, seed=4))[0] @ source)
    close([found.tau1, found.tau2, found.alpha_squared, found.projection_scale], [1.0] * 4)


# -- degenerate cases -------------------------------------------------------------------------------------


def test_a_zero_jacobian_has_no_angle_and_no_ratio():
    source, target = normal(4, 2, 3), normal(4, 2, 3, seed=1)
    source[1], target[2] = 0, 0
    found = measure_jacobians(source, target)
    assert found.tau1_per_sample[1] == found.tau1_per_sample[2] == 0
    assert found.lambda_source[1] == found.lambda_target[2] == 0
    assert (found.deviation_source[1] == 0).all()


@pytest.mark.parametrize("which", ["source", "target", "both"])
def test_where_a_deviation_vanishes_everywhere_nothing_transfers(which):
    source = normal(4, 2, 3) * (which == "target")
    target = normal(4, 3, 3, seed=1) * (which == "source")
    found = measure_jacobians(source, target)
    assert (found.tau1, found.tau2, found.alpha, found.projection_scale) == (0, 0, 0, 1)
    assert torch.equal(found.alignment, torch.zeros(3, 2, dtype=torch.float64))


def test_a_target_that_is_blind_to_the_attack_has_tau2_and_alpha_zero():
    source = torch.tensor([[[1.0, 0]]]).double()
    found = measure_jacobians(source, source.flip(-1))
    assert (found.tau1, found.tau2, found.alpha) == (0, 0, 0)


def test_in_a_tie_each_selection_has_its_own_value():
    source = torch.eye(2).double().expand(2, 2, 2)
    target = torch.stack([torch.diag(torch.tensor([2.0, 1])), torch.diag(torch.tensor([1.0, 3]))]).double()

    def after(nudge):  # a nudge of the source selects one of its top singular vectors
        found = measure_jacobians(source + 1e-9 * torch.diag_embed(nudge.double()), target)
        return [round(found.tau1, 6), round(found.tau2, 6)]

    assert after(torch.tensor([[1.0, 0], [0, 1]])) == [1.0, 0.977451]
    assert after(torch.tensor([[1.0, 0], [1, 0]])) == [0.5, 0.9]


def test_one_source_output_never_needs_the_projection():
    for seed in range(50):
        found = measure_jacobians(normal(8, 1, 4, seed=seed), normal(8, 3, 4, seed=seed + 99))
        assert found.projection_scale == pytest.approx(1, abs=1e-12)


def test_the_projection_rescales():
    source = torch.tensor([[[10.0, 0], [0, 1]], [[0.5, 0], [0, 1]]]).double()
    target = torch.tensor([[[0.0, 1]], [[0, 5]]]).double()
    found = measure_jacobians(source, target)
    assert found.projection_scale < 0.999
    radius = (found.deviation_target.square().sum() / found.deviation_source.square().sum()).sqrt()
    close(torch.linalg.matrix_norm(found.alignment, ord=2), radius)


@pytest.mark.parametrize("seed", range(30))
def test_tau2_in_closed_form(seed):
    source, target = random_pair(seed)
    found = measure_jacobians(source, target)
    best = torch.linalg.lstsq(found.deviation_source, found.deviation_target).solution.mT
    image = found.deviation_source @ best.mT
    psi, share = found.projection_scale, image.square().sum() / found.deviation_target.square().sum()
    close(found.alignment, psi * best)
    close(found.tau2, psi * (2 - psi) * share)


# -- tau2 of given deviations ------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["wide", "tall", "one output", "some zero", "one sample", "rank one"])
@pytest.mark.parametrize("weighted", [False, True])
def test_tau2_of_deviations_is_tau2_of_the_jacobians_that_made_them(name, weighted):
    target = STACKS[name]
    weights = normal(len(target), seed=7).abs() if weighted else None
    wanted = measure_jacobians(perturbed(target, 0.3), target, weights)
    pair = wanted.deviation_source, wanted.deviation_target
    found = transferability.align(*pair, weights)
    assert (found.tau2, found.projection_scale) == (wanted.tau2, wanted.projection_scale)
    assert torch.equal(found.alignment, wanted.alignment)
    assert transferability.tau2(*pair, weights) == wanted.tau2


def test_tau2_does_not_see_signs_scale_or_type():
    source, target = normal(40, 3), normal(40, 3) @ normal(3, 2, seed=1) + normal(40, 2, seed=2)
    wanted, signs = transferability.tau2(source, target), normal(40, 1, seed=3).sign()
    assert 0.1 < wanted < 0.9
    for pair in ((signs * source, signs * target), (1e-200 * source, 1e200 * target)):
        close(transferability.tau2(*pair), wanted, 1e-12)
    close(transferability.tau2(source.float(), target.float()), wanted, 1e-5)
    grown = target.clone().requires_grad_()
    assert not transferability.align(source, grown).alignment.requires_grad


def test_a_deviation_that_vanishes_has_tau2_0_and_no_alignment():
    zero, moved = torch.zeros(5, 2), normal(5, 3)
    for pair in ((zero, moved), (moved, zero), (zero, zero)):
        found = transferability.align(*pair)
        assert (found.tau2, found.projection_scale) == (0.0, 1.0)
        assert not found.alignment.any()


def test_samples_of_no_weight_do_not_count_for_tau2():
    source, target, weights = normal(6, 3), normal(6, 2, seed=1), normal(6).abs()
    weights[3:] = 0
    target[3:] *= 1e100
    close(
        transferability.tau2(source, target, weights),
        transferability.tau2(source[:3], target[:3], weights[:3]),
    )


@pytest.mark.parametrize(
    ("source", "target", "weights", "message"),
    [
        (normal(4, 2), normal(3, 2), None, "same N"),
        (normal(4), normal(4), None, r"deviations of the source has shape \(4,\): pass a non-empty matrix"),
        (normal(4, 2), normal(4, 2) / 0, None, "NaN or infinity"),
        (normal(4, 2), normal(4, 2), torch.ones(3), "one for each of the 4"),
    ],
)
def test_deviations_without_a_tau2(source, target, weights, message):
    with pytest.raises(ValueError, match=message):
        transferability.tau2(source, target, weights)


# -- bad input --------------------------------------------------------------------------------------------

GOOD = normal(3, 2, 4)
BAD_STACKS = {
    "other N": (GOOD[:2], GOOD, None, "2 samples of 4 inputs"),
    "other n": (GOOD, GOOD[:, :, :3], None, "same points"),
    "empty": (GOOD[:0], GOOD[:0], None, "non-empty stack"),
    "matrix": (GOOD[0], GOOD[0], None, "non-empty stack"),
    "NaN": (GOOD * torch.nan, GOOD, None, "NaN or infinity"),
    "infinity": (GOOD, GOOD / 0, None, "NaN or infinity"),
    "weights too few": (GOOD, GOOD, torch.ones(2), "one for each of the 3"),
    "weights negative": (GOOD, GOOD, torch.tensor([1.0, 1, -1]), "nonnegative"),
    "weights zero": (GOOD, GOOD, torch.zeros(3), "not all zero"),
    "weights NaN": (GOOD, GOOD, torch.tensor([1.0, 1, torch.nan]), "finite"),
}


@pytest.mark.parametrize("name", BAD_STACKS)
def test_bad_stacks_name_the_remedy(name):
    source, target, weights, message = BAD_STACKS[name]
    with pytest.raises(ValueError, match=message):
        measure_jacobians(source, target, weights)


def test_one_bad_sample_among_many_is_found():
    many = normal(300, 3, 5)
    many[77, 1, 2] = torch.inf
    with pytest.raises(ValueError, match="NaN or infinity"):
        measure_jacobians(normal(300, 2, 5), many)


def test_integers_are_no_jacobians():
    with pytest.raises(TypeError, match="int64"):
        measure_jacobians(GOOD.long(), GOOD)


def test_measure_checks_both_models():
    with pytest.raises(ValueError, match=r"model\.eval"):
        measure(mlp(), mlp().train(), normal(2, 6))


def test_numbers_beyond_float64_are_refused_and_not_taken_for_a_one():
    huge = torch.full((3, 2, 4), 1e308, dtype=torch.float64)
    for pair in ((huge, normal(3, 2, 4)), (normal(3, 2, 4), huge)):
        with pytest.raises(ValueError, match="too large or too unequal"):
            measure_jacobians(*pair)


@pytest.mark.parametrize("factor", [1e-200, 1e200])
def test_samples_of_no_weight_do_not_count_whatever_their_size(factor):
    source, target, weights = normal(6, 3, 4), normal(6, 2, 4, seed=1), normal(6).abs()
    weights[3:] = 0
    wanted = measure_jacobians(source[:3], target[:3], weights[:3])
    size = torch.ones(6, 1, 1, dtype=torch.float64)
    size[3:] = factor
    for pair in ((size * source, target), (source, size * target)):
        found = measure_jacobians(*pair, weights)
        for name in SCALARS:
            close(getattr(found, name), getattr(wanted, name))


def test_weights_whose_sum_overflows_are_refused():
    with pytest.raises(ValueError, match="their sum"):
        measure_jacobians(normal(2, 2, 4), normal(2, 2, 4), torch.full((2,), 1e308, dtype=torch.float64))


def split_half(source, target):
    return transferability.split_half(source, target, generator=generator(0))


@pytest.mark.parametrize(("size_s", "size_t"), [(1e-200, 1e200), (1e200, 1e-200), (1e-310, 1.0)])
def test_split_half_does_not_depend_on_scale(size_s, size_t):
    source, target = normal(20, 3), normal(20, 2, seed=1)
    close(split_half(size_s * source, size_t * target), split_half(source, target))


def test_split_half_of_a_target_that_does_not_move_is_0_as_tau2_is():
    source, target = normal(20, 3), torch.zeros(20, 2)
    assert split_half(source, target) == 0
    target[0] = 1  # one half moves, the other does not: neither predicts
    assert split_half(source, target) <= 0


def test_deviations_that_are_none():
    for source, error in ((normal(5, 0), ValueError), ([[1.0]] * 5, TypeError)):
        with pytest.raises(error, match="deviations"):
            split_half(source, normal(5, 2))
