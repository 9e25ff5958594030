"""Frozen splits: who belongs where is decided by a hash of the item's name, never by the order of files.

What a labelled data set is, whatever its items are: parts with classes, and three of them in a split.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Generic, TypeVar

import torch
from torch import Tensor

P = TypeVar("P", bound="Labelled")


class Labelled:
    """What a part can do by its labels, int64 (N,) into ``classes``."""

    labels: Tensor
    classes: list[str]

    def __len__(self) -> int:
        return len(self.labels)

    def counts(self) -> dict[str, int]:
        """Items of each class."""
        return dict(zip(self.classes, torch.bincount(self.labels, minlength=len(self.classes)).tolist()))

    def first(self, per_class: int) -> Tensor:
        """Positions of the first ``per_class`` items of every class; ValueError if a class has fewer."""
        if short := [name for name, count in self.counts().items() if count < per_class]:
            raise ValueError(f"{per_class} items a class were asked for; {', '.join(short)} have fewer")
        return self.of_each_class(slice(per_class))

    def of_each_class(self, which: slice) -> Tensor:
        """Positions, in order, of the items that ``which`` picks from those of every class."""
        chosen = [torch.nonzero(self.labels == c).flatten()[which] for c in range(len(self.classes))]
        return torch.cat(chosen).sort().values


@dataclass(frozen=True)
class Parts(Generic[P]):
    """A data set in three frozen parts."""

    name: str
    train: P
    valid: P
    test: P

    @property
    def classes(self) -> list[str]:
        """Names of the classes, by label."""
        return self.train.classes


def rank(item: str, seed: int = 0) -> int:
    """A 64-bit number that depends on the item's name and the seed only; the same on every machine."""
    return int.from_bytes(hashlib.blake2b(f"{seed}\0{item}".encode(), digest_size=8).digest())


def order(items: Sequence[str], seed: int = 0) -> list[str]:
    """The items in a fixed random order, whatever order they came in: its first n are a random sample."""
    return sorted(items, key=lambda item: (rank(item, seed), item))


def hold_out(
    labels: Mapping[str, object], counts: Mapping[str, int], seed: int = 0, rest: str = "train"
) -> dict[str, list[str]]:
    """Deal the items of every label into parts of so many each; what is left goes to ``rest``.

    ``labels`` maps an item's name to its label, ``counts`` a part's name to its number of items a label.
    Raises ValueError if a label has too few items.
    """
    parts: dict[str, list[str]] = {rest: [], **{name: [] for name in counts}}
    grouped: dict[object, list[str]] = {}
    for item in order(list(labels), seed):
        grouped.setdefault(labels[item], []).append(item)
    for label, group in grouped.items():
        if len(group) < sum(counts.values()):
            raise ValueError(f"label {label!r} has {len(group)} items, too few for {dict(counts)} a label")
        start = 0
        for name, count in counts.items():
            parts[name] += group[start : start + count]
            start += count
        parts[rest] += group[start:]
    return {name: order(items, seed) for name, items in parts.items()}


def folds(groups: Mapping[str, object], number: int = 2, seed: int = 0) -> list[list[str]]:
    """Deal the items into folds of nearly equal size, all items of a group in the same fold.

    Groups are dealt in a fixed random order, each to the fold that is smallest so far.
    """
    if not 2 <= number <= len(set(groups.values())):
        raise ValueError(f"{number} folds of {len(set(groups.values()))} groups; 2 to that many are possible")
    gathered: dict[str, list[str]] = {}
    for item, group in groups.items():
        gathered.setdefault(str(group), []).append(item)
    dealt: list[list[str]] = [[] for _ in range(number)]
    for group_name in order(list(gathered), seed):
        min(dealt, key=len).extend(gathered[group_name])
    return [order(fold, seed) for fold in dealt]


def normal(text: str) -> str:
    """A text without its case and white space: two texts are the same if this is."""
    return " ".join(text.casefold().split())
