"""Both sides of Proposition 2 and Theorems 1 to 3, as the paper prints them and sharper.

Stacks are (N, m, n) and (N, d, n) and everything is computed in float64 for epsilon = 1. Expectations are
over `weights`; suprema (Lipschitz constant, worst-case ratio) are maxima over the samples of positive weight.
The proofs, and what is wrong with the printed ones: the chapters "Propositions" and "Theorem 1" to "3".
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass

import torch
from torch import Tensor

from lib.measures.transferability import Transferability, check_pair, check_range, measure_jacobians, near_one

_ELEMENTS = 2**22  # entries of the stacks in one chunk


@dataclass(frozen=True)
class Bound:
    """A left-hand side and named upper bounds on it."""

    lhs: float | None
    rhs: Mapping[str, float]


@dataclass(frozen=True)
class Interval:
    """lower <= value <= upper."""

    lower: float
    value: float
    upper: float


def proposition_2(jac_source: Tensor, jac_target: Tensor, weights: Tensor | None = None) -> Interval:
    """The epsilon^2 coefficients of the cross adversarial loss (Def. 6) and its bounds (Prop. 2, App. F).

    value = E|J_T v_S|^2, lower = E[tau1(x) sigma_T^2] and
    upper = E[(lambda_T^2 + (1 - lambda_T^2) tau1(x)) sigma_T^2] (eq. 25), lambda_T the worst-case ratio of
    singular values (Def. 4); with the "maximal singular value", as App. F words it, the bound is false.
    Raises as `measure_jacobians`.
    """
    m, w, *_ = _measure(jac_source, jac_target, weights)
    tau1, square = m.tau1_per_sample, m.sigma_target.square()
    ratio = m.lambda_target.max().item() ** 2
    upper = w @ ((ratio + (1 - ratio) * tau1) * square)
    sides = w @ (tau1 * square), w @ m.deviation_target.square().sum(-1), upper
    return Interval(*(side.item() for side in sides))


def theorem_1(jac_source: Tensor, jac_target: Tensor, weights: Tensor | None = None) -> Bound:
    """Theorem 1, for scalar functions (m = d = 1): lhs = E|grad f_T - A grad f_S|^2.

    rhs["exact"] = E[(1 - tau1(x) tau2) |grad f_T|^2], an equality; rhs["lipschitz"] = (1 - tau1 tau2) L^2
    with L = max |grad f_T|. Raises ValueError for more than one output, and as `measure_jacobians`.
    """
    m, w, source, target = _measure(jac_source, jac_target, weights)
    if source.shape[1] != 1 or target.shape[1] != 1:
        outputs = f"{source.shape[1]} and {target.shape[1]}"
        raise ValueError(f"Theorem 1 is for one output each, not {outputs}: use theorem_2")
    exact = w @ ((1 - m.tau1_per_sample * m.tau2) * m.sigma_target.square())
    lipschitz = (1 - m.tau1 * m.tau2) * m.sigma_target.max().item() ** 2
    return Bound(_gradient_distance(source, target, m, w), {"exact": exact.item(), "lipschitz": lipschitz})


def theorem_2(jac_source: Tensor, jac_target: Tensor, weights: Tensor | None = None) -> Bound:
    """Theorem 2: lhs = E|J_T - A J_S|_2^2, spectral norms, and five upper bounds on it.

    M  = E[((1 - tau1(x) tau2) + (1 - tau1(x))(1 - tau2) lambda_T(x)^2) sigma_T^2]
    Y2 = E[(lambda_T(x) + lambda_S(x))^2 sigma_S^2] E[sigma_T^2] / E[sigma_S^2]
    "paper"        5 (M + Y2), App. D
    "lipschitz"    5 L^2 [(1 - tau1 tau2) + (1 - tau1)(1 - tau2) lambda_T^2 + (lambda_T + lambda_S)^2]
    "constant_two" 2 (M + Y2), the best constant
    "minkowski"    (sqrt M + sqrt Y2)^2
    "pointwise"    E[(sqrt(e^2 + (1 - tau1(x)) sigma_T^2) + (lambda_T(x) + lambda_S(x)) |A| sigma_S)^2],
                   e = |(J_T - A J_S) v_S|
    The last three are proved in the chapter "Theorem 2". Raises as `measure_jacobians`.
    """
    m, w, source, target = _measure(jac_source, jac_target, weights)
    main, rest = _main_term(m, w), _rest_term(m, w)
    return Bound(
        _gradient_distance(source, target, m, w),
        {
            "paper": 5 * (main + rest),
            "lipschitz": _lipschitz_form(m),
            "constant_two": 2 * (main + rest),
            "minkowski": (math.sqrt(main) + math.sqrt(rest)) ** 2,
            "pointwise": _pointwise_form(m, w),
        },
    )


def theorem_3(
    reference_loss: float, gradient_distance: float, norm_ratio: float, beta: float, radius: float = 1.0
) -> Bound:
    """Theorem 3: upper bounds on the squared loss |g o f_S - y|_D^2 of the transferred model.

    reference_loss = |f_T - y|_D and gradient_distance = E[|J_T - A J_S|_2^2]^(1/2), both roots; norm_ratio =
    |J_T|_{D,2} / |J_S|_{D,2}; beta: smoothness (Def. 5); radius: max |x|, 1 in the paper.
    "paper": (reference_loss + radius gradient_distance + radius^2 (1 + norm_ratio) beta)^2, App. E;
    "half_beta": the same with beta / 2, by the integral form of the mean value theorem.
    Raises ValueError for a negative or non-finite argument.
    """
    names = ("reference_loss", "gradient_distance", "norm_ratio", "beta", "radius")
    for name, value in zip(names, (reference_loss, gradient_distance, norm_ratio, beta, radius)):
        if not (math.isfinite(value) and value >= 0):
            raise ValueError(f"{name} = {value}: pass a finite number of at least 0")
    first = reference_loss + radius * gradient_distance
    bend = radius**2 * (1 + norm_ratio) * beta
    paper, half = first + bend, first + bend / 2
    return Bound(None, {"paper": float(paper * paper), "half_beta": float(half * half)})


def _measure(
    jac_source: Tensor, jac_target: Tensor, weights: Tensor | None
) -> tuple[Transferability, Tensor, Tensor, Tensor]:
    """The measures, the weights and both stacks, on the support: what A does elsewhere may be no number."""
    weights = check_pair(jac_source, jac_target, weights)
    on = weights > 0
    if not on.all():
        every = weights, jac_source, jac_target
        weights, jac_source, jac_target = (each[on.to(each.device)] for each in every)
    measured = measure_jacobians(jac_source, jac_target, weights)
    check_range(measured.sigma_target.square(), measured.alignment)
    return measured, weights.to(measured.sigma_target.device), jac_source.detach(), jac_target.detach()


def _gradient_distance(source: Tensor, target: Tensor, m: Transferability, w: Tensor) -> float:
    """E|J_T - A J_S|_2^2, a chunk at a time."""
    size = max(1, _ELEMENTS // max(source[0].numel(), target[0].numel()))
    pairs = zip(torch.split(source, size), torch.split(target, size))
    norms = [torch.linalg.matrix_norm(t.double() - m.alignment @ s.double(), ord=2) for s, t in pairs]
    return (w @ torch.cat(norms).square()).item()


def _main_term(m: Transferability, w: Tensor) -> float:
    """M: the deviation seen under the attack, and the attack missed by an angle."""
    tau1, ratio = m.tau1_per_sample, m.lambda_target.square()
    return (w @ (((1 - tau1 * m.tau2) + (1 - tau1) * (1 - m.tau2) * ratio) * m.sigma_target.square())).item()


def _rest_term(m: Transferability, w: Tensor) -> float:
    """Y2: what lies beside the attacks; 0 where J_S vanishes everywhere, as A does."""
    ratio = (m.lambda_target + m.lambda_source).square()
    square = near_one(m.sigma_source).square()  # their scale cancels
    source = w @ square
    if source == 0:
        return 0.0
    return (w @ (ratio * square) * (w @ m.sigma_target.square()) / source).item()


def _lipschitz_form(m: Transferability) -> float:
    worst_t, worst_s = m.lambda_target.max().item(), m.lambda_source.max().item()
    bracket = (1 - m.tau1 * m.tau2) + (1 - m.tau1) * (1 - m.tau2) * worst_t**2 + (worst_t + worst_s) ** 2
    return 5 * m.sigma_target.max().item() ** 2 * bracket


def _pointwise_form(m: Transferability, w: Tensor) -> float:
    miss = (m.deviation_target - m.deviation_source @ m.alignment.mT).square().sum(-1)
    first = (miss + (1 - m.tau1_per_sample) * m.sigma_target.square()).sqrt()
    norm = torch.linalg.matrix_norm(m.alignment, ord=2)
    rest: Tensor = (m.lambda_target + m.lambda_source) * norm * m.sigma_source
    return (w @ (first + rest).square()).item()
