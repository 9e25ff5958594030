"""What one source says about the reference: their tangents, and attacks on one that meet the other.

`transferability.measure` would form the reference's Jacobian, of 128 x 6,912 numbers a photo. Its top
singular vectors come from products with it alone (`jacobian.top_singular`), once a reference; a source costs
two rows of J_S, and one product J_T delta_S.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

import torch
from torch import Tensor
from torch.nn import functional

from lib.base import streams
from lib.data.faces import Faces
from lib.experiments.attributes.networks import Reference
from lib.experiments.attributes.settings import Config
from lib.experiments.common import pixels, tangent
from lib.experiments.common.pixels import PIXELS, Attack, Outcome, climbing
from lib.measures import jacobian, singular, transferability
from lib.models import training
from lib.models.arcface import focal_loss
from lib.models.facenet import FaceNet

CHUNK = 100  # photos attacked, or looked at, at a time: what the caches of a processor hold
TOLERANCE = 1e-4  # residual of the reference's singular vectors, relative to sigma_1
Model = Callable[[Tensor], Tensor]


@dataclass(frozen=True)
class Photos:
    """Floats in [0, 1] (N, 3, S, S), and who they show (N,), on the device of a run."""

    x: Tensor
    people: Tensor


@dataclass(frozen=True)
class Attacks:
    """Definition-1 attacks on a source: delta (N, *shape) of length 1, J_S delta (N, m), sigma (N, 2)."""

    delta: Tensor
    deviation: Tensor
    sigma: Tensor


def photos(faces: Faces, device: str | None) -> Photos:
    """Faces as the networks take them."""
    x = training.take(faces.images, torch.arange(len(faces)), device or "cpu")
    return Photos(x, faces.identities.to(x.device))


def attacks(source: Model, x: Tensor) -> Attacks:
    """Of a source with few outputs, from its rows: exact (Def. 1)."""
    found = []
    for part in x.split(CHUNK):
        top = singular.top_pair(jacobian.jacobians(source, part))
        found.append((top.right().reshape(part.shape).to(x), top.deviation(), top.sigma))
    return Attacks(*(torch.cat(column) for column in zip(*found)))


def own_attack(reference: Reference, x: Tensor) -> dict[str, Any]:
    """The reference's own Definition-1 attack, matrix-free: delta, sigma, residual, and how many products."""
    found = jacobian.top_singular(reference.embed, x, k=2, tolerance=TOLERANCE)
    parts = {"delta": found.right[:, 0], "sigma": found.sigma, "residual": found.residual}
    return {name: value.cpu().contiguous() for name, value in parts.items()} | {"products": found.products}


def tangents(
    config: Config, source: FaceNet, reference: Reference, x: Tensor, found: Attacks, own: Mapping[str, Any],
    seed: int,
) -> dict[str, Any]:  # fmt: skip
    """Definitions 1 to 4 and their nulls, for the two logits, and for the one that is their difference.

    Two logits have sigma_2 > 0 and a lambda; a classifier with one has sigma_2 = 0, so that lambda_S = 0
    and its attack is the gradient. `one_logit` asks whether the choice matters.
    """
    target = own["delta"].to(x), own["sigma"].to(x)
    moved = pushed(reference.embed, x, found.delta)
    single = attacks(lambda part: source(part).diff(dim=1), x)
    alone = measures(single, pushed(reference.embed, x, single.delta), *target)
    return {
        **measures(found, moved, *target),
        **tangent.nulls(found.deviation, moved, "attributes", seed, config.null_repeats),
        "tau1_chance": tangent.directions(x),
        "one_logit": {name: alone[name] for name in ("tau1", "tau2", "alpha_squared")},
    }


def pushed(f: Model, x: Tensor, direction: Tensor) -> Tensor:
    """J_f direction (N, d) in float64, by forward mode; direction (N, *shape)."""
    parts = zip(x.split(CHUNK), direction.split(CHUNK))
    with warnings.catch_warnings():  # torch scripts its forward-mode rules on their first use
        warnings.filterwarnings("ignore", ".*torch.jit.script.*", FutureWarning)
        moved = [torch.func.jvp(f, (part,), (step,))[1].detach().flatten(1) for part, step in parts]
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


def frame(
    config: Config, reference: Reference, kept: Photos, familiar: Photos, seed: int
) -> dict[str, Outcome]:
    """Outcomes without a source: clean photos, noise of the radius, the reference attacked through itself."""
    moves = {
        "clean": pixels.unmoved,
        "noise": pixels.noise(config.epsilon, streams.generator(seed, "noise")),
        "white_box": climbing(reference, config.epsilon, config.steps, streams.generator(seed, "attack")),
    }
    return judged(reference, kept, moves) | judged(reference, familiar, {"clean_familiar": pixels.unmoved})


def cross_adversarial(
    config: Config, source: FaceNet, delta: Tensor, reference: Reference, kept: Photos, familiar: Photos,
    seed: int,
) -> dict[str, Outcome]:  # fmt: skip
    """What the reference makes of photos attacked through the source; `pgd` is the authors' code's.

    `pgd_half` has half its radius; `definition_1` averages the two signs of `delta`, the source's attack;
    `pgd_familiar` attacks photos that both models have learnt from. All sources of a seed start from the same
    random points.
    """

    def climb(epsilon: float) -> Attack:
        return climbing(source, epsilon, config.steps, streams.generator(seed, "attack"))

    def along(sign: int) -> Attack:
        steps = iter((sign * config.epsilon_l2 * delta).split(CHUNK))
        return lambda part: (part + next(steps)).clamp(*PIXELS)

    moves: dict[str, Attack | Sequence[Attack]] = {
        "pgd": climb(config.epsilon),
        "pgd_half": climb(config.epsilon / 2),
        "definition_1": [along(-1), along(1)],
    }
    found = judged(reference, kept, moves)
    return found | judged(reference, familiar, {"pgd_familiar": climb(config.epsilon)})


def judged(
    reference: Reference, shown: Photos, moves: Mapping[str, Attack | Sequence[Attack]]
) -> dict[str, Outcome]:
    """{name: what the reference makes of the photos moved}; see `_outcome`."""
    judge = partial(_outcome, reference, shown.people, _embedded(reference, shown.x))
    return pixels.record(moves, shown.x, judge, CHUNK)


@torch.no_grad()
def _outcome(reference: Reference, people: Tensor, before: Tensor, x: Tensor) -> Outcome:
    """`loss` is the reference's training loss, as in the authors' code: focal, with ArcFace's margin.

    `cross_entropy` is without margin and focus; `distance` asks for no identity: 1 - cosine of the embedding
    with that of the clean photo; `accuracy` is the share of photos still given to the right person.
    """
    after = _embedded(reference, x)
    logits = reference.head(after)
    return {
        "loss": float(focal_loss(reference.head(after, people), people)),
        "cross_entropy": float(functional.cross_entropy(logits, people)),
        "distance": float(1 - (after * before).sum(1).mean()),
        "accuracy": float((logits.argmax(1) == people).double().mean()),
    }


def _embedded(reference: Reference, x: Tensor) -> Tensor:
    return training.predict(reference.embed, x, batch_size=CHUNK, device=x.device).to(x.device)


def _ratio(sigma: Tensor) -> float:
    """Mean of sigma_2 / sigma_1; 0 where both are."""
    top = sigma[:, 0].where(sigma[:, 0] > 0, torch.inf)
    return float((sigma[:, 1] / top).mean())
