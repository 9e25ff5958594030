"""The experiment behind the theory chapters: how tight the bounds are on random networks.

One-hidden-layer networks in float64, the source a perturbed copy of the target (Section 4.1). Every number on
those pages that is not exact algebra comes from such pairs, drawn by `networks`.
"""

from __future__ import annotations

from lib.base import compute
from lib.experiments.pairs.measures import scalar, transfer
from lib.experiments.pairs.pairs import Pair, networks
from lib.experiments.pairs.settings import PRESETS, Config
from lib.measures import transferability
from lib.models.mlp import beta_sampled
from lib.theory import bounds

__all__ = [
    "NAME",
    "PRESETS",
    "Config",
    "Pair",
    "datasets",
    "jobs",
    "networks",
    "run_job",
    "scalar",
    "stamp",
    "transfer",
]

NAME = "pairs"
JOB_IGNORES = ("seeds", "restarts", "steps", "learning_rate", "epsilon")  # no record depends on these


def stamp(config: Config, seeds: str) -> str:
    """What a figure of drawn networks is stamped with, where it is not drawn from a run."""
    sizes = f"n = {config.inputs}, width {config.hidden}, N = {config.samples}"
    return f"{config.preset}: drawn networks, {sizes} · {seeds} · {compute.resolve_device(config.device)}"


def datasets(config: Config) -> tuple[str, ...]:
    """Registry names of the data that a run reads: none, every example is drawn."""
    return ()


def jobs(config: Config) -> list[dict]:
    """One job for each seed and perturbation t."""
    return [{"seed": s, "perturbation": t} for s in range(config.seeds) for t in config.perturbations]


def run_job(config: Config, job: dict) -> dict:
    """Measure one pair: tau1, tau2 and its null, both sides of Theorem 2, and `transfer`."""
    pair = networks(config, job["seed"], job["perturbation"])
    stacks = pair.jacobians()
    found, bound = transferability.measure_jacobians(*stacks), bounds.theorem_2(*stacks)
    deviations = found.deviation_source.cpu(), found.deviation_target.cpu()
    draw = compute.generator(job["seed"], "theory", "null")
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
