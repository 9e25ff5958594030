"""Where `counterexamples.search` climbs: instances of Theorem 2 by singular values, and LHS / bracket there.

J = U diag(s) V^T with orthogonal U and V, so that sigma, lambda and the attack are read off and no derivative
passes through the vectors of an SVD: they are undefined at ties, which is where the worst instances lie. One
row of free numbers is one instance; all rows are computed together.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial

import torch
from torch import Tensor

_CAP = 1 - 1e-6  # largest sigma_2 / sigma_1: keeps attacks unique, so that a plain SVD finds the same ones
FLOOR = 1e-14  # of E sigma_T^2, added to brackets: rounding in 1 - tau1 must not pose as a counterexample


@dataclass(frozen=True)
class Size:
    """How large an instance the search may build."""

    points: int = 3
    source_outputs: int = 2
    target_outputs: int = 1
    inputs: int = 2

    def __post_init__(self) -> None:
        if min(self.points, self.source_outputs, self.target_outputs, self.inputs) < 1:
            raise ValueError(f"{self} has a size below 1; every one must be at least 1")


def _counts(size: Size) -> tuple[int, int, int]:
    """Numbers a start has: log-weights, then for each point the source's and the target's J."""
    turn = size.inputs * (size.inputs - 1) // 2
    outputs = (size.source_outputs, size.target_outputs)
    source, target = (turn + o * (o - 1) // 2 + min(o, size.inputs) for o in outputs)
    return size.points, source, target


def draw(restarts: int, size: Size, generator: torch.Generator) -> Tensor:
    """Free numbers (restarts, P), standard normal."""
    points, source, target = _counts(size)
    return torch.randn(restarts, points * (1 + source + target), generator=generator, dtype=torch.float64)


@dataclass(frozen=True, eq=False)
class Stack:
    """Jacobians (R, N, outputs, n) with what the singular form tells about them."""

    jac: Tensor
    sigma: Tensor  # (R, N)
    ratio: Tensor  # (R, N)
    attack: Tensor  # (R, N, n)


def stacks(theta: Tensor, size: Size) -> tuple[Tensor, Stack, Stack]:
    """Weights (R, N), source and target from the free numbers."""
    points, source, target = _counts(size)
    logits, rest = theta[:, :points], theta[:, points:].reshape(len(theta), points, source + target)
    own = _stack(rest[..., :source], size.source_outputs, size.inputs)
    return logits.softmax(1), own, _stack(rest[..., source:], size.target_outputs, size.inputs)


def _stack(free: Tensor, outputs: int, inputs: int) -> Stack:
    """J = U diag(s) V^T, |s_2| = s_1 |tanh|, and so on down: a sign stands for a reflection."""
    rank = min(outputs, inputs)
    shrink = _CAP * free[..., 1:rank].tanh()
    values = torch.cat([free[..., :1].exp(), shrink], -1).cumprod(-1)
    turns = torch.split(free[..., rank:], [outputs * (outputs - 1) // 2, inputs * (inputs - 1) // 2], -1)
    left, right = _rotation(turns[0], outputs), _rotation(turns[1], inputs)
    jac = (left[..., :rank] * values.unsqueeze(-2)) @ right[..., :rank].mT
    second = shrink[..., 0].abs() if rank > 1 else torch.zeros_like(values[..., 0])
    return Stack(jac, values[..., 0], second, right[..., 0])


def _rotation(free: Tensor, n: int) -> Tensor:
    """exp of the antisymmetric matrix whose upper triangle is `free`."""
    upper = free.new_zeros(*free.shape[:-1], n, n)
    i, j = torch.triu_indices(n, n, 1)
    upper[..., i, j] = free
    turned: Tensor = torch.linalg.matrix_exp(upper - upper.mT)
    return turned


def _norm(matrices: Tensor) -> Tensor:
    """Spectral norms as u^T M v with u, v held fixed: the gradient u v^T is right wherever there is one."""
    with torch.no_grad():
        u, _, v = torch.linalg.svd(matrices.nan_to_num(0, 0, 0), full_matrices=False)
    held: Tensor = u[..., :, :1].mT @ matrices @ v[..., :1, :].mT
    return held.squeeze((-1, -2))


def _mean(weights: Tensor, values: Tensor) -> Tensor:
    """E over the points (R,)."""
    return (weights * values).sum(1)


def ratio(kind: str, theta: Tensor, size: Size) -> Tensor:
    """LHS / bracket (R,) as a differentiable function of the free numbers: `counterexamples.ratio` here."""
    weights, s, t = stacks(theta, size)
    mean = partial(_mean, weights)
    own = (s.jac @ s.attack.unsqueeze(-1)).squeeze(-1)
    other = (t.jac @ s.attack.unsqueeze(-1)).squeeze(-1)
    total_s, total_t = mean(s.sigma**2), mean(other.square().sum(-1))
    root = weights.sqrt().unsqueeze(-1)
    best = (torch.linalg.pinv((root * own).nan_to_num(0, 0, 0)) @ (root * other)).mT
    norm = _norm(best)
    psi = torch.minimum(torch.ones_like(norm), (total_t / total_s).sqrt() / norm)
    alignment = (psi[:, None, None] * best).unsqueeze(1)
    miss = (other - (alignment @ own.unsqueeze(-1)).squeeze(-1)).square().sum(-1)
    unexplained = mean(miss) / total_t  # 1 - tau2
    difference = t.jac - alignment @ s.jac
    left = difference.square().sum((-1, -2)) if kind == "frobenius" else _norm(difference).square()
    sine2 = 1 - (s.attack * t.attack).sum(-1).square()
    bracket = _bracket(kind, weights, s, t, sine2, unexplained, miss, psi * norm)
    return mean(left) / (bracket + FLOOR * mean(t.sigma**2))


def _bracket(
    kind: str, weights: Tensor, s: Stack, t: Stack, sine2: Tensor, unexplained: Tensor, miss: Tensor,
    norm: Tensor,
) -> Tensor:  # fmt: skip
    """The bracket (R,) of a kind, with 1 - tau1 = `sine2` (R, N) and 1 - tau2 = `unexplained` (R,)."""
    mean = partial(_mean, weights)
    if kind == "pointwise":
        first = (miss + sine2 * t.sigma**2).sqrt()
        return mean((first + (s.ratio + t.ratio) * norm[:, None] * s.sigma).square())
    if kind == "lipschitz":
        worst_s, worst_t = s.ratio.amax(1), t.ratio.amax(1)
        sine, worst = mean(sine2), t.sigma.amax(1)
        seen = 1 - (1 - sine) * (1 - unexplained)
        return worst**2 * (seen + sine * unexplained * worst_t**2 + (worst_s + worst_t) ** 2)
    gap = unexplained[:, None]
    main = mean((1 - (1 - sine2) * (1 - gap) + sine2 * gap * t.ratio**2) * t.sigma**2)
    rest = mean((s.ratio + t.ratio) ** 2 * s.sigma**2) * mean(t.sigma**2) / mean(s.sigma**2)
    return (main.sqrt() + rest.sqrt()) ** 2 if kind == "minkowski" else main + rest
