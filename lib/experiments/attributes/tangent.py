"""tau1, tau2 and alpha against an embedding of many outputs, without its Jacobian (Defs. 1 to 4, eq. 1).

`transferability.measure` would form J_T, of 128 x 6,912 numbers a photo. Its top singular vectors come from
products with J_T alone (`jacobian.top_singular`), once a reference; a source costs two rows of J_S, and one
product J_T delta_S.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from lib.base import compute
from lib.measures import jacobian, singular, transferability

CHUNK = 100  # photos whose Jacobians, or tangents, exist at a time
Model = Callable[[Tensor], Tensor]


@dataclass(frozen=True)
class Attacks:
    """Definition-1 attacks on a source: delta (N, *shape) of length 1, J_S delta (N, m), sigma (N, 2)."""

    delta: Tensor
    deviation: Tensor
    sigma: Tensor


def attacks(source: Model, x: Tensor) -> Attacks:
    """Of a source with few outputs, from its rows: exact (Def. 1)."""
    found = []
    for part in x.split(CHUNK):
        top = singular.top_pair(jacobian.jacobians(source, part))
        found.append((top.right().reshape(part.shape).to(x), top.deviation(), top.sigma))
    return Attacks(*(torch.cat(column) for column in zip(*found)))


def pushed(f: Model, x: Tensor, direction: Tensor) -> Tensor:
    """J_f direction (N, d) in float64, by forward mode; direction (N, *shape)."""
    with warnings.catch_warnings():  # torch scripts its forward-mode rules on their first use
        warnings.filterwarnings("ignore", ".*torch.jit.script.*", FutureWarning)
        moved = [
            torch.func.jvp(f, (part,), (step,))[1].detach().flatten(1)
            for part, step in zip(x.split(CHUNK), direction.split(CHUNK))
        ]
    return torch.cat(moved).double()


def measures(
    found: Attacks, deviation_target: Tensor, delta_target: Tensor, sigma_target: Tensor
) -> dict[str, Any]:
    """tau1, tau2, alpha, psi and the means of sigma and lambda, as `transferability.measure` defines them.

    delta_target (N, *shape) of length 1 and sigma_target (N, 2) belong to the reference's own attack;
    deviation_target (N, d) is the reference's under the source's. All attacks have length 1.
    """
    cosine = (found.delta.flatten(1).double() * delta_target.flatten(1).double()).sum(1)
    tau1 = cosine.square().clamp(max=1)
    alpha_squared = float(deviation_target.square().sum() / sigma_target[:, 0].double().square().sum())
    aligned = transferability.align(found.deviation, deviation_target)
    return {
        "tau1": float(tau1.mean()),
        "tau1_error": float(tau1.std() / len(tau1) ** 0.5),  # standard error over the photos
        "tau2": aligned.tau2,
        "alpha": alpha_squared**0.5,
        "alpha_squared": alpha_squared,
        "projection_scale": aligned.projection_scale,
        "sigma": [float(found.sigma[:, 0].mean()), float(sigma_target[:, 0].mean())],
        "lambda": [_ratio(found.sigma), _ratio(sigma_target)],
    }


def nulls(deviation_source: Tensor, deviation_target: Tensor, seed: int, repeats: int) -> dict[str, Any]:
    """What unrelated pairings give for tau2, [mean, 95th per cent], and tau2 out of sample."""
    pair = deviation_source, deviation_target

    def null(signs: str) -> list[float]:
        stream = compute.generator(seed, "null", signs)
        found = transferability.tau2_null(*pair, generator=stream, repeats=repeats, signs=signs)
        return [float(found.mean()), float(found.quantile(0.95))]

    half = transferability.split_half(*pair, generator=compute.generator(seed, "half"))
    return {"tau2_null": null("random"), "tau2_kept_null": null("kept"), "tau2_split_half": half}


def _ratio(sigma: Tensor) -> float:
    """Mean of sigma_2 / sigma_1; 0 where both are."""
    top = sigma[:, 0].where(sigma[:, 0] > 0, torch.inf)
    return float((sigma[:, 1] / top).mean())
