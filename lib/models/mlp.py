"""The networks of Section 4.1: one hidden layer, sigmoid; and how smooth they are (Definition 5)."""

from __future__ import annotations

import math
from typing import Any, cast

import torch
from torch import Tensor, nn

CURVATURE = 1 / (6 * math.sqrt(3))  # max |s''| of the sigmoid s, at s = (3 +- sqrt 3) / 6


class MLP(nn.Module):
    """x -> W2 s(W1 x + b1) + b2, from (N, inputs) to (N, outputs), with s the sigmoid.

    Every weight and bias starts from U(-scale, scale), as in the authors' later code (scale = 0.5), which is
    also the law of the direction V in Section 4.1. Float64: the networks are small and the theory is exact.
    """

    def __init__(
        self, inputs: int, width: int, outputs: int, *, generator: torch.Generator, scale: float = 0.5
    ):
        super().__init__()
        if min(inputs, width, outputs) < 1:
            raise ValueError(f"sizes must be at least 1, got {inputs} -> {width} -> {outputs}")
        self.hidden = nn.Linear(inputs, width, dtype=torch.float64)
        self.output = nn.Linear(width, outputs, dtype=torch.float64)
        with torch.no_grad():
            for parameter in self.parameters():
                parameter.copy_(uniform(parameter.shape, generator) * 2 * scale)

    def features(self, x: Tensor) -> Tensor:
        """The hidden layer s(W1 x + b1), (N, width): what is kept when the last layer is refit."""
        return torch.sigmoid(self.hidden(x))

    def forward(self, x: Tensor) -> Tensor:
        """(N, inputs) -> (N, outputs)."""
        return cast(Tensor, self.output(self.features(x)))


def of_state(state: dict[str, Tensor]) -> MLP:
    """The network with these parameters, frozen: any number of outputs is read off from their shapes."""
    width, inputs = state["hidden.weight"].shape
    model = MLP(inputs, width, len(state["output.bias"]), generator=torch.Generator())
    model.load_state_dict(state)
    return model.requires_grad_(False).eval()


def uniform(shape: Any, generator: torch.Generator) -> Tensor:
    """U(-0.5, 0.5) in float64, the law of every random parameter of Section 4.1."""
    return torch.rand(shape, generator=generator, dtype=torch.float64) - 0.5


def beta_bound(model: MLP) -> float:
    """A certified beta: |J(x) - J(y)|_2 <= beta |x - y|_2 for all x, y (Definition 5).

    J(x) - J(y) is the integral of W2 diag(s''(z_i) (w_i . h)) W1 along the segment, h = x - y. With
    |s''| <= c = 1/(6 sqrt 3), its norm along u and v is at most c sum_i |(W2' u)_i| |w_i . h| |w_i . v|, so

        beta = c min( |W1' diag(|W2_i|) W1|_2 ,  |W1|_2 |W2|_2 max_i |w_i| ),

    where |W2_i| is the norm of column i: the first by Cauchy-Schwarz over i, the second from norms alone.
    Both are at most c |W1|_2^2 |W2|_2 (`beta_product`). Exact up to rounding; a few products, no sampling.
    """
    first, second = model.hidden.weight.detach(), model.output.weight.detach()
    weighted = torch.linalg.matrix_norm(first.T @ (second.norm(dim=0)[:, None] * first), 2)
    norms = torch.linalg.matrix_norm(first, 2) * torch.linalg.matrix_norm(second, 2) * first.norm(dim=1).max()
    return CURVATURE * float(torch.minimum(weighted, norms))


def beta_product(model: MLP) -> float:
    """c |W1|_2^2 |W2|_2: the looser beta that the authors' later code uses."""
    first, second = model.hidden.weight.detach(), model.output.weight.detach()
    return CURVATURE * float(torch.linalg.matrix_norm(first, 2) ** 2 * torch.linalg.matrix_norm(second, 2))


@torch.no_grad()
def beta_sampled(model: MLP, x: Tensor, *, steps: int = 20) -> float:
    """A lower bound on any valid beta: the sharpest bend found at the points x (N, inputs).

    The derivative of J at x along h, between the unit vectors u and v, is the trilinear form
    sum_i s''(z_i) (u . W2_i) (h . w_i) (v . w_i). From the strongest hidden unit of each point, u, v and h
    are renewed in turn, `steps` times, and the value never falls. It is at most |dJ(x)[h]|_2, which is the
    limit of |J(x) - J(y)|_2 / |x - y|_2 for y -> x along h.
    """
    first, second = model.hidden.weight, model.output.weight
    s = model.features(x)
    bend = s * (1 - s) * (1 - 2 * s)  # s''(z), (N, width)
    strongest = (bend.abs() * second.norm(dim=0) * first.square().sum(1)).argmax(1)
    h = v = nn.functional.normalize(first[strongest], dim=1)
    value = torch.zeros(len(x), dtype=x.dtype)
    for _ in range(steps):
        u = nn.functional.normalize((bend * (h @ first.T) * (v @ first.T)) @ second.T, dim=1)
        v = nn.functional.normalize((bend * (u @ second) * (h @ first.T)) @ first, dim=1)
        slope = (bend * (u @ second) * (v @ first.T)) @ first
        value, h = slope.norm(dim=1), nn.functional.normalize(slope, dim=1)
    return float(value.max())
