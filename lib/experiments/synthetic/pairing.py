"""Our own question to Section 4.1: with the right sample paired, does the source's deviation explain more?

tau2 falls to its null at the end of the sweep; R^2, which is tau2 before the projection, does not.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from lib.base import devices, streams
from lib.engine.results import Result
from lib.experiments.synthetic import networks
from lib.measures import jacobian, transferability

REPEATS = 20  # shuffles behind one 95 % point


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
    with devices.at_most_threads(1):
        return [_pairing(result, seed, width) for seed, width in sorted(jobs)]


def _pairing(result: Result, seed: int, width: int) -> Pairing:
    config, device = result.config, devices.resolve_device(result.config.device)
    target = networks.network(config.variant, seed, width, config.train_steps, device)
    stream = streams.generator(seed, "direction", width, 0)
    source = networks.moved(target, networks.draw_direction(target, config.moves, stream), 1.0)
    x = networks.sample(networks.PROBLEMS[config.variant], seed)[0].to(device)
    stacks = [jacobian.jacobians(model, x) for model in (source, target)]
    found = transferability.measure_jacobians(*stacks)
    deviations = found.deviation_source, found.deviation_target
    draw = streams.generator(seed, "pairing", width)
    null = transferability.tau2_null(*deviations, generator=draw, repeats=REPEATS, signs="kept")
    unprojected = explained_null(*deviations, generator=draw)
    high, other = (float(one.quantile(0.95)) for one in (null, unprojected))
    return Pairing(width, found.projection_scale, found.tau2, high, explained(*deviations), other)


def explained(source: Tensor, target: Tensor) -> float:
    """R^2 of the regression of `target` (N, d) on `source` (N, m), no intercept: tau2 without projection."""
    return float((_basis(source).T @ target).square().sum() / target.square().sum())


def _basis(source: Tensor) -> Tensor:
    """An orthonormal basis (N, rank) of the columns."""
    left, sizes, _ = torch.linalg.svd(source, full_matrices=False)
    basis: Tensor = left[:, sizes > sizes[0] * len(source) * torch.finfo(sizes.dtype).eps]
    return basis


def explained_null(source: Tensor, target: Tensor, *, generator: torch.Generator) -> Tensor:
    """`explained` (REPEATS,) with the target's rows permuted, after each pair was turned to one side."""
    main = torch.linalg.svd(source, full_matrices=False)[2][0]
    sign = torch.where(source @ main < 0, -1.0, 1.0).unsqueeze(-1).to(source)
    source, target = sign * source, sign * target
    basis, total = _basis(source), target.square().sum()
    orders = [torch.randperm(len(target), generator=generator).to(target.device) for _ in range(REPEATS)]
    return torch.stack([(basis.T @ target[order]).square().sum() / total for order in orders]).cpu()


def above_null(found: Sequence[Pairing], *, projected: bool) -> int:
    """How many networks are above the 95 % point of their null, with the projection or without."""
    if projected:
        return sum(item.tau2 > item.tau2_null for item in found)
    return sum(item.explained > item.explained_null for item in found)
