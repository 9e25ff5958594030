"""The step of Theorem 2's proof that is false (App. D, from (13) to (14)), on exact instances.

(14) replaces X3 <= lambda_T sigma_T + lambda_S |A| sigma_S by (lambda_T + lambda_S) |A| sigma_S, which needs
sigma_T(x) <= |A| sigma_S(x). That holds in the mean (18), not at each x.
"""

from __future__ import annotations

from typing import Any

import sympy as sp

from lib.theory.symbolic import instances
from lib.theory.symbolic.exact import Instance, largest, spectral_square
from lib.theory.symbolic.step import Identity, Inequality, Refutation, Steps, wrong

lam, sigma, t1 = sp.symbols("lambda sigma tau_1(x)", nonnegative=True)
s = sp.Symbol("s", positive=True)  # eta = s / (1 + s) lies in (0, 1), and sympy knows it


def quadratic_forms(case: Instance, i: int) -> tuple[sp.Expr, sp.Matrix]:
    """X1^2 / theta^2 and the matrix Q with X2^2 + X3^2 = u^T Q u for u orthogonal to v_S, at point i."""
    jac, own, difference = case.target[i], case.alignment * case.source[i], case.differences[i]
    v, w = case.attack_source[i], case.attack_target[i]
    along = w * w.T
    third = jac * (sp.eye(jac.cols) - along) - own
    keep = sp.eye(jac.cols) - v * v.T
    hit = difference * v
    return hit.dot(hit), keep * (along * jac.T * jac * along + third.T * third) * keep


def line_13(case: Instance, k: Any = 5) -> sp.Expr:
    """(13): E max over unit t of k (X1^2 + X2^2 + X3^2)."""
    values = []
    for i in range(len(case.weights)):
        first, form = quadratic_forms(case, i)
        values.append(largest([first, *(sp.factor(e) for e in form.eigenvals(multiple=True))]))
    return sp.factor(k * case.mean(values))


def line_14(case: Instance, k: Any = 5) -> sp.Expr:
    """(14): k E[|(J_T - A J_S) v_S|^2 + (1 - tau1) sigma_T^2 + ((lambda_T + lambda_S) |A| sigma_S)^2]."""
    norm2 = case.scale**2 * spectral_square(case.least_squares)
    values = [
        quadratic_forms(case, i)[0]
        + (1 - case.tau1_per_sample[i]) * case.sigma2_target[i]
        + (case.lambda_target[i] + case.lambda_source[i]) ** 2 * norm2 * case.sigma2_source[i]
        for i in range(len(case.weights))
    ]
    return sp.factor(k * case.mean(values))


STEPS = Steps()


@STEPS.step(
    "X3 with two inputs",
    "new: why the smallest instance below has n = 3",
    wrong(k=2, at={t1: 1, lam: 1, sigma: 1}),
)
def _two_inputs(k: Any = 1) -> Inequality:
    r"""n = 2,\ \text{one point}:\ X_3 \le \lambda_T\|A\|_2\sigma_S"""
    # n = 2, one point: A J_S u = 0, X3 <= |c| lambda sigma and (|A| sigma_S)^2 = |J_T v_S|^2, so it holds.
    # lambda^2 |J_T v_S|^2 >= c^2 lambda^2 sigma^2, where |J_T v_S|^2 = (c^2 + (1 - c^2) lambda^2) sigma^2.
    goal = lam**2 * (t1 + (1 - t1) * lam**2) * sigma**2 - k * t1 * lam**2 * sigma**2
    return Inequality(goal, ((lam**4, sigma**2, 1 - t1),), given=(1 - t1,))


@STEPS.step("X3, second bound: REFUTED", "App. D, between (13) and (14)", wrong(k=9))
def _pointwise(k: Any = 1) -> Refutation:
    r"""X_3 \not\le (\lambda_T+\lambda_S)\|A\|_2\sigma_S\ \text{at}\ J_S=(0,1,0),\ J_T=\mathrm{diag}(3,1,1)"""
    # X3 at t = e3 against (lambda_T + lambda_S) |A| sigma_S, squared.
    case = instances.broken_step()
    form = quadratic_forms(case, 0)[1]
    slope = case.lambda_target[0] + case.lambda_source[0]
    return Refutation(form[2, 2], k * slope**2 * spectral_square(case.alignment) * case.sigma2_source[0])


@STEPS.step("(13) to (14): REFUTED", "App. D (14)", wrong(k=10))
def _integrated(k: Any = 5) -> Refutation:
    r"""(13) \not\le (14)\ \text{for weights}\ (1-\eta, \eta),\ 0 < \eta < 1"""
    # For every eta = s / (1 + s) in (0, 1); with 10 in place of 5 in (14) nothing would be refuted.
    case = instances.rare_point(s / (1 + s))
    return Refutation(line_13(case), line_14(case, k))


@STEPS.step("by how much", "new", wrong(k=5), wrong(k=-10))
def _excess(k: Any = 10) -> Identity:
    r"""(13) - (14) = 10\,\eta(1-\eta^2)\ \text{on that family}"""
    eta = s / (1 + s)
    case = instances.rare_point(eta)
    return Identity(line_13(case) - line_14(case), k * eta * (1 - eta**2))


@STEPS.step("the theorem survives there", "App. D (19)", wrong(k=1))
def _theorem_survives(k: Any = 5) -> Inequality:
    r"""\mathrm{LHS} \le 5(M + Y^2)\ \text{on the same instance}"""
    # On the very instance where (13) <= (14) fails, the theorem's own inequality holds.
    case = instances.rare_point()
    room = 5 * (case.main_term + case.ratio_term) - case.lhs
    goal = k * (case.main_term + case.ratio_term) - case.lhs
    return Inequality(goal, ((room,),))
