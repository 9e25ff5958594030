"""The experiment behind the theory chapters: how tight the bounds are on random networks.

One-hidden-layer networks in float64, the source a perturbed copy of the target (Section 4.1). Every number on
those pages that is not exact algebra comes from such pairs, drawn by `networks`.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from lib.base import devices, streams
from lib.experiments.pairs.networks import Pair, networks
from lib.experiments.pairs.settings import PRESETS as PRESETS
from lib.experiments.pairs.settings import Config
from lib.measures import probe, transferability
from lib.models.mlp import beta_sampled
from lib.theory import bounds

NAME = "pairs"
JOB_IGNORES = ("seeds", "restarts", "steps", "learning_rate", "epsilon")  # no record depends on these


def stamp(config: Config, seeds: str) -> str:
    """What a figure of drawn networks is stamped with, where it is not drawn from a run."""
    sizes = f"n = {config.inputs}, width {config.hidden}, N = {config.samples}"
    return f"{config.preset}: drawn networks, {sizes} · {seeds} · {devices.resolve_device(config.device)}"


def datasets(config: Config) -> tuple[()]:
    """Registry names of the data that a run reads: none, every example is drawn."""
    return ()


def jobs(config: Config) -> list[dict[str, Any]]:
    """One job for each seed and perturbation t."""
    return [{"seed": s, "perturbation": t} for s in range(config.seeds) for t in config.perturbations]


def run_job(config: Config, job: dict[str, Any]) -> dict[str, Any]:
    """Measure one pair: tau1, tau2 and its null, both sides of Theorem 2, and `transfer`."""
    pair = networks(config, job["seed"], job["perturbation"])
    stacks = pair.jacobians()
    found, bound = transferability.measure_jacobians(*stacks), bounds.theorem_2(*stacks)
    deviations = found.deviation_source.cpu(), found.deviation_target.cpu()
    draw = streams.generator(job["seed"], "theory", "null")
    return {
        **job,
        "tau1": found.tau1,
        "tau2": found.tau2,
        "tau2_null": transferability.tau2_null(*deviations, generator=draw, repeats=20).mean().item(),
        "tau2_split_half": transferability.split_half(*deviations, generator=draw, repeats=10),
        "projection_scale": found.projection_scale,
        "lhs": bound.lhs,
        "rhs": dict(bound.rhs),
        "transfer": transfer(pair),
        "beta_sampled": max(beta_sampled(net, pair.x) for net in (pair.source, pair.target)),
    }


@dataclass(frozen=True, eq=False)
class Gap:
    """v = f_T - g f_S with g(z) = A (z - f_S(0)) + f_T(0), so that v(0) = 0 (App. E)."""

    values: Tensor  # (N, d): v(x)
    slopes: Tensor  # (N, d, n): J_v(x) = J_T - A J_S
    beta: float  # of both networks, certified
    norm_ratio: float  # |J_T|_{D,2} / |J_S|_{D,2}

    @property
    def bend(self) -> float:
        """beta_1 = (1 + norm_ratio) beta, the smoothness of v (App. E, after eq. 20)."""
        return (1 + self.norm_ratio) * self.beta

    def rest(self, x: Tensor) -> Tensor:
        """|v(x) - v(0) - J_v(x) x| (N,), what Lemma 1 bounds by beta_1 |x|^2."""
        size: Tensor = (self.values - (self.slopes @ x.unsqueeze(-1)).squeeze(-1)).norm(dim=1)
        return size


def gap(pair: Pair) -> Gap:
    """v and its Jacobian at the pair's points, with A as in Theorem 2."""
    source, target = pair.jacobians()
    alignment = transferability.measure_jacobians(source, target).alignment
    origin = torch.zeros_like(pair.x[:1])
    moved, wanted = (f(pair.x) - f(origin) for f in (pair.source, pair.target))
    moved = moved @ alignment.mT
    return Gap(wanted - moved, target - alignment @ source, pair.beta, _norm(target) / _norm(source))


def transfer(pair: Pair) -> dict[str, Any]:
    """Theorem 3 (App. E) for y = f_T: the loss of g f_S and its bounds.

    `bend` is max |v(x) - v(0) - J_v(x) x| / (beta_1 |x|^2): at most 1 by Lemma 1, at most 1/2 by its integral
    form. `refit_loss` is the least loss of any affine g, `constant_loss` that of any constant.
    """
    v, length, wanted = gap(pair), pair.x.norm(dim=1), pair.target(pair.x)
    radius, distance = length.max().item(), _norm(v.slopes)
    return {
        "loss": v.values.square().sum(1).mean().item(),
        "refit_loss": probe.affine_refit(pair.source(pair.x), wanted).loss,
        "constant_loss": (wanted - wanted.mean(0)).square().sum(1).mean().item(),
        "gradient_term": (radius * distance) ** 2,
        "beta": v.beta,
        "radius": radius,
        "norm_ratio": v.norm_ratio,
        "rhs": dict(bounds.theorem_3(0.0, distance, v.norm_ratio, v.beta, radius).rhs),
        "bend": (v.rest(pair.x) / (v.bend * length.square())).max().item(),
    }


def _norm(stack: Tensor) -> float:
    """|J|_{D,2}."""
    return float(torch.linalg.matrix_norm(stack, ord=2).square().mean().sqrt())
