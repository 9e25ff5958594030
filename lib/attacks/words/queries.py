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
        self._known: dict[bytes, Tensor] = {}
        self._width: int | None = None

    def ask(self, groups: Sequence[Sequence[str]]) -> tuple[list[Tensor], list[int]]:
        """(float64 rows of each group (n, width), how many of its texts are asked for the first time)."""
        keys = [[_digest(text) for text in group] for group in groups]
        fresh: dict[bytes, str] = {}
        new = []
        for group, digests in zip(groups, keys):
            before = len(fresh)
            fresh.update({k: t for k, t in zip(digests, group) if k not in self._known and k not in fresh})
            new.append(len(fresh) - before)
        wanted = list(fresh.items())
        for start in range(0, len(wanted), self._batch):
            chunk = wanted[start : start + self._batch]
            rows = self._checked([text for _, text in chunk])
            self._known.update(zip([key for key, _ in chunk], rows.unbind()))
        empty = torch.empty(0, self._width or self._least, dtype=torch.float64)
        return [torch.stack([self._known[k] for k in ks]).double() if ks else empty for ks in keys], new

    def _checked(self, texts: list[str]) -> Tensor:
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
        if self._width not in (None, rows.shape[1]):
            raise ValueError(f"{self._name} returned rows of {rows.shape[1]} after rows of {self._width}")
        self._width = rows.shape[1]
        if not rows.isfinite().all():
            bad = int((~rows.isfinite()).any(1).nonzero()[0])
            raise ValueError(f"{self._name} is not finite for the sentence {texts[bad][:80]!r}")
        return rows.detach().cpu()


def _digest(text: str) -> bytes:
    return blake2b(text.encode("utf-8", "surrogatepass"), digest_size=16).digest()
