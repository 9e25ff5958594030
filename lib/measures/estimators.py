"""The rivals of tau: estimators of transferability that need labels of the target and no attack.

Each reads a source model once on N labelled samples of the target: its features (N, D), or its class
probabilities (N, Z). Higher is better. They are compared with tau1, tau2 and alpha in the chapters of the
experiments. All is computed in float64, from one thin SVD of the features where possible; which integers
name the classes does not matter, and rotating the features changes nothing.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Container

import torch
from torch import Tensor
from torch.nn.functional import one_hot

from lib.measures import _checks

TITLES = {  # the keys of `scores`, as readers know them
    "logme": "LogME",
    "leep": "LEEP",
    "nce": "NCE",
    "h_score": "H-score",
    "h_score_regularised": "H-score, regularised",
    "trans_rate": "TransRate",
    "knn": "k-NN",
}
NEW: frozenset[str] = frozenset()  # keys that the recorded runs lack: the pages leave them out
RECORDED = {key: title for key, title in TITLES.items() if key not in NEW}
NEIGHBOURS = 5  # enough to outvote one stray neighbour, few enough for small classes
NOISE = 1e-10  # least variance of the noise in LogME: labels that features reproduce would be worth infinity
_ROWS = 1024  # rows of the distance matrix in memory at a time


def kind(predictor: str, measures: Container[str]) -> str:
    """What a predictor is to a reader: "measure" (the paper's), "rival" (of this module), or "baseline"."""
    return "measure" if predictor in measures else "rival" if predictor in TITLES.values() else "baseline"


def logme(features: Tensor, labels: Tensor) -> float:
    """LogME: the log evidence per sample of Bayesian linear regression, the mean over one-hot classes.

    For each class y in {0, 1}^N: max over alpha, beta of log N(y; 0, I / beta + F F' / alpha) / N (You et al.
    2021; no intercept). With F = U S V', z = U' y and t = alpha / beta the best noise variance is
    v(t) = (sum_i z_i^2 t / (t + s_i^2) + |y|^2 - |z|^2) / N, and what is left is a search on the line

        -(1/2) [log(2 pi v) + 1 + (1/N) sum_i log(1 + s_i^2 / t)].

    The paper's fixed-point iteration goes to the same place, where it converges (for a class of which the
    features know nothing alpha grows for ever). v is at least 1e-10.
    Unchanged if all features are multiplied by a constant. Raises as `h_score`.
    """
    features, classes = _check(features, labels)
    u, s, _ = torch.linalg.svd(features, full_matrices=False)
    goal = one_hot(classes).double()
    explained = (u.mT @ goal).square().mT  # z^2, (K, r)
    rest = (goal.sum(0) - explained.sum(1)).clamp(min=0)
    if len(s) == len(features):  # U is square: nothing is left, and rounding must not pass for noise
        rest = torch.zeros_like(rest)
    top = float(s[0]) or 1.0
    spectrum = (s / top).square()

    def evidence(t: Tensor) -> Tensor:
        """The log evidence a sample at the ratios t (K, points)."""
        ratio = 1 + spectrum / t.unsqueeze(-1)
        best = ((explained.unsqueeze(1) / ratio).sum(-1) + rest.unsqueeze(1)) / len(features)
        v = best.clamp(min=NOISE)
        volume = ratio.log().sum(-1) / len(features)
        value: Tensor = -0.5 * ((2 * math.pi * v).log() + best / v + volume)
        return value

    return float(_maxima(evidence, len(explained)).mean())


def _maxima(function: Callable[[Tensor], Tensor], rows: int) -> Tensor:
    """The maximum of each row's smooth function of t over 1e-14 .. 1e14: a grid, then golden sections."""
    grid = torch.linspace(-14, 14, 113, dtype=torch.float64)  # a sigmoid of log t is four steps wide and more
    coarse = function((10**grid).repeat(rows, 1))
    best, step = grid[coarse.argmax(1)], float(grid[1] - grid[0])
    low, high, golden = best - step, best + step, (math.sqrt(5) - 1) / 2
    for _ in range(45):
        left, right = high - golden * (high - low), low + golden * (high - low)
        values = function(10 ** torch.stack([left, right], dim=1))
        up = values[:, 0] < values[:, 1]
        low, high = torch.where(up, left, low), torch.where(up, high, right)
    middle = function((10 ** ((low + high) / 2)).unsqueeze(1)).squeeze(1)
    return torch.maximum(middle, coarse.max(1).values)


def leep(source_probs: Tensor, labels: Tensor) -> float:
    """LEEP: the log likelihood of the target's labels under a classifier made of the source's own classes.

    With theta (N, Z) the source's probabilities and P(y, z) = (1/N) sum over samples labelled y of theta_z:
    (1/N) sum_i log sum_z P(y_i | z) theta_i(z), at most 0 (Nguyen et al. 2020). Equals `nce` of the
    arg-max where theta is one-hot. Raises ValueError for rows that are no distribution, else as `h_score`.
    """
    theta, classes = _check(source_probs, labels, "source_probs")
    if bool((theta < 0).any()) or float((theta.sum(1) - 1).abs().max()) > 1e-3:
        raise ValueError("source_probs must be nonnegative, each row with the sum 1: pass logits.softmax(1)")
    joint = one_hot(classes).double().mT @ theta / len(theta)
    given = joint / joint.sum(0).clamp(min=torch.finfo(torch.float64).tiny)
    return float((theta * given[classes]).sum(1).log().mean())


def nce(source_labels: Tensor, labels: Tensor) -> float:
    """NCE: -H(Y|Z) = sum over y, z of P(y, z) log(P(y, z) / P(z)), in nats, at most 0.

    Z (N,) is the label that the source task gives to each sample, or the source's arg-max (Tran et al.
    2019). Raises ValueError or TypeError unless both are integers (N,) and the target has two classes.
    """
    classes = _classes(labels, "labels", least=2)
    groups = _classes(source_labels, "source_labels", least=1)
    if len(groups) != len(classes):
        raise ValueError(f"{len(groups)} source_labels for {len(classes)} labels: pass both for each sample")
    joint = one_hot(classes).double().mT @ one_hot(groups).double() / len(classes)
    return float(torch.special.xlogy(joint, joint / joint.sum(0)).sum())


def h_score(features: Tensor, labels: Tensor, regularised: bool = False) -> float:
    """H-score: tr(cov(f)^+ cov(E[f|y])), the between-class share of the variance of whitened features.

    In [0, min(K - 1, D)]; unchanged by any invertible affine map of the features (Bao et al. 2019).
    `regularised` is the shrunken one: tr(cov_a^-1 (1 - a) cov(E[f|y])), cov_a = (1 - a) cov(f) + a tr(cov(f))
    / D I, with the shrinkage a of Ledoit and Wolf (2004) (Ibrahim et al. 2022); it asks for no more
    samples than features, and is unchanged by rotation, shift and scale only.

    With centred F = U S V' both are sum over classes of |sum over the class of u_i w|^2 / N_k.
    Raises TypeError unless features are floating (N, D) and labels integers (N,); ValueError for other
    shapes, NaN or infinity, fewer than two classes.
    """
    features, classes = _check(features, labels)
    centred = features - features.mean(0)
    exponent = int(torch.frexp(centred.abs().max()).exponent)
    centred = centred * 2.0 ** -max(exponent, -1000)  # exact, and the squares stay in range
    u, s, _ = torch.linalg.svd(centred, full_matrices=False)
    kept = s > s[:1] * max(features.shape) * torch.finfo(s.dtype).eps
    if not kept.any():  # constant features
        return 0.0
    u, variance = u[:, kept], s[kept].square() / len(features)
    shrinkage = _ledoit_wolf(centred, variance) if regularised else 0.0
    mean = float(variance.sum()) / features.shape[1]
    weight = (1 - shrinkage) * variance / ((1 - shrinkage) * variance + shrinkage * mean)
    members = one_hot(classes).double()
    between = (members.mT @ u).square().mT / members.sum(0)
    return float((weight * between.sum(1)).sum())


def _ledoit_wolf(centred: Tensor, variance: Tensor) -> float:
    """The shrinkage of a covariance (1/N) to tr / D I of least mean squared error; 0 if it is one already."""
    count, size = centred.shape
    spread = float(variance.square().sum() - variance.sum().square() / size)
    noise = float(centred.square().sum(1).square().mean() - variance.square().sum()) / count
    equal = spread <= 1e-12 * float(variance.square().sum())
    return 0.0 if equal else min(1.0, max(0.0, noise / spread))


def trans_rate(features: Tensor, labels: Tensor, epsilon: float = 1e-4) -> float:
    """TransRate: R(Z) - sum over classes of (N_k / N) R(Z_k), a mutual information of features and labels.

    R(Z) = (1/2) log det(I + Z'Z / (N epsilon)) is the coding rate of the features, centred over all samples
    (Huang et al. 2022; their listing weighs the classes equally, which is the same if they are balanced).
    Not unchanged by scale: a model with larger features may score higher for that alone. Raises as `h_score`,
    and for epsilon <= 0.
    """
    features, classes = _check(features, labels)
    if not epsilon > 0:
        raise ValueError(f"epsilon = {epsilon}: pass a distortion above 0")
    centred = features - features.mean(0)
    parts = [centred[classes == k] for k in range(int(classes.max()) + 1)]
    within = sum(len(part) / len(centred) * _rate(part, epsilon) for part in parts)
    return _rate(centred, epsilon) - within


def _rate(z: Tensor, epsilon: float) -> float:
    """The coding rate, from the smaller of the two Gram matrices."""
    gram = (z @ z.mT if len(z) < z.shape[1] else z.mT @ z) / (len(z) * epsilon)
    gram.diagonal().add_(1)
    return 0.5 * float(torch.linalg.slogdet(gram).logabsdet)


def knn(features: Tensor, labels: Tensor, k: int = NEIGHBOURS) -> float:
    """Leave-one-out accuracy of the k nearest neighbours: k = 5, or N - 1 where there are fewer.

    Euclidean distance; each sample is classified by the others. Among classes with equally many votes the
    one whose vote is nearest wins. A rival of its own since Sorkhei et al. (2025). Unchanged by rotation,
    shift and scale of all features together. Raises as `h_score`, and for k < 1.
    """
    features, classes = _check(features, labels)
    if k < 1:
        raise ValueError(f"k = {k}: pass at least 1 neighbour")
    k, hits = min(k, len(features) - 1), 0
    centred = features - features.mean(0)  # so that the squares cancel less
    order = torch.arange(k, 0, -1, dtype=torch.float64) / k**2  # ties: below one vote in all, nearest first
    for rows in torch.arange(len(features)).split(_ROWS):
        distance = torch.cdist(centred[rows], centred)
        distance[torch.arange(len(rows)), rows] = math.inf
        near = distance.topk(k, largest=False).indices
        votes = one_hot(classes[near], int(classes.max()) + 1).double()
        first = (votes * order[None, :, None]).amax(1)
        hits += int(((votes.sum(1) + first / 2).argmax(1) == classes[rows]).sum())
    return hits / len(features)


def scores(features: Tensor, labels: Tensor, source_probs: Tensor | None = None) -> dict[str, float | None]:
    """All rivals by name; LEEP and NCE (of the arg-max) are None without the source's probabilities."""
    return {name: score(name, features, labels, source_probs) for name in TITLES}


def score(name: str, features: Tensor, labels: Tensor, source_probs: Tensor | None = None) -> float | None:
    """One of them: `name` is a key of TITLES, KeyError for another."""
    if name in _OF_CLASSES:
        return None if source_probs is None else _OF_CLASSES[name](source_probs, labels)
    return _OF_FEATURES[name](features, labels)


_OF_FEATURES: dict[str, Callable[[Tensor, Tensor], float]] = {
    "logme": logme,
    "h_score": h_score,
    "h_score_regularised": lambda features, labels: h_score(features, labels, regularised=True),
    "trans_rate": trans_rate,
    "knn": knn,
}
_OF_CLASSES: dict[str, Callable[[Tensor, Tensor], float]] = {
    "leep": leep,
    "nce": lambda probabilities, labels: nce(probabilities.argmax(1), labels),
}


def _check(values: Tensor, labels: Tensor, name: str = "features") -> tuple[Tensor, Tensor]:
    """The matrix as float64 and the labels as 0 .. K-1, both on the CPU."""
    values = _checks.matrix(values, name).cpu()
    classes = _classes(labels, "labels", least=2)
    if len(classes) != len(values):
        raise ValueError(f"{len(classes)} labels for {len(values)} rows of {name}: pass one a sample")
    if float(values.abs().max()) > 1e75:
        raise ValueError(f"{name} is beyond 1e75, whose fourth power leaves float64: scale it first")
    return values, classes


def _classes(labels: Tensor, name: str, least: int) -> Tensor:
    """Integers (N,) renumbered to 0 .. K-1; at least `least` different ones."""
    if not isinstance(labels, Tensor) or labels.is_floating_point() or labels.is_complex():
        raise TypeError(f"{name} is {_checks.kind(labels)}: pass a tensor of integers, one a sample")
    if labels.dim() != 1 or len(labels) == 0:
        raise ValueError(f"{name} has shape {tuple(labels.shape)}: pass one integer for each sample, (N,)")
    kinds, classes = torch.unique(labels.detach().cpu(), return_inverse=True)
    if len(kinds) < least:
        raise ValueError(f"{name} holds one class only, {kinds.tolist()}: an estimator compares two or more")
    numbered: Tensor = classes
    return numbered
