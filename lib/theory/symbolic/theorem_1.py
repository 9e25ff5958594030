"""Theorem 1 (App. C): one output each, where attacks are normalised gradients and the bound is an equality.

gS, gT are the two gradients at a point (`Space` holds their inner products); in the integrated steps
stt = E Delta_T^2, sss = E Delta_S^2, sst = E[Delta_S Delta_T].
"""

from __future__ import annotations

from typing import Any

import sympy as sp

from lib.theory.symbolic.norms import cauchy_schwarz
from lib.theory.symbolic.step import Identity, Inequality, Steps, wrong
from lib.theory.symbolic.vectors import Space, Vector, vectors

A = sp.Symbol("A", real=True)
t1, t2, sigma, L = sp.symbols("tau_1(x) tau_2 sigma_T L", nonnegative=True)
stt, sss = sp.symbols("s_TT s_SS", positive=True)
sst, shift = sp.symbols("s_ST t", real=True)


def _gradients() -> tuple[Space, Vector, Vector, sp.Expr]:
    """The space, gS, gT, and k = <gT, gS> / |gS|^2, the coefficient of gT along gS (eq. 5)."""
    space, (gs, gt) = Space(), vectors("gS gT")
    return space, gs, gt, space.dot(gs, gt) / space.square(gs)


STEPS = Steps()


@STEPS.step("splitting the gradient", "App. C (5)", wrong(k=2), wrong(k=-1))
def _split(k: Any = 1) -> Identity:
    r"""\nabla f_T = \cos\varphi\,\tfrac{|\nabla f_T|}{|\nabla f_S|}\nabla f_S + v,\quad \langle v, \nabla
    f_S\rangle = 0"""
    space, gs, gt, along = _gradients()
    return Identity(space.dot(gt - k * along * gs, gs), 0)


@STEPS.step("length of the rest", "App. C, after (5)", wrong(sign=1))
def _sine(sign: Any = -1) -> Identity:
    r"""|v|^2 = (1 - \tau_1(x))\,|\nabla f_T|^2"""
    space, gs, gt, along = _gradients()
    cosine2 = space.dot(gs, gt) ** 2 / space.square(gs) / space.square(gt)
    return Identity(space.square(gt - along * gs), (1 + sign * cosine2) * space.square(gt))


@STEPS.step("Pythagoras", "App. C (6)", wrong(k=2), wrong(k=-1))
def _pythagoras(k: Any = 1) -> Identity:
    r"""|\nabla f_T - A\nabla f_S|^2 = \bigl(\cos\varphi\,\tfrac{|\nabla f_T|}{|\nabla f_S|} -
    A\bigr)^2|\nabla f_S|^2 + |v|^2"""
    space, gs, gt, along = _gradients()
    rest = space.square(gt - along * gs)
    return Identity(space.square(gt - A * gs), (along - A) ** 2 * space.square(gs) + k * rest)


@STEPS.step("deviations are gradients", "App. C, before (7)", wrong(power=2))
def _deviations(power: int = 1) -> Identity:
    r"""\Delta_T\Delta_S = \langle\nabla f_T, \nabla f_S\rangle,\quad \Delta_S = |\nabla f_S|"""
    # Delta_T Delta_S = <gT, gS>, Delta_S^2 = |gS|^2 (epsilon = 1): moments of attacks are of gradients.
    space, gs, gt, _ = _gradients()
    delta_s = sp.sqrt(space.square(gs))
    delta_t = space.dot(gs, gt) / sp.sqrt(space.square(gs))
    return Identity(delta_t * delta_s**power, space.dot(gs, gt))


@STEPS.step("no projection", "Section 3.2, tacit", wrong(k=-1), wrong(k=2))
def _no_projection(k: Any = 1) -> Identity:
    r"""|A| = |E[\Delta_T\Delta_S]| / E\Delta_S^2 \le \|\Delta_T\|_D / \|\Delta_S\|_D"""
    return cauchy_schwarz(k)


@STEPS.step("τ₂ is a squared cosine", "Section 3.2; App. C", wrong(k=1), wrong(k=3))
def _definition(k: Any = 2) -> Identity:
    r"""\tau_2 = \langle\Delta_S, \Delta_T\rangle_D^2 / (\|\Delta_S\|_D^2\,\|\Delta_T\|_D^2)"""
    slope = sst / sss
    return Identity((k * slope * sst - slope**2 * sss) / stt, sst**2 / (sss * stt))


@STEPS.step("first term", "App. C (7)", wrong(k=1), wrong(k=-2))
def _residual(k: Any = 2) -> Identity:
    r"""E(\Delta_T - A\Delta_S)^2 = (1 - \tau_2)\,E[\tau_1(x)\sigma_T^2]"""
    slope = sst / sss
    tau = sst**2 / (sss * stt)
    return Identity(stt + slope**2 * sss - k * slope * sst, (1 - tau) * stt)


@STEPS.step("equality", "App. C, Theorem 1", wrong(sign=1))
def _join(sign: Any = -1) -> Identity:
    r"""(1-\tau_2)\tau_1(x)\sigma_T^2 + (1-\tau_1(x))\sigma_T^2 = (1 - \tau_1(x)\tau_2)\sigma_T^2"""
    return Identity((1 - t2) * t1 * sigma**2 + (1 - t1) * sigma**2, (1 + sign * t2 * t1) * sigma**2)


@STEPS.step("Lipschitz form", "App. C, last line", wrong(sign=-2, at={t1: 0, t2: 0, L: 1, sigma: 1}))
def _lipschitz(sign: Any = -1) -> Inequality:
    r"""(1-\tau_1(x)\tau_2)\sigma_T^2 \le (1-\tau_1(x)\tau_2)L^2"""
    # (1 - t1 t2)(L^2 - sigma^2), and 1 - t1 t2 = (1 - t1) + t1 (1 - t2) >= 0.
    goal = (1 - t1 * t2) * L**2 + sign * (1 - t1 * t2) * sigma**2
    terms = ((1 - t1, L - sigma, L + sigma), (t1, 1 - t2, L - sigma, L + sigma))
    return Inequality(goal, terms, given=(1 - t1, 1 - t2, L - sigma))


@STEPS.step("A is the best scalar", "new: stronger than App. C needs", wrong(k=2), wrong(k=-1))
def _optimal(k: Any = 1) -> Identity:
    r"""E|\nabla f_T - (A + h)\nabla f_S|^2 = E|\nabla f_T - A\nabla f_S|^2 + h^2 E|\nabla f_S|^2"""
    # The loss E|gT - (A + h) gS|^2 less its value at A = s_ST / s_SS, as a function of the shift h.
    slope = sst / sss
    gtt = sp.Symbol("g_TT", positive=True)  # E|gT|^2
    loss, moved = (gtt - 2 * a * sst + a**2 * sss for a in (slope, slope + shift))
    return Identity(moved - loss, k * shift**2 * sss)
