"""The virtual adversarial attack of Definition 1, for Euclidean balls."""

from __future__ import annotations

import math

import torch
from torch import Tensor

from lib.jacobian import Model, check_call, forward, jacobians, top_singular, top_triplets

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
    right = top_triplets(jacobians(f, x), 1)[1] if dense else top_singular(f, x, k=1).right
    return (epsilon * right[:, 0]).reshape(x.shape).to(x)
