"""Jacobians of a batch, and their top singular triplets without the Jacobian.

A Jacobian stack `J` is (N, outputs, n): one row an output, one column an input, the transpose of the
paper's gradient (section 3). Explained in the chapter "Definitions".
"""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from math import prod

import torch
from torch import Tensor, nn
from torch.nn.attention import SDPBackend, sdpa_kernel

from lib.measures import _checks, singular

Model = Callable[[Tensor], Tensor]

_DETACHED = "f(x) does not depend on x through autograd: remove detach(), no_grad() or numpy from f"
_ELEMENTS = 2**18  # inputs in one chunk: enough to fill a core, little enough for any memory


@torch.inference_mode(False)
@torch.enable_grad()
def jacobians(f: Model, x: Tensor, chunk_size: int | None = None) -> Tensor:
    """J[i] = df(x_i)/dx_i, by one backward pass an output over a chunk of samples.

    f: (N, *shape) -> (N, outputs...); x: (N, *shape), finite, floating. Returns (N, outputs, n) in the
    dtype of f's output, outputs and inputs flattened. x and every parameter's `.grad` stay as they are.

    Raises ValueError or TypeError for a module in training mode, an empty or non-finite x, an output
    that is no tensor, has not N rows or does not depend on x, and a Jacobian that is not finite.
    """
    check_call(f, x)
    return torch.cat([_jacobians(f, part) for part in chunks(x, chunk_size)])


def _jacobians(f: Model, x: Tensor) -> Tensor:
    x, y = forward(f, x)
    last = y.shape[1] - 1
    rows = [pull_back(y[:, j].sum(), x, keep=j < last).flatten(1) for j in range(y.shape[1])]
    return _finite(torch.stack(rows, dim=1))


def _finite(derivatives: Tensor) -> Tensor:
    if not _checks.finite(derivatives):
        raise ValueError(
            "f has a Jacobian that is NaN or infinite: look for a division or a root at zero in f"
        )
    return derivatives


def _single(values: Tensor) -> Tensor:
    """At least float32: there is no SVD of 16-bit numbers."""
    return values.float() if values.dtype in (torch.float16, torch.bfloat16) else values


@dataclass(frozen=True, eq=False)
class TopSingular:
    """The k largest singular values of each sample's Jacobian, with their right vectors.

    sigma (N, k), falling; right (N, k, *shape), unit, or zero where sigma is zero;
    residual (N, k): |J^T u - sigma v|, to be read against sigma_1; products: jvp-vjp pairs spent.
    """

    sigma: Tensor
    right: Tensor
    residual: Tensor
    products: int


@torch.inference_mode(False)
@torch.enable_grad()
def top_singular(f: Model, x: Tensor, k: int = 2, tolerance: float = 1e-6) -> TopSingular:
    """The k largest singular triplets of f's Jacobian at each sample, without forming the Jacobian.

    Golub-Kahan-Lanczos bidiagonalisation of the whole batch, fully reorthogonalised: each step is one product
    J v (forward mode) and one J^T u (backward mode). It ends when every residual |J^T u - sigma v| is at most
    tolerance * sigma_1, or after min(outputs, n, 64) steps: look at `.residual`. A value is then within its
    residual of a singular value, a vector within residual / gap of a singular vector. A Krylov space sees a
    repeated singular value once: a copy closer than the tolerance tells apart may be missed.

    Raises as `jacobians` does, and ValueError for k < 1 or tolerance <= 0.
    """
    check_call(f, x)
    if k < 1 or not tolerance > 0:
        raise ValueError(f"k = {k}, tolerance = {tolerance}: pass k >= 1 and a tolerance above 0")
    parts = (_top_singular(f, part, k, tolerance) for part in chunks(x, None))
    sigma, right, residual, products = zip(*parts)
    return TopSingular(torch.cat(sigma), torch.cat(right), torch.cat(residual), max(products))


def _top_singular(f: Model, x: Tensor, k: int, tolerance: float) -> tuple[Tensor, Tensor, Tensor, int]:
    leaf, y = forward(f, x)

    def push(v: Tensor) -> Tensor:
        with sdpa_kernel(SDPBackend.MATH):  # the fused attention kernels have no forward mode
            moved = torch.func.jvp(f, (x.detach(),), (v.reshape(x.shape).to(x),))[1]
        return _finite(_single(moved.reshape(y.shape).detach()))

    def pull(u: Tensor) -> Tensor:
        return _finite(_single(pull_back(y, leaf, u.to(y)).flatten(1)))

    with warnings.catch_warnings():  # torch scripts its forward-mode rules on their first use
        warnings.filterwarnings("ignore", ".*torch.jit.script.*", FutureWarning)
        size = _single(y.detach()), x[0].numel()
        sigma, right, residual, spent = singular.by_products(push, pull, *size, k, tolerance)
    return sigma, right.reshape(len(x), k, *x.shape[1:]), residual, spent


def check_call(f: Model, x: Tensor) -> None:
    """Raise unless x is a finite floating batch and f is not a module in training mode."""
    _checks.floating(x, "x", "at least one sample, as (N, *shape)", dims=2, more=True)
    if not _checks.finite(x):
        raise ValueError("x holds NaN or infinity: clean the inputs first")
    module = f if isinstance(f, nn.Module) else getattr(f, "__self__", None)
    if isinstance(module, nn.Module) and any(part.training for part in module.modules()):
        raise ValueError(
            f"{type(module).__name__} is in training mode, where dropout and batch norm mix noise and other "
            "samples into the Jacobian: call model.eval() first"
        )


def chunks(x: Tensor, size: int | None) -> Iterator[Tensor]:
    """Split x along its samples; the default size bounds the memory of a chunk, whatever N is."""
    if size is not None and size < 1:
        raise ValueError(f"chunk_size = {size}: pass at least 1, or None for the default")
    yield from x.split(size or max(1, _ELEMENTS // prod(x.shape[1:])))


def forward(f: Model, x: Tensor) -> tuple[Tensor, Tensor]:
    """A fresh leaf copy of x and f of it, flattened to (N, outputs), joined by a graph."""
    x = x.detach().clone().requires_grad_(True)
    y = f(x)
    if not isinstance(y, Tensor):
        raise TypeError(
            f"f returns {type(y).__name__}, not a tensor: pass lambda x: f(x)[...] with the entry you want"
        )
    if y.dim() == 0 or y.shape[0] != x.shape[0]:
        raise ValueError(f"f maps {x.shape[0]} samples to shape {tuple(y.shape)}: return (N, outputs...)")
    if not y.is_floating_point() or y.numel() == 0:
        raise ValueError(
            f"f returns {y.dtype} of shape {tuple(y.shape)}: return at least one real number a sample"
        )
    y = y.reshape(x.shape[0], -1)
    if not y.requires_grad:
        raise ValueError(_DETACHED)
    return x, y


def pull_back(y: Tensor, x: Tensor, cotangent: Tensor | None = None, *, keep: bool = True) -> Tensor:
    """J^T cotangent of each sample, in the shape of x, along the graph that `forward` made."""
    (gradient,) = torch.autograd.grad(y, x, cotangent, retain_graph=keep, allow_unused=True)
    if gradient is None:
        raise ValueError(_DETACHED)
    return gradient
