"""Section 4.1: radial basis function regression, where every quantity of the theory can be computed.

A target network f_T is trained on sums of radial basis functions; the source is the same network with its
parameters moved, W' = W + t V, along one random direction V for the whole sweep of t (Figure 2).
One record is one sweep. See `book/synthetic.md`.
"""

from __future__ import annotations

import math
from typing import Any

import torch

from lib.base import streams
from lib.experiments.synthetic import measures, networks
from lib.experiments.synthetic.settings import LABELS as LABELS
from lib.experiments.synthetic.settings import PRESETS as PRESETS
from lib.experiments.synthetic.settings import Config
from lib.theory import bounds

NAME = "synthetic"
RERUN_TOLERANCE = 0.25  # L-BFGS magnifies the last bit: 1e-14 in the start moves a record by up to a tenth
JOB_IGNORES = ("seeds", "directions", "widths", "floor")  # none of them changes a record


def datasets(config: Config) -> tuple[()]:
    """None: the data are drawn from the seed."""
    return ()


def jobs(config: Config) -> list[dict[str, Any]]:
    """One sweep of t for each seed, pair of widths and direction.

    The source is the target itself, moved. In the variant "icml" a target also meets a source of each other
    width, trained by itself on the same data and then moved.
    """
    pairs = [(width, width) for width in config.widths]
    if config.variant == "icml":
        pairs += [(a, b) for a in config.widths for b in config.widths if a != b]
    return [
        {"seed": seed, "width": width, "source_width": source, "direction": direction}
        for seed in range(config.seeds)
        for width, source in pairs
        for direction in range(config.directions)
    ]


def run_job(config: Config, job: dict[str, Any]) -> dict[str, Any]:
    """One sweep: the job, what the target is like, and for each quantity a list over t."""
    seed, device = job["seed"], torch.device(config.device)
    problem = networks.PROBLEMS[config.variant]
    trained = {
        width: networks.network(config.variant, seed, width, config.train_steps, device)
        for width in {job["width"], job["source_width"]}
    }
    target, start = trained[job["width"]], trained[job["source_width"]]
    stream = streams.generator(seed, "direction", job["source_width"], job["direction"])
    direction = networks.draw_direction(start, config.moves, stream)
    scene = measures.scene(problem, seed, target, config.epsilon, device)
    points = [index / (config.points - 1) for index in range(config.points)]
    rows = []
    for t in points:
        source = networks.moved(start, direction, t)
        chance = streams.generator(seed, "null", job["width"], job["source_width"], job["direction"], t)
        rows.append(measures.measure(scene, source, chance, config.nulls))
    return job | scene.reference() | {"t": points} | {name: [row[name] for row in rows] for name in rows[0]}


def recompute(record: dict[str, Any]) -> dict[str, list[float]]:
    """What can be computed again from a stored record: alpha and Theorem 3's bounds."""
    loss, radius = math.sqrt(record["reference_loss"]), record["radius"]
    terms = zip(record["gradient_difference"], record["norm_ratio"], record["beta"])
    third = [bounds.theorem_3(loss, math.sqrt(lhs), ratio, beta, radius).rhs for lhs, ratio, beta in terms]
    forms = {f"theorem_3_{form}": [rhs[form] for rhs in third] for form in ("paper", "half_beta")}
    return {"alpha": [math.sqrt(value) for value in record["alpha_squared"]], **forms}
