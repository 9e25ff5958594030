import math

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from lib.models import mlp


def stream(seed=0):
    return torch.Generator().manual_seed(seed)


def network(seed=0, inputs=4, width=7, outputs=3, scale=1.5):
    return mlp.MLP(inputs, width, outputs, generator=stream(seed), scale=scale)


def jacobian(model, x):
    """From autograd, to be compared with the formulas."""
    return torch.func.vmap(torch.func.jacrev(lambda point: model(point[None])[0]))(x).detach()


def test_the_output_is_the_formula():
    model, x = network(), torch.randn(5, 4, generator=stream(1), dtype=torch.float64)
    first, second = model.hidden, model.output
    by_hand = second.weight @ (1 / (1 + torch.exp(-(first.weight @ x.T + first.bias[:, None]))))
    torch.testing.assert_close(model(x), by_hand.T + second.bias)
    assert model(x).dtype == torch.float64


def test_parameters_fill_the_uniform_law_and_repeat():
    model = mlp.MLP(30, 100, 10, generator=stream(3))
    values = torch.cat([p.flatten() for p in model.parameters()]).detach()
    assert values.abs().max() <= 0.5
    assert float(values.std()) == pytest.approx(1 / math.sqrt(12), rel=0.03)
    again = mlp.MLP(30, 100, 10, generator=stream(3))
    assert all(torch.equal(a, b) for a, b in zip(model.parameters(), again.parameters()))


def test_curvature_is_the_largest_second_derivative_of_the_sigmoid():
    z = torch.linspace(-6, 6, 200_001, dtype=torch.float64)
    s = torch.sigmoid(z)
    largest = float((s * (1 - s) * (1 - 2 * s)).abs().max())
    assert largest == pytest.approx(mlp.CURVATURE, rel=1e-8)


@settings(max_examples=25, deadline=None)
@given(st.integers(0, 10_000), st.floats(-4, 1))
def test_no_pair_of_points_beats_the_certified_bound(seed, power):
    model, generator = network(seed), stream(seed + 1)
    x = torch.randn(64, 4, generator=generator, dtype=torch.float64)
    y = x + 10**power * torch.randn(64, 4, generator=generator, dtype=torch.float64)
    change = torch.linalg.matrix_norm(jacobian(model, x) - jacobian(model, y), 2)
    assert bool((change <= mlp.beta_bound(model) * (x - y).norm(dim=1) * (1 + 1e-6)).all())


@pytest.mark.parametrize("seed", range(5))
def test_the_bounds_are_ordered(seed):
    model = network(seed)
    x = torch.randn(200, 4, generator=stream(seed), dtype=torch.float64)
    assert 0 < mlp.beta_sampled(model, x) <= mlp.beta_bound(model) <= mlp.beta_product(model) * (1 + 1e-12)


def test_the_bound_is_attained_by_one_hidden_unit():
    model = network(width=1, inputs=3, outputs=2)
    with torch.no_grad():
        model.hidden.bias.zero_()
    direction = model.hidden.weight.detach()[0]
    steepest = math.log(2 + math.sqrt(3)) / direction.norm() ** 2 * direction[None]  # s'' is largest there
    assert mlp.beta_sampled(model, steepest, steps=2) == pytest.approx(mlp.beta_bound(model), rel=1e-9)


def test_the_sampled_value_is_reached_by_difference_quotients():
    model = network(2)
    x = torch.randn(1, 4, generator=stream(9), dtype=torch.float64)
    sampled = mlp.beta_sampled(model, x, steps=40)
    directions = torch.nn.functional.normalize(
        torch.randn(20_000, 4, generator=stream(4), dtype=torch.float64), dim=1
    )
    step = 1e-5
    change = jacobian(model, x + step * directions) - jacobian(model, x)
    quotients = torch.linalg.matrix_norm(change, 2) / step
    assert float(quotients.max()) == pytest.approx(sampled, rel=0.02)
    assert float(quotients.max()) <= sampled * (1 + 1e-4)


def test_bad_sizes_are_named():
    with pytest.raises(ValueError, match="at least 1"):
        mlp.MLP(3, 0, 1, generator=stream())
