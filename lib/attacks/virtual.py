"""The virtual adversarial attack of Definition 1, for Euclidean balls."""

from __future__ import annotations

import math

import torch
from torch import Tensor
from torch.nn.functional import normalize

from lib.measures.jacobian import Model, check_call, forward, jacobians, top_singular

_DENSE = 64  # outputs up to which as many backward passes are cheaper and safer than a Krylov iteration


def virtual(f: Model, x: Tensor, epsilon: float) -> Tensor:
    """delta(x) = argmax over |delta|_2 <= epsilon of |J(x) delta|_2: epsilon times the top right vector.

    Def. 1 (Miyato et al., 2018), in its tangent form. Returns the shape of x, |delta|_2 = epsilon per sample;
    zero where the Jacobian is zero and every delta is as good. The sign, and the choice in a tie, are the
    solver's. Raises ValueError for a negative or non-finite epsilon, and as `jacobian.jacobians` does.
    """
    if not (math.isfinite(epsilon) and epsilon >= 0):
        raise ValueError(f"epsilon = {epsilon}: pass a finite radius of at least 0")
    check_call(f, x)
    with torch.inference_mode(False), torch.enable_grad():
        outputs = forward(f, x[:1])[1].shape[1]
    dense = outputs <= _DENSE
    right = _top_right(jacobians(f, x)) if dense else top_singular(f, x, k=1).right[:, 0]
    return (epsilon * right).reshape(x.shape).to(x)


def _top_right(J: Tensor) -> Tensor:
    """The top right singular vectors (N, n), zero where J is, from the Gram matrix of J's smaller side.

    In float64, where the squares cost no accuracy that a top vector needs; a tenth of the time of an SVD.
    J is scaled in place if it is float64: a fresh tensor of its size would cost more than the products.
    """
    J = J.double()
    low, high = J.flatten(1).aminmax(dim=1)
    size = torch.maximum(high, -low)
    J.div_(size.where(size > 0, 1.0)[:, None, None])
    if J.shape[1] > J.shape[2]:
        return torch.linalg.eigh(J.mT @ J).eigenvectors[..., -1] * (size > 0).unsqueeze(-1)
    left = torch.linalg.eigh(J @ J.mT).eigenvectors[..., -1:]
    return normalize((left.mT @ J).squeeze(1), dim=-1)
