"""Verification pairs: do two images show the same person? (Sec. 4.3)"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor


@dataclass(frozen=True)
class VerificationPairs:
    """``index`` int64 (P, 2) into the images, ``same`` bool (P,): true, false, true, false, ..."""

    index: Tensor
    same: Tensor

    def __len__(self) -> int:
        return len(self.same)


def verification_pairs(identity: Tensor, n_pairs: int, *, generator: torch.Generator) -> VerificationPairs:
    """``n_pairs`` different pairs of images, half of them of the same person, from identities (N,).

    Each half is a uniform sample, without repetition, of all unordered pairs of its kind; no image is paired
    with itself, and the smaller position comes first. The two kinds alternate, so that every run of an even
    number of pairs is balanced: ten folds of consecutive pairs are ten balanced folds. (They share people;
    the folds of benchmarks such as LFW do not.)

    Raises:
        TypeError: ``identity`` is not a vector of integers.
        ValueError: ``n_pairs`` is odd or below 2, or exceeds twice the pairs of a kind that there are.
    """
    if identity.ndim != 1 or identity.is_floating_point() or identity.dtype == torch.bool:
        raise TypeError(
            f"identity must be a vector of integers, not {identity.dtype} {tuple(identity.shape)}"
        )
    if n_pairs < 2 or n_pairs % 2:
        raise ValueError(
            f"n_pairs is {n_pairs}; half of the pairs are of each kind: give an even number from 2 on"
        )
    people, order = torch.sort(identity.cpu(), stable=True)
    here = torch.arange(len(people))
    end = torch.searchsorted(people, people, right=True)  # where the images of each one's person stop
    same = _sample("the same person", here + 1, end, n_pairs // 2, generator)
    other = _sample("different people", end, torch.full_like(end, len(people)), n_pairs // 2, generator)
    index = order[torch.stack([same, other], dim=1).flatten(0, 1)].sort(dim=1).values
    return VerificationPairs(index, torch.arange(n_pairs) % 2 == 0)


def _sample(kind: str, start: Tensor, stop: Tensor, number: int, generator: torch.Generator) -> Tensor:
    """``number`` distinct pairs (p, q) with start[p] <= q < stop[p], all equally likely."""
    last = torch.cumsum(stop - start, 0)
    total = int(last[-1]) if len(last) else 0
    if number > total:
        raise ValueError(
            f"{number} pairs of {kind} were asked for, but only {total} exist; ask for fewer pairs"
        )
    drawn = _distinct(total, number, generator)
    first = torch.searchsorted(last, drawn, right=True)
    return torch.stack([first, stop[first] - (last[first] - drawn)], dim=1)


def _distinct(total: int, number: int, generator: torch.Generator) -> Tensor:
    """``number`` different integers below ``total``, each choice and order equally likely."""
    if total <= 4 * number:
        return torch.randperm(total, generator=generator)[:number]
    found = torch.empty(0, dtype=torch.int64)
    while len(found) < number:
        drawn = torch.cat([found, torch.randint(total, (number,), generator=generator)])
        values, back = torch.unique(drawn, return_inverse=True)
        first = torch.full_like(values, len(drawn)).scatter_reduce(0, back, torch.arange(len(drawn)), "amin")
        found = drawn[first.sort().values]
    return found[:number]
