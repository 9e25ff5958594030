"""What the curves of Section 4.1 are set beside: no function to learn, no training, no projection."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from statistics import median

import torch
from torch import Tensor

from lib.base import compute
from lib.base.tables import Table
from lib.engine.results import Result
from lib.experiments.synthetic import networks, tracking
from lib.measures import jacobian, transferability

REPEATS = 20  # shuffles behind one 95 % point


def over_t(results: dict[str, Result]) -> Table:
    """tau1, tau2 and the refit loss, as a share of the best constant's, at every t; medians over seeds."""
    first = next(iter(results.values()))
    grid = first.records[0]["t"]
    columns = {
        f"{label}, {variant}": [_median(result, name, index) for index in range(len(grid))]
        for name, label in (("tau1", "τ₁"), ("tau2", "τ₂"), ("transferred_loss", "refit"))
        for variant, result in results.items()
    }
    note = f"refit: loss of the refit last layer over the variance of y. Medians over seeds. {first.caption}"
    return Table(["t", *columns], list(zip(grid, *columns.values())), note=note)


def _median(result: Result, name: str, index: int) -> float:
    losses = name.endswith("loss")
    return median(row[name][index] / (row["target_variance"] if losses else 1) for row in result.records)


def untrained(result: Result) -> Table:
    """The refit loss at the end of the sweep beside that of the random hidden layer: is anything left?"""
    rows = []
    for pair in tracking.pairs(result.records):
        own = tracking.own(result.records, pair)
        moved = [row["transferred_loss"][-1] for row in own]
        blank = [row["blank_loss"] for row in own]
        share = [row["target_variance"] for row in own]
        better = sum(a < b for a, b in zip(moved, blank))
        values = [median(a / v for a, v in zip(losses, share)) for losses in (moved, blank)]
        rows.append([tracking.label(pair), *values, f"{better} of {len(own)}"])
    columns = ["width", "last layer refit, t = 1", "random hidden layer", "sweeps in which the first is less"]
    return Table(columns, rows, note=f"Loss over the variance of y, medians over seeds. {result.caption}")


@dataclass(frozen=True)
class Pairing:
    """One network at t = 1: tau2 and R^2, each with the 95 % point of its null with kept signs."""

    width: int
    psi: float
    tau2: float
    tau2_null: float
    explained: float  # R^2 = |B* Delta_S|_D^2 / |Delta_T|_D^2
    explained_null: float


def pairings(result: Result) -> list[Pairing]:
    """The first direction of every seed and width of a run, moved by t = 1, measured again from its networks.

    The null deals the target's deviations out to the wrong samples after turning every pair towards the main
    direction of Delta_S (`transferability.tau2_null`, signs="kept"). No projection: B* in place of A.
    """
    jobs = {(row["seed"], row["width"]) for row in result.records if row["width"] == row["source_width"]}
    with compute.at_most_threads(1):
        return [_pairing(result, seed, width) for seed, width in sorted(jobs)]


def _pairing(result: Result, seed: int, width: int) -> Pairing:
    config, device = result.config, compute.resolve_device(result.config.device)
    target = networks.network(config.variant, seed, width, config.train_steps, device)
    stream = compute.generator(seed, "direction", width, 0)
    source = networks.moved(target, networks.draw_direction(target, config.moves, stream), 1.0)
    x = networks.sample(networks.PROBLEMS[config.variant], seed)[0].to(device)
    stacks = [jacobian.jacobians(model, x) for model in (source, target)]
    found = transferability.measure_jacobians(*stacks)
    deviations = found.deviation_source, found.deviation_target
    draw = compute.generator(seed, "pairing", width)
    null = transferability.tau2_null(*deviations, generator=draw, repeats=REPEATS, signs="kept")
    return Pairing(
        width,
        found.projection_scale,
        found.tau2,
        float(null.quantile(0.95)),
        explained(*deviations),
        float(explained_null(*deviations, generator=draw).quantile(0.95)),
    )


def explained(source: Tensor, target: Tensor) -> float:
    """R^2 of the regression of `target` (N, d) on `source` (N, m), no intercept: tau2 without projection."""
    return float((_basis(source).T @ target).square().sum() / target.square().sum())


def _basis(source: Tensor) -> Tensor:
    """An orthonormal basis (N, rank) of the columns."""
    left, sizes, _ = torch.linalg.svd(source, full_matrices=False)
    return left[:, sizes > sizes[0] * len(source) * torch.finfo(sizes.dtype).eps]


def explained_null(source: Tensor, target: Tensor, *, generator: torch.Generator) -> Tensor:
    """`explained` (REPEATS,) with the target's rows permuted, after each pair was turned to one side."""
    main = torch.linalg.svd(source, full_matrices=False)[2][0]
    sign = torch.where(source @ main < 0, -1.0, 1.0).unsqueeze(-1).to(source)
    source, target = sign * source, sign * target
    basis, total = _basis(source), target.square().sum()
    orders = [torch.randperm(len(target), generator=generator).to(target.device) for _ in range(REPEATS)]
    return torch.stack([(basis.T @ target[order]).square().sum() / total for order in orders]).cpu()


def pairing(found: Sequence[Pairing], caption: str) -> Table:
    """Medians over seeds, and in how many networks the value is above its null's 95 % point."""
    rows = []
    for width in dict.fromkeys(item.width for item in found):
        own = [item for item in found if item.width == width]
        names = ("psi", "tau2", "tau2_null", "explained", "explained_null")
        above = [above_null(own, projected) for projected in (True, False)]
        a, b, c, d, e = (median(getattr(item, name) for item in own) for name in names)
        rows.append([width, a, b, c, f"{above[0]} of {len(own)}", d, e, f"{above[1]} of {len(own)}"])
    columns = ["width", "ψ", "τ₂", "its null", "above", "R², no projection", "its null", "above"]
    note = f"t = 1; null: the 95 % point of {REPEATS} shuffles, signs kept; medians over seeds. {caption}"
    return Table(columns, rows, note=note)


def above_null(found: Sequence[Pairing], projected: bool) -> int:
    """How many networks are above the 95 % point of their null, with the projection or without."""
    if projected:
        return sum(item.tau2 > item.tau2_null for item in found)
    return sum(item.explained > item.explained_null for item in found)
