"""The virtual adversarial attack of Definition 1, for Euclidean balls, in its tangent form."""

from __future__ import annotations

import math

import torch
from torch import Tensor

from lib.measures.jacobian import Model, check_call, chunks, forward, jacobians, top_singular
from lib.measures.singular import FEW, top_right


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
        few = forward(f, x[:1])[1].shape[1] <= FEW
    if few:  # a chunk at a time: no more Jacobians exist than that
        right = torch.cat([top_right(jacobians(f, part)) for part in chunks(x, None)])
    else:
        right = top_singular(f, x, k=1).right[:, 0]
    return (epsilon * right).reshape(x.shape).to(x)
