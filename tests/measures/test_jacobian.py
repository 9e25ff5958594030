import math

import pytest
import reference
import torch
from cases import MODELS, conv, mlp, normal, with_spectrum
from torch import nn
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves

from lib.measures import jacobian


class Largest(TorchDispatchMode):
    """The number of elements of the largest tensor that any operation makes."""

    def __init__(self):
        super().__init__()
        self.size = 0

    def __torch_dispatch__(self, func, types, args=(), kwargs=None):
        out = func(*args, **(kwargs or {}))
        self.size = max(
            [self.size, *(leaf.numel() for leaf in tree_leaves(out) if isinstance(leaf, torch.Tensor))]
        )
        return out


@pytest.mark.parametrize("name", MODELS)
@pytest.mark.parametrize("chunk_size", [None, 1, 2])
def test_jacobians_agree_with_one_autograd_call_a_sample(name, chunk_size):
    f, x = MODELS[name]
    before = x.clone()
    found = jacobian.jacobians(f, x, chunk_size)
    torch.testing.assert_close(found, reference.jacobian(f, x), atol=1e-13, rtol=1e-12)
    assert torch.equal(x, before)
    assert not x.requires_grad
    assert not found.requires_grad


def test_jacobians_leave_the_parameters_alone():
    f = mlp()
    kept = {name: value.clone() for name, value in f.state_dict().items()}
    jacobian.jacobians(f, normal(3, 6))
    jacobian.top_singular(f, normal(3, 6))
    assert all(parameter.grad is None for parameter in f.parameters())
    assert all(torch.equal(value, kept[name]) for name, value in f.state_dict().items())


def test_jacobians_work_where_gradients_are_switched_off():
    f, x = mlp(), normal(3, 6)
    with torch.no_grad():
        quiet = jacobian.jacobians(f, x)
    with torch.inference_mode():
        silent = jacobian.jacobians(f, x.clone())
    assert torch.equal(quiet, jacobian.jacobians(f, x))
    assert torch.equal(silent.clone(), quiet)


def test_a_sum_that_overflows_is_no_infinite_jacobian():
    assert (jacobian.jacobians(lambda x: 1e308 * x.sum(1, keepdim=True), normal(4, 6)) == 1e308).all()


def test_jacobians_keep_the_dtype_of_the_model():
    f, x = mlp().float(), normal(3, 6).float()
    assert jacobian.jacobians(f, x).dtype == torch.float32


def test_memory_beside_the_result_does_not_grow_with_the_samples():
    f, x = mlp(hidden=200), normal(400, 6)
    sizes = []
    for chunk_size in (10, None):
        with Largest() as largest:
            jacobian.jacobians(f, x, chunk_size)
        sizes.append(largest.size)
    assert sizes == [400 * 4 * 6, 400 * 200]  # the result; without chunks, the hidden layer of all samples


@pytest.mark.parametrize("name", MODELS)
def test_top_singular_agrees_with_the_dense_path(name):
    f, x = MODELS[name]
    found = jacobian.top_singular(f, x, k=2)
    sigma, right = reference.top(reference.jacobian(f, x), 2)
    assert found.right.shape == (len(x), 2, *x.shape[1:])
    torch.testing.assert_close(found.sigma, sigma, atol=1e-6, rtol=1e-6)
    gap = (sigma[:, :1] - sigma[:, 1:2]).squeeze(-1) > 1e-3 * sigma[:, 0]
    cosine = (found.right[:, 0].flatten(1) * right[:, 0]).sum(-1).abs()
    torch.testing.assert_close(cosine[gap], torch.ones_like(cosine[gap]), atol=1e-9, rtol=0)


@pytest.mark.parametrize("name", MODELS)
@pytest.mark.parametrize("tolerance", [1e-1, 1e-3, 1e-6])
def test_the_residual_is_honest(name, tolerance):
    f, x = MODELS[name]
    found = jacobian.top_singular(f, x, k=2, tolerance=tolerance)
    J = reference.jacobian(f, x)
    right = found.right.flatten(2)
    moved = right @ J.mT
    # |J^T J v - sigma^2 v| = sigma |J^T u - sigma v| for u = J v / sigma
    left = (moved @ J - found.sigma.square().unsqueeze(-1) * right).norm(dim=-1)
    assert (left <= found.sigma * found.residual * 1.001 + 1e-12).all()
    assert (found.residual <= tolerance * found.sigma[:, :1]).all()
    torch.testing.assert_close(moved.norm(dim=-1), found.sigma, atol=1e-12, rtol=1e-12)


@pytest.mark.parametrize("seed", range(3))
def test_an_embedding_of_128_takes_at_most_25_products(seed):
    geometric = 0.95 ** torch.arange(128, dtype=torch.float64)
    crowded = torch.cat([torch.ones(1), 0.95 - 0.001 * torch.arange(127)]).double()
    for sigma in (geometric, crowded):
        matrix = with_spectrum(sigma[None], 128, 600, seed=seed)[0]
        found = jacobian.top_singular(lambda x, m=matrix: x @ m.mT, normal(2, 600), k=1)
        true = reference.top(matrix[None], 1)[1][0, 0]
        sine = (found.right[:, 0] - (found.right[:, 0] @ true)[:, None] * true).norm(dim=-1)
        assert found.products <= 25
        assert sine.max() < 1e-3


def test_top_singular_never_forms_the_jacobian():
    f, x = mlp(inputs=400, outputs=300, hidden=50), normal(8, 400)
    with Largest() as largest:
        jacobian.top_singular(f, x)
    assert largest.size <= 8 * 400 * 64  # a Krylov basis
    with Largest() as dense:
        jacobian.jacobians(f, x)
    assert dense.size == 8 * 300 * 400


@pytest.mark.parametrize(
    ("matrix", "sigma"),
    [
        (torch.zeros(4, 5), [0, 0, 0]),
        (torch.ones(3, 4), [12**0.5, 0, 0]),
        (torch.eye(5), [1, 1, 1]),
        (torch.diag(torch.tensor([2.0, 1, 0, 0])), [2, 1, 0]),
        (torch.tensor([[3.0, 4.0]]), [5, 0, 0]),
    ],
)
def test_missing_and_repeated_values(matrix, sigma):
    matrix, x = matrix.double(), normal(3, matrix.shape[1])
    wanted = torch.tensor(sigma, dtype=torch.float64).expand(3, 3)
    found = jacobian.top_singular(lambda z: z @ matrix.mT, x, k=3)
    dense, _ = reference.top(matrix.expand(3, *matrix.shape), 3)
    torch.testing.assert_close(found.sigma, wanted, atol=1e-12, rtol=0)
    torch.testing.assert_close(found.right.norm(dim=-1), (wanted > 0).double(), atol=1e-12, rtol=0)
    torch.testing.assert_close(dense, wanted, atol=1e-12, rtol=0)


def test_networks_with_attention_have_forward_mode_products():
    layer = nn.TransformerEncoderLayer(8, 2, 16, batch_first=True, dropout=0).double().eval()
    x = normal(2, 3, 8)
    found = jacobian.top_singular(lambda z: layer(z).mean(1), x, k=1)
    sigma, _ = reference.top(jacobian.jacobians(lambda z: layer(z).mean(1), x), 1)
    torch.testing.assert_close(found.sigma, sigma)


def partly_training():
    model = conv()
    model.layers[1].train()
    return model


BAD_CALLS = {
    "training mode": (mlp().train(), normal(2, 6), ValueError, r"model\.eval\(\)"),
    "a part in training mode": (partly_training(), normal(2, 2, 5, 5), ValueError, r"model\.eval\(\)"),
    "a method of a model in training mode": (
        conv().train().forward,
        normal(2, 2, 5, 5),
        ValueError,
        r"eval\(\)",
    ),
    "dict": (lambda x: {"logits": x}, normal(2, 6), TypeError, "dict, not a tensor"),
    "tuple": (lambda x: (x, x), normal(2, 6), TypeError, "tuple, not a tensor"),
    "no graph": (lambda x: x.detach(), normal(2, 6), ValueError, "does not depend on x"),
    "other graph": (lambda x: mlp()(normal(2, 6)), normal(2, 6), ValueError, "does not depend on x"),
    "scalar": (lambda x: x.sum(), normal(2, 6), ValueError, r"\(N, outputs"),
    "other N": (lambda x: x[:1], normal(2, 6), ValueError, r"\(N, outputs"),
    "integers out": (lambda x: x.argmax(-1), normal(2, 6), ValueError, "int64"),
    "infinite Jacobian": (torch.sqrt, torch.zeros(2, 6), ValueError, "NaN or infinite"),
    "integers in": (mlp(), torch.ones(2, 6, dtype=torch.long), TypeError, "int64"),
    "no tensor": (mlp(), [[1.0]], TypeError, "list"),
    "no sample": (mlp(), normal(0, 6), ValueError, "at least one sample"),
    "no batch": (mlp(), normal(6), ValueError, "at least one sample"),
    "NaN": (mlp(), torch.full((2, 6), torch.nan), ValueError, "NaN"),
    "infinity": (mlp(), torch.full((2, 6), torch.inf), ValueError, "NaN or infinity"),
}


@pytest.mark.parametrize("name", BAD_CALLS)
def test_bad_calls_name_the_remedy(name):
    f, x, error, message = BAD_CALLS[name]
    with pytest.raises(error, match=message):
        jacobian.jacobians(f, x)


def test_bad_sizes():
    with pytest.raises(ValueError, match="k = 0"):
        jacobian.top_singular(mlp(), normal(2, 6), k=0)
    with pytest.raises(ValueError, match="tolerance = 0"):
        jacobian.top_singular(mlp(), normal(2, 6), tolerance=0)
    with pytest.raises(ValueError, match="chunk_size = 0"):
        jacobian.jacobians(mlp(), normal(2, 6), chunk_size=0)


@pytest.mark.parametrize(
    ("dtype", "size"),
    [(torch.float32, 1e-30), (torch.float32, 1e25), (torch.float64, 1e-200), (torch.float64, 1e200)],
)
def test_matrix_free_values_survive_where_their_squares_do_not(dtype, size):
    weight, x = size * normal(20, 6), normal(3, 6).to(dtype)
    found = jacobian.top_singular(lambda z: z @ weight.mT.to(dtype), x)
    wanted = torch.linalg.svdvals(weight)[:2].expand(3, 2)
    torch.testing.assert_close(found.sigma.double() / size, wanted / size, atol=1e-5, rtol=1e-5)


@pytest.mark.parametrize("f", [lambda z: z.square().sum(1, keepdim=True).sqrt(), lambda z: z * math.nan])
def test_matrix_free_values_of_no_number_are_refused(f):
    with pytest.raises(ValueError, match="NaN or infinite"):
        jacobian.top_singular(f, torch.zeros(2, 6))


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16])
def test_16_bit_models_are_decomposed_in_32(dtype):
    weight, x = normal(5, 6).to(dtype), normal(3, 6).to(dtype)
    wanted = torch.linalg.svdvals(weight.double())[:2].expand(3, 2)
    found = jacobian.top_singular(lambda z: z @ weight.mT, x).sigma
    assert found.dtype == torch.float32
    torch.testing.assert_close(found.double(), wanted, atol=0.05, rtol=0.02)
