"""How small Theorem 2's constant can be, what its norm must be, and what tau1 = tau2 = 1 does not say.

Everything here is an exact computation on the instances of `instances`; s, k > 0 stand for eta = s / (1 + s)
and l = k / (1 + k), so that sympy knows both lie between 0 and 1.
"""

from __future__ import annotations

from functools import cache
from typing import Any

import sympy as sp

from lib.theory.symbolic import instances
from lib.theory.symbolic.exact import Instance, largest
from lib.theory.symbolic.step import Identity, Inequality, Refutation, Steps, wrong

s, k = sp.symbols("s k", positive=True)
eta, ell = s / (1 + s), k / (1 + k)


def ratio(case: Instance) -> sp.Expr:
    """LHS / (M + Y^2): Theorem 2's constant must be at least this."""
    return sp.factor(case.lhs / (case.main_term + case.ratio_term))


@cache
def _family(which: int) -> sp.Expr:
    return ratio(instances.rare_point(eta) if which == 1 else instances.scalar_target(eta, ell))


STEPS = Steps()


@STEPS.step(
    "first family",
    "new: $J_S = (1, 0)$ twice, $J_T = \\mathrm{diag}(1, 0), \\mathrm{diag}(2, 2)$",
    wrong(sign=1),
)
def _closed_form(sign: Any = -1) -> Identity:
    r"""\mathrm{LHS}/(M+Y^2) = (4+\eta-\eta^2)/(2+2\eta)"""
    return Identity(_family(1), (4 + eta + sign * eta**2) / (2 + 2 * eta))


@STEPS.step("its limit", "new", wrong(value=sp.Rational(199, 100)))
def _first_limit(value: Any = 2) -> Identity:
    r"""\lim_{\eta\to0}(4+\eta-\eta^2)/(2+2\eta) = 2"""
    return Identity(sp.limit(_family(1), s, 0), value)


@STEPS.step("second family", "new: a target with one output", wrong(sign=-1))
def _second_limit(sign: Any = 1) -> Identity:
    r"""\lim_{\eta\to0}\mathrm{LHS}/(M+Y^2) = (1+\ell)^2/(1+\ell^2)"""
    return Identity(sp.limit(_family(2), s, 0), (1 + ell) ** 2 / (1 + sign * ell**2))


@STEPS.step("its limit", "new", wrong(value=sp.Rational(199, 100)))
def _second_supremum(value: Any = 2) -> Identity:
    r"""\lim_{\ell\to1} (1+\ell)^2/(1+\ell^2) = 2"""
    return Identity(sp.limit((1 + ell) ** 2 / (1 + ell**2), k, sp.oo), value)


LIPSCHITZ = sp.Rational(139681, 10**5)


@STEPS.step(
    "Lipschitz form", "new: the constant lies in [1.39681, 2]", wrong(constant=sp.Rational(139682, 100000))
)
def _lipschitz(constant: Any = LIPSCHITZ) -> Inequality:
    r"""\mathrm{LHS} \ge 1.39681\, L^2[\ldots]\ \text{on an instance}"""
    # LHS less the constant times the bracket, a number: no constant below this one can serve.
    case = instances.lipschitz_worst()
    room = case.lhs - constant * case.lipschitz_bracket
    return Inequality(room, ((room,),))


@STEPS.step(
    "Frobenius reading: REFUTED",
    "Section 3 leaves ‖·‖_D of a matrix undefined; App. D uses the spectral norm",
    wrong(outputs=21),
)
def _frobenius(outputs: int = 23) -> Refutation:
    r"""E\|J_T - AJ_S\|_F^2 > 5(M+Y^2)\ \text{for}\ f_S = f_T,\ n = 23"""
    # Both sides with E|.|_F^2 on the left: (n - 1) l^2 against 5 (M + Y^2) = 20 l^2, for l = 0.99.
    case = instances.same_function(outputs, sp.Rational(99, 100))
    left = case.mean([(d * d.T).trace() for d in case.differences])
    return Refutation(left, 5 * (case.main_term + case.ratio_term))


def _without_ratios(case: Instance, one: Any) -> Refutation:
    """Theorem 1's bound (1 - tau1 tau2) L^2, read for several outputs: it is 0 where tau1 = tau2 = 1."""
    return Refutation(case.lhs, (one - case.tau1 * case.tau2) * largest(case.sigma2_target))


@STEPS.step(
    "τ₁ = τ₂ = 1 is enough: REFUTED",
    "Section 3.2: 'big τ1 and τ2 indicate potentially small differences'",
    wrong(one=3),
)
def _blind(one: Any = 1) -> Refutation:
    r"""\mathrm{LHS} = 4\ell^2 > 0 = (1 - \tau_1\tau_2)L^2"""
    return _without_ratios(instances.aligned_yet_apart(), one)


@STEPS.step("enough for f_S = f_T: REFUTED", "new", wrong(one=3))
def _itself(one: Any = 1) -> Refutation:
    r"""\mathrm{LHS} = \ell^2 > 0 = (1 - \tau_1\tau_2)L^2"""
    return _without_ratios(instances.same_function(), one)


@STEPS.step("Theorem R attained", "new", wrong(factor=2))
def _equality(factor: Any = 1) -> Identity:
    r"""\sqrt{\mathrm{LHS}} = \sqrt{M} + \sqrt{Y^2}\ \text{on the instance}"""
    # sqrt(LHS) = sqrt(M) + sqrt(Y^2) where M = 0.
    case = instances.aligned_yet_apart()
    return Identity(sp.sqrt(case.lhs), sp.sqrt(case.main_term) + factor * sp.sqrt(case.ratio_term))
