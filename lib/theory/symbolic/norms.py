"""Appendix A: the triangle inequality of ||.||_{D,2}, and the inequality of Cauchy behind it."""

from __future__ import annotations

from typing import Any

import sympy as sp

from lib.theory.symbolic.step import Identity, Inequality, Steps, wrong
from lib.theory.symbolic.vectors import Space, vectors

f, g, h, nf, ng = sp.symbols("f g h |F| |G|", nonnegative=True)
mixed = sp.Symbol("E[fg]", real=True)

STEPS = Steps()


@STEPS.step("pointwise", "App. A, before (2)", wrong(sign=-1, at={f: 1, g: 1, h: 1}))
def _pointwise(sign: Any = 1) -> Inequality:
    r"""\|F(x) + G(x)\|_2^2 \le (\|F(x)\|_2 + \|G(x)\|_2)^2"""
    return Inequality((f + sign * g) ** 2 - h**2, ((f + g - h, f + g + h),), given=(f + g - h,))


@STEPS.step("expansion", "App. A (2)", wrong(k=1), wrong(k=-2))
def _expand(k: Any = 2) -> Identity:
    r"""E(f+g)^2 = E f^2 + E g^2 + 2 E[fg], \quad f = \|F(x)\|_2,\ g = \|G(x)\|_2"""
    space, (F, G) = Space(), vectors("F G")
    return Identity(space.square(F + G), space.square(F) + space.square(G) + k * space.dot(F, G))


@STEPS.step("Cauchy–Schwarz", "App. A, after (2)", wrong(k=-1), wrong(k=2))
def cauchy_schwarz(k: Any = 1) -> Identity:
    r"""E[fg]^2 \le E f^2 \, E g^2"""
    # |G|^2 (|F|^2 |G|^2 - k <F, G>^2) = | |G|^2 F - <F, G> G |^2, a square: so <F, G>^2 <= |F|^2 |G|^2.
    space, (F, G) = Space(), vectors("F G")
    norm, inner = space.square(G), space.dot(F, G)
    return Identity(norm * (space.square(F) * norm - k * inner**2), space.square(norm * F - inner * G))


@STEPS.step("closing", "App. A, last line", wrong(k=3, at={nf: 1, ng: 1, mixed: 1}))
def _close(k: Any = 2) -> Inequality:
    r"""\|F\|^2 + \|G\|^2 + 2E[fg] \le (\|F\|_{D,2} + \|G\|_{D,2})^2"""
    room = nf * ng - mixed
    return Inequality((nf + ng) ** 2 - (nf**2 + ng**2 + k * mixed), ((2, room),), given=(room,))
