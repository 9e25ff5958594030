"""tau1 and tau2 on word embeddings (Defs. 1 to 3), what unrelated models score, and other readings."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from typing import Any

import torch
from torch import Tensor

from lib.base import compute
from lib.experiments.text import networks
from lib.experiments.text.settings import Config
from lib.measures import jacobian, transferability
from lib.measures.transferability import Transferability
from lib.models import bert, reading

SHARES = (0.1, 0.2, 0.4)  # of the texts, at which tau2 and its null are taken again
SCALES = (1.0, 0.1, 1e-2, 1e-3, 1e-4, 1e-5, 1e-6, 0.0)  # of what all logits have in common


def jacobians(model: bert.Classifier, texts: reading.Sentences) -> Tensor:
    """(N, classes, L, width): of the logits in the word embeddings, 0 at special tokens and padding.

    L is the longest text's. Each batch holds texts of one padded length, so nothing is spent on padding.
    """
    longest = max(len(row) for row in texts.ids)
    parts: list[Tensor] = [torch.empty(0)] * len(texts)
    for index in reading.buckets(texts.ids):
        f, x, _ = reading.on_words(model, texts, index)
        stack = jacobian.jacobians(f, x, len(x)).unflatten(2, x.shape[1:]).cpu()
        for row, found in zip(index.tolist(), stack):
            parts[row] = torch.zeros(len(found), longest, x.shape[2])
            parts[row][:, : found.shape[1]] = found[:, :longest]
    return torch.stack(parts)


def measured(
    config: Config, source: bert.Classifier, reference: bert.Classifier, seed: int
) -> dict[str, Any]:
    """Definitions 1 to 3 on config.tau_texts texts, with nulls and other readings of the same Jacobians.

    `reference` is the one of this config and seed.
    """
    texts = texts_for_tau(config)
    own, other = jacobians(source, texts), _of_the_reference(config, seed)
    logits = reading.apply(source, texts), reading.apply(reference, texts)
    found = transferability.measure_jacobians(own.flatten(2), other.flatten(2))
    order = torch.randperm(len(own), generator=compute.generator(seed, "strangers"))
    strangers = transferability.measure_jacobians(own.flatten(2), other[order].flatten(2))
    readings = _readings(own, other, logits)
    return {
        **scalars(found),
        "tau1_error": float(found.tau1_per_sample.std() / len(own) ** 0.5),  # standard error over the texts
        "tau1_chance": _chance(texts, own.shape[3]),
        "tau1_strangers": strangers.tau1,  # the source's attack on one text, the reference's on another
        **_nulls(config, found, seed),
        "readings": {name: brief(config, one, seed) for name, one in readings.items()}
        | {"each model's own attack": _own_attacks(own, other, found, seed)},
        "by_scale": {str(scale): _at_scale(found, scale) for scale in SCALES},
        "by_size": {str(n): _at_size(readings["contrasts"], n, config, seed) for n in _sizes(config)},
    }


def by_length(
    config: Config, source: bert.Classifier, reference: bert.Classifier, seed: int
) -> dict[str, Any]:
    """tau1 and tau2 (logits, contrasts) on the first texts, cut to each of config.lengths."""
    found, own = {}, networks.encoder(config)
    for length in config.lengths:
        cut = [own.cut(item, length) for item in networks.attacked_part(config).texts[: config.length_texts]]
        texts = reading.sentences(own, cut)
        pair = jacobians(source, texts), jacobians(reference, texts)
        logits = transferability.measure_jacobians(*(stack.flatten(2) for stack in pair))
        contrasts = transferability.measure_jacobians(*(_contrasts(stack).flatten(2) for stack in pair))
        found[str(length)] = {
            "chance": _chance(texts, own.width),
            "logits": brief(config, logits, seed),
            "contrasts": brief(config, contrasts, seed),
        }
    return found


@lru_cache(maxsize=1)
def texts_for_tau(config: Config) -> reading.Sentences:
    """The texts, tokenised and sent through the frozen layers."""
    return reading.sentences(networks.encoder(config), networks.attacked_part(config).texts)


def tau2(source: Tensor, target: Tensor) -> float:
    """tau2 (Def. 3) of deviations (N, m) and (N, d) that no tangent attack made, such as TextFooler's.

    A text that did not move the source was not attacked: nothing is asked of the target there.
    """
    return transferability.tau2(source, target * source.any(1, keepdim=True))


def scalars(found: Transferability) -> dict[str, Any]:
    """The scalars of a record."""
    return {
        "tau1": found.tau1,
        "tau2": found.tau2,
        "alpha": found.alpha,
        "alpha_squared": found.alpha_squared,
        "projection_scale": found.projection_scale,
        "sigma": [float(found.sigma_source.mean()), float(found.sigma_target.mean())],
        "lambda": [float(found.lambda_source.mean()), float(found.lambda_target.mean())],
    }


def brief(config: Config, found: Transferability, seed: int) -> dict[str, float]:
    """tau1, tau2, psi, what A would explain without its projection, and the means of both nulls.

    tau2 = psi (2 - psi) R^2 (App. B), so that R^2 is tau2 / (psi (2 - psi)).
    """
    nulls, psi = _nulls(config, found, seed), found.projection_scale
    return {
        "tau1": found.tau1,
        "tau2": found.tau2,
        "psi": psi,
        "r_squared": found.tau2 / (psi * (2 - psi)),
        "null": nulls["tau2_null"][0],
        "kept_null": nulls["tau2_kept_null"][0],
    }


@lru_cache(maxsize=1)
def _of_the_reference(config: Config, seed: int) -> Tensor:
    """The reference's Jacobians, computed once for all sources."""
    return jacobians(networks.reference_model(config, seed)[0], texts_for_tau(config))


def _nulls(config: Config, found: Transferability, seed: int) -> dict[str, Any]:
    deviations = found.deviation_source, found.deviation_target
    result: dict[str, Any] = {}
    for key, signs in (("tau2_null", "random"), ("tau2_kept_null", "kept")):
        null = transferability.tau2_null(
            *deviations, generator=compute.generator(seed, "null"), repeats=config.null_repeats, signs=signs
        )
        result[key] = [float(null.mean()), float(null.quantile(0.95))]
    half = transferability.split_half(*deviations, generator=compute.generator(seed, "half"))
    return result | {"tau2_split_half": half}


def _readings(own: Tensor, other: Tensor, logits: Sequence[Tensor]) -> dict[str, Transferability]:
    """Other readings of "output" and of "input" than logits and the embeddings of all words.

    `contrasts`: an orthonormal basis of the differences of logits, one number for two classes, so that no
    output repeats another; `probabilities`: softmax, whose sum is constant, so that one repeats the others.
    """
    softmax = tuple(_softmax(stack, rows) for stack, rows in zip((own, other), logits))
    contrasts = _contrasts(own), _contrasts(other)
    pairs: dict[str, tuple[Tensor, ...]] = {
        "contrasts": contrasts,
        "probabilities": softmax,
        "one shift for all words": tuple(stack.sum(2, keepdim=True) for stack in contrasts),
    }
    return {
        name: transferability.measure_jacobians(*(stack.flatten(2) for stack in pair))
        for name, pair in pairs.items()
    }


def _own_attacks(own: Tensor, other: Tensor, found: Transferability, seed: int) -> dict[str, float]:
    """tau2 if Delta_T is taken under delta_T, as a hasty reader of Definition 3 might.

    Then the two signs are unrelated: drawn at random here, as a solver leaves them.
    """
    first, second = (_contrasts(stack).flatten(2) for stack in (own, other))
    mine = transferability.measure_jacobians(first, second).deviation_source
    separate = transferability.measure_jacobians(second, second).deviation_target
    signs = torch.randint(0, 2, (len(mine), 1), generator=compute.generator(seed, "signs")) * 2 - 1
    return {"tau1": found.tau1, "tau2": tau2(mine, separate * signs)}


def _at_size(found: Transferability, size: int, config: Config, seed: int) -> dict[str, float]:
    """tau2 of the first `size` texts and the mean of its null with random signs."""
    first, second = found.deviation_source[:size], found.deviation_target[:size]
    stream = compute.generator(seed, "null", size)
    null = transferability.tau2_null(first, second, generator=stream, repeats=config.null_repeats)
    return {"tau2": tau2(first, second), "null": float(null.mean())}


def _at_scale(found: Transferability, scale: float) -> list[float]:
    """[tau2, psi] after the mean over the outputs was shrunk in both deviations; 0 takes it out."""
    pair = found.deviation_source, found.deviation_target
    shrunk = [each - (1 - scale) * each.mean(1, keepdim=True) for each in pair]
    one = transferability.align(*shrunk)
    return [one.tau2, one.projection_scale]


def _sizes(config: Config) -> list[int]:
    return [round(share * config.tau_texts) for share in SHARES]


def _chance(texts: reading.Sentences, width: int) -> float:
    """The mean squared cosine of two random directions in the embeddings of a text of mean length."""
    return len(texts) / (sum(len(row) - 2 for row in texts.ids) * width)


def _contrasts(stack: Tensor) -> Tensor:
    """(N, m, ...) -> (N, m - 1, ...): the outputs in an orthonormal basis of the vectors with sum 0."""
    count = stack.shape[1]
    ones = torch.ones(count, 1, dtype=torch.float64)
    basis = torch.linalg.qr(torch.cat([ones, torch.eye(count, dtype=torch.float64)[:, :-1]], 1))[0][:, 1:]
    return torch.einsum("mk,nm...->nk...", basis.to(stack), stack)


def _softmax(stack: Tensor, logits: Tensor) -> Tensor:
    """The Jacobian of the probabilities: (diag p - p p') J."""
    p = logits.softmax(1)
    mean = torch.einsum("nk,nkld->nld", p, stack).unsqueeze(1)
    return p[:, :, None, None] * (stack - mean)
