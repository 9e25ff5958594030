"""The repair of Theorem 2: a pointwise bound on |J_T - A J_S|_2 that holds for every matrix A.

Notation at one point x: J = J_T with top triple (sigma, w, v'), R = J - sigma w v'^T, so R v' = 0, R^T w = 0
and |R| <= lambda sigma; c = <v_S, v'>; p = J v_S; f = A J_S v_S with |f| <= F; e = |p - f|;
s^2 = (1 - c^2) sigma^2 and H^2 = e^2 + s^2. A unit z = a w + b y (y a unit orthogonal to w) and
z' = b w - a y; D = <z', p>, phi = <z', f>, xi = D - phi = <z', p - f>.
"""

from __future__ import annotations

from typing import Any

import sympy as sp

from lib.theory.symbolic.step import Identity, Inequality, Steps, wrong
from lib.theory.symbolic.theorem_2 import line_17
from lib.theory.symbolic.vectors import Space, vectors

a, b, c, D, phi, xi, wp, yp, ze, zp = sp.symbols("a b c D phi xi <w|p> <y|p> <z|e> <z|p>", real=True)
e, s, F, lam, sigma, Ry, Rv, T, theta, g, S = sp.symbols(
    "e s F lambda sigma |R^Ty| |Rv_S| T theta g lambda_S|A|sigma_S", nonnegative=True
)
sizes, parts = sp.symbols("sigma_2:5", nonnegative=True), sp.symbols("u_2:5", real=True)  # of J_S, of u
M, Y, root = sp.symbols("sqrt(M) sqrt(Y2) sqrt(LHS)", nonnegative=True)
H2 = e**2 + s**2

STEPS = Steps()


@STEPS.step(
    "second singular value",
    "Theorem R, step 1",
    wrong(k=sp.Rational(1, 2), at=dict(zip((*sizes, *parts), (1, 0, 0, 1, 0, 0)))),
)
def _complement(k: Any = 1) -> Inequality:
    r"""|J_S u| \le \lambda_S\sigma_S|u|\ \text{for}\ u \perp v_S:\ \|A J_S(I - v_Sv_S^\top)\|_2 \le
    \lambda_S\|A\|_2\sigma_S"""
    # |J u|^2 = sum sigma_i^2 u_i^2 without i = 1, three terms standing for any number.
    top, *others = sizes
    goal = k * top**2 * sum(u**2 for u in parts) - sum(p**2 * q**2 for p, q in zip(sizes, parts))
    terms = tuple((top - size, top + size, u**2) for size, u in zip(others, parts[1:]))
    return Inequality(goal, terms, given=tuple(top - size for size in others))


@STEPS.step("quadratic form of N", "Theorem R, step 2", wrong(k=2), wrong(k=-1))
def _quadratic_form(k: Any = 1) -> Identity:
    r"""z^\top NN^\top z = \langle z, p-f\rangle^2 + |J^\top z|^2 - \langle z, p\rangle^2,\quad N = J - f
    v_S^\top"""
    # |N^T z|^2 with N = J - f v^T: N^T z = J^T z - <f, z> v, and <J^T z, v> = <z, p>.
    jz, v = vectors("JTz v")
    space = Space(v__v=1, JTz__v=zp)
    return Identity(space.square(jz - (zp - ze) * v), ze**2 + space.square(jz) - k * zp**2)


@STEPS.step("form of J", "Theorem R, step 3", wrong(k=2, at={lam: 0, b: 1, sigma: 1, Ry: 0}))
def _own_form(k: Any = 1) -> Inequality:
    r"""|J^\top z|^2 \le \sigma^2 - (1-\lambda^2)b^2\sigma^2"""
    # |J^T z|^2 = a^2 sigma^2 + b^2 |R^T y|^2: J^T z = a sigma v' + b R^T y, <v', R^T y> = 0.
    space, (v, r) = Space(v__v=1, r__r=Ry**2, v__r=0), vectors("v r")
    square = space.square(a * sigma * v + b * r).subs(a**2, 1 - b**2)
    room = lam**2 * sigma**2 - Ry**2
    return Inequality(sigma**2 - k * (1 - lam**2) * b**2 * sigma**2 - square, ((b**2, room),), given=(room,))


@STEPS.step("Bessel", "Theorem R, step 4", wrong(k=-1), wrong(k=2))
def _bessel(k: Any = 1) -> Identity:
    r"""\langle z, p-f\rangle^2 \le e^2 - \xi^2"""
    # |eps|^2 - <z, eps>^2 - <z', eps>^2 is the square of what z and z' leave of eps.
    space, (eps, z, q) = Space(z__z=1, q__q=1, z__q=0), vectors("eps z q")
    first, second = space.dot(eps, z), space.dot(eps, q)
    return Identity(space.square(eps) - first**2 - k * second**2, space.square(eps - first * z - second * q))


@STEPS.step("rotation", "Theorem R, step 5", wrong(k=-1), wrong(k=2))
def _rotation(k: Any = 1) -> Identity:
    r"""\langle z,p\rangle^2 + D^2 = \langle w,p\rangle^2 + \langle y,p\rangle^2"""
    # <z, p>^2 + <z', p>^2 = <w, p>^2 + <y, p>^2.
    left = (a * wp + b * yp) ** 2 + (b * wp - a * yp) ** 2
    return Identity(left.expand().subs(a**2, 1 - b**2).expand().subs(a**2, 1 - b**2), wp**2 + k * yp**2)


@STEPS.step(
    "image of the attack", "Theorem R, step 6", wrong(k=sp.Rational(1, 2), at={lam: 1, sigma: 1, c: 0, Rv: 1})
)
def _image(k: Any = 1) -> Inequality:
    r"""\langle w,p\rangle = c\sigma,\quad |\langle y,p\rangle| \le |Rv_S| \le \lambda s"""
    # |R v_S| = |R (v_S - c v')| <= lambda sigma sqrt(1 - c^2), and p = c sigma w + R v_S.
    space, (v, w) = Space(v__v=1, w__w=1, v__w=c), vectors("v w")
    sine2 = space.square(v - c * w)
    room = lam**2 * sigma**2 * sine2 - Rv**2
    return Inequality(k * lam**2 * sigma**2 * (1 - c**2) - Rv**2, ((room,),), given=(room, 1 - c**2))


@STEPS.step("assembled", "Theorem R, step 7", wrong(sign=-1))
def _assemble(sign: Any = 1) -> Identity:
    r"""z^\top NN^\top z \le H^2 + (D^2-\xi^2) - \langle y,p\rangle^2 - (1-\lambda^2)b^2\sigma^2"""
    # All substitutions together, with equality where a bound was used: nothing is lost or added by hand.
    total = (e**2 - xi**2) + (sigma**2 - (1 - lam**2) * b**2 * sigma**2) - (wp**2 + yp**2 - D**2)
    wanted = H2 + (D**2 - sign * xi**2) - yp**2 - (1 - lam**2) * b**2 * sigma**2
    return Identity(total.subs(sigma**2, wp**2 + s**2), wanted.subs(sigma**2, wp**2 + s**2))


@STEPS.step("first bound", "Theorem R, step 8", wrong(k=1, at={e: 1, F: 1, xi: 1, phi: 1}))
def _first(k: Any = 2) -> Inequality:
    r"""D^2 - \xi^2 = 2\xi\varphi + \varphi^2 \le 2eF + F^2"""
    # D^2 - xi^2 = 2 xi phi + phi^2 with D = xi + phi; |xi| <= e, |phi| <= F.
    room = (e * F - xi * phi, F**2 - phi**2)
    goal = k * e * F + F**2 - ((xi + phi) ** 2 - xi**2)
    return Inequality(goal, ((2, room[0]), (room[1],)), given=room)


@STEPS.step(
    "second bound",
    "Theorem R, step 9",
    wrong(k=1, at={a: -1, b: 0, yp: 2, phi: 1, wp: 0, sigma: 0, lam: 1, s: 2, F: 1}),
)
def _second(k: Any = 2) -> Inequality:
    r"""D^2 - \xi^2 = 2D\varphi - \varphi^2 \le b^2\sigma^2 + 2\lambda s F"""
    # D^2 - xi^2 = 2 D phi - phi^2, D = b <w,p> - a <y,p>; |<w,p>| <= sigma, -a <y,p> phi <= lambda s F.
    room = (sigma**2 - wp**2, lam * s * F + a * yp * phi)
    goal = b**2 * sigma**2 + k * lam * s * F - (2 * (b * wp - a * yp) * phi - phi**2)
    return Inequality(goal, (((b * wp - phi) ** 2,), (b**2, room[0]), (2, room[1])), given=room)


@STEPS.step("weighted by λ²", "Theorem R, step 10", wrong(sign=1))
def _combine(sign: Any = -1) -> Identity:
    r"""z^\top NN^\top z \le H^2 + \lambda^2F^2 + 2\lambda F(\lambda e + (1-\lambda^2)s)"""
    # lambda^2 times the first bound and 1 - lambda^2 times the second: b disappears.
    mixed = lam**2 * (2 * e * F + F**2) + (1 - lam**2) * (b**2 * sigma**2 + 2 * lam * s * F)
    left = H2 + mixed + sign * (1 - lam**2) * b**2 * sigma**2
    return Identity(left, H2 + lam**2 * F**2 + 2 * lam * F * (lam * e + (1 - lam**2) * s))


@STEPS.step("Cauchy–Schwarz", "Theorem R, step 11", wrong(k=sp.Rational(1, 2), at={lam: 1, e: 1, s: 0}))
def _cauchy(k: Any = 1) -> Inequality:
    r"""\lambda e + (1-\lambda^2)s \le H\sqrt{1-\lambda^2+\lambda^4} \le H"""
    # H^2 - (lambda e + (1 - lambda^2) s)^2 as a sum of squares and lambda^2 (1 - lambda^2) H^2.
    goal = k * H2 - (lam * e + (1 - lam**2) * s) ** 2
    terms = ((((1 - lam**2) * e - lam * s) ** 2,), (lam**2, 1 - lam, 1 + lam, H2))
    return Inequality(goal, terms, given=(1 - lam,))


@STEPS.step(
    "square completed",
    "Theorem R, step 12",
    wrong(k=3, at={lam: 1, F: 1, T: 1, sp.Symbol("H", nonnegative=True): 1}),
)
def _complete(k: Any = 2) -> Inequality:
    r"""z^\top NN^\top z \le (H + \lambda F)^2"""
    # (H + lambda F)^2 - [H^2 + lambda^2 F^2 + 2 lambda F T] = 2 lambda F (H - T), T of the last step.
    big = sp.Symbol("H", nonnegative=True)
    goal = (big + lam * F) ** 2 - (big**2 + lam**2 * F**2 + k * lam * F * T)
    return Inequality(goal, ((2, lam, F, big - T),), given=(big - T,))


@STEPS.step("mean of the first root", "Theorem R to Theorem 2; App. D (16), (17)", wrong(k=-1), wrong(k=2))
def _first_root(k: Any = 1) -> Identity:
    r"""E[e^2 + (1-\tau_1(x))\sigma_T^2] \le M"""
    return line_17(k=k)  # per point, with (16) and the line after it


@STEPS.step(
    "the constant 2", "Theorem R to Theorem 2", wrong(k=sp.Rational(19, 10), at={M: 1, Y: 1, root: 2})
)
def _two(k: Any = 2) -> Inequality:
    r"""\sqrt{\mathrm{LHS}} \le \sqrt{M} + \sqrt{Y^2} \Rightarrow \mathrm{LHS} \le 2(M + Y^2)"""
    room = M + Y - root
    goal = k * (M**2 + Y**2) - root**2
    return Inequality(goal, (((M - Y) ** 2,), (room, M + Y + root)), given=(room,))


@STEPS.step("X1 is free", "a shorter way to 2, with the correct third term", wrong(k=-1), wrong(k=2))
def _cheap(k: Any = 1) -> Identity:
    r"""(\theta e + \theta' g)^2 \le e^2 + g^2\quad(\theta^2+\theta'^2=1)"""
    # |(J_T - A J_S) t|^2 <= (theta e + theta' g)^2 <= e^2 + g^2, theta^2 + theta'^2 = 1: nothing is paid.
    other = sp.Symbol("theta'", nonnegative=True)
    left = (theta**2 + other**2) * (e**2 + g**2) - k * (theta * e + other * g) ** 2
    return Identity(left, (theta * g - other * e) ** 2)
