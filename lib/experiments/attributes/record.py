"""Forty attributes of a face and who it is: Sec. 4.3 and Table 1, see `book/attributes.md`.

A binary source an attribute, and one face recogniser a seed. Attacks are made on photos of people that every
model knows, but on none that a model has learnt from; verification is of strangers.
"""

from __future__ import annotations

from contextlib import nullcontext
from typing import Any

from lib.base import compute
from lib.experiments.attributes import measures, networks, settings, transfer
from lib.experiments.attributes.measures import timed
from lib.experiments.attributes.people import album
from lib.experiments.attributes.settings import PERMUTED, PRESETS, UNTRAINED, Config, datasets

__all__ = ["JOB_IGNORES", "NAME", "PRESETS", "Config", "datasets", "jobs", "run_job"]

NAME = "attributes"
JOB_IGNORES = ("seeds",)
TARGET = "face recognition"


def jobs(config: Config) -> list[dict[str, Any]]:
    """One job a source and seed, controls last; a seed is complete before the next begins."""
    controls = [f"{UNTRAINED} {number + 1}" for number in range(config.untrained)]
    controls += [f"{PERMUTED} {name}" for name in config.permuted]
    names = [*config.attributes, *controls]
    return [{"source": name, "seed": seed} for seed in range(config.seeds) for name in names]


def run_job(config: Config, job: dict[str, Any]) -> dict[str, Any]:
    """The record of one source against the reference of its seed.

    On a CPU one thread does the sums: their order, and every digit, is the same on any number of cores, but
    not on one with other vector instructions (see `lib.experiments.images.record`).
    """
    device = compute.resolve_device(config.device)
    with compute.at_most_threads(1) if device.type == "cpu" else nullcontext():
        return _record(config, job["source"], job["seed"])


def _record(config: Config, name: str, seed: int) -> dict[str, Any]:
    device, photos = compute.resolve_device(config.device), album(config)
    source, source_seconds = networks.source_model(config, name, seed)
    reference, reference_seconds = networks.reference_model(config, seed)
    frame = measures.frame(config, seed)
    own, own_seconds = timed(lambda: measures.own_attack(config, seed))
    x, _ = measures.known(photos.attacked, config)
    (tangents, delta), tau = timed(lambda: measures.tangents(config, source, reference, x, seed))
    attacks, attack = timed(lambda: measures.cross_adversarial(config, source, delta, reference, seed))
    verified, knowledge = timed(lambda: transfer.verified(source.features, photos.pairs, device))
    rivals, rival = timed(lambda: transfer.rivals(config, source, photos))
    accuracy = frame["clean"]["accuracy"]
    mean = sum(found["accuracy"] for found in verified.values()) / len(verified)
    return {
        "target": TARGET,
        "source": name,
        "seed": seed,
        "reference_accuracy": accuracy,
        "reference_verification": measures.reference_verification(config, seed),
        "is_test": accuracy >= config.floor,
        **tangents,
        "own_attack": {"products": own["products"], "residual": float(_worst(own))},
        "attacks": frame | attacks,
        "knowledge": {"mean": mean, **verified},
        "rivals": rivals,
        "baselines": transfer.baselines(config, source, photos, None if settings.is_control(name) else name),
        "seconds": {
            "source": source_seconds, "reference": reference_seconds, "own_attack": own_seconds, "tau": tau,
            "attack": attack, "knowledge": knowledge, "rivals": rival,
        },
    }  # fmt: skip


def _worst(own: dict[str, Any]) -> Any:
    """The largest residual of the reference's top singular vector, relative to sigma_1."""
    return (own["residual"][:, 0] / own["sigma"][:, 0].clamp(min=1e-30)).max()
