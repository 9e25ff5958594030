"""Theorem 1 on scalar networks, Lemma 1 and Theorem 3 on any: both sides, computed apart from each other."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from lib.experiments.pairs.pairs import Pair
from lib.measures import probe, transferability
from lib.theory import bounds


def scalar(pair: Pair) -> dict:
    """Theorem 1 (App. C) on a pair with one output each.

    `best_slope` minimises E|grad f_T - a grad f_S|^2 over all scalars a, by least squares on the stacked
    gradients, without any attack; `size` is E|grad f_T|^2.
    """
    source, target = pair.jacobians()
    found, bound = transferability.measure_jacobians(source, target), bounds.theorem_1(source, target)
    rows = source.reshape(-1, 1), target.reshape(-1, 1)
    best = torch.linalg.lstsq(*rows).solution
    return {
        "tau1": found.tau1,
        "tau2": found.tau2,
        "alignment": found.alignment.item(),
        "best_slope": best.item(),
        "size": target.square().sum((1, 2)).mean().item(),
        "lhs": bound.lhs,
        **bound.rhs,
    }


@dataclass(frozen=True, eq=False)
class Gap:
    """v = f_T - g f_S with g(z) = A (z - f_S(0)) + f_T(0), so that v(0) = 0 (App. E)."""

    values: Tensor  # (N, d): v(x)
    slopes: Tensor  # (N, d, n): J_v(x) = J_T - A J_S
    beta: float  # of both networks, certified
    norm_ratio: float  # |J_T|_{D,2} / |J_S|_{D,2}

    @property
    def bend(self) -> float:
        """beta_1 = (1 + norm_ratio) beta, the smoothness of v (App. E, after eq. 20)."""
        return (1 + self.norm_ratio) * self.beta

    def rest(self, x: Tensor) -> Tensor:
        """|v(x) - v(0) - J_v(x) x| (N,), what Lemma 1 bounds by beta_1 |x|^2."""
        return (self.values - (self.slopes @ x.unsqueeze(-1)).squeeze(-1)).norm(dim=1)


def gap(pair: Pair) -> Gap:
    """v and its Jacobian at the pair's points, with A as in Theorem 2."""
    source, target = pair.jacobians()
    alignment = transferability.measure_jacobians(source, target).alignment
    origin = torch.zeros_like(pair.x[:1])
    wanted = pair.target(pair.x) - pair.target(origin)
    moved = (pair.source(pair.x) - pair.source(origin)) @ alignment.mT
    return Gap(wanted - moved, target - alignment @ source, pair.beta, _norm(target) / _norm(source))


def transfer(pair: Pair) -> dict:
    """Theorem 3 (App. E) for y = f_T: the loss of g f_S and its bounds.

    `bend` is max |v(x) - v(0) - J_v(x) x| / (beta_1 |x|^2): at most 1 by Lemma 1, at most 1/2 by its integral
    form. `refit_loss` is the least loss of any affine g, `constant_loss` that of any constant.
    """
    v, length, wanted = gap(pair), pair.x.norm(dim=1), pair.target(pair.x)
    radius, distance = length.max().item(), _norm(v.slopes)
    return {
        "loss": v.values.square().sum(1).mean().item(),
        "refit_loss": probe.affine_refit(pair.source(pair.x), wanted).loss,
        "constant_loss": (wanted - wanted.mean(0)).square().sum(1).mean().item(),
        "gradient_term": (radius * distance) ** 2,
        "beta": v.beta,
        "radius": radius,
        "norm_ratio": v.norm_ratio,
        "rhs": dict(bounds.theorem_3(0.0, distance, v.norm_ratio, v.beta, radius).rhs),
        "bend": (v.rest(pair.x) / (v.bend * length.square())).max().item(),
    }


def _norm(stack: Tensor) -> float:
    """|J|_{D,2}."""
    return torch.linalg.matrix_norm(stack, ord=2).square().mean().sqrt().item()
