"""Proposition 1 (App. B): tau1 and tau2 lie in [0, 1]; the closed form of tau2; when the projection acts.

u = Delta_T, b = B* Delta_S and s = B Delta_S are vectors of the space with inner product E<., .>. The normal
equations of B* say <u - b, s> = 0 for every B.
"""

from __future__ import annotations

from typing import Any

import sympy as sp

from lib.theory.symbolic import instances
from lib.theory.symbolic.norms import cauchy_schwarz
from lib.theory.symbolic.step import Identity, Inequality, Steps, wrong
from lib.theory.symbolic.vectors import Space, Vector, vectors

psi, R2, r, s1, si = sp.symbols("psi R^2 r s_1 s_i", nonnegative=True)
_bs = sp.Symbol("<b,s>", real=True)
_bb = sp.Symbol("|b|", nonnegative=True) ** 2


def _fit() -> tuple[Space, Vector, Vector, Vector]:
    u, b, s = vectors("u b s")
    return Space(u__s=_bs, u__b=_bb), u, b, s


STEPS = Steps()


@STEPS.step("solvable", "App. B, tacit in the use of the pseudo-inverse", wrong(k=-1), wrong(k=2))
def _solvable(k: Any = 1) -> Identity:
    r"""w^\top E[\Delta_S\Delta_S^\top] w = 0 \Rightarrow E[\Delta_T\Delta_S^\top] w = 0,\ \text{from}\
    |E[\Delta_T\langle\Delta_S,w\rangle]|^2 \le E|\Delta_T|^2\,E\langle\Delta_S,w\rangle^2"""
    return cauchy_schwarz(k)


@STEPS.step("least squares", "App. B (3)", wrong(k=2), wrong(k=-1))
def _least_squares(k: Any = 1) -> Identity:
    r"""h(B) = h(B^*) + \|(B - B^*)\Delta_S\|_D^2,\quad h(B) = \|\Delta_T - B\Delta_S\|_D^2"""
    space, u, b, s = _fit()
    return Identity(space.square(u - s), space.square(u - b) + k * space.square(s - b))


@STEPS.step("meaning of τ₂", "App. B, after (3)", wrong(k=1), wrong(k=-2))
def _definition(k: Any = 2) -> Identity:
    r"""h(A) = (1 - \tau_2)\,\|\Delta_T\|_D^2"""
    space, (u, a) = Space(), vectors("u a")
    return Identity(space.square(u - a), space.square(u) - space.dot(k * u - a, a))


@STEPS.step(
    "convexity",
    "App. B, after (3)",
    wrong(k=2, at={psi: 1, sp.Symbol("|u|", nonnegative=True): 2, sp.Symbol("|b|", nonnegative=True): 1}),
)
def _convexity(k: Any = 1) -> Inequality:
    r"""h(\psi B^*) \le \psi h(B^*) + (1 - \psi) h(O)"""
    space, u, b, _ = _fit()
    chord = psi * space.square(u - b) + (1 - psi) * space.square(u)
    goal = chord - k * space.square(u - psi * b)
    return Inequality(goal, ((psi, 1 - psi, space.square(b)),), given=(1 - psi,))


@STEPS.step("closed form", "new: follows from the normal equations", wrong(k=1), wrong(k=3))
def _closed_form(k: Any = 2) -> Identity:
    r"""\tau_2 \|\Delta_T\|_D^2 = \psi(2 - \psi)\,\|B^*\Delta_S\|_D^2"""
    space, u, b, _ = _fit()
    return Identity(space.dot(2 * u - psi * b, psi * b), psi * (k - psi) * space.square(b))


@STEPS.step("explained part", "new", wrong(k=-1), wrong(k=2))
def _explained(k: Any = 1) -> Identity:
    r"""R^2 = \|B^*\Delta_S\|_D^2 / \|\Delta_T\|_D^2 \le 1,\ \text{as}\ \|\Delta_T\|_D^2 -
    \|B^*\Delta_S\|_D^2 = \|\Delta_T - B^*\Delta_S\|_D^2"""
    space, u, b, _ = _fit()
    return Identity(space.square(u) - k * space.square(b), space.square(u - b))


@STEPS.step("τ₂ at least 0", "App. B, last line", wrong(k=sp.Rational(1, 2), at={psi: 1, R2: 1}))
def _lower(k: Any = 2) -> Inequality:
    r"""\psi(2-\psi)R^2 \ge 0\quad (0 \le \psi \le 1)"""
    return Inequality(psi * (k - psi) * R2, ((psi, R2), (psi, 1 - psi, R2)), given=(1 - psi,))


@STEPS.step("τ₂ at most 1", "App. B", wrong(k=3, at={psi: 1, R2: 1}))
def _upper(k: Any = 2) -> Inequality:
    r"""\psi(2-\psi)R^2 \le 1\quad (0 \le \psi, R^2 \le 1)"""
    goal = 1 - psi * (k - psi) * R2
    return Inequality(goal, ((1 - R2,), (R2, (1 - psi) ** 2)), given=(1 - R2, 1 - psi))


@STEPS.step("one source output", "new: Section 3.2 uses it for m = d = 1", wrong(k=-1), wrong(k=2))
def _one_output(k: Any = 1) -> Identity:
    r"""m = 1 \Rightarrow \|B^*\|_2 \le r,\ \text{so}\ \psi = 1"""
    return cauchy_schwarz(k)


@STEPS.step("projection acts", "new: App. B only says ψ ≤ 1", wrong(square=1), wrong(square=100))
def _active(square: Any = 101) -> Identity:
    r"""m = 2,\ d = 1:\ \psi = 1/\sqrt{101} < 1\ \text{on an instance}"""
    return Identity(instances.projection_active().scale, 1 / sp.sqrt(square))


@STEPS.step(
    "clipping is closer",
    "new: proj rescales all of B*, clipping its singular values at r would fit better",
    wrong(k=sp.Rational(1, 2), at={s1: 2, si: 2, r: 1}),
)
def _clip(k: Any = 1) -> Inequality:
    r"""s_i - r \le (1 - r/s_1)\, s_i \quad (r \le s_i \le s_1)"""
    # s_1 times [(1 - r/s_1) s_i - (s_i - r)]; where s_i < r clipping errs by 0 and nothing is to show.
    return Inequality(k * (s1 - r) * si - s1 * (si - r), ((r, s1 - si),), given=(s1 - si, si - r))
