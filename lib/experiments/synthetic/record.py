"""Section 4.1: radial basis function regression, where every quantity of the theory can be computed.

A target network f_T is trained on sums of radial basis functions; the source is the same network with its
parameters moved, W' = W + t V, along one random direction V for the whole sweep of t (Figure 2).
One record is one sweep. See `book/synthetic.md`.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any, Literal

from lib.base import compute
from lib.experiments.synthetic import measures, setting
from lib.theory import bounds

NAME = "synthetic"
LABELS = {"quick": "quick: the paper's size", "reduced": "reduced: the paper's size, more seeds"}
RERUN_TOLERANCE = 0.25  # L-BFGS magnifies the last bit: 1e-14 in the start moves a record by up to a tenth
JOB_IGNORES = ("seeds", "directions", "widths", "floor")  # none of them changes a record


@dataclass(frozen=True)
class Config:
    """What the paper leaves open is marked so. `floor` was set before any transfer was measured."""

    preset: str
    seeds: int  # open: the paper shows one curve
    device: str
    variant: Literal["default", "literal", "icml"]  # a key of radial.setting.PROBLEMS (Section 4.1, Dataset)
    widths: tuple[int, ...]  # of the target's hidden layer (Figure 2)
    directions: int  # directions V per seed: the paper's figure has one, a test at fixed t needs two or more
    points: int  # of t in [0, 1], evenly (Section 4.1, Overall Steps); their number is open
    moves: Literal["all", "weights", "hidden"]  # open: which parameters the W of W + t V holds
    epsilon: float  # open: radius of the attack in the true cross adversarial loss (Def. 6)
    train_steps: int  # open: iterations of L-BFGS
    floor: float  # 'trained' is a loss below this share of the targets' variance; above it, 'not a test'
    nulls: int  # draws of tau2's null

    def __post_init__(self) -> None:
        for name in ("seeds", "directions", "train_steps", "nulls"):
            if getattr(self, name) < 1:
                raise ValueError(f"{name} = {getattr(self, name)} is below 1: give a positive number")
        if self.points < 2:
            raise ValueError(f"points = {self.points}: a sweep from t = 0 to t = 1 needs at least 2")
        if not self.widths or min(self.widths) < 1:
            raise ValueError(f"widths = {self.widths}: give one or more positive widths")
        if not self.epsilon > 0 or not 0 < self.floor < 1:
            raise ValueError(f"epsilon = {self.epsilon} must be positive, floor = {self.floor} within (0, 1)")


PRESETS = {
    preset: Config(
        preset=preset,
        seeds=seeds,
        device="cpu",
        variant="default",
        widths=(50, 100),
        directions=directions,
        points=11,
        moves="all",
        epsilon=0.1,
        train_steps=500,
        floor=0.1,
        nulls=20,
    )
    for preset, seeds, directions in (("quick", 5, 2), ("reduced", 20, 4), ("paper", 20, 4))
}


def datasets(config: Config) -> tuple[str, ...]:
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
    """One sweep: the job, what the target is like, and for each quantity a list over t.

    On one thread: sums depend on the number of threads in the last bit, and L-BFGS magnifies it.
    """
    with compute.at_most_threads(1):
        return _sweep(config, job)


def recompute(record: dict[str, Any]) -> dict[str, list[float]]:
    """What can be computed again from a stored record: alpha and Theorem 3's bounds."""
    root_loss, radius = math.sqrt(record["reference_loss"]), record["radius"]
    terms = zip(record["gradient_difference"], record["norm_ratio"], record["beta"])
    third = [
        bounds.theorem_3(root_loss, math.sqrt(lhs), ratio, beta, radius).rhs for lhs, ratio, beta in terms
    ]
    return {
        "alpha": [math.sqrt(value) for value in record["alpha_squared"]],
        "theorem_3_paper": [rhs["paper"] for rhs in third],
        "theorem_3_half_beta": [rhs["half_beta"] for rhs in third],
    }


def _sweep(config: Config, job: dict[str, Any]) -> dict[str, Any]:
    seed, device = job["seed"], compute.resolve_device(config.device)
    problem = setting.PROBLEMS[config.variant]
    networks = {
        width: setting.network(config.variant, seed, width, config.train_steps, device)
        for width in {job["width"], job["source_width"]}
    }
    target, start = networks[job["width"]], networks[job["source_width"]]
    stream = compute.generator(seed, "direction", job["source_width"], job["direction"])
    direction = setting.draw_direction(start, config.moves, stream)
    scene = measures.scene(problem, seed, target, config.epsilon, device)
    points = [index / (config.points - 1) for index in range(config.points)]
    rows = []
    for t in points:
        source = setting.moved(start, direction, t)
        chance = compute.generator(seed, "null", job["width"], job["source_width"], job["direction"], t)
        rows.append(measures.measure(scene, source, chance, config.nulls))
    return job | scene.reference() | {"t": points} | {name: [row[name] for row in rows] for name in rows[0]}
