"""A function of many texts, asked once for each: in large calls, checked, and remembered."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from hashlib import blake2b

import torch
from torch import Tensor

TextFunction = Callable[[list[str]], Tensor]


class Queries:
    """`function(texts) -> (N, width)` that is never asked the same text twice.

    Remembered under a digest of 16 bytes, so that long texts cost no memory.
    """

    def __init__(self, function: TextFunction, batch: int, name: str, least_width: int = 1) -> None:
        if not callable(function):
            raise TypeError(f"{name} is {function!r}: pass a function from a list of sentences to a tensor")
        if isinstance(function, torch.nn.Module) and getattr(function, "tokenizer", None) is None:
            raise TypeError(
                f"{name} is a {type(function).__name__} without a tokenizer, so it cannot read sentences: "
                "pass a function that tokenises a list of sentences and calls it, "
                "or give the module the tokenizer as attribute `tokenizer`"
            )
        self._function, self._batch, self._name, self._least = function, batch, name, least_width
        self._number: dict[bytes, int] = {}  # digest -> row
        self._rows: Tensor | None = None

    def ask(self, groups: Sequence[Sequence[str]]) -> tuple[Tensor, list[int]]:
        """(float64 rows (texts, width) of all groups, one after another; how many texts of each are new)."""
        known, fresh = len(self._number), list[str]()
        numbers, new = list[int](), list[int]()
        for group in groups:
            before = len(fresh)
            for text in group:
                number = self._number.setdefault(_digest(text), known + len(fresh))
                if number == known + len(fresh):
                    fresh.append(text)
                numbers.append(number)
            new.append(len(fresh) - before)
        for start in range(0, len(fresh), self._batch):
            self._keep(fresh[start : start + self._batch])
        if self._rows is None:
            return torch.empty(0, self._least, dtype=torch.float64), new
        return self._rows[numbers].double(), new

    def _keep(self, texts: list[str]) -> None:
        with torch.no_grad():
            rows = self._function(texts)
        if not isinstance(rows, Tensor):
            raise TypeError(
                f"{self._name} returned a {type(rows).__name__}: it must return a tensor (sentences, width), "
                "of a transformers model the field `logits`"
            )
        if rows.ndim != 2 or len(rows) != len(texts) or rows.shape[1] < self._least:
            raise ValueError(
                f"{self._name} returned {tuple(rows.shape)} for {len(texts)} sentences: "
                f"it must return a row for each, ({len(texts)}, at least {self._least})"
            )
        if not rows.isfinite().all():
            bad = int((~rows.isfinite()).any(1).nonzero()[0])
            raise ValueError(f"{self._name} is not finite for the sentence {texts[bad][:80]!r}")
        found = rows.detach().cpu()
        if self._rows is not None and self._rows.shape[1] != found.shape[1]:
            width = self._rows.shape[1]
            raise ValueError(f"{self._name} returned rows of {found.shape[1]} after rows of {width}")
        self._rows = found if self._rows is None else torch.cat([self._rows, found])


def _digest(text: str) -> bytes:
    return blake2b(text.encode("utf-8", "surrogatepass"), digest_size=16).digest()
