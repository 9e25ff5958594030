"""The two largest eigenvalues, and the top eigenvector, of very many small symmetric matrices at once.

LAPACK takes one matrix at a time. Here each is reduced to a tridiagonal T by Householder reflections, its two
largest eigenvalues are found by Laguerre's method, and its top vector by inverse iteration; each elementary
operation runs over all matrices, which lie along the last axis. What is not certain is said to be so.
"""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn.functional import pad

_ROUNDS = 14  # of Laguerre's method: cubic, so 5 to 7 are usual; a near tie takes more
_STEP = 1e-6  # the step, relative to the trace, after which the next one would be round-off: cubic again
_PRECISION = 1e-13  # of a certified eigenvalue, relative to the trace

Reflections = list[tuple[Tensor, Tensor]]


def top_two(G: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """Eigenvalues (N, 2), top eigenvectors (N, m) and certificates (N,) of G (N, m, m), m >= 2, PSD.

    Where the certificate is missing the other two are no numbers to use: G is zero, not finite or out of
    range, or its two values are too near a tie for so few rounds.
    """
    diagonal, off, reflections = _tridiagonal(G.permute(1, 2, 0).contiguous())
    size = diagonal.sum(0)  # the trace: at least lambda_1; NaN or infinite if G is
    usable = (size > 1e-100) & (size < 1e100)  # beyond, squares of G's entries leave the range of float64
    scale = size.where(usable, torch.ones_like(size))
    a, b = diagonal / scale, off.abs() / scale
    first, sure_1 = _largest(a, b, (a + pad(b, (0, 0, 0, 1)) + pad(b, (0, 0, 1, 0))).amax(0), None)
    left = (a.square().sum(0) + 2 * b.square().sum(0) - first.square()).clamp(min=0).sqrt()
    above = torch.minimum(torch.minimum(left, 1 - first), (1 - 1e-5) * first)
    second, sure_2 = _largest(a, b, above, first)
    y, sure_3 = _perron(a, b, first + 8 * torch.finfo(first.dtype).eps)  # safely above: pivots stay positive
    values = (torch.stack([first, second]) * scale).mT.contiguous()
    return values, _carry_back(y, off, reflections).mT.contiguous(), usable & sure_1 & sure_2 & sure_3


def _tridiagonal(G: Tensor) -> tuple[Tensor, Tensor, Reflections]:
    """Diagonal (m, N), off-diagonal (m-1, N) and the reflections I - v v^T / c that lead there; G is lost."""
    m, spare = len(G), torch.empty_like(G)
    off, reflections = [], []
    for k in range(m - 2):
        v = G[k + 1 :, k].clone()
        norm = v.square().sum(0).sqrt_()
        to = torch.where(v[0] > 0, -norm, norm)
        c = norm * (norm + v[0].abs())
        c = c.where(c > 0, torch.ones_like(c))
        v[0] -= to
        rest = G[k + 1 :, k + 1 :]
        p = torch.mul(rest, v, out=spare[k + 1 :, k + 1 :]).sum(1).div_(c)
        p.addcmul_(v, (p * v).sum(0).div_(2 * c), value=-1)
        rest.addcmul_(v.unsqueeze(1), p, value=-1).addcmul_(p.unsqueeze(1), v, value=-1)
        off.append(to)
        reflections.append((v, c))
    off.append(G[m - 1, m - 2].clone())
    return G.diagonal().mT.contiguous(), torch.stack(off), reflections


def _largest(a: Tensor, b: Tensor, x: Tensor, known: Tensor | None) -> tuple[Tensor, Tensor]:
    """The largest eigenvalue of T other than `known`, from x above it, and whether it is certain.

    Started above the largest root of p(x) = det(x - T), Laguerre's method falls to it without passing it, for
    all roots are real. Certain: Sturm's count of the eigenvalues above x changes between x +- precision.
    """
    rank = 0 if known is None else 1
    degree, square = len(a) - rank, b.square()
    for _ in range(_ROUNDS):
        p, slope, bend = _polynomial(a, square, x)
        s1 = slope / p
        s2 = s1.square() - 2 * bend / p
        if known is not None:
            pole = 1 / (x - known)
            s1, s2 = s1 - pole, s2 - pole.square()
        root = ((degree - 1) * (degree * s2 - s1.square())).clamp(min=0).sqrt()
        step = degree / (s1 + torch.copysign(root, s1))
        x = x - step.nan_to_num(0)
        if not (step.abs() > _STEP).any():
            break
    above = _count_above(a, square, torch.stack([x + _PRECISION, x - _PRECISION]))
    return x, (above[0] == rank) & (above[1] > rank)


def _polynomial(a: Tensor, square: Tensor, x: Tensor) -> Tensor:
    """p, p' and p'' / 2 (3, N) at x, by p_i = (x - a_i) p_{i-1} - b_i^2 p_{i-2}."""
    old, new = x.new_zeros(3, len(x)), x.new_ones(3, len(x))
    old[0], new[0], new[2] = 1, x - a[0], 0
    for gap, weight in zip(x - a[1:], square):
        fresh = gap * new
        fresh.addcmul_(weight, old, value=-1)
        fresh[1:].add_(new[:2])
        old, new = new, fresh
    return new


def _count_above(a: Tensor, square: Tensor, x: Tensor) -> Tensor:
    """How many eigenvalues of T exceed x: the negative pivots of x - T (Sturm, Sylvester)."""
    pivot = x - a[0]
    count = (pivot < 0).long()
    for entry, weight in zip(a[1:], square):
        pivot = (x - entry).sub_(weight / pivot)
        count += pivot < 0
    return count


def _perron(a: Tensor, b: Tensor, x: Tensor) -> tuple[Tensor, Tensor]:
    """The top eigenvector of T with off-diagonal b >= 0, by two solves with x - T = L D L^T.

    x is just above lambda_1. The vector is nonnegative (Perron), so the start of all ones is never orthogonal
    to it, and no operation cancels. Certain: its residual is round-off.
    """
    pivots, ratios = [x - a[0]], []
    for entry, link in zip(a[1:], b):
        ratios.append(link / pivots[-1])
        pivots.append((x - entry).sub_(link * ratios[-1]).clamp_(min=torch.finfo(x.dtype).eps))
    vector = torch.ones_like(a)
    for _ in range(2):
        for i, ratio in enumerate(ratios):
            vector[i + 1].addcmul_(ratio, vector[i])
        vector /= torch.stack(pivots)
        for i in reversed(range(len(ratios))):
            vector[i].addcmul_(ratios[i], vector[i + 1])
        vector /= vector.square().sum(0).sqrt()
    residual = (a - x) * vector
    residual[1:] += b * vector[:-1]
    residual[:-1] += b * vector[1:]
    return vector, residual.abs().amax(0) <= _PRECISION


def _carry_back(y: Tensor, off: Tensor, reflections: Reflections) -> Tensor:
    """The eigenvector of G: restore the signs of the off-diagonal, then undo the reflections."""
    y[1:] *= torch.where(off < 0, -1.0, 1.0).cumprod(0)
    for v, c in reversed(reflections):
        tail = y[-len(v) :]
        tail.addcmul_(v, (v * tail).sum(0) / c, value=-1)
    return y
