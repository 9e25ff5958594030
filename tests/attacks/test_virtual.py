import sys

import pytest
import reference
import torch
from cases import MODELS, mlp, normal

from lib import attacks
from lib.attacks import virtual


def test_the_name_is_the_function_however_it_is_imported():
    import lib.attacks.projected
    import lib.attacks.words.textfooler

    assert attacks.virtual is virtual is lib.attacks.tangent.virtual
    assert attacks.pgd is lib.attacks.projected.pgd
    assert attacks.textfooler is lib.attacks.words.textfooler.textfooler
    assert {"pgd", "textfooler", "virtual"} <= set(dir(attacks))
    with pytest.raises(AttributeError, match=r"no attack 'fgsm'.*pgd"):
        attacks.fgsm  # noqa: B018


@pytest.mark.parametrize("name", MODELS)
def test_no_other_direction_moves_the_tangent_further(name):
    f, x = MODELS[name]
    delta = virtual(f, x, 0.25)
    J = reference.jacobian(f, x)
    assert delta.shape == x.shape
    torch.testing.assert_close(delta.flatten(1).norm(dim=-1), torch.full((len(x),), 0.25).double())
    reached = (J @ delta.flatten(1).unsqueeze(-1)).squeeze(-1).norm(dim=-1)
    torch.testing.assert_close(reached, 0.25 * torch.linalg.matrix_norm(J, ord=2))


def test_many_outputs_go_without_the_jacobian_and_agree(monkeypatch):
    monkeypatch.delattr(sys.modules["lib.attacks.tangent"], "jacobians")
    f, x = mlp(outputs=65, hidden=20), normal(4, 6)
    J = reference.jacobian(f, x)
    reached = (J @ virtual(f, x, 1.0).unsqueeze(-1)).squeeze(-1).norm(dim=-1)
    torch.testing.assert_close(reached, torch.linalg.matrix_norm(J, ord=2))


def test_the_attack_has_the_type_of_the_input_and_needs_no_gradients():
    f, x = mlp().float(), normal(2, 6).float()
    with torch.no_grad():
        assert virtual(f, x, 0.5).dtype == torch.float32


def test_a_zero_jacobian_has_the_zero_attack():
    assert torch.equal(virtual(lambda x: 0 * x, normal(2, 3), 1.0), torch.zeros(2, 3, dtype=torch.float64))


@pytest.mark.parametrize("size", [1.0, 1e200, 1e-200])
@pytest.mark.parametrize("repeats", [1, 3])
def test_an_attack_where_no_entry_is_positive_and_at_any_scale(size, repeats):
    """More outputs than inputs, and fewer: each has its Gram matrix."""
    weight = -size * normal(2, 4).abs()
    f = lambda x: (x @ weight.T).repeat(1, repeats)  # noqa: E731
    reached = (virtual(f, normal(3, 4), 1.0) @ weight.T / size).norm(dim=1)
    torch.testing.assert_close(reached, torch.linalg.matrix_norm(weight / size, ord=2).expand(3))


def test_radius_zero_gives_zero():
    assert torch.equal(virtual(mlp(), normal(2, 6), 0), torch.zeros(2, 6, dtype=torch.float64))


@pytest.mark.parametrize("epsilon", [-1e-3, float("nan"), float("inf")])
def test_a_bad_radius(epsilon):
    with pytest.raises(ValueError, match="epsilon"):
        virtual(mlp(), normal(2, 6), epsilon)


def test_training_mode():
    with pytest.raises(ValueError, match=r"model\.eval"):
        virtual(mlp().train(), normal(2, 6), 0.1)
