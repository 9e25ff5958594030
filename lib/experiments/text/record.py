"""Sources of text nearer to and farther from film reviews: Sec. 4.2 and Figure 3 right, see `book/text.md`.

One reference model, several sources and an untrained control. Everything that a record holds is measured on
the target's test texts, with the attacks made on the source alone.
"""

from __future__ import annotations

from contextlib import nullcontext
from typing import Any

from lib.attacks.words import candidates
from lib.base import compute
from lib.data import registry
from lib.experiments.text import attacking, learning, networks, settings, tangent
from lib.experiments.text.settings import PRESETS, UNTRAINED, Config

__all__ = ["JOB_IGNORES", "NAME", "PRESETS", "Config", "datasets", "jobs", "run_job"]

NAME = "text"
JOB_IGNORES = ("seeds",)


def datasets(config: Config) -> tuple[registry.Needed, ...]:
    """The texts, the encoder, and the candidates of the attack."""
    names = [settings.split_name(name)[0] for name in (config.target, *config.sources)]
    words = candidates.opposites_data() if config.candidates == "embeddings" else [config.candidates]
    return registry.needed(*names, config.encoder, *words)


def jobs(config: Config) -> list[dict[str, Any]]:
    """One job a source and seed; a seed is complete before the next begins."""
    return [
        {"target": config.target, "source": source, "seed": seed}
        for seed in range(config.seeds)
        for source in [*config.sources, UNTRAINED]
    ]


def run_job(config: Config, job: dict[str, Any]) -> dict[str, Any]:
    """The record of one source against the reference model of the job's seed.

    On a CPU one thread does the sums: their order, and every digit, is the same on any number of cores.
    """
    device = compute.resolve_device(config.device)
    with compute.at_most_threads(1) if device.type == "cpu" else nullcontext():
        return _record(config, job["source"], job["seed"])


def _record(config: Config, name: str, seed: int) -> dict[str, Any]:
    seconds: dict[str, float] = {}
    source, seconds["source"] = networks.source_model(config, name, seed)
    reference, seconds["reference"] = networks.reference_model(config, seed)
    accuracy = learning.accuracy(config, reference)
    timed = learning.timed
    tau = timed(seconds, "tau", tangent.measured, config, source, reference, seed)
    lengths = timed(seconds, "lengths", tangent.by_length, config, source, reference, seed)
    found = timed(seconds, "attack", attacking.attack, config, source)
    losses = timed(seconds, "losses", attacking.cross_adversarial, config, source, reference, found, seed)
    words = attacking.diagnostics(config, found, seed)
    words |= attacking.deviations(config, source, reference, found, seed)
    return {
        "target": config.target,
        "source": name,
        "seed": seed,
        "same_task": settings.same_task(config, name),
        "reference_accuracy": accuracy,
        "is_test": accuracy >= config.floor,
        **tau,
        "by_length": lengths,
        "attacks": losses,
        "textfooler": words,
        "knowledge": timed(seconds, "knowledge", learning.transferred, config, source, seed),
        "rivals": timed(seconds, "rivals", learning.rivals, config, source, seed),
        "baselines": timed(seconds, "baselines", learning.baselines, config, source, name, seed),
        "seconds": seconds,
    }
