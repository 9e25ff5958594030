"""Knowledge transferability: how well a small function of a source model's outputs solves the target task."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn.functional import cross_entropy, one_hot

from lib.measures import _checks

Pair = tuple[Tensor, Tensor]  # features (N, m), labels (N,)

_STRENGTHS = tuple(10.0**power for power in range(-6, 2))


@dataclass(frozen=True, eq=False)
class AffineRefit:
    """g(z) = weight z + bias with weight (d, m) and bias (d,), and its mean squared loss."""

    weight: Tensor
    bias: Tensor
    loss: float


@dataclass(frozen=True, eq=False)
class Probe:
    """A linear classifier: accuracy and cross-entropy on the test set, and how it was found.

    strength: the penalty that the validation set chose; weight (classes, m), bias (classes,); converged:
    whether the gradient of the chosen fit vanished to the tolerance.
    """

    accuracy: float
    loss: float
    strength: float
    weight: Tensor
    bias: Tensor
    converged: bool


def affine_refit(features: Tensor, targets: Tensor, *, ridge: float = 0.0) -> AffineRefit:
    """min over affine g of E|g(f_S(x)) - y|^2, in closed form: the class of Problem 1 (section 3), unbounded.

    features (N, m), targets (N, d). ridge >= 0 adds ridge |weight|_F^2 to the mean; the bias is free.
    `loss` is the mean squared loss without the penalty. Computed in float64 by SVD of the centred features,
    so that features that depend on one another give the solution of least norm.
    Raises ValueError for other shapes, NaN or infinity, and a negative ridge.
    """
    features, targets = _matrix(features, "features"), _matrix(targets, "targets")
    if len(features) != len(targets):
        raise ValueError(f"{len(features)} features but {len(targets)} targets: pass one target a sample")
    if not (math.isfinite(ridge) and ridge >= 0):
        raise ValueError(f"ridge = {ridge}: pass a finite penalty of at least 0")
    centre, mean = features.mean(0), targets.mean(0)
    u, s, v = torch.linalg.svd(features - centre, full_matrices=False)
    kept = s > s[:1] * max(features.shape) * torch.finfo(s.dtype).eps
    inverse = torch.where(kept, s / (s.square() + len(features) * ridge).where(kept, torch.ones_like(s)), 0)
    weight = ((u.mT @ (targets - mean)).mT * inverse) @ v
    bias = mean - weight @ centre
    loss = (features @ weight.mT + bias - targets).square().sum(-1).mean().item()
    return AffineRefit(weight, bias, loss)


def linear_probe(
    train: Pair, valid: Pair, test: Pair, *, classes: int, strengths: Sequence[float] = _STRENGTHS
) -> Probe:
    """Multinomial logistic regression on frozen features, its penalty chosen on the validation set.

    Each set is features (N, m) and labels (N,) in 0 .. classes-1. Minimises mean cross-entropy plus
    strength / 2 |weight|_F^2 on features scaled by the training set's mean and deviation, by L-BFGS in
    float64 to convergence. The strength of least validation cross-entropy wins; the test set is only scored.
    weight and bias are for the unscaled features. Section 4.2 stacks and trains such a layer.
    Raises ValueError or TypeError for other shapes or labels, NaN or infinity, and strengths <= 0.
    """
    named = {"train": train, "valid": valid, "test": test}
    sets = [_labelled(*pair, name, classes) for name, pair in named.items()]
    if len(widths := {pair[0].shape[1] for pair in sets}) > 1:
        raise ValueError(f"the features have {sorted(widths)} columns: take all three from one model")
    if not strengths or not all(math.isfinite(s) and s > 0 for s in strengths):
        raise ValueError(f"strengths = {tuple(strengths)}: pass one or more positive penalties")
    features, labels = sets[0]
    centre = features.mean(0)
    scale = features.std(0, correction=0)
    scale = scale.where(scale > 0, torch.ones_like(scale))
    fits = []
    start = features.new_zeros(classes, features.shape[1] + 1)
    for strength in sorted(strengths, reverse=True):  # the strongest is the easiest: each starts the next
        start, converged = _logistic((features - centre) / scale, labels, strength, start)
        weight = start[:, :-1] / scale
        bias = start[:, -1] - weight @ centre
        loss = cross_entropy(sets[1][0] @ weight.mT + bias, sets[1][1]).item()
        fits.append((loss, strength, weight, bias, converged))
    _, strength, weight, bias, converged = min(fits, key=lambda fit: fit[0])
    logits = sets[2][0] @ weight.mT + bias
    accuracy = (logits.argmax(-1) == sets[2][1]).double().mean().item()
    return Probe(accuracy, cross_entropy(logits, sets[2][1]).item(), strength, weight, bias, converged)


def _logistic(features: Tensor, labels: Tensor, strength: float, start: Tensor) -> tuple[Tensor, bool]:
    """L-BFGS on [weight, bias] (classes, m + 1) from `start`, with the gradient written out."""
    wide = torch.cat([features, features.new_ones(len(features), 1)], dim=1)
    goal = one_hot(labels, start.shape[0]).to(wide)
    shrink = torch.cat([torch.full_like(start[:, :-1], strength), torch.zeros_like(start[:, -1:])], dim=1)
    solution = start.clone().requires_grad_(True)
    solver = torch.optim.LBFGS(
        [solution], max_iter=1000, tolerance_grad=1e-8, tolerance_change=0, line_search_fn="strong_wolfe"
    )

    def closure() -> float:
        with torch.no_grad():
            log_p = (wide @ solution.mT).log_softmax(-1)
            solution.grad = (log_p.exp() - goal).mT @ wide / len(wide) + shrink * solution
            return -(goal * log_p).sum().item() / len(wide) + (shrink * solution.square()).sum().item() / 2

    solver.step(closure)
    closure()
    assert solution.grad is not None
    return solution.detach(), bool(solution.grad.abs().max() <= 1e-6)


def _matrix(values: Tensor, name: str) -> Tensor:
    """The matrix in float64; its squares must be in range, too."""
    values = _checks.matrix(values, name)
    largest = values.abs().max().item()
    if largest > 0 and not 1e-150 <= largest <= 1e150:
        raise ValueError(f"{name} reaches {largest:.0e}, whose square leaves float64: scale it first")
    return values


def _labelled(features: Tensor, labels: Tensor, name: str, classes: int) -> tuple[Tensor, Tensor]:
    features = _matrix(features, f"{name} features")
    if not isinstance(labels, Tensor):
        raise TypeError(f"{name} labels are a {type(labels).__name__}: pass a tensor of integers")
    if labels.is_floating_point() or labels.shape != features.shape[:1]:
        found = f"{labels.dtype} {tuple(labels.shape)}"
        raise ValueError(f"{name} labels are {found}: pass {len(features)} integers")
    if labels.min() < 0 or labels.max() >= classes:
        raise ValueError(f"{name} labels run from {labels.min()} to {labels.max()}: pass 0 .. {classes - 1}")
    return features, labels.long()
