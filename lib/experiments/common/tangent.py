"""The part of a record that holds tau1 and tau2 (Defs. 1 to 4), their nulls, and what chance would give."""

from __future__ import annotations

from typing import Any

from torch import Tensor

from lib.base import streams
from lib.measures import transferability
from lib.measures.transferability import Transferability

# The random streams of the two nulls, after the seed: they were named at different times, and a recorded run
# keeps its own.
NULLS: dict[str, tuple[tuple[str, ...], tuple[str, ...]]] = {
    "images": (("null",), ("kept",)),
    "text": (("null",), ("null",)),
    "attributes": (("null", "random"), ("null", "kept")),
    "tasks": (("null",), ("null",)),
}


def record(found: Transferability, experiment: str, seed: int, repeats: int, chance: float) -> dict[str, Any]:
    """The scalars, tau1's standard error over the samples and its chance, and the nulls of tau2."""
    per_sample = found.tau1_per_sample
    return {
        **scalars(found),
        "tau1_error": float(per_sample.std() / len(per_sample) ** 0.5),
        "tau1_chance": chance,
        **nulls(found.deviation_source, found.deviation_target, experiment, seed, repeats),
    }


def scalars(found: Transferability) -> dict[str, Any]:
    """tau1, tau2, alpha, its square, psi, and the means of sigma and lambda, [source, target]."""
    return {
        "tau1": found.tau1,
        "tau2": found.tau2,
        "alpha": found.alpha,
        "alpha_squared": found.alpha_squared,
        "projection_scale": found.projection_scale,
        "sigma": [float(found.sigma_source.mean()), float(found.sigma_target.mean())],
        "lambda": [float(found.lambda_source.mean()), float(found.lambda_target.mean())],
    }


def nulls(source: Tensor, target: Tensor, experiment: str, seed: int, repeats: int) -> dict[str, Any]:
    """What unrelated pairings give for tau2, [mean, 95th per cent], and tau2 out of sample."""
    found: dict[str, Any] = {}
    for key, signs, names in zip(("tau2_null", "tau2_kept_null"), ("random", "kept"), NULLS[experiment]):
        stream = streams.generator(seed, *names)
        null = transferability.tau2_null(source, target, generator=stream, repeats=repeats, signs=signs)
        found[key] = [float(null.mean()), float(null.quantile(0.95))]
    half = transferability.split_half(source, target, generator=streams.generator(seed, "half"))
    return found | {"tau2_split_half": half}


def directions(x: Tensor) -> float:
    """tau1 of two random directions in inputs such as x (N, *shape): the mean of their squared cosine."""
    return 1 / x[0].numel()
