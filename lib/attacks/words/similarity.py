"""How much of its meaning a text keeps when a word changes, by the encodings of both."""

from __future__ import annotations

from collections.abc import Sequence

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
