"""What a labelled data set is, whatever its items are: parts with classes, and three of them in a split."""

from __future__ import annotations

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
