import math

import pytest
import torch

from lib.base import streams
from lib.measures import jacobian
from lib.theory import bounds, counterexamples, search_space
from lib.theory.counterexamples import KINDS, Case, Size, case, ratio, search
from lib.theory.symbolic import instances

SIZES = [Size(3, 2, 1, 2), Size(2, 2, 2, 2), Size(2, 3, 2, 4), Size(1, 1, 1, 1), Size(3, 1, 3, 2)]


def _search(kind, seed=0, **options):
    options = {"restarts": 16, "steps": 150, "learning_rate": 0.1} | options
    return search(kind, generator=streams.generator(seed, "test", kind), **options)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("size", SIZES, ids=str)
def test_the_climb_and_the_plain_computation_agree(kind, size):
    theta = search_space.draw(5, size, streams.generator(1, kind))
    climbed = search_space.ratio(kind, theta, size)
    for row, value in zip(theta.split(1), climbed):
        weights, source, target = search_space.stacks(row, size)
        plain = ratio(kind, Case(source.jac[0], target.jac[0], weights[0]))
        assert plain == pytest.approx(value.item(), rel=1e-8, abs=1e-9)


@pytest.mark.parametrize("kind", KINDS)
def test_the_gradient_of_the_climb_is_right(kind):
    theta = search_space.draw(2, Size(), streams.generator(3, kind)).requires_grad_()
    assert torch.autograd.gradcheck(lambda t: search_space.ratio(kind, t, Size()), (theta,), atol=1e-5)


def test_the_search_space_is_what_it_says():
    size = Size(2, 3, 2, 4)
    _, source, target = search_space.stacks(search_space.draw(4, size, streams.generator(0)), size)
    for stack in (source, target):
        _, values, right = torch.linalg.svd(stack.jac, full_matrices=False)
        torch.testing.assert_close(values[..., 0], stack.sigma)
        torch.testing.assert_close(values[..., 1] / values[..., 0], stack.ratio)
        torch.testing.assert_close((right[..., 0, :] * stack.attack).sum(-1).abs(), torch.ones(4, 2).double())


@pytest.mark.parametrize(("kind", "low", "high"), [
    ("full", 1.98, 2), ("lipschitz", 1.38, 2), ("minkowski", 0.99, 1), ("pointwise", 0.99, 1),
])  # fmt: skip
def test_search_approaches_the_best_constant_and_never_passes_it(kind, low, high):
    found = _search(kind)
    assert low < found.best_ratio <= high * (1 + 1e-9)
    assert found.trace.shape == (16, 150)
    assert found.best_ratio == ratio(kind, found.instance)
    assert found.trace.max().item() == pytest.approx(found.best_ratio, rel=1e-6)


def test_the_frobenius_reading_exceeds_the_constant_2():
    assert _search("frobenius", size=Size(2, 2, 2, 2)).best_ratio > 2.5


def test_search_is_the_same_for_the_same_generator_only():
    first, again, other = (
        _search("full", steps=20),
        _search("full", steps=20),
        _search("full", seed=1, steps=20),
    )
    assert first.best_ratio == again.best_ratio
    torch.testing.assert_close(first.trace, again.trace, rtol=0, atol=0)
    assert first.best_ratio != other.best_ratio


def test_search_survives_what_is_not_finite(monkeypatch):
    real, calls = search_space.ratio, []

    def poisoned(kind, theta, size):
        calls.append(None)
        value = real(kind, theta, size)
        spoiled = torch.zeros(len(theta), dtype=torch.bool)
        if len(calls) in (1, 5):
            spoiled[0], spoiled[3] = True, True
        return value * torch.where(spoiled, torch.full_like(value, math.nan), 1)

    monkeypatch.setattr(search_space, "ratio", poisoned)
    found = _search("full", steps=60)
    assert found.redrawn == 4
    assert found.trace[0, [0, 4]].isnan().all()
    assert found.trace.isnan().sum() == 4
    assert 1 < found.best_ratio <= 2


def test_search_survives_numbers_too_large(monkeypatch):
    huge = streams.generator(0)
    real = search_space.draw

    def draw(restarts, size, generator):
        theta = real(restarts, size, generator)
        if restarts == 16:
            theta[:8] *= 1e6  # exp overflows, matrix exponentials lose themselves
        return theta

    monkeypatch.setattr(search_space, "draw", draw)
    found = search("full", generator=huge, restarts=16, steps=30)
    assert found.redrawn > 0
    assert math.isfinite(found.best_ratio)


def test_search_with_no_finite_start_says_so(monkeypatch):
    monkeypatch.setattr(search_space, "ratio", lambda kind, theta, size: theta.sum(1) * math.nan)
    with pytest.raises(ValueError, match="no start stayed finite"):
        _search("full", steps=3)


@pytest.mark.parametrize(
    "options", [{"restarts": 0}, {"steps": 0}, {"learning_rate": 0}, {"learning_rate": math.inf}]
)
def test_search_refuses_an_empty_budget(options):
    with pytest.raises(ValueError, match="must be > 0"):
        _search("full", **options)


def test_unknown_kinds_and_sizes_are_refused():
    with pytest.raises(ValueError, match="'five' is not one of full, lipschitz"):
        _search("five")
    with pytest.raises(ValueError, match="not one of"):
        ratio("five", case(instances.broken_step()))
    with pytest.raises(ValueError, match="below 1"):
        Size(points=0)


def test_ratio_of_nothing_is_zero():
    zero = torch.zeros(2, 2, 2, dtype=torch.float64)
    assert ratio("full", Case(zero, zero, torch.ones(2, dtype=torch.float64))) == 0


@pytest.mark.parametrize(("eta", "wanted"), [(0.1, 4.09 / 2.2), (1e-3, 4.000999 / 2.002)])
def test_first_family(eta, wanted):
    found = ratio("full", case(instances.rare_point(eta, gap=1e-10)))
    assert found == pytest.approx(wanted, rel=1e-8)


def test_second_family_tends_to_its_limit():
    for l in (0.5, 0.9):
        found = ratio("full", case(instances.scalar_target(1e-7, l)))
        assert found == pytest.approx((1 + l) ** 2 / (1 + l**2), rel=1e-5)


def test_lipschitz_instance():
    found = ratio("lipschitz", case(instances.lipschitz_worst()))
    assert 1.39681 < found < 1.39682


def test_frobenius_breaks_the_constant_5_from_22_inputs_on():
    found = {n: ratio("frobenius", case(instances.same_function(n, 0.99))) for n in (21, 22, 23)}
    assert found[21] == pytest.approx(5, rel=1e-12)
    assert found[22] > 5
    assert found[23] == pytest.approx(21.5622 / (19.602 / 5), rel=1e-9)


def test_the_broken_step_breaks():
    one = case(instances.broken_step())
    third = (one.target[0] @ torch.tensor([0, 0, 1.0], dtype=torch.float64)).norm()
    assert third.item() == 1.0 > 1 / 3  # lambda_T |A| sigma_S = 1/3 there
    assert ratio("full", one) == pytest.approx(0.9)


def test_proposition_2_needs_the_ratio():
    one = case(instances.ratio_not_norm())
    interval = bounds.proposition_2(one.source, one.target)
    assert interval.value == pytest.approx(0.00998001)
    assert interval.lower <= interval.value <= interval.upper
    assert interval.value > 0.1**2 * 0.1**2  # the bound with lambda = sigma_max


@pytest.mark.parametrize("radius", [0.5, 1.0, 3.0])
def test_half_of_beta_is_attained(radius):
    source, target, x = counterexamples.half_beta(radius)
    slopes = [jacobian.jacobians(f, x) for f in (source, target)]
    torch.testing.assert_close(*slopes)  # so A = 1 and the gradient term is 0
    v = lambda at: target(at) - source(at)  # noqa: E731
    rest = (v(x) - v(torch.zeros_like(x))).abs().item()
    beta_1 = (1 + 1) * 1.0
    assert rest == pytest.approx(beta_1 * radius**2 / 2)
    bound = bounds.theorem_3(0, 0, 1, 1, radius)
    assert bound.rhs["half_beta"] == pytest.approx(rest**2)


def test_the_circle_has_no_mean_value():
    t = torch.linspace(0, 1, 101, dtype=torch.float64).unsqueeze(1)
    speed = jacobian.jacobians(counterexamples.circle, t).squeeze(-1).norm(dim=1)
    torch.testing.assert_close(speed, torch.full_like(speed, 2 * math.pi))
    ends = counterexamples.circle(t[[0, -1]])
    assert (ends[1] - ends[0]).norm() < 1e-12


@pytest.mark.parametrize(("m", "d", "n"), [(1, 1, 2), (2, 2, 2), (2, 3, 4), (4, 2, 3), (3, 3, 3)])
def test_theorem_r_holds_for_any_matrix_at_any_point(m, d, n):
    draw = streams.generator(0, m, d, n)
    random = lambda *shape: torch.randn(4000, *shape, generator=draw, dtype=torch.float64)  # noqa: E731
    source, target, alignment = random(m, n), random(d, n), random(d, m) * random(1, 1).exp()
    values_s, right_s = torch.linalg.svd(source)[1:]
    values_t, right_t = torch.linalg.svd(target)[1:]
    ratio_s, ratio_t = (
        (v[:, 1] / v[:, 0] if v.shape[1] > 1 else torch.zeros(4000)) for v in (values_s, values_t)
    )
    attack, difference = right_s[:, 0], target - alignment @ source
    missed = (difference @ attack.unsqueeze(-1)).squeeze(-1).square().sum(1)
    sine2 = 1 - (attack * right_t[:, 0]).sum(1).square()
    size = torch.linalg.matrix_norm(alignment, 2) * values_s[:, 0]
    bound = (missed + sine2 * values_t[:, 0].square()).sqrt() + (ratio_t + ratio_s) * size
    left = torch.linalg.matrix_norm(difference, 2)
    assert (left <= bound * (1 + 1e-9)).all()
    assert (left > 0.9 * bound).any()  # and it is not a loose one
