"""The estimators beside the plainest code for their definitions, on the features of a wide network.

One thread and its own processor time; the two of a pair run in turn, and what counts is the median of their
ratios.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

import torch
from torch import Tensor
from torch.nn.functional import one_hot

from benchmarks.attacks import ratio
from lib.base.tables import Table
from lib.measures import estimators

SAMPLES, FEATURES, CLASSES, ROUNDS = 1000, 512, 10, 5


def logme(features: Tensor, labels: Tensor, steps: int = 11) -> float:
    """You et al. (2021), Algorithm 1 as it is written: a solve a step and class; 11 steps, as theirs."""
    count, size = features.shape
    total, gram, unit = 0.0, features.mT @ features, torch.eye(size, dtype=features.dtype)
    for y in one_hot(labels).to(features).T:
        alpha = beta = 1.0
        for _ in range(steps):
            whole = alpha * unit + beta * gram
            m = beta * torch.linalg.solve(whole, features.mT @ y)
            gamma = size - alpha * float(torch.linalg.inv(whole).trace())
            miss = float((features @ m - y).square().sum())
            alpha, beta = gamma / float(m @ m), (count - gamma) / miss
        total += float(torch.logdet(alpha * unit + beta * gram)) - beta * miss
    return total


def h_score(features: Tensor, labels: Tensor) -> float:
    """tr(cov(f)^+ cov(E[f|y])) from the two covariance matrices."""
    means = torch.stack([features[labels == label].mean(0) for label in labels])
    return float((torch.linalg.pinv(features.mT.cov(), hermitian=True) @ means.mT.cov()).trace())


def trans_rate(features: Tensor, labels: Tensor) -> float:
    """Log determinants of D x D matrices, for all samples and for each class."""

    def rate(z: Tensor) -> float:
        gram = z.mT @ z / (len(z) * 1e-4)
        return 0.5 * float(torch.logdet(torch.eye(z.shape[1], dtype=z.dtype) + gram))

    centred = features - features.mean(0)
    return rate(centred) - sum(rate(centred[labels == k]) for k in range(CLASSES)) / CLASSES


def knn(features: Tensor, labels: Tensor) -> float:
    """A sample at a time."""
    hits = 0
    for i, point in enumerate(features):
        distance = (features - point).square().sum(1)
        distance[i] = float("inf")
        near = labels[distance.topk(5, largest=False).indices]
        hits += int(near.mode().values == labels[i])
    return hits / len(features)


def leep(theta: Tensor, labels: Tensor) -> float:
    """A sample at a time."""
    joint = torch.zeros(CLASSES, theta.shape[1], dtype=theta.dtype)
    for row, label in zip(theta, labels):
        joint[label] += row / len(theta)
    given = joint / joint.sum(0)
    return float(sum((given[label] * row).sum().log() for row, label in zip(theta, labels)) / len(theta))


def rows() -> Table:
    """One line an estimator: how many times as fast as the plain code it is."""
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        lines = [_line(*pair) for pair in _pairs()]
    finally:
        torch.set_num_threads(threads)
    size = f"{SAMPLES} samples, {FEATURES} features, {CLASSES} classes"
    note = f"{size}; torch {torch.__version__}, processor time of one thread, medians."
    return Table(["estimator", "times as fast", "ours, ms", "plain, ms"], lines, "Estimators", note)


def _pairs() -> list[tuple[str, Callable[[], Any], Callable[[], Any]]]:
    generator = torch.Generator().manual_seed(0)
    labels = torch.arange(SAMPLES) % CLASSES
    x = torch.randn(SAMPLES, FEATURES, generator=generator, dtype=torch.float64)
    x[:, :CLASSES] += 2 * one_hot(labels)
    theta = x[:, :20].softmax(1)
    plain = {"logme": logme, "h_score": h_score, "trans_rate": trans_rate, "knn": knn}
    pairs = [
        (name, partial(getattr(estimators, name), x, labels), partial(slow, x, labels))
        for name, slow in plain.items()
    ]
    return [*pairs, ("leep", partial(estimators.leep, theta, labels), partial(leep, theta, labels))]


def _line(name: str, ours: Callable[[], Any], plain: Callable[[], Any]) -> list[Any]:
    value, mine, other = ratio(ours, plain, rounds=ROUNDS)
    return [name, value, 1e3 * mine, 1e3 * other]
