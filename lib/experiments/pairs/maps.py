"""The chapters "Definitions" and "Propositions": what tau1, tau2 and A are on pairs of small networks."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import sympy as sp
import torch
from torch import Tensor

from lib.base import streams
from lib.experiments.pairs.networks import Pair, networks, unrelated
from lib.experiments.pairs.settings import Config
from lib.measures import probe, transferability
from lib.measures.transferability import Transferability
from lib.theory.counterexamples import case
from lib.theory.symbolic import instances

_ROUNDS = 2000  # of the projected gradient, for the best bounded map


def companions(config: Config) -> list[dict[str, Any]]:
    """tau2, its split-half value and its two mean nulls for every t and seed; t = None: unrelated pairs."""
    rows = []
    for t in [*config.perturbations, None]:
        for seed in range(config.seeds):
            found = (unrelated(config, seed) if t is None else networks(config, seed, t)).measure()
            deviations = found.deviation_source, found.deviation_target
            draw = streams.generator(seed, "companions")
            row = {"t": t, "tau1": found.tau1, "tau2": found.tau2}
            row["split_half"] = transferability.split_half(*deviations, generator=draw, repeats=5)
            for signs in ("random", "kept"):
                null = transferability.tau2_null(*deviations, generator=draw, repeats=30, signs=signs)
                row[f"null_{signs}"] = null.mean().item()
            rows.append(row)
    return rows


def candidates(found: Transferability) -> dict[str, Any]:
    """Three linear maps of Delta_S: B*, A = psi B* (Def. 3), and B* with its singular values clipped at r.

    Each with its singular values and the share of |Delta_T|_D^2 that it explains; for A that is tau2.
    """
    source, target = found.deviation_source, found.deviation_target
    best = found.alignment / found.projection_scale
    radius = (target.square().sum() / source.square().sum()).sqrt().item()
    rows: dict[str, Any] = {"radius": radius}
    for name, one in (("best", best), ("rescaled", found.alignment), ("clipped", _clip(best, radius))):
        left = ((target - source @ one.mT).square().sum() / target.square().sum()).item()
        rows[name] = {"values": _singular(one), "share": 1 - left}
    return rows


def closed_form(found: Transferability) -> float:
    """psi (2 - psi) R^2 with R^2 from an ordinary regression of Delta_T on Delta_S (Prop. 1)."""
    fit = torch.linalg.lstsq(found.deviation_source, found.deviation_target).solution
    explained = (found.deviation_source @ fit).square().sum() / found.deviation_target.square().sum()
    return float(found.projection_scale * (2 - found.projection_scale) * explained)


def on_the_curve(found: Transferability) -> tuple[float, float]:
    """(psi, tau2 / R^2), with R^2 as in `closed_form`: a point of the curve psi (2 - psi)."""
    psi = found.projection_scale
    return psi, found.tau2 * psi * (2 - psi) / closed_form(found)


def room(group: Sequence[Transferability]) -> list[float]:
    """Medians of tau1, Prop. 2's lower side, alpha^2, its upper side, that with lambda_T(x), and lambda_T.

    The sides are relative to the target's own loss, E sigma_T^2.
    """
    rows = []
    for found in group:
        tau1, ratio = found.tau1_per_sample, found.lambda_target.square()
        share = found.sigma_target.square() / found.sigma_target.square().sum()
        upper, pointwise = ((r + (1 - r) * tau1) @ share for r in (ratio.max(), ratio))
        rows.append([found.tau1, tau1 @ share, found.alpha_squared, upper, pointwise, ratio.max().sqrt()])
    medians: list[float] = torch.tensor(rows, dtype=torch.float64).median(0).values.tolist()
    return medians


def problem_1(pair: Pair) -> dict[str, float]:
    """Mean squared losses of affine functions of f_S on y = f_T, relative to the best constant (Problem 1).

    `affine`: the best of all; `bounded`: the best with |weight|_2 at most |J_T|_{D,2} / |J_S|_{D,2}, the size
    that App. D (18) allows A; `attacks`: weight A and the best constant.
    """
    features, labels, found = pair.source(pair.x), pair.target(pair.x), pair.measure()
    radius = (found.sigma_target.square().mean() / found.sigma_source.square().mean()).sqrt().item()
    centred, wanted = features - features.mean(0), labels - labels.mean(0)
    size = wanted.square().sum(-1).mean()

    def loss(weight: Tensor) -> float:
        return float((centred @ weight.mT - wanted).square().sum(-1).mean() / size)

    refit = probe.affine_refit(features, labels)
    bounded = loss(_bounded(refit.weight, centred, wanted, radius))
    losses = {"affine": refit.loss / size.item(), "bounded": bounded, "attacks": loss(found.alignment)}
    return {**losses, "norm_affine": _singular(refit.weight)[0], "radius": radius}


def same_angle() -> tuple[Callable[[Tensor], Tensor], Callable[[Tensor], Tensor], Tensor]:
    """tau1 = 1 and no affine map helps: f_S(x) = x_1, f_T(x) = x_1^2 on points symmetric about 0."""
    half = torch.linspace(0.05, 1, 20, dtype=torch.float64)
    x = torch.cat([half, -half]).unsqueeze(1).repeat(1, 3)
    x[:, 1:] = x[:, 1:].sin()
    return lambda x: x[:, :1], lambda x: x[:, :1].square(), x


def changes(pair: Pair, seed: int = 0) -> list[list[Any]]:
    """The largest change of tau1, tau2 and alpha squared under what must not matter, and what does."""
    source, target = pair.jacobians()
    n = source.shape[-1]
    stretch = torch.diag(torch.linspace(0.5, 2, n, dtype=torch.float64)).to(source)
    noise = torch.randn(n, n, generator=streams.generator(seed, "turn"), dtype=torch.float64)
    turn = torch.linalg.qr(noise)[0].to(source)
    variants = {
        "outputs scaled: $3 f_S$, $f_T / 7$": (3 * source, target / 7),
        "signs of $f_S$ flipped": (-source, target),
        "inputs turned by an orthogonal matrix": (source @ turn, target @ turn),
        "inputs stretched, one axis more than another": (source @ stretch, target @ stretch),
    }
    plain = _three(source, target)
    return [[name, *(abs(a - b) for a, b in zip(plain, _three(*two)))] for name, two in variants.items()]


def degenerate() -> list[list[Any]]:
    """Where the definitions divide zero by zero: tau1, tau2, alpha squared of two-point examples."""
    blank = torch.zeros(2, 2, dtype=torch.float64)
    steep = torch.diag(torch.tensor([2.0, 1.0], dtype=torch.float64))
    blind = torch.tensor([[0.0, 1.0]], dtype=torch.float64)
    cases = {
        "$J_S = 0$ at one of two points": ([steep, blank], [steep, steep]),
        "$J_T = 0$ at one of two points": ([steep, steep], [steep, blank]),
        "$J_S = 0$ everywhere": ([blank, blank], [steep, steep]),
        "$J_T = 0$ everywhere": ([steep, steep], [blank, blank]),
        "$f_T$ does not feel $\\delta_S$": ([steep, steep], [blind, blind]),
    }
    rows = [[name, *_three(*map(torch.stack, both))] for name, both in cases.items()]
    for second in (0, 1):  # a nudge decides which of two equal singular values comes first
        tie = case(instances.ties(second, sp.Rational(1, 1000)))
        name = f"a tie, $J_S = I$: the second point attacked along axis {second + 1}"
        rows.append([name, *_three(tie.source, tie.target)])
    return rows


def _three(source: Tensor, target: Tensor) -> tuple[float, float, float]:
    found = transferability.measure_jacobians(source, target)
    return found.tau1, found.tau2, found.alpha_squared


def _bounded(start: Tensor, features: Tensor, labels: Tensor, radius: float) -> Tensor:
    """min of E|W z - y|^2 over |W|_2 <= radius: accelerated projected gradient, clipping projects."""
    second, cross = features.mT @ features / len(features), labels.mT @ features / len(features)
    rate = 1 / torch.linalg.matrix_norm(second, 2)
    weight = ahead = _clip(start, radius)
    momentum = 1.0
    for _ in range(_ROUNDS):
        new = _clip(ahead - rate * (ahead @ second - cross), radius)
        following = (1 + (1 + 4 * momentum**2) ** 0.5) / 2
        ahead = new + (momentum - 1) / following * (new - weight)
        weight, momentum = new, following
    return weight


def _clip(matrix: Tensor, radius: float) -> Tensor:
    left, values, right = torch.linalg.svd(matrix, full_matrices=False)
    clipped: Tensor = left * values.clamp(max=radius) @ right
    return clipped


def _singular(matrix: Tensor) -> list[float]:
    values: list[float] = torch.linalg.svdvals(matrix).tolist()
    return values
