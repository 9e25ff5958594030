"""The small examples that decide what can and cannot be proved, as exact matrices.

Each is an `exact.Instance`; `counterexamples` turns it into tensors, so that the float64 code and exact
arithmetic are asked about the same example.
"""

from __future__ import annotations

from typing import Any

import sympy as sp

from lib.theory.symbolic.exact import Instance

HALF = sp.Rational(1, 2)
THOUSANDTH = sp.Rational(1, 1000)
NEAR_ONE = sp.Rational(99, 100)
WORST = sp.Rational(722343, 10**6), sp.Rational(384384, 10**6), sp.Rational(529237, 10**6)


Point = tuple[Any, sp.Matrix, sp.Matrix, int, int]


def _of(*points: Point) -> Instance:
    """The instance of points (weight, J_S, J_T, axis of the source's attack, axis of the target's)."""
    weights, source, target, along, other = zip(*points)
    attacks = (
        tuple(sp.Matrix([int(i == j) for j in range(jac.cols)]) for i, jac in zip(axes, source))
        for axes in (along, other)
    )
    return Instance(tuple(map(sp.sympify, weights)), source, target, *attacks)


def _row(*values: Any) -> sp.Matrix:
    return sp.Matrix([values])


def _inside(value: Any, name: str) -> sp.Expr:
    """`value` as an exact number (or a symbol), refused outside the open interval (0, 1)."""
    exact = sp.nsimplify(value) if isinstance(value, float) else sp.sympify(value)
    if exact.is_number and not 0 < exact < 1:
        raise ValueError(f"{name} = {value} must lie strictly between 0 and 1")
    return exact


def broken_step() -> Instance:
    """One point where X3 <= (lambda_T + lambda_S) |A| sigma_S fails (App. D, the second bound on X3).

    J_S = (0, 1, 0), J_T = diag(3, 1, 1): at t = e3 the left side is 1, the right side 1/3. With n = 2 inputs
    no single point breaks it, so this is the smallest: one point, three inputs.
    """
    return _of((1, _row(0, 1, 0), sp.diag(3, 1, 1), 1, 0))


def rare_point(eta: Any = THOUSANDTH, gap: Any = 0) -> Instance:
    """Theorem 2's constant cannot be below 2, first family; also (13) <= (14) fails for small eta.

    Weights (1 - eta, eta), J_S = (1, 0) twice, J_T = diag(1, 0) and diag(2, 2 - gap): as eta -> 0,
    LHS / (M + Y^2) = (4 + eta - eta^2) / (2 + 2 eta) -> 2 (at gap = 0). `gap` > 0 makes the attack unique.
    """
    eta = _inside(eta, "eta")
    row = _row(1, 0)
    return _of((1 - eta, row, sp.diag(1, 0), 0, 0), (eta, row, sp.diag(2, 2 - sp.sympify(gap)), 0, 0))


def scalar_target(eta: Any = THOUSANDTH, ratio: Any = NEAR_ONE) -> Instance:
    """Theorem 2's constant cannot be below 2, second family: a target with one output.

    Weights (1 - eta, eta), J_S = [[0, 0], [1, 0]] and diag(1, l), J_T = (-1, 0) and (0, 1): the ratio tends
    to (1 + l)^2 / (1 + l^2) as eta -> 0, and that to 2 as l -> 1. `ratio` is l.
    """
    eta, k = _inside(eta, "eta"), _inside(ratio, "ratio")
    return _scalar_target(eta, sp.diag(1, k))


def lipschitz_worst(weight: Any = WORST[0], scale: Any = WORST[1], ratio: Any = WORST[2]) -> Instance:
    """The worst instance known for Theorem 2's Lipschitz form: LHS / bracket is about 1.3968.

    Weights (p, 1 - p), J_S = [[0, 0], [1, 0]] and w diag(1, l), J_T = (-1, 0) and (0, 1), with w chosen such
    that the projection scale is psi: w^2 = p (1 - psi^2) / ((1 - p) psi^2).
    """
    p, psi, k = _inside(weight, "weight"), _inside(scale, "scale"), _inside(ratio, "ratio")
    w = sp.sqrt(p * (1 - psi**2) / (1 - p)) / psi
    return _scalar_target(1 - p, w * sp.diag(1, k))


def _scalar_target(eta: sp.Expr, rare: sp.Matrix) -> Instance:
    """Weights (1 - eta, eta), J_S = [[0, 0], [1, 0]] and `rare`, J_T = (-1, 0) and (0, 1)."""
    return _of((1 - eta, sp.Matrix([[0, 0], [1, 0]]), _row(-1, 0), 0, 0), (eta, rare, _row(0, 1), 0, 1))


def aligned_yet_apart(ratio: Any = HALF) -> Instance:
    """tau1 = tau2 = 1, yet LHS = 4 l^2: attacks see one direction at each point only.

    Equal weights, J_S = diag(1, l), diag(l, 1), J_T = diag(1, -l), diag(-l, 1). Here A = I, M = 0 and
    sqrt(LHS) = sqrt(M) + sqrt(Y^2): Theorem R is an equality.
    """
    k = _inside(ratio, "ratio")
    return _of(
        (HALF, sp.diag(1, k), sp.diag(1, -k), 0, 0),
        (HALF, sp.diag(k, 1), sp.diag(-k, 1), 1, 1),
    )


def same_function(outputs: int = 2, ratio: Any = HALF) -> Instance:
    """f_S = f_T, linear, with Jacobian diag(1, l, ..., l): tau1 = tau2 = 1, and still LHS = l^2.

    All attacks point along the first axis, so A = e1 e1^T, the least map that fits the deviations. In the
    Frobenius norm the left-hand side is (n - 1) l^2, above the printed bound's 20 l^2 for n >= 22 (App. D).
    """
    if outputs < 2:
        raise ValueError(
            f"outputs = {outputs} must be at least 2: with one there is no second singular value"
        )
    jac = sp.diag(1, *[_inside(ratio, "ratio")] * (outputs - 1))
    return _of((1, jac, jac, 0, 0))


def projection_active() -> Instance:
    """psi < 1 although the target has one output (d = 1): psi = 1 always is true for m = 1 only (Def. 3).

    Equal weights, J_S = diag(10, 1), diag(1/2, 1), J_T = (0, 1), (0, 5): psi = 1 / sqrt(101).
    """
    return _of((HALF, sp.diag(10, 1), _row(0, 1), 0, 1), (HALF, sp.diag(HALF, 1), _row(0, 5), 1, 1))


def ties(second: int = 0, gap: Any = 0) -> Instance:
    """sigma_1 = sigma_2: the attack is not unique, and neither are tau1 and tau2 (Def. 1 is silent).

    Equal weights, J_S = I twice, J_T = diag(2, 1), diag(1, 3). Attacking the second point along axis 0 gives
    (tau1, tau2) = (1/2, 9/10), along axis 1 (1, about 0.977). `gap` > 0 shrinks the other singular value.
    """
    if second not in (0, 1):
        raise ValueError(f"second = {second} must be the axis 0 or 1")
    shrunk = 1 - sp.sympify(gap)
    moved = sp.diag(1, shrunk) if second == 0 else sp.diag(shrunk, 1)
    return _of((HALF, sp.diag(1, shrunk), sp.diag(2, 1), 0, 0), (HALF, moved, sp.diag(1, 3), second, 1))


def ratio_not_norm() -> Instance:
    """Proposition 2 fails if lambda is read as the maximal singular value, as Appendix F words it.

    J_S = (0, 1), J_T = diag(1/10, 999/10000): |J_T delta_S|^2 = .00998, above lambda^2 sigma_T^2 = .0001.
    """
    return _of((1, _row(0, 1), sp.diag(sp.Rational(1, 10), sp.Rational(999, 10000)), 1, 0))
