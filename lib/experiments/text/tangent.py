"""tau1 and tau2 on word embeddings (Defs. 1 to 3), what unrelated models score, and other readings."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from typing import Any

import torch
from torch import Tensor

from lib.base import streams
from lib.experiments.common import tangent
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


_of_the_reference = lru_cache(maxsize=1)(jacobians)  # computed once for all sources


def measured(
    config: Config, source: bert.Classifier, reference: bert.Classifier, seed: int
) -> dict[str, Any]:
    """Definitions 1 to 3 on config.tau_texts texts, with nulls and other readings of the same Jacobians."""
    texts = networks.attacked_texts(config)
    own, other = jacobians(source, texts), _of_the_reference(reference, texts)
    logits = reading.apply(source, texts), reading.apply(reference, texts)
    found, readings = _of(own, other), _readings(own, other, logits)
    order = torch.randperm(len(own), generator=streams.generator(seed, "strangers"))
    sizes = [round(share * config.tau_texts) for share in SHARES]
    return {
        **tangent.record(found, "text", seed, config.null_repeats, _chance(texts, own.shape[3])),
        "tau1_strangers": _of(own, other[order]).tau1,  # attacks on one text and on another
        "readings": {name: _brief(config, one, seed) for name, one in readings.items()}
        | {"each model's own attack": _own_attacks(own, other, found, seed)},
        "by_scale": {str(scale): _at_scale(found, scale) for scale in SCALES},
        "by_size": {str(n): _at_size(readings["contrasts"], n, config, seed) for n in sizes},
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
        found[str(length)] = {
            "chance": _chance(texts, own.width),
            "logits": _brief(config, _of(*pair), seed),
            "contrasts": _brief(config, _of(*map(_contrasts, pair)), seed),
        }
    return found


def tau2(source: Tensor, target: Tensor) -> float:
    """tau2 (Def. 3) of deviations (N, m) and (N, d) that no tangent attack made, such as TextFooler's.

    A text that did not move the source was not attacked: nothing is asked of the target there.
    """
    return transferability.tau2(source, target * source.any(1, keepdim=True))


def _of(own: Tensor, other: Tensor) -> Transferability:
    return transferability.measure_jacobians(own.flatten(2), other.flatten(2))


def _brief(config: Config, found: Transferability, seed: int) -> dict[str, float]:
    """tau1, tau2, psi, what A would explain without its projection, and the means of both nulls.

    tau2 = psi (2 - psi) R^2 (App. B), so that R^2 is tau2 / (psi (2 - psi)).
    """
    pair, psi = (found.deviation_source, found.deviation_target), found.projection_scale
    nulls = tangent.nulls(*pair, "text", seed, config.null_repeats)
    return {
        "tau1": found.tau1,
        "tau2": found.tau2,
        "psi": psi,
        "r_squared": found.tau2 / (psi * (2 - psi)),
        "null": nulls["tau2_null"][0],
        "kept_null": nulls["tau2_kept_null"][0],
    }


def _readings(own: Tensor, other: Tensor, logits: Sequence[Tensor]) -> dict[str, Transferability]:
    """Other readings of "output" and of "input" than logits and the embeddings of all words.

    `contrasts`: an orthonormal basis of the differences of logits, one number for two classes, so that no
    output repeats another; `probabilities`: softmax, whose sum is constant, so that one repeats the others.
    """
    contrasts = _contrasts(own), _contrasts(other)
    first, second = (stack.sum(2, keepdim=True) for stack in contrasts)
    return {
        "contrasts": _of(*contrasts),
        "probabilities": _of(_softmax(own, logits[0]), _softmax(other, logits[1])),
        "one shift for all words": _of(first, second),
    }


def _own_attacks(own: Tensor, other: Tensor, found: Transferability, seed: int) -> dict[str, float]:
    """tau2 if Delta_T is taken under delta_T, as a hasty reader of Definition 3 might.

    Then the two signs are unrelated: drawn at random here, as a solver leaves them.
    """
    first, second = _contrasts(own), _contrasts(other)
    mine, separate = _of(first, second).deviation_source, _of(second, second).deviation_target
    signs = torch.randint(0, 2, (len(mine), 1), generator=streams.generator(seed, "signs")) * 2 - 1
    return {"tau1": found.tau1, "tau2": tau2(mine, separate * signs)}


def _at_size(found: Transferability, size: int, config: Config, seed: int) -> dict[str, float]:
    """tau2 of the first `size` texts and the mean of its null with random signs."""
    pair = found.deviation_source[:size], found.deviation_target[:size]
    stream = streams.generator(seed, "null", size)
    null = transferability.tau2_null(*pair, generator=stream, repeats=config.null_repeats)
    return {"tau2": tau2(*pair), "null": float(null.mean())}


def _at_scale(found: Transferability, scale: float) -> list[float]:
    """[tau2, psi] after the mean over the outputs was shrunk in both deviations; 0 takes it out."""
    pair = found.deviation_source, found.deviation_target
    one = transferability.align(*(each - (1 - scale) * each.mean(1, keepdim=True) for each in pair))
    return [one.tau2, one.projection_scale]


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
