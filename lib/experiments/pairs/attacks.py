"""The chapters "Definitions" and "Propositions": attacks on small networks, and the losses under them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import astuple
from typing import Any

import torch
from torch import Tensor
from torch.nn.functional import normalize

from lib.attacks.tangent import virtual
from lib.base import streams
from lib.experiments.pairs.networks import Pair, networks
from lib.experiments.pairs.settings import Config
from lib.measures import jacobian, singular, transferability
from lib.models.mlp import beta_bound
from lib.theory import bounds

_CIRCLE = 181  # points that draw a circle
_STARTS = 8  # of the ascent to the exact attack, the two tangent attacks among them
_STEPS = 60


def plane(config: Config, perturbation: float, seed: int = 0) -> dict[str, Any]:
    """Figure 1 on networks R^2 -> R^2: the unit circle of attacks at one point, and its two images.

    The point is the sample where angle and both ratios lambda are easiest to see (the largest
    (1 - tau1(x)) lambda_S lambda_T). Deviations are those of the tangents (eq. 1); A is that of all samples.
    Raises ValueError for a config with other than two inputs.
    """
    if config.inputs != 2:
        raise ValueError(f"inputs = {config.inputs}: a plane has 2")
    source, target = networks(config, seed, perturbation, outputs=(2, 2)).jacobians()
    found = transferability.measure_jacobians(source, target)
    index = ((1 - found.tau1_per_sample) * found.lambda_source * found.lambda_target).argmax()
    turn = torch.linspace(0, 2 * torch.pi, _CIRCLE, dtype=torch.float64)
    circle = torch.stack([turn.cos(), turn.sin()], dim=1).to(source)
    here, there = source[index], target[index]
    own, other = (singular.top_pair(stack[None]).right()[0] for stack in (here, there))
    other = other * torch.sign(own @ other)  # the sign is free: take the nearer one
    return {
        "circle": circle, "image_source": circle @ here.mT, "image_target": circle @ there.mT,
        "attack_source": own, "attack_target": other, "source_own": here @ own, "target_moved": there @ own,
        "target_own": there @ other, "aligned": found.alignment @ here @ own, "index": int(index),
    }  # fmt: skip


def tangent_against_exact(pair: Pair, epsilons: Sequence[float], seed: int = 0) -> list[dict[str, Any]]:
    """How good the tangent attack on the target is, for each radius (Def. 1).

    gain (N,): |f(x + delta) - f(x)| for the better sign of the tangent attack, over its largest value that an
    ascent from several starts finds in the ball. bend (N,): |f(x + delta) - f(x) - J delta| / |J delta|.
    """
    direction = virtual(pair.target, pair.x, 1.0)
    slope = (jacobian.jacobians(pair.target, pair.x) @ direction.unsqueeze(-1)).squeeze(-1)
    draw = streams.generator(seed, "exact attack")
    rows = []
    for epsilon in epsilons:
        tangent = torch.stack([epsilon * direction, -epsilon * direction])
        moved, linear = _moved(pair, tangent), epsilon * slope
        reached = moved.norm(dim=-1).amax(0)
        exact = torch.maximum(reached, _ascend(pair, tangent, epsilon, draw))
        bend = (moved[0] - linear).norm(dim=-1) / linear.norm(dim=-1)
        rows.append({"epsilon": epsilon, "gain": reached / exact, "bend": bend})
    return rows


def adversarial_loss(target: jacobian.Model, x: Tensor, delta: Tensor) -> float:
    """Def. 6 with the mean squared loss and y = f_T: E|f_T(x + delta) - f_T(x)|^2."""
    with torch.no_grad():
        return (target(x + delta) - target(x)).flatten(1).square().sum(-1).mean().item()


def loss_ratios(pair: Pair, epsilons: Sequence[float]) -> list[dict[str, float]]:
    """The target's loss under the source's attack over that under its own, beside alpha and its square."""
    found, directions = pair.measure(), [virtual(f, pair.x, 1.0) for f in (pair.source, pair.target)]
    rows = []
    for epsilon in epsilons:
        there, here = (adversarial_loss(pair.target, pair.x, epsilon * delta) for delta in directions)
        own = {"alpha": found.alpha, "alpha_squared": found.alpha_squared}
        rows.append({"epsilon": epsilon, "ratio": there / here, **own})
    return rows


def same_attack_many_targets(pair: Pair, epsilon: float) -> list[list[Any]]:
    """Three targets that one affine map turns into one another: what each measure says of them."""
    targets: dict[str, jacobian.Model] = {
        "$f_T$": pair.target,
        "$3 f_T$": lambda x: 3 * pair.target(x),
        "$f_T$ with every output twice": lambda x: pair.target(x).repeat(1, 2),
    }
    delta = virtual(pair.source, pair.x, epsilon)
    rows = []
    for name, target in targets.items():
        found = transferability.measure(pair.source, target, pair.x)
        loss = adversarial_loss(target, pair.x, delta)
        rows.append([name, loss / epsilon**2, found.tau1, found.tau2, found.alpha_squared])
    return rows


def shrink(pair: Pair, epsilons: Sequence[float]) -> list[dict[str, float]]:
    """For each epsilon: L_adv, the two sides of Prop. 2 with and without the remainder, and the remainder.

    remainder = |L_adv - eps^2 E|J_T delta|^2|; allowed = beta L eps^3 + beta^2 eps^4 / 4 with L = max sigma_T
    and the certified beta; `both_signs`: the remainder of the mean of L_adv over delta and -delta, which has
    no cubic term.
    """
    interval = bounds.proposition_2(*pair.jacobians())
    attack = virtual(pair.source, pair.x, 1.0)
    largest, beta = pair.measure().sigma_target.max().item(), beta_bound(pair.target)
    rows = []
    for epsilon in epsilons:
        plus, minus = (adversarial_loss(pair.target, pair.x, s * epsilon * attack) for s in (1, -1))
        lower, tangent, upper = (epsilon**2 * side for side in astuple(interval))
        sides = {"epsilon": epsilon, "loss": plus, "lower": lower, "upper": upper}
        rest = {"remainder": abs(plus - tangent), "both_signs": abs((plus + minus) / 2 - tangent)}
        rows.append(sides | rest | {"allowed": beta * largest * epsilon**3 + beta**2 * epsilon**4 / 4})
    return rows


def slope(rows: Sequence[dict[str, float]], name: str) -> float:
    """The least-squares slope of log `name` over log epsilon."""
    x, y = (torch.tensor([row[k] for row in rows], dtype=torch.float64).log() for k in ("epsilon", name))
    return ((x - x.mean()) @ (y - y.mean()) / (x - x.mean()).square().sum()).item()


def spread(values: Sequence[float]) -> tuple[float, float, float]:
    """Least, median and largest."""
    ordered = sorted(values)
    return ordered[0], ordered[len(ordered) // 2], ordered[-1]


def wording(jac_source: Tensor, jac_target: Tensor) -> dict[str, float]:
    """Prop. 2's upper bound, lambda_T a ratio (Def. 4) or "the maximal singular value" (App. F)."""
    found = transferability.measure_jacobians(jac_source, jac_target)
    interval = bounds.proposition_2(jac_source, jac_target)
    square = found.sigma_target.square()
    norm = square.max()
    printed = ((norm + (1 - norm) * found.tau1_per_sample) * square).mean()
    return {"value": interval.value, "ratio": interval.upper, "norm": printed.item()}


def _moved(pair: Pair, delta: Tensor) -> Tensor:
    """f_T(x + delta) - f_T(x) for delta (S, N, n)."""
    moved: Tensor = pair.target((pair.x + delta).flatten(0, 1)).unflatten(0, delta.shape[:2])
    return moved.sub(pair.target(pair.x))


def _ascend(pair: Pair, tangent: Tensor, epsilon: float, draw: torch.Generator) -> Tensor:
    """The largest |f_T(x + delta) - f_T(x)| (N,) over the ball, by projected ascent from `_STARTS` starts."""
    others = torch.randn(_STARTS - 2, *pair.x.shape, generator=draw, dtype=torch.float64).to(pair.x)
    delta = torch.cat([tangent, epsilon * normalize(others, dim=-1)])
    best = torch.zeros(len(pair.x)).to(pair.x)
    for step in range(_STEPS):
        delta = delta.requires_grad_(True)
        size = _moved(pair, delta).norm(dim=-1)
        (gradient,) = torch.autograd.grad(size.sum(), delta)
        best = torch.maximum(best, size.detach().amax(0))
        delta = delta.detach() + epsilon * (1 - step / _STEPS) * normalize(gradient, dim=-1)
        length = delta.norm(dim=-1, keepdim=True)
        delta = torch.where(length > epsilon, epsilon * delta / length, delta)
    return best
