"""Texts as a BERT reads them: tokenised once, batched by length, the frozen layers' answers remembered.

Lengths are padded to a multiple of `bert.STEP` that depends on the text alone, so that a text gets the same
numbers in whatever company it is computed. Explained in `book/text.md`.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import cast

import torch
from torch import Tensor, nn

from lib.models.bert import STEP, Classifier, Encoder

BATCH = 32
Function = Callable[[Tensor, Tensor], Tensor]  # (activations (B, L, width), mask (B, L)) -> (B, ...)


@dataclass(frozen=True, eq=False)
class Sentences:
    """Tokenised texts with their activations after the frozen layers: what classifiers train on.

    `hidden` is None where nothing but the table is frozen: keeping embeddings would cost more than looking
    them up.
    """

    encoder: Encoder
    ids: list[Tensor]
    hidden: list[Tensor] | None

    def __len__(self) -> int:
        return len(self.ids)

    def batch(self, index: Tensor) -> tuple[Tensor, Tensor]:
        """Activations (B, L, width) and mask (B, L) of some texts, padded to the longest one's bucket."""
        rows, device = index.tolist(), self.encoder.device
        ids, mask = padded([self.ids[row] for row in rows])
        mask = mask.to(device)
        if self.hidden is None:
            with torch.no_grad():
                return self.encoder.lower(self.encoder.words(ids.to(device)), mask), mask
        return padded([self.hidden[row] for row in rows])[0].to(device), mask

    def words(self, index: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Word embeddings (B, L, width), mask and inner mask (B, L) of some texts."""
        pair = padded([self.ids[row] for row in index.tolist()])
        ids, mask = (part.to(self.encoder.device) for part in pair)
        return self.encoder.words(ids), mask, self.encoder.inner(ids, mask)


def sentences(encoder: Encoder, texts: Sequence[str]) -> Sentences:
    """`texts` tokenised once and sent through the frozen layers once."""
    ids = encoder.tokenise(texts)
    if encoder.frozen == 0:
        return Sentences(encoder, ids, None)
    hidden: list[Tensor] = [torch.empty(0)] * len(ids)
    bare = Sentences(encoder, ids, None)
    for index in buckets(ids):
        for row, found in zip(index.tolist(), bare.batch(index)[0]):
            hidden[row] = found[: len(ids[row])].cpu().clone()
    return Sentences(encoder, ids, hidden)


class Trainee(nn.Module):
    """A classifier as `lib.models.training.fit` wants it: row numbers of `sentences` -> logits."""

    def __init__(self, classifier: Classifier, texts: Sentences) -> None:
        super().__init__()
        self.classifier, self.texts = classifier, texts

    def forward(self, index: Tensor) -> Tensor:
        """Logits (B, classes) of the texts numbered `index`."""
        return cast(Tensor, self.classifier(*self.texts.batch(index)))


@torch.no_grad()
def apply(function: Function, texts: Sentences) -> Tensor:
    """`function(hidden, mask)` of every text, in order, on the CPU; batches hold texts of one length."""
    return _gathered(texts.ids, lambda index: function(*texts.batch(index)))


def on_words(
    classifier: Classifier, texts: Sentences, index: Tensor
) -> tuple[Callable[[Tensor], Tensor], Tensor, Tensor]:
    """(f, x, inner) of some texts: f takes word embeddings x (B, L, width) to logits (Definition 1).

    Outside `inner` (B, L) f puts the special tokens and the padding back: its derivative there is exactly 0.
    """
    x, mask, inner = texts.words(index)

    def f(words: Tensor) -> Tensor:
        hidden = texts.encoder.lower(torch.where(inner.unsqueeze(-1), words, x), mask)
        return cast(Tensor, classifier(hidden, mask))

    return f, x, inner


class Reader:
    """Answers for arbitrary texts, remembering the activations of the last `keep` ones it has seen.

    An attack asks several models about the same changed texts; the frozen layers answer each only once.
    """

    def __init__(self, encoder: Encoder, *, keep: int = 8_192) -> None:
        self.encoder, self.keep = encoder, keep
        self._known: OrderedDict[tuple[int, ...], Tensor] = OrderedDict()

    @torch.no_grad()
    def __call__(self, function: Function, texts: Sequence[str]) -> Tensor:
        """`function(hidden, mask)` of every text, in order, on the CPU."""
        ids = self.encoder.tokenise(texts)
        return _gathered(
            ids, lambda index: function(*self._activations([ids[row] for row in index.tolist()]))
        )

    def _activations(self, ids: list[Tensor]) -> tuple[Tensor, Tensor]:
        keys = [tuple(row.tolist()) for row in ids]
        new = list({key: row for key, row in zip(keys, ids) if key not in self._known}.items())
        fresh: dict[tuple[int, ...], Tensor] = {}
        if new:
            bare = Sentences(self.encoder, [row for _, row in new], None)
            hidden, _ = bare.batch(torch.arange(len(new)))
            fresh = {key: value[: len(key)].clone() for (key, _), value in zip(new, hidden)}
        rows = [fresh[key] if key in fresh else self._known[key] for key in keys]
        for key, value in fresh.items():
            self._known[key] = value
        for key in keys:
            self._known.move_to_end(key)
        while len(self._known) > self.keep:
            self._known.popitem(last=False)
        return padded(rows)


def _gathered(ids: Sequence[Tensor], answer: Callable[[Tensor], Tensor]) -> Tensor:
    """What `answer(index)` says of every text, bucket by bucket, in the order of the texts, on the CPU."""
    found: list[Tensor] = [torch.empty(0)] * len(ids)
    for index in buckets(ids):
        for row, value in zip(index.tolist(), answer(index).cpu()):
            found[row] = value
    return torch.stack(found)


def buckets(ids: Sequence[Tensor], size: int = BATCH) -> Iterator[Tensor]:
    """Row numbers in batches of texts that are padded to one length, short ones first."""
    lengths = torch.tensor([_bucket(len(row)) for row in ids])
    for length in lengths.unique().tolist():
        yield from (lengths == length).nonzero().flatten().split(size)


def _bucket(length: int) -> int:
    return -(-length // STEP) * STEP


def padded(rows: Sequence[Tensor]) -> tuple[Tensor, Tensor]:
    """Rows (L_i, ...) as one tensor (B, L, ...), zero beyond each row's end, and its mask (B, L)."""
    length = _bucket(max(len(row) for row in rows))
    stacked = rows[0].new_zeros(len(rows), length, *rows[0].shape[1:])
    mask = torch.zeros(len(rows), length, dtype=torch.bool, device=rows[0].device)
    for number, row in enumerate(rows):
        stacked[number, : len(row)] = row
        mask[number, : len(row)] = True
    return stacked, mask
