"""The chapter "Propositions": the cross adversarial loss and its tangent, as epsilon shrinks (Prop. 2)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor

from lib.attacks.virtual import virtual
from lib.experiments.pairs.attacked import adversarial_loss
from lib.experiments.pairs.pairs import Pair
from lib.measures import transferability
from lib.models.mlp import beta_bound
from lib.theory import bounds


def shrink(pair: Pair, epsilons: Sequence[float]) -> list[dict[str, float]]:
    """For each epsilon: L_adv, the two sides of Prop. 2 with and without the remainder, and the remainder.

    remainder = |L_adv - eps^2 E|J_T delta|^2|; allowed = beta L eps^3 + beta^2 eps^4 / 4 with L = max sigma_T
    and the certified beta; `both_signs`: the remainder of the mean of L_adv over delta and -delta, which has
    no cubic term.
    """
    interval = bounds.proposition_2(*pair.jacobians())
    found = transferability.measure(pair.source, pair.target, pair.x)
    attack = virtual(pair.source, pair.x, 1.0)
    largest, beta = found.sigma_target.max().item(), beta_bound(pair.target)
    rows = []
    for epsilon in epsilons:
        plus, minus = (adversarial_loss(pair.target, pair.x, s * epsilon * attack) for s in (1, -1))
        tangent = epsilon**2 * interval.value
        rows.append(
            {
                "epsilon": epsilon,
                "loss": plus,
                "lower": epsilon**2 * interval.lower,
                "upper": epsilon**2 * interval.upper,
                "remainder": abs(plus - tangent),
                "both_signs": abs((plus + minus) / 2 - tangent),
                "allowed": beta * largest * epsilon**3 + beta**2 * epsilon**4 / 4,
            }
        )
    return rows


def slope(rows: Sequence[dict[str, float]], name: str) -> float:
    """The least-squares slope of log `name` over log epsilon."""
    x = torch.tensor([row["epsilon"] for row in rows], dtype=torch.float64).log()
    y = torch.tensor([row[name] for row in rows], dtype=torch.float64).log()
    return ((x - x.mean()) @ (y - y.mean()) / (x - x.mean()).square().sum()).item()


def wording(jac_source: Tensor, jac_target: Tensor) -> dict[str, Any]:
    """Prop. 2's upper bound, lambda_T a ratio (Def. 4) or "the maximal singular value" (App. F)."""
    found = transferability.measure_jacobians(jac_source, jac_target)
    interval = bounds.proposition_2(jac_source, jac_target)
    square = found.sigma_target.square()
    norm = square.max()
    printed = ((norm + (1 - norm) * found.tau1_per_sample) * square).mean()
    return {"value": interval.value, "ratio": interval.upper, "norm": printed.item()}


def spread(values: Sequence[float]) -> tuple[float, float, float]:
    """Least, median and largest."""
    ordered = sorted(values)
    return ordered[0], ordered[len(ordered) // 2], ordered[-1]
