"""Golub-Kahan-Lanczos for a batch of matrices that are known only by their products."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor

Product = Callable[[Tensor], Tensor]
_LIMIT = 64  # steps: the bases take (N, 64, outputs + n), whatever the sizes of the matrices
_SEED = 0  # of the starting vectors: the same call gives the same answer


def top_triplets(
    push: Product, pull: Product, outputs: Tensor, inputs: int, k: int, tolerance: float
) -> tuple[Tensor, Tensor, Tensor, int]:
    """sigma (N, k), right (N, k, n), residual (N, k) and the pairs of products spent.

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
    pad = torch.nn.functional.pad
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
        right = torch.nn.functional.normalize(q @ self.right, dim=-1) * (sigma > 0).unsqueeze(-1)
        return sigma[:, :k], right[:, :k], residual[:, :k]

    def _grow(self, joint: Tensor, alpha: Tensor) -> None:
        size = self.bidiagonal.shape[1]
        self.bidiagonal = torch.nn.functional.pad(self.bidiagonal, (0, 1, 0, 1))
        self.bidiagonal[:, size, size] = alpha
        if size:
            self.bidiagonal[:, size - 1, size] = joint

    def _restart(self) -> None:
        """Where the space closed early (a repeated value, a small rank), start again beside it: beta = 0."""
        fresh = torch.nn.functional.normalize(_orthogonal(self._noise(), self.left), dim=-1)
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
        return torch.nn.functional.normalize(noise, dim=-1).to(self.like)


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
