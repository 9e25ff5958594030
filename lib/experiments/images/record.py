"""Sources of images nearer to and farther from a target: Sec. 4.2 and Figure 3 left, see `book/images.md`.

Five sources of four classes, one reference model a target. Everything that a record holds is measured on
the target's test images, with the attacks made on the source alone.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from time import perf_counter
from typing import Any

from lib.base import compute
from lib.experiments.images import measures, networks, rivals, settings
from lib.experiments.images.settings import PRESETS, UNTRAINED, Config

__all__ = ["JOB_IGNORES", "NAME", "PRESETS", "Config", "datasets", "jobs", "run_job"]

NAME = "images"
JOB_IGNORES = ("seeds",)


def datasets(config: Config) -> tuple[str, ...]:
    """Names in the data registry."""
    return tuple(dict.fromkeys([config.source_data, *(settings.split_target(t)[0] for t in config.targets)]))


def jobs(config: Config) -> list[dict[str, Any]]:
    """One job a target, source and seed; a seed is complete before the next begins."""
    return [
        {"target": target, "source": source, "seed": seed}
        for seed in range(config.seeds)
        for target in config.targets
        for source in [*settings.sources(config), UNTRAINED]
    ]


def run_job(config: Config, job: dict[str, Any]) -> dict[str, Any]:
    """The record of one source against one reference model, both of the job's seed.

    On a CPU one thread does the sums: their order, and every digit, is the same on any number of cores. A
    CPU with other vector instructions rounds otherwise, which training amplifies to the size of another seed
    (one record with AVX2 for AVX-512: accuracies within .02, PGD loss 1 %, tau1 6 %, tau2 .018 and .058).
    """
    device = compute.resolve_device(config.device)
    with compute.at_most_threads(1) if device.type == "cpu" else nullcontext():
        return _record(config, job["target"], job["source"], job["seed"])


def _record(config: Config, target: str, name: str, seed: int) -> dict[str, Any]:
    device = compute.resolve_device(config.device)
    source, source_seconds = networks.source_model(config, name, seed)
    reference, reference_seconds = networks.reference_model(config, target, seed)
    seconds = {"source": source_seconds, "reference": reference_seconds}
    split = networks.target_split(config, target)
    x, y = networks.pixels(split.test.take(config.attack_images // networks.CLASSES), device)
    own = networks.source_split(config, name) if name != UNTRAINED else None
    accuracy = measures.accuracy(reference, split.test, device)
    own_accuracy = measures.accuracy(source, own.test, device) if own else None
    with _timed(seconds, "tau"):
        tangent = measures.tangent(config, source, reference, x, seed)
    with _timed(seconds, "attack"):
        attacks = measures.cross_adversarial(config, source, reference, x, y, seed)
    with _timed(seconds, "knowledge"):
        knowledge = measures.transferred(config, source, split, seed)
    with _timed(seconds, "rivals"):
        scores = rivals.rivals(config, source, split)
    return {
        "target": target,
        "source": name,
        "seed": seed,
        "shared": settings.shared(config, name, target),
        "source_accuracy": own_accuracy,
        "reference_accuracy": accuracy,
        "is_test": accuracy >= config.floor,
        **tangent,
        "attacks": attacks,
        "sweeps": measures.sweeps(config, source, reference, x, y, seed),
        "knowledge": knowledge,
        "rivals": scores,
        "baselines": {
            "source_accuracy": own_accuracy,
            "domain_distance": rivals.domain_distance(config, reference, own.train if own else None, split),
        },
        "seconds": seconds,
    }


@contextmanager
def _timed(seconds: dict[str, float], name: str) -> Iterator[None]:
    begun = perf_counter()
    yield
    seconds[name] = perf_counter() - begun
