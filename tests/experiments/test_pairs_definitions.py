"""What the chapters "Definitions" and "Propositions" compute, against values known in advance."""

from dataclasses import replace

import pytest
import torch
from cases import generator, normal

from lib.experiments.pairs import attacks, maps
from lib.experiments.pairs import record as theory
from lib.experiments.pairs.networks import Pair, networks
from lib.measures import transferability
from lib.theory import counterexamples
from lib.theory.symbolic import instances

CONFIG = replace(theory.PRESETS["quick"], seeds=2, samples=60, perturbations=(0.3, 1.0))
PAIR = networks(CONFIG, 0, 0.3)


def quadratic(slope, curve):
    return lambda x: x @ slope.mT + curve * x.square().sum(-1, keepdim=True) / 2


# -- attacks ----------------------------------------------------------------------------------------------


def test_the_plane_shows_attacks_that_reach_the_ellipse_where_it_is_longest():
    at = attacks.plane(replace(CONFIG, inputs=2), 1.0)
    for own, image in (("source_own", "image_source"), ("target_own", "image_target")):
        assert at[own].norm() >= at[image].norm(dim=-1).max() - 1e-9
    assert at["target_moved"].norm() <= at["target_own"].norm()
    assert at["attack_source"] @ at["attack_target"] >= 0


def test_the_plane_has_two_inputs():
    with pytest.raises(ValueError, match="inputs = 6"):
        attacks.plane(CONFIG, 1.0)


def test_the_search_finds_the_exact_attack_where_it_is_known():
    """f(x) = x_1 + 2 |x|^2 at 0 and epsilon 1: every direction gains 2, so the exact attack is e_1 with 3."""
    f = quadratic(torch.tensor([[1.0, 0]]).double(), 4.0)
    pair = Pair(f, f, torch.zeros(1, 2, dtype=torch.float64))
    (row,) = attacks.tangent_against_exact(pair, [1.0])
    assert row["gain"].item() == pytest.approx(1)  # of the two signs, + reaches 3
    assert row["bend"].item() == pytest.approx(2)


def test_the_search_beats_a_tangent_that_misleads():
    """At 0, f is steep in x_1 but far higher along x_2: a small ball hides it, a large one does not."""
    pair = Pair(None, lambda x: x[:, :1] + 5 * x[:, 1:].square(), torch.zeros(1, 2, dtype=torch.float64))
    small, large = attacks.tangent_against_exact(pair, [0.01, 1.0])
    assert small["gain"].item() > 0.9999
    assert large["gain"].item() == pytest.approx(1 / 5.05, rel=1e-3)  # max of x_1 + 5 x_2^2 on the disc


def test_the_ratio_of_losses_meets_alpha_squared_and_not_alpha():
    row = attacks.loss_ratios(PAIR, [1e-4])[0]
    assert row["ratio"] == pytest.approx(row["alpha_squared"], rel=1e-3)
    assert abs(row["ratio"] - row["alpha"]) > 0.01


def test_the_same_attack_on_equivalent_targets():
    rows = attacks.same_attack_many_targets(PAIR, 1e-3)
    losses = [row[1] / rows[0][1] for row in rows]
    assert losses == pytest.approx([1, 9, 2])
    for row in rows:
        assert row[2:] == pytest.approx(rows[0][2:], abs=1e-9)


# -- maps and losses --------------------------------------------------------------------------------------


@pytest.mark.parametrize("seed", range(5))
def test_clipping_explains_no_less_than_rescaling(seed):
    found = transferability.measure_jacobians(normal(30, 3, 5, seed=seed), normal(30, 2, 5, seed=seed + 9))
    source, target = found.deviation_source, found.deviation_target + found.deviation_source[:, :2]
    found = replace(found, deviation_target=target, **vars(transferability.align(source, target)))
    found_maps = maps.candidates(found)
    assert (
        found_maps["best"]["share"]
        >= found_maps["clipped"]["share"]
        >= found_maps["rescaled"]["share"] - 1e-12
    )
    assert found_maps["rescaled"]["share"] == pytest.approx(found.tau2)
    assert max(found_maps["clipped"]["values"]) <= found_maps["radius"] * (1 + 1e-12)


def test_clipping_is_strictly_better_on_networks():
    found = transferability.measure(
        *(getattr(networks(CONFIG, 0, 1.0), k) for k in ("source", "target", "x"))
    )
    found_maps = maps.candidates(found)
    assert found.projection_scale < 0.99
    assert found_maps["clipped"]["share"] > found_maps["rescaled"]["share"] + 1e-4


def test_the_affine_losses_come_in_order():
    losses = maps.problem_1(networks(CONFIG, 1, 1.0))
    assert 0 < losses["affine"] < losses["bounded"] < losses["attacks"] < 1
    assert losses["norm_affine"] > losses["radius"]


def test_the_bounded_map_is_the_best_in_its_ball():
    features = normal(50, 3) * torch.tensor([1, 0.3, 0.1])
    labels = normal(50, 2, seed=1)
    features, labels = features - features.mean(0), labels - labels.mean(0) + 2 * features[:, :2]

    def loss(weight):
        return (features @ weight.mT - labels).square().sum(-1).mean().item()

    best = maps._bounded(torch.zeros(2, 3).double(), features, labels, 0.7)
    assert torch.linalg.matrix_norm(best, ord=2) == pytest.approx(0.7)
    for seed in range(200):
        other = maps._clip(best + 0.3 * 0.8 ** (seed // 10) * normal(2, 3, seed=seed), 0.7)
        assert loss(best) <= loss(other) + 1e-9


def test_equal_angles_without_transfer():
    f, g, x = maps.same_angle()
    found = transferability.measure(f, g, x)
    assert found.tau1 == pytest.approx(1)
    assert found.tau2 == pytest.approx(0, abs=1e-20)


def test_affine_models_have_tau2_one_whatever_their_angle():
    source, target = normal(1, 2, 5).expand(30, 2, 5), normal(1, 3, 5, seed=1).expand(30, 3, 5)
    found = transferability.measure_jacobians(source, target)
    assert found.tau1 < 0.5
    assert (found.tau2, found.projection_scale) == pytest.approx((1, 1))


def test_unrelated_networks_score_far_above_the_null_with_random_signs():
    rows = maps.companions(CONFIG)
    assert [row["t"] for row in rows] == [0.3, 0.3, 1.0, 1.0, None, None]
    strangers = [row for row in rows if row["t"] is None]
    assert all(row["null_random"] < 0.15 for row in rows)
    assert sum(row["tau2"] for row in strangers) > 2 * sum(row["null_random"] for row in strangers)
    assert all(row["split_half"] <= row["tau2"] + 0.05 for row in rows)


def test_what_changes_nothing():
    rows = maps.changes(PAIR)
    assert max(max(row[1:]) for row in rows[:3]) < 1e-10
    assert max(rows[3][1:]) > 1e-4


def test_degenerate_values_are_the_documented_ones():
    table = {name: values for name, *values in maps.degenerate()}
    assert table["$J_S = 0$ at one of two points"] == pytest.approx([0.5, 1, 0.5])
    assert table["$J_S = 0$ everywhere"] == table["$J_T = 0$ everywhere"] == [0, 0, 0]
    first, second = (values for name, values in table.items() if name.startswith("a tie"))
    assert first[:2] == pytest.approx([0.5, 0.9])
    assert second[:2] == pytest.approx([1, 0.977451], abs=1e-5)


# -- propositions -----------------------------------------------------------------------------------------


def test_the_closed_form_and_the_curve():
    found = transferability.measure(PAIR.source, PAIR.target, PAIR.x)
    psi, share = maps.on_the_curve(found)
    assert maps.closed_form(found) == pytest.approx(found.tau2)
    assert share == pytest.approx(psi * (2 - psi))


def test_the_sides_of_proposition_2_come_in_order():
    groups = [transferability.measure(p.source, p.target, p.x) for p in (PAIR, networks(CONFIG, 1, 0.3))]
    _, lower, alpha, upper, pointwise, ratio = maps.room(groups)
    assert lower <= alpha <= pointwise <= upper <= 1
    assert 0 < ratio < 1


def test_the_remainder_of_a_quadratic_is_attained():
    """f(x) = x + x^2 / 2 at 0: L_adv = eps^2 + eps^3 + eps^4 / 4."""
    epsilon = 0.01
    x = torch.zeros(1, 1, dtype=torch.float64)
    loss = attacks.adversarial_loss(lambda x: x + x.square() / 2, x, x + epsilon)
    assert loss == pytest.approx(epsilon**2 + epsilon**3 + epsilon**4 / 4, rel=1e-12)


def test_the_remainder_is_of_third_order_and_of_fourth_without_the_sign():
    rows = attacks.shrink(PAIR, [10 ** (k / 4 - 3) for k in range(9)])
    assert all(row["lower"] * (1 - 1e-3) <= row["loss"] <= row["upper"] * (1 + 1e-3) for row in rows)
    assert all(row["remainder"] <= row["allowed"] for row in rows)
    assert attacks.slope(rows, "remainder") == pytest.approx(3, abs=0.3)
    assert attacks.slope(rows, "both_signs") == pytest.approx(4, abs=0.01)


def test_a_slope_is_a_slope():
    rows = [{"epsilon": e, "y": 7 * e**2.5} for e in (0.1, 0.2, 0.7)]
    assert attacks.slope(rows, "y") == pytest.approx(2.5)


def test_the_wording_of_appendix_f_fails():
    case = counterexamples.case(instances.ratio_not_norm())
    sides = attacks.wording(case.source, case.target)
    assert sides["norm"] < sides["value"] <= sides["ratio"] * (1 + 1e-12)


def test_least_median_largest():
    values = torch.rand(9, generator=generator(0)).tolist()
    assert attacks.spread(values) == (min(values), sorted(values)[4], max(values))
