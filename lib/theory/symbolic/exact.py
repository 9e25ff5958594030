"""Definitions 2 to 4 and both sides of Theorem 2 on a finite distribution, in exact arithmetic.

Slow and small, and independent of the float64 code: it takes the attacks as given and verifies that they are
top singular vectors, so that ties are the caller's to choose.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import sympy as sp


def largest(values: Sequence[sp.Expr]) -> sp.Expr:
    """The largest of exact expressions; raises ValueError when sympy cannot decide a comparison."""
    best, *rest = (sp.sympify(v) for v in values)
    for value in rest:
        gap = sp.factor(value - best)
        if gap.is_nonnegative is None:
            raise ValueError(f"cannot decide the sign of {gap}: give its symbols assumptions that settle it")
        best = value if gap.is_nonnegative else best
    return best


def spectral_square(matrix: sp.Matrix) -> sp.Expr:
    """|matrix|_2^2, the largest eigenvalue of M M^T."""
    small = matrix * matrix.T if matrix.rows <= matrix.cols else matrix.T * matrix
    return largest([sp.factor(e) for e in small.eigenvals(multiple=True)])


@dataclass(frozen=True)
class Instance:
    """A finite distribution of Jacobians (outputs x n), with top right singular vectors to attack along."""

    weights: tuple[sp.Expr, ...]
    source: tuple[sp.Matrix, ...]
    target: tuple[sp.Matrix, ...]
    attack_source: tuple[sp.Matrix, ...]  # unit n x 1
    attack_target: tuple[sp.Matrix, ...]

    def __post_init__(self) -> None:
        if sp.factor(sum(self.weights) - 1) != 0:
            raise ValueError(f"the weights sum to {sum(self.weights)}, not to 1")
        for jac, v in [*zip(self.source, self.attack_source), *zip(self.target, self.attack_target)]:
            top = (jac * v).dot(jac * v)
            if sp.factor(v.dot(v) - 1) != 0 or sp.factor(spectral_square(jac) - top) != 0:
                raise ValueError(f"{v.T} is not a unit top right singular vector of {jac}")

    def mean(self, values: Sequence[Any]) -> Any:
        """E over the distribution."""
        return sum((w * v for w, v in zip(self.weights[1:], values[1:])), self.weights[0] * values[0])

    @cached_property
    def sigma2_source(self) -> list[sp.Expr]:
        """sigma_S(x)^2."""
        return [spectral_square(j) for j in self.source]

    @cached_property
    def sigma2_target(self) -> list[sp.Expr]:
        """sigma_T(x)^2."""
        return [spectral_square(j) for j in self.target]

    @cached_property
    def lambda_source(self) -> list[sp.Expr]:
        """lambda_S(x), Def. 4; 0 where there is one singular value only."""
        return [_ratio(j, s) for j, s in zip(self.source, self.sigma2_source)]

    @cached_property
    def lambda_target(self) -> list[sp.Expr]:
        """lambda_T(x), Def. 4."""
        return [_ratio(j, s) for j, s in zip(self.target, self.sigma2_target)]

    @cached_property
    def tau1_per_sample(self) -> list[sp.Expr]:
        """tau_1(x) = <v_S, v_T>^2, Def. 2."""
        return [sp.factor(a.dot(b) ** 2) for a, b in zip(self.attack_source, self.attack_target)]

    @cached_property
    def tau1(self) -> sp.Expr:
        """tau_1 = E tau_1(x)."""
        return sp.factor(self.mean(self.tau1_per_sample))

    @cached_property
    def deviations(self) -> tuple[list[sp.Matrix], list[sp.Matrix]]:
        """Delta_S and Delta_T under the source's attack, epsilon = 1 (eq. 1)."""
        return (
            [j * v for j, v in zip(self.source, self.attack_source)],
            [j * v for j, v in zip(self.target, self.attack_source)],
        )

    @cached_property
    def least_squares(self) -> sp.Matrix:
        """B* = E[Delta_T Delta_S^T] E[Delta_S Delta_S^T]^+, before the projection."""
        source, target = self.deviations
        cross = self.mean([t * s.T for s, t in zip(source, target)])
        return (cross * self.mean([s * s.T for s in source]).pinv()).applyfunc(sp.simplify)

    @cached_property
    def scale(self) -> sp.Expr:
        """psi = min(1, r / |B*|_2)."""
        source, target = self.deviations
        radius2 = self.mean([t.dot(t) for t in target]) / self.mean([s.dot(s) for s in source])
        norm2 = spectral_square(self.least_squares)
        return sp.sqrt(sp.factor(radius2 / norm2)) if largest([norm2, radius2]) != radius2 else sp.Integer(1)

    @cached_property
    def alignment(self) -> sp.Matrix:
        """A = psi B*, Def. 3."""
        return self.scale * self.least_squares

    @cached_property
    def tau2(self) -> sp.Expr:
        """tau_2 = E<2 Delta_T - A Delta_S, A Delta_S> / E|Delta_T|^2, Def. 3."""
        pairs = list(zip(*self.deviations))
        moved = [self.alignment * s for s, _ in pairs]
        top = self.mean([(2 * t - a).dot(a) for (_, t), a in zip(pairs, moved)])
        return sp.factor(top / self.mean([t.dot(t) for _, t in pairs]))

    @cached_property
    def lhs(self) -> sp.Expr:
        """E|J_T - A J_S|_2^2."""
        return sp.factor(self.mean([spectral_square(d) for d in self.differences]))

    @property
    def differences(self) -> list[sp.Matrix]:
        """J_T - A J_S at each point."""
        return [t - self.alignment * s for s, t in zip(self.source, self.target)]

    @cached_property
    def main_term(self) -> sp.Expr:
        """M = E[((1 - tau1(x) tau2) + (1 - tau1(x))(1 - tau2) lambda_T^2) sigma_T^2]."""
        rows = zip(self.tau1_per_sample, self.lambda_target, self.sigma2_target)
        return sp.factor(
            self.mean([(1 - t * self.tau2 + (1 - t) * (1 - self.tau2) * k**2) * s for t, k, s in rows])
        )

    @cached_property
    def ratio_term(self) -> sp.Expr:
        """Y^2 = E[(lambda_T + lambda_S)^2 sigma_S^2] |J_T|_{D,2}^2 / |J_S|_{D,2}^2."""
        rows = zip(self.lambda_source, self.lambda_target, self.sigma2_source)
        top = self.mean([(a + b) ** 2 * s for a, b, s in rows]) * self.mean(self.sigma2_target)
        return sp.factor(top / self.mean(self.sigma2_source))

    @cached_property
    def lipschitz_bracket(self) -> sp.Expr:
        """L^2 [(1 - tau1 tau2) + (1 - tau1)(1 - tau2) lambda_T^2 + (lambda_T + lambda_S)^2], worst cases."""
        k_s, k_t = largest(self.lambda_source), largest(self.lambda_target)
        main = (1 - self.tau1 * self.tau2) + (1 - self.tau1) * (1 - self.tau2) * k_t**2
        return sp.factor(largest(self.sigma2_target) * (main + (k_t + k_s) ** 2))


def _ratio(jac: sp.Matrix, top: sp.Expr) -> sp.Expr:
    """sigma_2 / sigma_1 of one Jacobian whose sigma_1^2 is `top`."""
    values = [sp.factor(e) for e in (jac.T * jac).eigenvals(multiple=True)]
    values.remove(next(v for v in values if sp.factor(v - top) == 0))
    return sp.sqrt(sp.factor(largest(values) / top)) if values else sp.Integer(0)
