"""Theorem 2 as the paper proves it (App. D): the steps that hold; `broken_step` has the one that does not.

c = <v_S, v_T>, so tau1(x) = c^2. A unit t is theta v_S + u; u1 is u's part along v_T, u2 the rest.
"""

from __future__ import annotations

from typing import Any

import sympy as sp

from lib.theory.symbolic.step import Identity, Inequality, Refutation, Steps, wrong
from lib.theory.symbolic.vectors import Space, vectors

x1, x2, x3, sigma, lam, F, norm_u, rest, t1, t2 = sp.symbols(
    "X_1 X_2 X_3 sigma lambda F |u| |J_T\\ v_perp| tau_1(x) tau_2", nonnegative=True
)
share_t, share_s, bound_t, bound_s = sp.symbols(
    "|J_Tu_2| |AJ_Su| lambda_T*sigma_T lambda_S*|A|*sigma_S", nonnegative=True
)
st, dt, ds, nb = sp.symbols("|J_T|_D |Delta_T| |Delta_S| |A|", positive=True)

STEPS = Steps()


@STEPS.step("the angle", "App. D (11)", wrong(sign=1))
def _sine(sign: Any = -1) -> Identity:
    r"""|u_1| \le \sqrt{1-\tau_1(x)}\,|u|,\ \text{from}\ |v_T - c v_S|^2 = 1 - c^2"""
    # <u, v_T> = <u, v_T - c v_S> for u orthogonal to v_S, |v_T - c v_S|^2 = 1 - c^2; Cauchy-Schwarz.
    space, (v, w) = Space(v__v=1, w__w=1), vectors("v w")
    c = space.dot(v, w)
    return Identity(space.square(w - c * v), 1 + sign * c**2)


@STEPS.step(
    "X3, first bound",
    "App. D, after (12)",
    wrong(k=0, at={x3: 1, share_t: 1, bound_t: 1, share_s: 0, bound_s: 0}),
)
def _third_term(k: Any = 1) -> Inequality:
    r"""X_3 \le \lambda_T\sigma_T + \lambda_S\|A\|_2\sigma_S"""
    # X3 <= |J_T u2| + |A J_S u|, each at most its second singular value's share.
    given = (share_t + share_s - x3, bound_t - share_t, bound_s - share_s)
    return Inequality(k * bound_t + bound_s - x3, tuple((g,) for g in given), given=given)


@STEPS.step("the constant 5", "App. D (13)", wrong(k=2, at={x1: 1, x2: 1, x3: 1}))
def _five(k: Any = 5) -> Inequality:
    r"""(X_1+X_2+X_3)^2 \le 5(X_1^2+X_2^2+X_3^2)"""
    goal = k * (x1**2 + x2**2 + x3**2) - (x1 + x2 + x3) ** 2
    return Inequality(goal, (*_differences(), (2, x1**2), (2, x2**2), (2, x3**2)))


@STEPS.step(
    "3 would do", "App. D calls the 5 'not necessary'", wrong(k=sp.Rational(29, 10), at={x1: 1, x2: 1, x3: 1})
)
def _three(k: Any = 3) -> Inequality:
    r"""3\textstyle\sum X_i^2 - (\sum X_i)^2 = \sum_{i<j}(X_i-X_j)^2"""
    return Inequality(k * (x1**2 + x2**2 + x3**2) - (x1 + x2 + x3) ** 2, _differences())


def _differences() -> tuple[tuple[sp.Expr, ...], ...]:
    return ((x1 - x2) ** 2,), ((x1 - x3) ** 2,), ((x2 - x3) ** 2,)


@STEPS.step("fitting error", "App. D (16)", wrong(k=2), wrong(k=-1))
def _line_16(k: Any = 1) -> Identity:
    r"""E|\Delta_T - A\Delta_S|^2 = (1-\tau_2)\,E|J_T v_S|^2"""
    # The means of |Delta_T|^2 - <2 Delta_T - A Delta_S, A Delta_S>, with tau2's definition put in.
    space, (u, a) = Space(), vectors("u a")
    tau = space.dot(2 * u - a, a) / space.square(u)
    return Identity(space.square(u - a), (1 - k * tau) * space.square(u))


@STEPS.step(
    "along the attack",
    "App. D, after (16): printed with =, true with ≤",
    wrong(k=sp.Rational(1, 2), at={t1: 0, lam: 1, sigma: 1, rest: 1}),
)
def _after_16(k: Any = 1) -> Inequality:
    r"""|J_T v_S|^2 \le (\tau_1 + (1-\tau_1)\lambda_T^2)\,\sigma_T^2"""
    # |J_T v_S|^2 = tau1 sigma^2 + (1 - tau1)|J_T v_perp|^2, and |J_T v_perp| <= lambda sigma.
    room = lam**2 * sigma**2 - rest**2
    goal = t1 * sigma**2 + k * (1 - t1) * lam**2 * sigma**2 - (t1 * sigma**2 + (1 - t1) * rest**2)
    return Inequality(goal, ((1 - t1, room),), given=(1 - t1, room))


@STEPS.step("along the attack, '=': REFUTED", "App. D, after (16)", wrong(third=2))
def _not_equal(third: Any = 1) -> Refutation:
    r"""(\tau_1 + (1-\tau_1)\lambda_T^2)\,\sigma_T^2 > |J_Tv_S|^2\ \text{for}\ J_T = \mathrm{diag}(3,2,1)"""
    # J_T = diag(3, 2, third), v_S = (e1 + e3) / sqrt 2: the part off v_T need not be the second vector.
    attack = sp.Matrix([1, 0, 1]) / sp.sqrt(2)
    image = sp.diag(3, 2, third) * attack
    return Refutation(sp.Rational(1, 2) * (9 + 4), image.dot(image))


@STEPS.step("regrouping", "App. D (17)", wrong(sign=1))
def line_17(sign: Any = -1, k: Any = 1) -> Identity:
    r"""(1-\tau_2)(\tau_1+(1-\tau_1)\lambda_T^2) + (1-\tau_1) =
    (1-\tau_1\tau_2)+(1-\tau_1)(1-\tau_2)\lambda_T^2"""
    # (1 - tau2) times the bound after (16), and (1 - tau1) sigma^2, as M has them.
    left = (1 - t2) * (t1 + (1 - t1) * lam**2) * sigma**2 + (1 - t1) * sigma**2
    return Identity(left, ((1 + sign * t1 * t2) + k * (1 - t1) * (1 - t2) * lam**2) * sigma**2)


@STEPS.step("the norm of A", "App. D (18)", wrong(k=sp.Rational(1, 2), at={st: 1, dt: 1, nb: 1, ds: 1}))
def _line_18(k: Any = 1) -> Inequality:
    r"""\|A\|_2 \le \|J_T\|_{D,2} / \|J_S\|_{D,2}"""
    # |A| |Delta_S| <= |Delta_T| by projection, |Delta_T| <= |J_T|; |Delta_S| = |J_S|, by a top vector.
    room = (dt - nb * ds, st - dt)
    return Inequality(k * st - nb * ds, tuple((g,) for g in room), given=room)


NORM_OF_A = STEPS[-1]
