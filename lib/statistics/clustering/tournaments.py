"""From losses to affinities: a tournament of sources for each target, and its principal eigenvector.

Losses of different tasks have different scales. So sources are only ever compared on one target: which
of two sources' adversarial images hurt the target more, and how often (App. G.4, Taskonomy's ordinal step).
"""

from __future__ import annotations

from typing import Literal, cast

import torch
from torch import Tensor

CLIP = (0.001, 0.999)  # the authors' code: nobody wins or loses always, so that every ratio is finite
SHARPNESS = 20.0  # the authors' code

Solver = Literal["eig", "eigh"]
Scale = Literal["sum", "authors"]


def tournament(losses: Tensor, margin: float = 1.0, clip: tuple[float, float] = CLIP) -> Tensor:
    """The tournament matrix of one target: W[i, j] is the share of images where source i beats source j.

    ``losses`` (..., sources, images) are the target's losses on each source's adversarial images; i beats j
    on an image if loss_i > margin * loss_j. The paper says "transfers better" (margin 1); the authors'
    code asks for 1.001. A tie is nobody's win. Shares are clipped to ``clip``.

    Returns (..., sources, sources) float64. Raises ValueError for a loss that is not finite or negative, no
    image, a margin below 1, or a clip outside (0, 1).
    """
    if losses.ndim < 2 or not losses.numel():
        raise ValueError(f"losses have shape {tuple(losses.shape)}: give (sources, images), one or more each")
    if not bool(torch.isfinite(losses).all()) or bool((losses < 0).any()):
        raise ValueError("losses must be finite and 0 or more: a margin in percent means nothing below 0")
    if margin < 1 or not 0 < clip[0] <= clip[1] < 1:
        raise ValueError(f"margin {margin}, clip {clip}: a margin is at least 1, a clip lies within (0, 1)")
    bars = margin * losses
    rows = [(losses[..., i : i + 1, :] > bars).double().mean(-1) for i in range(losses.shape[-2])]
    return torch.stack(rows, -2).clamp(*clip)


def ratio(wins: Tensor) -> Tensor:
    """W / W^T, elementwise: R[i, j] says how many times as often i wins as j, and R[i, j] R[j, i] = 1.

    Raises ValueError unless the wins are square and positive.
    """
    _check_square(wins, "wins")
    return wins / wins.mT


def principal(ratios: Tensor, solver: Solver = "eig") -> Tensor:
    """The principal eigenvector of a positive matrix (..., n, n), entries positive with sum 1: (..., n).

    Saaty's analytic hierarchy process: if R[i, j] = w_i / w_j exactly, this is w. "eig" is a general solver;
    by Perron's theorem the largest eigenvalue is real and simple, and its vector has one sign.
    "eigh" is what the authors' code calls: it reads the lower triangle only, as if the matrix were
    symmetric, and takes the eigenvalue of largest size. It is here to measure what that changes: the order
    is lost; equal sources give one large cluster and a few single tasks, which lowers the unweighted
    entropy; and neighbours in the list come out alike, so that tasks listed by category look related.

    Raises ValueError for a matrix that is not square, finite and positive, or an unknown solver.
    """
    _check_square(ratios, "ratios")
    matrix = ratios.double()
    if solver == "eig":
        values, vectors = torch.linalg.eig(matrix)
        best = values.real.argmax(-1)
    elif solver == "eigh":
        values, vectors = torch.linalg.eigh(matrix, UPLO="L")
        best = values.abs().argmax(-1)
    else:
        raise ValueError(f"solver {solver!r} is unknown: use 'eig', or 'eigh' for the authors' variant")
    index = best[..., None, None].expand(*best.shape, matrix.shape[-1], 1)
    vector = vectors.gather(-1, index)[..., 0].abs()
    return cast(Tensor, vector / vector.sum(-1, keepdim=True))


def affinity(
    losses: Tensor, *, margin: float = 1.0, clip: tuple[float, float] = CLIP, solver: Solver = "eig",
    scale: Scale = "sum",
) -> Tensor:  # fmt: skip
    """The adversarial transferability matrix (sources, targets) from losses (sources, targets, images).

    ``losses[i, t]`` are target t's losses on the adversarial images made with source i. Column t is the
    principal eigenvector of t's tournament (App. G.4). See :func:`tournament` and :func:`affinity_of_wins`.
    """
    if losses.ndim != 3:
        raise ValueError(f"losses have shape {tuple(losses.shape)}: give (sources, targets, images)")
    return affinity_of_wins(tournament(losses.transpose(0, 1), margin, clip), solver=solver, scale=scale)


def affinity_of_wins(wins: Tensor, *, solver: Solver = "eig", scale: Scale = "sum") -> Tensor:
    """The matrix (sources, targets) from one tournament a target: wins (targets, sources, sources).

    Scale "sum": each column is positive with sum 1; larger is a better source. Scale "authors": with v the
    column at unit Euclidean length, exp(-20 softmax(v)). The softmax lifts all entries towards 1/n and the
    exponential turns the order round: SMALLER is a better source, as if it were a distance.
    """
    if wins.ndim != 3:
        raise ValueError(f"wins have shape {tuple(wins.shape)}: give (targets, sources, sources)")
    vectors = principal(ratio(wins), solver)
    if scale == "authors":
        unit = vectors / vectors.norm(dim=-1, keepdim=True)
        vectors = torch.exp(-SHARPNESS * unit.softmax(-1))
    elif scale != "sum":
        raise ValueError(f"scale {scale!r} is unknown: use 'sum', or 'authors' for exp(-20 softmax|v|)")
    return vectors.mT.contiguous()


def _check_square(matrix: Tensor, name: str) -> None:
    if matrix.ndim < 2 or matrix.shape[-1] != matrix.shape[-2] or not matrix.numel():
        raise ValueError(f"{name} have shape {tuple(matrix.shape)}: give square matrices (..., n, n)")
    if not bool((matrix > 0).all()) or not bool(torch.isfinite(matrix).all()):
        raise ValueError(f"{name} must be positive and finite: clip them away from 0 (see `tournament`)")
