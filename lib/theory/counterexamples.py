"""How tight is a bound? A gradient search for its worst ratio, and the known instances as tensors.

The search climbs LHS / bracket from many random starts at once, in coordinates (`search_space`) that stay
smooth where singular values tie. What it reports is computed again, by `bounds`, from the plain Jacobians.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import sympy as sp
import torch
from torch import Tensor

from lib.measures.jacobian import Model
from lib.measures.transferability import measure_jacobians
from lib.theory import bounds, search_space
from lib.theory.search_space import Size
from lib.theory.symbolic.exact import Instance

# Each kind's bracket: what the constant multiplies. Theorem 2 (App. D, eq. 19) and its Lipschitz form, and
# the forms with constant 1 that Theorem R gives. "frobenius" is "full" with ||.||_F on the left.
KINDS = ("full", "lipschitz", "minkowski", "pointwise", "frobenius")


@dataclass(frozen=True, eq=False)
class Case:
    """A finite distribution of Jacobian pairs: source (N, m, n), target (N, d, n), weights (N,), float64."""

    source: Tensor
    target: Tensor
    weights: Tensor


@dataclass(frozen=True, eq=False)
class Search:
    """What a search found.

    best_ratio = `ratio(kind, instance)`; trace (restarts, steps): the ratio along each climb, NaN where a
    start ran into numbers that are not finite and was drawn anew (`redrawn` times in all).
    """

    best_ratio: float
    trace: Tensor
    instance: Case
    redrawn: int


def case(instance: Instance) -> Case:
    """An exact instance as float64 tensors; `lib.theory.symbolic.instances` says what each one shows."""

    def stack(matrices: tuple[sp.Matrix, ...]) -> Tensor:
        entries = [[[float(e) for e in row] for row in m.tolist()] for m in matrices]
        return torch.tensor(entries, dtype=torch.float64)

    weights = torch.tensor([float(w) for w in instance.weights], dtype=torch.float64)
    return Case(stack(instance.source), stack(instance.target), weights)


def half_beta(radius: float = 1.0) -> tuple[Model, Model, Tensor]:
    """Source, target and the one point of D = {R} on which half of beta is attained (Theorem 3).

    f_S = 2 R x - x^2 / 2 and f_T = x^2 / 2 are 1-smooth with equal slope at R, so A = 1, and
    |v(R) - v(0) - v'(R) R| = R^2 = (1 + 1) 1 R^2 / 2.
    """
    point = torch.tensor([[radius]], dtype=torch.float64)
    return lambda x: 2 * radius * x - x.square() / 2, lambda x: x.square() / 2, point


def circle(t: Tensor) -> Tensor:
    """(cos 2 pi t, sin 2 pi t), (N, 1) -> (N, 2): it has no mean value theorem (App. E, before eq. 21)."""
    return torch.cat([(2 * math.pi * t).cos(), (2 * math.pi * t).sin()], dim=1)


def ratio(kind: str, example: Case) -> float:
    """LHS / bracket of a kind, from the plain Jacobians; a bound with constant K claims that it is at most K.

    The bracket is raised by `search_space.FLOOR` times E sigma_T^2, which float64 cannot resolve; the ratio
    is 0 where both sides vanish. Raises ValueError for an unknown kind.
    """
    _check_kind(kind)
    bound = bounds.theorem_2(example.source, example.target, example.weights)
    full = bound.rhs["constant_two"] / 2
    own = {"full": full, "frobenius": full, "lipschitz": bound.rhs["lipschitz"] / 5}
    bracket = own[kind] if kind in own else bound.rhs[kind]
    left = _frobenius(example) if kind == "frobenius" else bound.lhs
    size = torch.linalg.matrix_norm(example.target, ord=2).square() @ example.weights / example.weights.sum()
    return left / (bracket + search_space.FLOOR * size.item()) if left else 0.0


def search(
    kind: str, *, generator: torch.Generator, size: Size | None = None, restarts: int = 96,
    steps: int = 1200, learning_rate: float = 0.05,
) -> Search:  # fmt: skip
    """Climb LHS / bracket by Adam from `restarts` random instances at once, all in one batch.

    `kind` is one of `KINDS`. The learning rate falls to 0 along a cosine. A start whose ratio or gradient is
    not finite is drawn anew. Raises ValueError for an unknown kind, and for restarts or steps below 1.
    """
    _check_kind(kind)
    if restarts < 1 or steps < 1 or not 0 < learning_rate < math.inf:
        given = f"restarts = {restarts}, steps = {steps}, learning_rate = {learning_rate}"
        raise ValueError(f"{given}: all must be > 0")
    climb = _Climb(kind, size or Size(), restarts, steps, learning_rate, generator)
    trace = torch.stack([climb.step() for _ in range(steps)], dim=1)
    found = climb.best_instances()
    ratios = [ratio(kind, example) for example in found]
    top = max(range(len(found)), key=ratios.__getitem__)
    return Search(ratios[top], trace, found[top], climb.redrawn)


class _Climb:
    """The starts on their way up: free numbers `theta` (restarts, P), Adam, and each start's best so far."""

    def __init__(
        self, kind: str, size: Size, restarts: int, steps: int, rate: float, draw: torch.Generator
    ) -> None:
        self.kind, self.size, self.generator, self.redrawn = kind, size, draw, 0
        self.theta = search_space.draw(restarts, size, draw).requires_grad_()
        self.adam = torch.optim.Adam([self.theta], lr=rate)
        self.schedule = torch.optim.lr_scheduler.CosineAnnealingLR(self.adam, steps)
        self.best = torch.zeros(restarts, dtype=torch.float64)
        self.best_theta = self.theta.detach().clone()

    def step(self) -> Tensor:
        """One step of every start; returns the ratios (restarts,) before it, NaN where not finite."""
        value = search_space.ratio(self.kind, self.theta, self.size)
        (gradient,) = torch.autograd.grad(value.clamp(min=1e-30).log().sum().neg(), self.theta)
        value = value.detach()
        bad = ~(torch.isfinite(value) & torch.isfinite(gradient).all(1))
        better = ~bad & (value > self.best)
        self.best[better] = value[better]
        self.best_theta[better] = self.theta.detach()[better]
        self.theta.grad = gradient.masked_fill(bad.unsqueeze(1), 0)
        self.adam.step()
        self.schedule.step()
        if bad.any():
            self._redraw(bad)
        return value.masked_fill(bad, math.nan)

    def _redraw(self, bad: Tensor) -> None:
        """Draw the bad starts anew and let Adam forget them."""
        count = int(bad.sum())
        self.redrawn += count
        self.theta.data[bad] = search_space.draw(count, self.size, self.generator)
        for name in ("exp_avg", "exp_avg_sq"):
            self.adam.state[self.theta][name][bad] = 0

    def best_instances(self) -> list[Case]:
        """The best instance of each start that was ever finite."""
        rows = torch.split(self.best_theta[self.best > 0], 1)
        if not rows or len(rows[0]) == 0:
            raise ValueError("no start stayed finite: use more restarts or a smaller learning rate")
        stacks = [search_space.stacks(row, self.size) for row in rows]
        return [Case(source.jac[0], target.jac[0], weights[0]) for weights, source, target in stacks]


def _check_kind(kind: str) -> None:
    if kind not in KINDS:
        raise ValueError(f"kind {kind!r} is not one of {', '.join(KINDS)}")


def _frobenius(example: Case) -> float:
    """E|J_T - A J_S|_F^2."""
    weights = example.weights / example.weights.sum()
    alignment = measure_jacobians(example.source, example.target, weights).alignment
    return (weights @ (example.target - alignment @ example.source).square().sum((1, 2))).item()
