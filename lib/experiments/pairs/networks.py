"""Random pairs of one-hidden-layer networks: the source a perturbed copy of the target, as in Section 4.1."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import Any

import torch
from torch import Tensor

from lib.base import devices, streams
from lib.experiments.pairs.settings import Config
from lib.measures import jacobian, transferability
from lib.models.mlp import MLP, beta_bound, of_state, uniform

SCALE = 1.5  # weights are drawn from U(-SCALE, SCALE): bent enough for Jacobians to differ between points


@dataclass(frozen=True, eq=False)
class Pair:
    """A source and a target with the points they are compared on, all float64."""

    source: Any  # an MLP, or any function (N, n) -> (N, m)
    target: Any  # the same, (N, n) -> (N, d)
    x: Tensor  # (N, n)
    beta: float = math.inf  # a smoothness of both (Definition 5); infinite where it is not known

    def jacobians(self) -> tuple[Tensor, Tensor]:
        """The stacks (N, m, n) and (N, d, n)."""
        return jacobian.jacobians(self.source, self.x), jacobian.jacobians(self.target, self.x)

    def measure(self) -> transferability.Transferability:
        """The measures of Definitions 2 to 4 between the two."""
        return transferability.measure(self.source, self.target, self.x)

    def within(self, radius: float) -> Pair:
        """The same functions on the points scaled so that the longest has length `radius`."""
        return replace(self, x=self.x * (radius / self.x.norm(dim=1).max()))


def networks(config: Config, seed: int, perturbation: float, outputs: tuple[int, int] | None = None) -> Pair:
    """Return a random one-hidden-layer sigmoid target and its perturbed copy W' = W + t V (Section 4.1).

    t = `perturbation`; each entry of V is drawn from U(-0.5, 0.5) as in the paper. `outputs` = (m, d)
    overrides the config's. Before the perturbation the source shares the target's first min(m, d) outputs.
    The points are standard normal. Same (config, seed, outputs): same W, V and points for every t.
    """
    m, d = outputs or (config.source_outputs, config.target_outputs)
    if min(m, d) < 1 or perturbation < 0:
        raise ValueError(f"outputs = {(m, d)} and perturbation = {perturbation}: give at least 1, 1 and 0")
    draw = streams.generator(seed, "theory", m, d)
    pool = MLP(config.inputs, config.hidden, max(m, d), generator=draw, scale=SCALE)
    moved = {name: w + perturbation * uniform(w.shape, draw) for name, w in pool.state_dict().items()}
    x = torch.randn(config.samples, config.inputs, generator=draw, dtype=torch.float64)
    device = devices.resolve_device(config.device)
    source, target = _first_outputs(moved, m), _first_outputs(pool.state_dict(), d)
    beta = max(beta_bound(source), beta_bound(target))
    return Pair(source.to(device), target.to(device), x.to(device), beta)


def unrelated(config: Config, seed: int) -> Pair:
    """The source of one draw with the target of another."""
    other = networks(config, seed + 1000, 0.0)
    return Pair(networks(config, seed, 0.0).source, other.target, other.x)


def _first_outputs(state: dict[str, Tensor], outputs: int) -> MLP:
    """The network with weights `state`, cut down to its first outputs."""
    return of_state({name: w[:outputs] if name.startswith("output") else w for name, w in state.items()})
