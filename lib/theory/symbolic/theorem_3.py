"""Lemma 1 and Theorem 3 (App. E): from close gradients to a small loss.

v = f_T - g f_S with v(0) = 0; J_v its Jacobian, beta_1 = (1 + r) beta with r = |J_T|_{D,2} / |J_S|_{D,2}.
"""

from __future__ import annotations

from typing import Any

import sympy as sp

from lib.theory.symbolic.step import Identity, Inequality, Refutation, Steps, wrong
from lib.theory.symbolic.theorem_2 import NORM_OF_A
from lib.theory.symbolic.vectors import Space, vectors

D, P, Q, a, r, beta, dist, b1, J, v, rest, R, loss, ref, gap = sp.symbols(
    "|J_v(x)-J_v(y)| P Q |A| r beta |x-y| beta_1 |J_v| |v| |rest| R |gf_S-y| |f_T-y| |f_T-gf_S|",
    nonnegative=True,
)
mean_j, xi, t = sp.symbols("E|J_v| xi t", nonnegative=True)

STEPS = Steps()


@STEPS.step("v is smooth", "App. E (20)", wrong(k=0, at={P: 1, Q: 1, a: 1, r: 1, beta: 1, dist: 1, D: 2}))
def _smooth(k: Any = 1) -> Inequality:
    r"""\|J_v(x) - J_v(y)\|_2 \le (1+r)\beta|x-y|"""
    # P = |J_T(x) - J_T(y)| <= beta |x - y|, Q the same for f_S; |A| <= r.
    given = (P + a * Q - D, beta * dist - P, beta * dist - Q, r - a)
    terms = ((given[0],), (given[1],), (a, given[2]), (beta, dist, given[3]))
    return Inequality((1 + k * r) * beta * dist - D, terms, given=given)


STEPS.append(NORM_OF_A)


@STEPS.step("mean value theorem: REFUTED", "App. E, proof of Lemma 1", wrong(components=1))
def _no_vector_mean_value(components: int = 2) -> Refutation:
    r"""v(x) - v(0) \ne J_v(\xi x)\,x\ \text{for}\ v(t) = (\cos 2\pi t, \sin 2\pi t)"""
    # v(1) = v(0) for the circle, while |v'(xi)| = 2 pi everywhere; one component alone does have a root.
    time = sp.Symbol("t", real=True)
    curve = [sp.cos(2 * sp.pi * time), sp.sin(2 * sp.pi * time)][:components]
    speed = sp.simplify(sum(sp.diff(c, time) ** 2 for c in curve))
    slowest = sp.calculus.util.minimum(speed, time, sp.Interval(0, 1))
    moved = sum((c.subs(time, 1) - c.subs(time, 0)) ** 2 for c in curve)
    return Refutation(slowest, moved)


@STEPS.step(
    "repair along one direction",
    "new: the scalar theorem for the component along the residual",
    wrong(k=-1),
    wrong(k=2),
)
def _direction(k: Any = 1) -> Identity:
    r"""|v(x) - v(0) - J_v(x)x| \le |(J_v(\xi x) - J_v(x))x|"""
    # q = (J_v(xi x) - J_v(x)) x; the scalar theorem along rest = v(x) - v(0) - J_v(x) x: <rest, q> = rest^2.
    # Then |q|^2 - |rest|^2 = |q - rest|^2, so |rest| <= |q|: the lemma's constant, without the false step.
    q, o = vectors("q o")
    space = Space(o__o=rest**2, o__q=rest**2)
    return Identity(space.square(q) - k * space.square(o), space.square(q - o))


@STEPS.step("the lemma's constant", "App. E (21)", wrong(k=sp.S.Half, at={b1: 1, R: 1, xi: 0}))
def _paper_constant(k: Any = 1) -> Inequality:
    r"""\beta_1(1-\xi)|x|^2 \le \beta_1"""
    # beta_1 (1 - xi)|x|^2 <= beta_1 for 0 <= xi and |x| <= 1; R stands for |x|.
    goal = k * b1 - b1 * (1 - xi) * R**2
    return Inequality(goal, ((b1, 1 - R, 1 + R), (b1, xi, R**2)), given=(1 - R, 1 - xi))


@STEPS.step("integral form", "new", wrong(k=-1), wrong(k=2))
def _fundamental(k: Any = 1) -> Identity:
    r"""v(x) - v(0) - J_v(x)x = \int_0^1 (J_v(tx) - J_v(x))\,x\,dt"""
    # v(x) - v(0) - J_v(x) x = int_0^1 (J_v(t x) - J_v(x)) x dt, a component on the segment: h(t) = v_i(t x).
    # For every smooth h: int_0^1 (h'(t) - h'(1)) dt = h(1) - h(0) - h'(1).
    h = sp.Function("h")
    end = sp.Symbol("h'(1)", real=True)
    integral = sp.integrate(sp.diff(h(t), t), (t, 0, 1)) - end
    return Identity(integral, h(1) - k * h(0) - end)


@STEPS.step("half of beta", "new", wrong(value=1), wrong(value=sp.Rational(1, 3)))
def _half(value: Any = sp.S.Half) -> Identity:
    r"""\int_0^1 \beta_1(1-t)|x|^2 dt = \tfrac12\beta_1|x|^2"""
    # |J_v(t x) - J_v(x)| <= beta_1 (1 - t)|x|, integrated.
    return Identity(sp.integrate(b1 * (1 - t) * R**2, (t, 0, 1)), value * b1 * R**2)


@STEPS.step("mean of the squares", "App. E, end of Lemma 1", wrong(k=3, at={b1: 1, J: 1, mean_j: 1}))
def _squares(k: Any = 2) -> Inequality:
    r"""E(\beta_1 + \|J_v\|_2)^2 \le (\beta_1 + \|J_v\|_{D,2})^2"""
    # E(beta_1 + |J_v|)^2 <= (beta_1 + |J_v|_{D,2})^2, by Jensen E|J_v| <= |J_v|_{D,2}.
    goal = (b1 + J) ** 2 - (b1**2 + J**2 + k * b1 * mean_j)
    return Inequality(goal, ((2, b1, J - mean_j),), given=(J - mean_j,))


@STEPS.step("Jensen", "App. E, end of Lemma 1", wrong(k=-1), wrong(k=2))
def _jensen(k: Any = 1) -> Identity:
    r"""(E\|J_v\|_2)^2 \le E\|J_v\|_2^2"""
    # E f^2 - k (E f)^2 = E (f - E f)^2: Cauchy-Schwarz against the constant function 1, which has norm 1.
    space, (F, one) = Space(one__one=1), vectors("F one")
    mean = space.dot(F, one)
    return Identity(space.square(F) - k * mean**2, space.square(F - mean * one))


@STEPS.step("Theorem 3", "App. E (22) and after", wrong(sign=-1, at={ref: 0, J: 1, b1: 1, gap: 2, loss: 2}))
def _close(sign: Any = 1) -> Inequality:
    r"""\|gf_S - y\|_D^2 \le (\|f_T - y\|_D + \|J_v\|_{D,2} + \beta_1)^2"""
    # |g f_S - y| <= |f_T - y| + |f_T - g f_S| <= |f_T - y| + |J_v| + beta_1, squared.
    bound = ref + J + b1
    steps = (ref + gap - loss, J + b1 - gap)
    goal = (ref + sign * J + b1) ** 2 - loss**2
    return Inequality(goal, ((steps[0], bound + loss), (steps[1], bound + loss)), given=steps)


@STEPS.step(
    "Frobenius reading",
    "Section 3.2 writes ‖·‖_D, App. E the spectral norm",
    wrong(k=2, at=dict(zip(sp.symbols("sigma_1:4", nonnegative=True), (1, 0, 0)))),
)
def _frobenius(k: Any = 1) -> Inequality:
    r"""\|J_v\|_2 \le \|J_v\|_F:\ \text{true with either norm, tighter with the spectral}"""
    # |J|_F^2 = sum of sigma_i^2, three standing for any number: the theorem with |.|_F inside is weaker.
    first, second, third = sp.symbols("sigma_1:4", nonnegative=True)
    return Inequality(first**2 + second**2 + third**2 - k * first**2, ((second**2,), (third**2,)))


@STEPS.step("half of beta is attained", "new", wrong(value=1), wrong(value=sp.Rational(1, 4)))
def _attained(value: Any = sp.S.Half) -> Identity:
    r"""f_T = \tfrac{x^2}{2},\ f_S = 2x - \tfrac{x^2}{2},\ D=\{1\}:\ |v(1)| - |J_v(1)| = \tfrac12\beta_1"""
    # n = 1, D = {1}, f_T = x^2/2, f_S = 2x - x^2/2: A = 1, r = 1, J_v(1) = 0, |v(1)| = 1 = beta_1 / 2.
    x = sp.Symbol("x", real=True)
    target, source = x**2 / 2, 2 * x - x**2 / 2
    slope = (sp.diff(target, x) / sp.diff(source, x)).subs(x, 1)
    smooth = max(abs(sp.diff(target, x, 2)), abs(sp.diff(source, x, 2)))
    error = abs((target - slope * source).subs(x, 1))
    left = sp.diff(target - slope * source, x).subs(x, 1)
    return Identity(error - abs(left), value * (1 + slope) * smooth)


@STEPS.step("radius", "App. E: 'without loss of generality |x| ≤ 1'", wrong(power=1), wrong(power=0))
def _rescaled(power: Any = 2) -> Identity:
    r"""\tfrac{d^2}{dz^2} f(Rz) = R^2 f''(Rz)"""
    # f(R z) has slope R f'(x), curvature R^2 f''(x) at x = R z: the bound for |x| <= R has R and R^2.
    z = sp.Symbol("z", real=True)
    scaled = sp.Function("f")(R * z)
    factor, _ = sp.diff(scaled, z, 2).as_independent(sp.Subs)  # the rest is f'' at R z
    return Identity(factor, R**power)
