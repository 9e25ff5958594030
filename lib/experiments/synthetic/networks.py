"""The problem and the networks of Section 4.1: data, training, and the source W' = W + t V."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from lib.base import streams
from lib.engine import runs
from lib.experiments.common import stored
from lib.models import mlp

Direction = dict[str, Tensor]
STAYS: dict[str, tuple[str, ...]] = {  # parameters that W + t V leaves alone, for each reading of W
    "all": (),
    "weights": ("hidden.bias", "output.bias"),
    "hidden": ("output.weight", "output.bias"),
}


@dataclass(frozen=True)
class Problem:
    """The numbers of Section 4.1, Dataset."""

    inputs: int  # n
    outputs: int  # d
    functions: int  # M
    samples: int  # N
    centres: int  # of the Gaussian mixture, covariance I; each centre ~ U(-0.5, 0.5)^n
    wide: bool  # phi = exp(-|x - mu|^2 / s) with s ~ 100 U(0, 1); else s = (2 sigma)^2, sigma ~ U(-0.5, 0.5)
    bias: bool  # y = C phi + b rather than y = C phi; C, b, mu ~ U(-0.5, 0.5)


PROBLEMS = {
    "default": Problem(30, 10, 100, 1200, 3, wide=True, bias=True),
    "literal": Problem(30, 10, 100, 1200, 3, wide=False, bias=False),  # the formula as printed
    "icml": Problem(50, 10, 100, 5000, 10, wide=True, bias=True),  # the authors' later code
}


def basis(problem: Problem, seed: int, *, fresh: bool = False) -> tuple[Tensor, Tensor]:
    """x (N, n) and the values phi_i(x) of the basis functions (N, M); `fresh` draws other points."""
    stream = streams.generator(seed, "rbf functions")
    centres = mlp.uniform((problem.centres, problem.inputs), stream)
    middles = mlp.uniform((problem.functions, problem.inputs), stream)
    sigma = mlp.uniform((problem.functions,), stream)
    spread = 100 * (sigma + 0.5) if problem.wide else (2 * sigma).square()
    points = streams.generator(seed, "rbf points", int(fresh))
    component = torch.randint(problem.centres, (problem.samples,), generator=points)
    noise = torch.randn(problem.samples, problem.inputs, generator=points, dtype=torch.float64)
    x = centres[component] + noise
    return x, torch.exp(-torch.cdist(x, middles).square() / spread)


def sample(problem: Problem, seed: int, *, fresh: bool = False) -> tuple[Tensor, Tensor]:
    """x (N, n) and y = C phi(x) + b (N, d): the data set of a seed, or fresh points of the same problem."""
    x, phi = basis(problem, seed, fresh=fresh)
    stream = streams.generator(seed, "rbf targets")
    mixing = mlp.uniform((problem.outputs, problem.functions), stream)
    bias = mlp.uniform((problem.outputs,), stream) if problem.bias else 0.0
    return x, phi @ mixing.T + bias


def squared(residual: Tensor) -> Tensor:
    """E|r|_2^2 over the rows of (N, k): the mean squared loss of Section 3."""
    return residual.square().sum(1).mean()


def network(variant: str, seed: int, width: int, steps: int, device: torch.device) -> mlp.MLP:
    """The trained network of a variant, seed and width, computed once and stored."""
    state = runs.step("train", _trained, variant, seed, width, steps, device)
    return stored.loaded(_untrained(variant, seed, width), state, str(device))


def _untrained(variant: str, seed: int, width: int) -> mlp.MLP:
    stream, problem = streams.generator(seed, "rbf weights", width), PROBLEMS[variant]
    return mlp.MLP(problem.inputs, width, problem.outputs, generator=stream)


def _trained(variant: str, seed: int, width: int, steps: int, device: torch.device) -> stored.State:
    """Minimise E|f(x) - y|^2 over all samples at once, by `steps` iterations of L-BFGS."""
    model = _untrained(variant, seed, width).to(device)
    x, y = (part.to(device) for part in sample(PROBLEMS[variant], seed))
    optimizer = torch.optim.LBFGS(
        model.parameters(), max_iter=steps, max_eval=2 * steps, history_size=20, tolerance_grad=1e-12,
        tolerance_change=1e-16, line_search_fn="strong_wolfe",
    )  # fmt: skip

    def closure() -> float:
        optimizer.zero_grad()
        loss = squared(model(x) - y)
        loss.backward()
        return loss.item()

    optimizer.step(closure)
    return stored.state(model)


def draw_direction(model: mlp.MLP, moves: str, generator: torch.Generator) -> Direction:
    """V by parameter name: U(-0.5, 0.5) where `moves` says so, else 0. The draws do not depend on `moves`."""
    drawn = {name: mlp.uniform(w.shape, generator) for name, w in model.state_dict().items()}
    return {name: v * 0 if name in STAYS[moves] else v for name, v in drawn.items()}


def moved(model: mlp.MLP, direction: Direction, t: float) -> mlp.MLP:
    """A copy of `model` with the parameters W + t V."""
    state = {name: w.cpu() + t * direction[name] for name, w in model.state_dict().items()}
    return mlp.of_state(state).to(model.hidden.weight.device)
