"""Proposition 2 (App. F): the cross adversarial loss between two quadratics in epsilon.

J is the target's Jacobian at one point, v' its top right singular vector, sigma = |J v'|; the source's unit
attack is v1 + v2 with v1 parallel and v2 orthogonal to v'. `Jp`, `Jq` stand for J v' and J v2.
"""

from __future__ import annotations

from typing import Any

import sympy as sp

from lib.theory.symbolic import instances
from lib.theory.symbolic.step import Identity, Inequality, Refutation, Steps, wrong
from lib.theory.symbolic.vectors import Space, vectors

c = sp.Symbol("c", real=True)
sigma, lam, top, image, tau, eps, beta, L = sp.symbols(
    "sigma lambda(x) lambda |Jv_2| tau_1 epsilon beta L", nonnegative=True
)
inner = sp.Symbol("<a,rho>", real=True)
rho = sp.Symbol("|rho|", nonnegative=True)
FIVE_HALVES = sp.Rational(5, 2)

STEPS = Steps()


@STEPS.step("splitting the attack", "App. F, before (24)", wrong(k=2), wrong(k=-1))
def _split(k: Any = 1) -> Identity:
    r"""|v_1|^2 + |v_2|^2 = 1,\quad |v_1|^2 = \tau_1(x)"""
    space, (p, q) = Space(p__p=1), vectors("p q")
    angle = space.dot(p, q)
    return Identity(space.square(q), angle**2 + k * space.square(q - angle * p))


@STEPS.step("orthogonal images", "App. F (24)", wrong(cross=1), wrong(cross=-1))
def _orthogonal(cross: Any = 0) -> Identity:
    r"""|J_T(v_1 + v_2)|^2 = \tau_1(x)\sigma_T^2 + |J_T v_2|^2"""
    # <J v', J v2> = sigma^2 <v', v2> = 0: the images are orthogonal, so the squares add.
    space, (p, q) = Space(Jp__Jp=sigma**2, Jp__Jq=cross), vectors("Jp Jq")
    return Identity(space.square(c * p + q), c**2 * sigma**2 + space.square(q))


@STEPS.step("lower bound", "App. F, after (24)", wrong(k=2, at={tau: 1, sigma: 1, image: 0}))
def _lower(k: Any = 1) -> Inequality:
    r"""\tau_1(x)\sigma_T^2 + |J_T v_2|^2 \ge \tau_1(x)\sigma_T^2"""
    return Inequality(tau * sigma**2 + image**2 - k * tau * sigma**2, ((image**2,),))


@STEPS.step(
    "upper bound",
    "App. F, after (24)",
    wrong(k=sp.Rational(1, 2), at={top: 1, lam: 1, sigma: 1, tau: 0, image: 1}),
)
def _upper(k: Any = 1) -> Inequality:
    r"""|J_T v_2|^2 \le \lambda_T(x)^2\sigma_T^2(1-\tau_1(x)) \le \lambda_T^2\sigma_T^2(1-\tau_1(x))"""
    # |J v2|^2 <= lambda(x)^2 sigma^2 (1 - tau1), and lambda(x) <= lambda.
    here = lam**2 * sigma**2 * (1 - tau) - image**2
    goal = k * top**2 * sigma**2 * (1 - tau) - image**2
    terms = ((here,), (sigma**2, 1 - tau, top + lam, top - lam))
    return Inequality(goal, terms, given=(here, 1 - tau, top - lam))


@STEPS.step("regrouping", "App. F, before (25)", wrong(sign=1))
def _regroup(sign: Any = -1) -> Identity:
    r"""\tau_1\sigma_T^2 + \lambda_T^2\sigma_T^2(1-\tau_1) = (\lambda_T^2 +
    (1-\lambda_T^2)\tau_1)\sigma_T^2"""
    left = tau * sigma**2 + top**2 * sigma**2 * (1 - tau)
    return Identity(left, (top**2 + (1 + sign * top**2) * tau) * sigma**2)


@STEPS.step(
    "remainder",
    "App. F (23) says O(ε³); the constants are new",
    wrong(k=sp.Rational(1, 2), at={beta: 1, L: 1, eps: 1, rho: sp.Rational(1, 2), inner: sp.Rational(1, 2)}),
)
def _remainder(k: Any = 1) -> Inequality:
    r"""|h(\epsilon)|^2 - \epsilon^2|J_T\delta|^2 \le \beta L\epsilon^3 + \tfrac14\beta^2\epsilon^4"""
    # |h|^2 - eps^2 |a|^2 for h = eps a + rho, |a| <= L, |rho| <= beta eps^2 / 2 (Taylor).
    taylor = beta * eps**2 / 2 - rho
    product = L * rho - inner  # <a, rho> <= L |rho|
    goal = k * (beta * L * eps**3 + beta**2 * eps**4 / 4) - (2 * eps * inner + rho**2)
    terms = ((2 * eps, product), (2 * eps * L, taylor), (taylor, beta * eps**2 / 2 + rho))
    return Inequality(goal, terms, given=(taylor, product))


@STEPS.step("remainder attained", "new", wrong(k=2), wrong(k=-1))
def _sharp(k: Any = 1) -> Identity:
    r"""f(x) = x + x^2/2:\ |f(\epsilon) - f(0)|^2 = \epsilon^2 + \epsilon^3 + \tfrac14\epsilon^4"""
    # f(x) = x + x^2/2 at 0 has L = |f'(0)| = 1 and beta = 1: the remainder is attained.
    x = sp.Symbol("x", real=True)
    f = x + x**2 / 2
    return Identity(f.subs(x, eps) ** 2, eps**2 + k * eps**3 + eps**4 / 4)


@STEPS.step(
    "no common smoothness: REFUTED",
    "App. F asks for a bounded gradient only; Prop. 2 for nothing",
    wrong(k=4),
)
def _steep(k: Any = FIVE_HALVES) -> Refutation:
    r"""L_{adv} - \epsilon^2 E\,\sigma_T^2 > \tfrac52 2^K \epsilon^3\ \text{at}\ \epsilon = 4^{-K},\
    f_T'(x_k + u) = 1 + \min(1, 4^k|u|)"""
    # n = m = d = 1, f_S = x, points x_k (k = 1, 2, ...) of weight 2^-k, f_T'(x_k + u) = 1 + min(1, 4^k |u|).
    # tau1 = 1, lambda = 0, sigma_T = 1, and the gradient stays below 2; the bend at x_k has no common bound.
    # At eps = 4^-K, with s = 2^-K, the points k = K + j have left the bend: 4^k = 4^j / s^2. Every point
    # moves f_T by more than eps, so these alone bound L_adv - eps^2 from below; k eps^(5/2) = (k 2^K) eps^3.
    s, u = sp.symbols("s u", positive=True)
    j = sp.Symbol("j", integer=True, nonnegative=True)
    radius, bend = s**2, 4**j / s**2
    moved = sp.integrate(1 + bend * u, (u, 0, 1 / bend)) + 2 * (radius - 1 / bend)
    excess = sp.expand(s * sp.Rational(1, 2) ** j * (moved**2 - radius**2))
    return Refutation(sp.summation(excess, (j, 0, sp.oo)), k * s * radius**2)


@STEPS.step(
    "λ the largest singular value: REFUTED",
    "App. F: 'λ is the maximal singular value of f_T'",
    wrong(reading="ratio"),
)
def _wording(reading: str = "norm") -> Refutation:
    r"""\lambda_T = \max\sigma_T:\ |J_T\delta_S|^2 > (\lambda_T^2 + (1-\lambda_T^2)\tau_1)\sigma_T^2"""
    # lambda as the norm (App. F's wording) or, in the wrong version of this refutation, as the ratio.
    case = instances.ratio_not_norm()
    sigma2, ratio, tau1 = case.sigma2_target[0], case.lambda_target[0], case.tau1
    lam2 = sigma2 if reading == "norm" else ratio**2
    deviation = case.deviations[1][0]
    return Refutation(deviation.dot(deviation), (lam2 + (1 - lam2) * tau1) * sigma2)
