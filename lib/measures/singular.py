"""The top singular values and vectors of Jacobians: one policy, by what is known and by shape.

| wanted of each matrix | method | because (one thread; `benchmarks/transferability.py`) |
| --- | --- | --- |
| top pair; 256 or more of at most 32 rows | `_reduction` of Gram matrices | half the time of an eigh each |
| top pair; more than 32 rows | eigh of the Gram matrix | a third of the time of the SVD |
| top pair; at least 32 columns a row | QR, then the SVD of the triangle | a fifth of the time of the SVD |
| top pair; all others | SVD | nothing is as safe, and few small ones are soon done |
| top right vector alone | eigh of the Gram matrix | squares cost a vector nothing: see `top_right` |
| of its products; more than 64 outputs | Krylov, `by_products` | J would cost one pass for each output |

The first line that fits counts; rows are the smaller side. Where a Gram matrix has lost sigma_2, or a
certificate is missing, the SVD steps in. All conventions are those of `lib.measures.transferability`.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn.functional import normalize, pad

from lib.measures import _checks, _reduction

FEW = 64  # outputs up to which as many backward passes are cheaper and safer than a Krylov iteration
_LARGEST = 32  # rows up to which the batched reduction beats one LAPACK call a matrix
_FEWEST = 256  # matrices from which it does
_WIDE = 32  # columns a row from which the triangle is worth a factorisation
_SQUARES = 1e-6  # sigma_2^2 / sigma_1^2 below which the squares have lost sigma_2
_LIMIT = 64  # Krylov steps: the bases take (N, 64, outputs + n), whatever the sizes of the matrices
_SEED = 0  # of the Krylov starts: the same call gives the same answer

_NOT_FINITE = "the Jacobians hold NaN or infinity: find the samples and leave them out"

Product = Callable[[Tensor], Tensor]


@dataclass(frozen=True, eq=False)
class TopPair:
    """The two largest singular values of each J and the top singular vector of its smaller side.

    sigma (N, 2), sigma_2 = 0 where there is one value; vector (N, min(outputs, n)), unit, or 0 where J is 0.
    The other side's vector costs a pass over J and is made when asked for.
    """

    J: Tensor
    sigma: Tensor
    vector: Tensor

    @property
    def _left(self) -> bool:
        return self.J.shape[1] <= self.J.shape[2]

    def right(self) -> Tensor:
        """The right singular vector v (N, n)."""
        if not self._left:
            return self.vector
        image = (self.vector.unsqueeze(1) @ self.J).squeeze(1)
        return image / self.sigma[:, :1].where(self.sigma[:, :1] > 0, torch.inf)

    def deviation(self) -> Tensor:
        """J v (N, outputs)."""
        return self.sigma[:, :1] * self.vector if self._left else _apply(self.J, self.vector)

    def meet(self, direction: Tensor) -> tuple[Tensor, Tensor]:
        """<v, direction> (N,) and J direction (N, outputs), for directions (N, n)."""
        moved = _apply(self.J, direction)
        if not self._left:
            return (self.vector * direction).sum(-1), moved
        top = self.sigma[:, 0]  # J v = sigma u, so that <v, direction> = <u, J direction> / sigma
        return (self.vector * moved).sum(-1) / top.where(top > 0, torch.inf), moved


def top_pair(J: Tensor) -> TopPair:
    """The top pair of every matrix of J (N, outputs, n), in float64.

    Raises TypeError or ValueError unless J is a non-empty, floating, finite stack.
    """
    return top_pairs(J)[0]


def top_pairs(*stacks: Tensor) -> list[TopPair]:
    """`top_pair` of each stack. Those of equally many rows go through one reduction: every elementary
    operation has a price that does not depend on how many matrices it runs over.
    """
    for J in stacks:
        _checks.stack(J, "J")
    stacks = tuple(J.double() for J in stacks)
    wide = [J if J.shape[1] <= J.shape[2] else J.mT for J in stacks]
    rows, counts = {part.shape[1] for part in wide}, [len(part) for part in wide]
    if len(rows) > 1:
        return [top_pair(J) for J in stacks]
    small = max(rows) <= _LARGEST
    if small and (max(rows) == 1 or min(counts) < _FEWEST):
        return [TopPair(J, *_dense(part)) for J, part in zip(stacks, wide)]
    values, vector, sure = (_reduction.top_two if small else _eigh)(torch.cat([_gram(part) for part in wide]))
    sigma = values.clamp(min=0).sqrt()
    sure &= values[:, 1] > _SQUARES * values[:, 0]
    found = [TopPair(*each) for each in zip(stacks, sigma.split(counts), vector.split(counts))]
    for pair, part, good in zip(found, wide, sure.split(counts)):
        if not good.all():
            pair.sigma[~good], pair.vector[~good] = _dense(part[~good])
    return found


def top_right(J: Tensor) -> Tensor:
    """The top right singular vectors (N, n) of J (N, outputs, n), zero where J is, in float64.

    By eigh of the Gram matrix of the smaller side. Squares lose small singular values, not the top vector:
    its error is round-off over the relative gap of sigma_1^2 and sigma_2^2, which is the wider one.
    Raises as `top_pair`.
    """
    _checks.stack(J, "J")
    J = J.double()
    low, high = J.flatten(1).aminmax(dim=1)
    size = torch.maximum(high, -low)
    if not torch.isfinite(size).all():
        raise ValueError(_NOT_FINITE)
    if not ((size > 1e-70) & (size < 1e70)).all():  # else the squares are in range as they are
        J = J / size.where(size > 0, 1.0)[:, None, None]
    wide = J.shape[1] <= J.shape[2]
    top: Tensor = torch.linalg.eigh(_gram(J if wide else J.mT)).eigenvectors[..., -1]
    return normalize((top.unsqueeze(1) @ J).squeeze(1), dim=-1) if wide else top * (size > 0).unsqueeze(-1)


def _gram(wide: Tensor) -> Tensor:
    return wide @ wide.mT


def _eigh(G: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """As `_reduction.top_two`, one LAPACK call a matrix."""
    size = G.diagonal(dim1=1, dim2=2).sum(1)
    sure = (size > 1e-100) & (size < 1e100)
    values, vectors = torch.linalg.eigh(G.where(sure[:, None, None], 0))
    return values[:, -2:].flip(1), vectors[:, :, -1], sure


def _apply(J: Tensor, direction: Tensor) -> Tensor:
    moved: Tensor = (J @ direction.unsqueeze(-1)).squeeze(-1)
    return moved


def _dense(wide: Tensor) -> tuple[Tensor, Tensor]:
    """sigma (N, 2) and the left vector of wide matrices, one or two LAPACK calls each."""
    if not _checks.finite(wide):
        raise ValueError(_NOT_FINITE)
    if wide.shape[2] >= _WIDE * wide.shape[1]:
        wide = torch.linalg.qr(wide.mT, mode="r").R.mT
    left, sigma, _ = torch.linalg.svd(wide, full_matrices=False)
    sigma = pad(sigma[:, :2], (0, max(0, 2 - sigma.shape[1])))
    return sigma, left[:, :, 0] * (sigma[:, :1] > 0)


def by_products(
    push: Product, pull: Product, outputs: Tensor, inputs: int, k: int, tolerance: float
) -> tuple[Tensor, Tensor, Tensor, int]:
    """sigma (N, k), right (N, k, n), residual (N, k) and the pairs of products spent, for matrices that are
    known only by their products: Golub-Kahan-Lanczos of the whole batch.

    push: v (N, n) -> J v (N, m); pull: u (N, m) -> J^T u (N, n); `outputs` (N, m) gives size and type.
    After j steps J V = U B and J^T U = V B^T + beta v' e_j^T with B upper bidiagonal, so that the triplets of
    B are those of J up to beta |p_j|, their residual.
    """
    space = _Space(push, pull, outputs)
    steps = min(outputs.shape[1], inputs, _LIMIT)
    for step in range(1, steps + 1):
        space.extend()
        sigma, right, residual = space.triplets(min(k, step))
        if step >= min(k, steps) and (residual <= tolerance * sigma[:, :1]).all():
            break
    short = k - sigma.shape[1]
    return pad(sigma, (0, short)), pad(right, (0, 0, 0, short)), pad(residual, (0, short)), space.spent


class _Space:
    """The growing bases U (N, j, m), V (N, j, n) and the bidiagonal B (N, j, j) of all matrices together."""

    def __init__(self, push: Product, pull: Product, outputs: Tensor) -> None:
        self.push, self.pull, self.like = push, pull, outputs
        self.generator = torch.Generator().manual_seed(_SEED)
        self.left = outputs.new_zeros(len(outputs), 0, outputs.shape[1])
        first = pull(self._noise())
        self.scale = _length(first)  # of the matrix, up to a factor that a threshold can bear
        self.right = first.new_zeros(len(first), 0, first.shape[1])
        self.bidiagonal = first.new_zeros(len(first), 0, 0)
        self.beta, self.next = self._unit(first)
        self.spent = 1

    def extend(self) -> None:
        """One step: v' joins V, J v' gives the next u, J^T u the next v'."""
        joint = self.beta
        self.right = torch.cat([self.right, self.next.unsqueeze(1)], dim=1)
        alpha, u = self._unit(_orthogonal(self.push(self.next), self.left))
        self.left = torch.cat([self.left, u.unsqueeze(1)], dim=1)
        self._grow(joint, alpha)
        self.beta, self.next = self._unit(_orthogonal(self.pull(u), self.right))
        self.spent += 1
        if (self.next == 0).all(-1).any():
            self._restart()

    def triplets(self, k: int) -> tuple[Tensor, Tensor, Tensor]:
        """The k largest triplets of B, carried back."""
        p, sigma, q = torch.linalg.svd(self.bidiagonal)
        noise = 8 * torch.finfo(sigma.dtype).eps * sigma[:, :1]
        residual = torch.maximum(self.beta.unsqueeze(-1) * p[:, -1].abs(), noise)
        sigma = torch.where(sigma > noise, sigma, 0)
        right = normalize(q @ self.right, dim=-1) * (sigma > 0).unsqueeze(-1)
        return sigma[:, :k], right[:, :k], residual[:, :k]

    def _grow(self, joint: Tensor, alpha: Tensor) -> None:
        size = self.bidiagonal.shape[1]
        self.bidiagonal = pad(self.bidiagonal, (0, 1, 0, 1))
        self.bidiagonal[:, size, size] = alpha
        if size:
            self.bidiagonal[:, size - 1, size] = joint

    def _restart(self) -> None:
        """Where the space closed early (a repeated value, a small rank), start again beside it: beta = 0."""
        fresh = normalize(_orthogonal(self._noise(), self.left), dim=-1)
        _, fresh = self._unit(_orthogonal(self.pull(fresh), self.right))
        self.spent += 1
        closed = (self.next == 0).all(-1, keepdim=True)
        self.next = torch.where(closed, fresh, self.next)

    def _unit(self, vector: Tensor) -> tuple[Tensor, Tensor]:
        """Length and direction, both zero where the vector is round-off."""
        length = _length(vector)
        length = torch.where(length > 64 * torch.finfo(length.dtype).eps * self.scale, length, 0)
        return length, vector / length.where(length > 0, torch.inf).unsqueeze(-1)

    def _noise(self) -> Tensor:
        noise = torch.randn(self.like.shape, generator=self.generator, dtype=torch.float64)
        return normalize(noise, dim=-1).to(self.like)


def _length(vector: Tensor) -> Tensor:
    """|vector| (N,) of rows (N, size), also where the squares leave the range of the type."""
    plain, largest = vector.norm(dim=-1), vector.abs().amax(-1)
    inside = (plain > torch.finfo(plain.dtype).tiny ** 0.25) & torch.isfinite(plain)
    by_largest = vector / largest.where(largest > 0, torch.inf).unsqueeze(-1)
    return torch.where(inside, plain, largest * by_largest.norm(dim=-1))


def _orthogonal(vector: Tensor, basis: Tensor) -> Tensor:
    """vector less its part in the span of the basis (N, j, size); twice, because once leaves round-off."""
    for _ in range(2):
        vector = vector - (basis.mT @ (basis @ vector.unsqueeze(-1))).squeeze(-1)
    return vector
