"""Adversarial transferability: Definitions 2 to 4 of the paper, and what goes with them.

Everything here is for epsilon = 1 and for the tangent attacks delta_S, delta_T (Def. 1): unit top right
singular vectors of the Jacobians. Conventions, where the paper is silent: a zero Jacobian has attack 0,
tau1(x) = 0 and lambda(x) = 0; tau2 = alpha = 0 and A = 0 where a deviation vanishes everywhere. Explained
in the chapter "Definitions".
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, fields
from math import sqrt

import torch
from torch import Tensor

from lib.measures import _checks, jacobian, singular

_ELEMENTS = 2**22  # entries of a stack in one chunk of measure_jacobians: 32 MiB in float64
_GRAMS = 2**20  # entries of the Gram matrices of a chunk: beyond, they leave the processor's caches


@dataclass(frozen=True, eq=False)
class Aligned:
    """Of two deviations: alignment A (d, m), psi in (0, 1] with A = psi B*, and tau2 in [0, 1] (Def. 3)."""

    alignment: Tensor
    projection_scale: float
    tau2: float


@dataclass(frozen=True, eq=False)
class Samples:
    """The fields of `Transferability` that have a row for every sample."""

    tau1_per_sample: Tensor
    sigma_source: Tensor
    sigma_target: Tensor
    lambda_source: Tensor
    lambda_target: Tensor
    deviation_source: Tensor
    deviation_target: Tensor


@dataclass(frozen=True, eq=False)
class Transferability(Samples, Aligned):
    """What the attacks of a source f_S (m outputs) say about a target f_T (d outputs) on N samples.

    tau1, tau2 in [0, 1] (Defs. 2, 3); alpha_squared = |Delta_{T,delta_S}|_D^2 / |Delta_{T,delta_T}|_D^2 in
    [0, 1] and its root alpha (section 4.1); alignment A (d, m), not finite where it leaves float64, and
    projection_scale psi in (0, 1] with A = psi B* (App. B); per sample (N,): tau1_per_sample, sigma_* (top
    singular value), lambda_* (the second over the top one, Def. 4); deviation_source (N, m) and
    deviation_target (N, d), both under delta_S (eq. 1).
    """

    tau1: float
    alpha: float
    alpha_squared: float


def measure(
    source: jacobian.Model, target: jacobian.Model, x: Tensor, *, chunk_size: int | None = None
) -> Transferability:
    """Transferability from `source` to `target` (callables (N, *shape) -> (N, outputs...)) on the batch x.

    Streams: no more than one chunk of Jacobians exists at a time. Raises as `jacobian.jacobians` does.
    """
    jacobian.check_call(source, x)
    parts = jacobian.chunks(x, chunk_size)
    pairs = ((jacobian.jacobians(source, part), jacobian.jacobians(target, part)) for part in parts)
    return _collect((_per_sample(*pair) for pair in pairs), uniform(len(x)))


def measure_jacobians(
    jac_source: Tensor, jac_target: Tensor, weights: Tensor | None = None
) -> Transferability:
    """Transferability from Jacobian stacks (N, m, n) and (N, d, n), computed in float64.

    weights (N,), nonnegative, are normalised; None is uniform. Raises ValueError or TypeError for stacks
    that are empty, not finite or do not fit together, and for weights that are no distribution.
    """
    weights = check_pair(jac_source, jac_target, weights)
    size = _at_once(jac_source, jac_target)
    pairs = zip(jac_source.split(size), jac_target.split(size))
    return _collect((_per_sample(*pair) for pair in pairs), weights)


def tau2(deviation_source: Tensor, deviation_target: Tensor, weights: Tensor | None = None) -> float:
    """tau2 (Def. 3) of given deviations Delta_S (N, m) and Delta_T (N, d), whatever attack made them.

    How much of Delta_T the alignment explains: E<2 Delta_T - A Delta_S, A Delta_S> / E|Delta_T|^2, in [0, 1].
    Unchanged where both deviations of a sample change their sign. Weights and errors as `align`.
    """
    return align(deviation_source, deviation_target, weights).tau2


def align(deviation_source: Tensor, deviation_target: Tensor, weights: Tensor | None = None) -> Aligned:
    """A = proj(B*, r) of given deviations (N, m) and (N, d), with its psi and tau2 (Def. 3), in float64.

    B* = E[Delta_T Delta_S^T] (E[Delta_S Delta_S^T])^+ is the least-squares map, and the projection shrinks it
    to |A|_2 <= r = |Delta_T|_D / |Delta_S|_D. A = 0, psi = 1 and tau2 = 0 where a deviation vanishes
    everywhere. weights (N,) as in `measure_jacobians`. Raises ValueError or TypeError for deviations that are
    empty, not finite or not of the same samples, and for weights that are no distribution.
    """
    source, target = _check_deviations(deviation_source, deviation_target)
    return _align(source, target, check_weights(weights, len(source)))


def split_half(
    deviation_source: Tensor, deviation_target: Tensor, *, generator: torch.Generator, repeats: int = 20
) -> float:
    """tau2 out of sample: A fitted on a random half of the samples and scored on the other, averaged.

    1 - |Delta_T - A Delta_S|^2 / |Delta_T|^2 on the other half (App. B): at most 1, below 0 where A misleads,
    0 where Delta_T vanishes there. tau2 itself is fitted on the points that it is scored on.
    """
    pair = _check_deviations(deviation_source, deviation_target, least=2)
    source, target = (near_one(each) for each in pair)
    scores = []
    for _ in range(_positive(repeats)):
        order = torch.randperm(len(source), generator=generator).to(source.device)
        for fit, score in (order.chunk(2), order.chunk(2)[::-1]):
            fitted = _align(source[fit], target[fit], uniform(len(fit))).alignment
            scores.append(_explained(source[score], target[score], fitted, uniform(len(score))))
    return sum(scores) / len(scores)


def tau2_null(
    deviation_source: Tensor,
    deviation_target: Tensor,
    *,
    generator: torch.Generator,
    repeats: int = 200,
    signs: str = "random",
) -> Tensor:
    """tau2 (repeats,) after the target's deviations were permuted over the samples: no pairing left.

    The sign of each attack is arbitrary. signs="random" draws it anew, so that nothing is left: about m / N.
    signs="kept" turns each Delta_S(x) towards the main direction of Delta_S, and Delta_T(x) with it: what is
    constant over the samples stays. Smooth models have much of that whatever they do (two affine models have
    tau2 = 1), so that unrelated networks score at least about as much, far above m / N.
    """
    source, target = (near_one(each) for each in _check_deviations(deviation_source, deviation_target))
    if signs not in ("random", "kept"):
        raise ValueError(f"signs = {signs!r}: pass 'random' or 'kept'")
    if signs == "kept":
        main = torch.linalg.svd(source, full_matrices=False)[2][0]
        sign = torch.where(source @ main < 0, -1.0, 1.0).unsqueeze(-1).to(source)
        source, target = sign * source, sign * target
    values = []
    for _ in range(_positive(repeats)):
        shuffled = target[torch.randperm(len(target), generator=generator).to(target.device)]
        if signs == "random":
            sign = torch.randint(0, 2, (len(target), 1), generator=generator) * 2 - 1
            shuffled = shuffled * sign.to(target)
        values.append(_align(source, shuffled, uniform(len(source))).tau2)
    return torch.tensor(values, dtype=torch.float64)


def uniform(count: int) -> Tensor:
    """The uniform weights 1/N."""
    return torch.full((count,), 1 / count, dtype=torch.float64)


def check_pair(jac_source: Tensor, jac_target: Tensor, weights: Tensor | None) -> Tensor:
    """Raise unless the stacks fit together; return the weights, normalised."""
    _checks.stack(jac_source, "jac_source")
    _checks.stack(jac_target, "jac_target")
    (N, _, n), (other_N, _, other_n) = jac_source.shape, jac_target.shape
    if (N, n) != (other_N, other_n):
        raise ValueError(
            f"jac_source has {N} samples of {n} inputs, jac_target {other_N} of {other_n}: "
            "take both at the same points"
        )
    return check_weights(weights, N)


def check_weights(weights: Tensor | None, N: int) -> Tensor:
    """The weights (N,), normalised; None is uniform. Raise unless they are a distribution over N samples."""
    if weights is None:
        return uniform(N)
    weights = torch.as_tensor(weights, dtype=torch.float64).detach()
    if weights.shape != (N,):
        raise ValueError(f"weights has shape {tuple(weights.shape)}: pass one for each of the {N} samples")
    if not torch.isfinite(weights.sum()) or (weights < 0).any() or weights.sum() == 0:
        raise ValueError("weights must be finite, nonnegative and not all zero, and so must be their sum")
    return weights / weights.sum()


def check_range(*values: Tensor) -> None:
    """Raise ValueError where a computed number left the range of float64."""
    if not all(torch.isfinite(value).all() for value in values):
        raise ValueError(
            "the Jacobians are too large or too unequal for float64: divide the models' outputs by constants"
        )


def near_one(values: Tensor) -> Tensor:
    """values times the power of two that brings the largest near 1: exact, and no square overflows."""
    exponent = int(torch.frexp(values.detach().abs().max()).exponent)
    return values * 2.0 ** -max(exponent, -1000)


def _at_once(*stacks: Tensor) -> int:
    """How many samples fit into a chunk."""
    grams = sum(min(J.shape[1:]) ** 2 for J in stacks)
    return max(1, min(_GRAMS // grams, *(_ELEMENTS // J[0].numel() for J in stacks)))


def _per_sample(jac_source: Tensor, jac_target: Tensor) -> Samples:
    """Attacks, angle and deviations of one chunk (Def. 2, Def. 4, eq. 1)."""
    jac_source, jac_target = jac_source.detach().double(), jac_target.detach().double()
    source, target = singular.top_pairs(jac_source, jac_target)
    cosine, deviation_target = target.meet(source.right())
    return Samples(
        tau1_per_sample=cosine.square().clamp(max=1),
        sigma_source=source.sigma[:, 0],
        sigma_target=target.sigma[:, 0],
        lambda_source=_ratio(source.sigma[:, 1], source.sigma[:, 0]),
        lambda_target=_ratio(target.sigma[:, 1], target.sigma[:, 0]),
        deviation_source=source.deviation(),
        deviation_target=deviation_target,
    )


def _collect(parts: Iterable[Samples], weights: Tensor) -> Transferability:
    """Join the chunks and take the expectations over the weights."""
    columns = zip(*([getattr(part, field.name) for field in fields(Samples)] for part in parts))
    samples = Samples(*(torch.cat(column) for column in columns))
    check_range(*vars(samples).values())  # a NaN would pass min() and max() as a 1 or a 0
    weights = weights.to(samples.sigma_target.device)
    on = weights > 0
    p, sigma, moved_by = weights[on], samples.sigma_target[on], samples.deviation_target[on]
    aligned = _align(samples.deviation_source[on], moved_by, p)
    size = sigma.max().item() or 1.0  # keeps the squares from overflow and underflow
    moved = p @ (moved_by / size).square().sum(-1)
    own = p @ (sigma / size).square()
    alpha_squared = min(1.0, _ratio(moved, own).item())
    return Transferability(
        tau1=min(1.0, (weights @ samples.tau1_per_sample).item()),
        alpha=sqrt(alpha_squared),
        alpha_squared=alpha_squared,
        **vars(aligned),
        **vars(samples),
    )


def _align(source: Tensor, target: Tensor, weights: Tensor) -> Aligned:
    """`align` of float64 deviations and normalised weights.

    B* is computed by QR and SVD of the weighted deviations: second moments would square the condition number.
    """
    size_s, size_t = source.abs().max().item() or 1.0, target.abs().max().item() or 1.0
    root = weights.to(source.device).sqrt().unsqueeze(-1)
    source, target = root * (source / size_s), root * (target / size_t)
    zero = source.new_zeros(target.shape[1], source.shape[1])
    norm_s, norm_t = source.norm().item(), target.norm().item()
    if norm_s == 0 or norm_t == 0:
        return Aligned(zero, 1.0, 0.0)
    q, r = torch.linalg.qr(source)
    best = (torch.linalg.pinv(r, rtol=len(source) * torch.finfo(r.dtype).eps) @ (q.mT @ target)).mT
    norm = torch.linalg.matrix_norm(best, ord=2).item()
    psi = min(1.0, norm_t / norm_s / norm) if norm > 0 else 1.0
    alignment = psi * best
    image = source @ alignment.mT
    explained = ((2 * target - image) * image).sum().item() / norm_t**2
    return Aligned(alignment * (size_t / size_s), psi, min(1.0, max(0.0, explained)))


def _explained(source: Tensor, target: Tensor, alignment: Tensor, weights: Tensor) -> float:
    """1 - |Delta_T - A Delta_S|_D^2 / |Delta_T|_D^2: tau2 where A was fitted on the same points.

    0, as tau2, where Delta_T vanishes.
    """
    weights = weights.to(source.device)
    left = weights @ (target - source @ alignment.mT).square().sum(-1)
    total = weights @ target.square().sum(-1)
    return 1.0 - (left / total).item() if total > 0 else 0.0


def _ratio(top: Tensor, bottom: Tensor) -> Tensor:
    """top / bottom, and 0 where bottom is 0."""
    return torch.where(
        bottom > 0, top / bottom.where(bottom > 0, torch.ones_like(bottom)), torch.zeros_like(top)
    )


def _check_deviations(source: Tensor, target: Tensor, least: int = 1) -> tuple[Tensor, Tensor]:
    """Both in float64; raise unless they are matrices of the same samples, at least so many."""
    source = _checks.matrix(source, "deviations of the source")
    target = _checks.matrix(target, "deviations of the target")
    if not least <= len(source) == len(target):
        raise ValueError(
            f"deviations have shapes {tuple(source.shape)} and {tuple(target.shape)}: "
            f"pass (N, m) and (N, d) of the same N >= {least} samples"
        )
    return source, target


def _positive(repeats: int) -> int:
    if repeats < 1:
        raise ValueError(f"repeats = {repeats}: pass at least 1")
    return repeats
