"""How much of its meaning a text keeps when a word changes, by the encodings of both."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor
from torch.nn.functional import normalize

from lib.attacks.words.options import Options
from lib.attacks.words.queries import Queries, TextFunction


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

    def of(self, before: Sequence[str], after: Sequence[Sequence[str]]) -> list[Tensor]:
        """Similarity of `before[i]` to every text of `after[i]`, float64; ones without an encoder."""
        cosines = self.cosines(before, after)
        if cosines is None:
            return [torch.ones(len(texts), dtype=torch.float64) for texts in after]
        return [1 - c.arccos() for c in cosines] if self._angular else cosines

    def cosines(self, before: Sequence[str], after: Sequence[Sequence[str]]) -> list[Tensor] | None:
        """The cosines, in [-1, 1]; None without an encoder."""
        if self._encode is None:
            return None
        rows, _ = self._encode.ask([[b, *a] if a else [] for b, a in zip(before, after)])
        units = [normalize(r, dim=1) for r in rows]
        return [(unit[1:] * unit[:1]).sum(1).clamp(-1, 1) for unit in units]
