"""Functions of many texts, asked once for each, in large calls; and the similarity that one of them tells."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from hashlib import blake2b

import torch
from torch import Tensor
from torch.nn.functional import normalize

from lib.attacks.words.options import Options

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
                digest = blake2b(text.encode("utf-8", "surrogatepass"), digest_size=16).digest()
                number = self._number.setdefault(digest, known + len(fresh))
                if number == known + len(fresh):
                    fresh.append(text)
                numbers.append(number)
            new.append(len(fresh) - before)
        for start in range(0, len(fresh), self._batch):
            part = fresh[start : start + self._batch]
            with torch.no_grad():
                found = self._checked(self._function(part), part)
            self._rows = found if self._rows is None else torch.cat([self._rows, found])
        if self._rows is None:
            return torch.empty(0, self._least, dtype=torch.float64), new
        return self._rows[numbers].double(), new

    def _checked(self, rows: Tensor, texts: list[str]) -> Tensor:
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
        if self._rows is not None and self._rows.shape[1] != rows.shape[1]:
            width = self._rows.shape[1]
            raise ValueError(f"{self._name} returned rows of {rows.shape[1]} after rows of {width}")
        return rows.detach().cpu()


class Similarity:
    """Cosine of sentence embeddings, or 1 - arccos of it (radians), each text encoded once."""

    def __init__(self, encode: TextFunction | None, options: Options) -> None:
        if encode is None and options.similarity:
            raise ValueError(
                f"similarity = {options.similarity} needs `encode`, a function from sentences to embeddings; "
                "pass one, or switch the threshold off with Options(similarity=0)"
            )
        self._encode = None if encode is None else Queries(encode, options.batch, "encode")
        self._angular = options.measure == "angular"

    def of(self, before: Sequence[str], after: Sequence[Sequence[str]]) -> list[list[float]]:
        """Similarity of `before[i]` to every text of `after[i]`; ones without an encoder."""
        cosines = self.cosines(before, after)
        if cosines is None:
            return [[1.0] * len(texts) for texts in after]
        alike = iter((1 - cosines.arccos() if self._angular else cosines).tolist())
        return [[next(alike) for _ in texts] for texts in after]

    def cosines(self, before: Sequence[str], after: Sequence[Sequence[str]]) -> Tensor | None:
        """The cosines of all pairs, one after another, float64 in [-1, 1]; None without an encoder."""
        if self._encode is None:
            return None
        rows, _ = self._encode.ask([[b, *a] if a else [] for b, a in zip(before, after)])
        first, second, at = list[int](), list[int](), 0
        for texts in after:
            first += [at] * len(texts)
            second += range(at + 1, at + 1 + len(texts))
            at += len(texts) + bool(texts)
        unit = normalize(rows, dim=1)
        return (unit[second] * unit[first]).sum(1).clamp(-1, 1)
