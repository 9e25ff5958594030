"""What one source says about the reference: their tangents, and attacks on one that meet the other."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from time import perf_counter
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional

from lib.attacks.projected import pgd
from lib.base import compute
from lib.data.faces import Faces
from lib.engine import runs
from lib.experiments.attributes import networks, tangent, transfer
from lib.experiments.attributes.networks import Reference
from lib.experiments.attributes.people import album
from lib.experiments.attributes.settings import Config
from lib.measures import jacobian
from lib.models import training
from lib.models.arcface import focal_loss
from lib.models.facenet import FaceNet

PIXELS = (0.0, 1.0)
CHUNK = 100  # photos attacked, or looked at, at a time: what the caches of a processor hold
TOLERANCE = 1e-4  # residual of the reference's singular vectors, relative to sigma_1
Attack = Callable[[Tensor], Tensor]


def known(faces: Faces, config: Config) -> tuple[Tensor, Tensor]:
    """Photos as floats in [0, 1], and who they show, on the device of a run."""
    device = compute.resolve_device(config.device)
    return training.take(faces.images, torch.arange(len(faces)), device), faces.identities.to(device)


def own_attack(config: Config, seed: int) -> dict[str, Any]:
    """The reference's own Definition-1 attack, matrix-free, once a seed: delta, sigma, residual, products."""
    return runs.artifact(
        _reference_key(config, seed) | {"own": TOLERANCE}, partial(_own_attack, config, seed)
    )


def frame(config: Config, seed: int) -> dict[str, dict[str, float]]:
    """Outcomes without a source: clean photos, noise of the radius, the reference attacked through itself."""
    names = ("epsilon", "steps")
    key = _reference_key(config, seed) | {name: getattr(config, name) for name in names} | {"frame": True}
    return runs.artifact(key, partial(_frame, config, seed))


def reference_verification(config: Config, seed: int) -> dict[str, float]:
    """How well the reference itself verifies strangers: what a source could at best be expected to reach."""
    key = _reference_key(config, seed) | {"benchmarks": config.benchmarks, "pairs": config.pairs}
    return runs.artifact(key, partial(_reference_verification, config, seed))


def tangents(
    config: Config, source: FaceNet, reference: Reference, x: Tensor, seed: int
) -> tuple[dict[str, Any], Tensor]:
    """Definitions 1 to 4 and their nulls, for the two logits, and for the one that is their difference.

    Two logits have sigma_2 > 0 and a lambda; a classifier with one has sigma_2 = 0, so that lambda_S = 0
    and its attack is the gradient. `one_logit` asks whether the choice matters. Also returns delta_S.
    """
    own = own_attack(config, seed)
    target = own["delta"].to(x), own["sigma"].to(x)
    found = tangent.attacks(source, x)
    moved = tangent.pushed(reference.embed, x, found.delta)
    single = tangent.attacks(lambda part: source(part).diff(dim=1), x)
    alone = tangent.measures(single, tangent.pushed(reference.embed, x, single.delta), *target)
    values = tangent.measures(found, moved, *target)
    values |= tangent.nulls(found.deviation, moved, seed, config.null_repeats)
    values["tau1_chance"] = 1 / x[0].numel()  # two random directions: the mean of their squared cosine
    values["one_logit"] = {name: alone[name] for name in ("tau1", "tau2", "alpha_squared")}
    return values, found.delta


def cross_adversarial(
    config: Config, source: FaceNet, delta: Tensor, reference: Reference, seed: int
) -> dict[str, dict[str, float]]:
    """What the reference makes of photos attacked through the source; `pgd` is the authors' code's.

    `pgd_half` has half its radius; `definition_1` averages the two signs of `delta`, the source's attack;
    `pgd_familiar` attacks photos that both models have learnt from.
    """
    photos = album(config)
    x, people = known(photos.attacked, config)
    step = config.epsilon_l2 * delta
    attacked = {
        "pgd": [_in_parts(_pgd(source, config.epsilon, config.steps, seed), x)],
        "pgd_half": [_in_parts(_pgd(source, config.epsilon / 2, config.steps, seed), x)],
        "definition_1": [(x + sign * step).clamp(*PIXELS) for sign in (-1, 1)],
    }
    before = _embedded(reference, x)
    found = {}
    for name, both in attacked.items():
        outcomes = [_outcome(reference, moved, people, before) for moved in both]
        found[name] = {key: sum(o[key] for o in outcomes) / len(outcomes) for key in outcomes[0]}
    x, people = known(photos.familiar, config)
    moved = _in_parts(_pgd(source, config.epsilon, config.steps, seed), x)
    return found | {"pgd_familiar": _outcome(reference, moved, people, _embedded(reference, x))}


def timed(function: Callable[[], Any]) -> tuple[Any, float]:
    """What a function gives, and the seconds it took."""
    begun = perf_counter()
    return function(), perf_counter() - begun


def _own_attack(config: Config, seed: int) -> dict[str, Any]:
    reference, _ = networks.reference_model(config, seed)
    x, _ = known(album(config).attacked, config)
    found = jacobian.top_singular(reference.embed, x, k=2, tolerance=TOLERANCE)
    parts = {"delta": found.right[:, 0], "sigma": found.sigma, "residual": found.residual}
    return {name: value.cpu().contiguous() for name, value in parts.items()} | {"products": found.products}


def _reference_verification(config: Config, seed: int) -> dict[str, float]:
    reference, _ = networks.reference_model(config, seed)
    device = compute.resolve_device(config.device)
    found = transfer.verified(reference.embed, album(config).pairs, device)
    return {name: score["accuracy"] for name, score in found.items()}


def _frame(config: Config, seed: int) -> dict[str, dict[str, float]]:
    reference, _ = networks.reference_model(config, seed)
    photos = album(config)
    x, people = known(photos.attacked, config)
    before = _embedded(reference, x)
    moves: dict[str, Attack] = {
        "clean": lambda part: part,
        "noise": _noise(config.epsilon, seed),
        "white_box": _pgd(reference, config.epsilon, config.steps, seed),
    }
    found = {name: _outcome(reference, _in_parts(move, x), people, before) for name, move in moves.items()}
    x, people = known(photos.familiar, config)
    return found | {"clean_familiar": _outcome(reference, x, people, _embedded(reference, x))}


def _reference_key(config: Config, seed: int) -> dict[str, Any]:
    names = ("attack_images", "familiar_images", "reference_epochs", "reference_lr", "scale", "margin")
    return networks.key(config, *names) | {"reference": seed}


def _outcome(reference: Reference, x: Tensor, people: Tensor, before: Tensor) -> dict[str, float]:
    """`loss` is the reference's training loss, as in the authors' code: focal, with ArcFace's margin.

    `cross_entropy` is without margin and focus; `distance` asks for no identity: 1 - cosine of the embedding
    with that of the clean photo; `accuracy` is the share of photos still given to the right person.
    """
    with torch.no_grad():
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


def _pgd(model: nn.Module, epsilon: float, steps: int, seed: int) -> Attack:
    """The virtual attack: no labels. All sources of a seed start from the same random points."""
    stream = compute.generator(seed, "attack")
    return lambda part: pgd(model, part, epsilon, steps, clip=PIXELS, generator=stream)


def _noise(epsilon: float, seed: int) -> Attack:
    stream = compute.generator(seed, "noise")

    def move(part: Tensor) -> Tensor:
        signs = torch.randint(0, 2, part.shape, generator=stream).to(part) * 2 - 1
        return (part + epsilon * signs).clamp(*PIXELS)

    return move


def _in_parts(move: Attack, x: Tensor) -> Tensor:
    return torch.cat([move(part) for part in x.split(CHUNK)])
