"""Sentence classifiers on a pretrained BERT (Sec. 4.2), whose lower part all models share.

The embedding table and the lowest layers are frozen: one `Encoder` serves every model, its activations are
computed once a text, and attacks on different models live in one space. A `Classifier` owns the layers above
and a linear head. `lib.models.reading` brings texts to them. Explained in `book/text.md`.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from copy import deepcopy
from pathlib import Path
from typing import Any, cast

import torch
from torch import Generator, Tensor, nn

STEP = 8  # tokens: rows of a matrix product are then the same in every batch (seen on AVX-512, tested)
POOLINGS = ("mean", "cls")


class Encoder:
    """The frozen part of a BERT in `folder`: tokenizer, embeddings and the first `frozen` layers.

    `folder` is what `lib.data.words.minilm()` or `.bert()` return. `max_tokens` counts [CLS] and [SEP];
    longer texts are cut. Raises FileNotFoundError for a folder without weights or without a tokenizer,
    ValueError for numbers that the model does not have.
    """

    def __init__(self, folder: Path, *, frozen: int, max_tokens: int) -> None:
        _check_folder(Path(folder))
        with _transformers() as (AutoTokenizer, BertModel):
            self.tokenizer = AutoTokenizer.from_pretrained(str(folder), local_files_only=True)
            self.bert = BertModel.from_pretrained(
                str(folder), local_files_only=True, add_pooling_layer=False, attn_implementation="sdpa"
            )
        self.bert.eval().requires_grad_(False)
        self.layers, most = len(self.bert.encoder.layer), self.bert.config.max_position_embeddings
        if not 0 <= frozen <= self.layers:
            raise ValueError(f"frozen={frozen}: this model has layers 0 to {self.layers}")
        if not 3 <= max_tokens <= most // STEP * STEP:
            raise ValueError(f"max_tokens={max_tokens}: between 3 and the model's {most // STEP * STEP}")
        self.frozen, self.max_tokens = frozen, max_tokens
        self.width = self.bert.config.hidden_size

    def to(self, device: torch.device) -> Encoder:
        """Itself, on `device`."""
        nn.Module.to(self.bert, device)
        return self

    @property
    def device(self) -> torch.device:
        """Where it computes."""
        return cast(torch.device, self.bert.device)

    def tokenise(self, texts: Sequence[str]) -> list[Tensor]:
        """The ids of each text, [CLS] and [SEP] included, int64."""
        if not texts:
            return []
        found = self.tokenizer(list(texts), truncation=True, max_length=self.max_tokens, padding=False)
        return [torch.tensor(ids) for ids in found["input_ids"]]

    def cut(self, text: str, tokens: int) -> str:
        """The longest beginning of `text`, in whole words, of at most `tokens` tokens with [CLS] and [SEP].

        At least one word is left of a text that has any; white space at the end is dropped.
        """
        found = self.tokenizer(text, truncation=True, max_length=tokens, return_offsets_mapping=True)
        ends = [end for _, end in found["offset_mapping"]]
        end = max(ends, default=0)
        if end >= len(text.rstrip()) or text[end : end + 1].isspace():
            return text[:end].rstrip()
        whole = text[:end].rsplit(None, 1)
        return whole[0].rstrip() if len(whole) == 2 else (text.split(None, 1) or [""])[0]

    def words(self, ids: Tensor) -> Tensor:
        """The rows (B, L, width) of the frozen table for ids (B, L): the input of Definition 1."""
        return cast(Tensor, self.bert.embeddings.word_embeddings(ids))

    def inner(self, ids: Tensor, mask: Tensor) -> Tensor:
        """True (B, L) where a position holds text: no padding, no special token."""
        special = torch.tensor([self.tokenizer.cls_token_id, self.tokenizer.sep_token_id], device=ids.device)
        return mask & ~torch.isin(ids, special)

    def lower(self, words: Tensor, mask: Tensor) -> Tensor:
        """Word embeddings (B, L, width) -> activations after the frozen layers; mask (B, L): True on text."""
        hidden = self.bert.embeddings(inputs_embeds=words)
        return _through(self.bert.encoder.layer[: self.frozen], hidden, mask)

    def upper(self) -> nn.ModuleList:
        """A copy of the layers above the frozen ones, as pretrained, free to be trained."""
        return cast(nn.ModuleList, deepcopy(self.bert.encoder.layer[self.frozen :]).requires_grad_(True))


class Classifier(nn.Module):
    """Upper layers, pooling and a linear head on an encoder's activations: (B, L, width) -> (B, classes).

    `generator` draws the head (normal, deviation 0.02, zero bias: BERT's own). `dropout` replaces the rate of
    every layer. Raises ValueError for an unknown pooling and for less than one class.
    """

    def __init__(
        self,
        encoder: Encoder,
        classes: int,
        *,
        generator: Generator,
        pooling: str = "mean",
        dropout: float = 0.0,
    ) -> None:
        super().__init__()
        if pooling not in POOLINGS or classes < 1:
            raise ValueError(
                f"pooling={pooling!r}, classes={classes}: use {' or '.join(POOLINGS)}, at least 1"
            )
        self.layers, self.pooling = encoder.upper(), pooling
        for part in self.layers.modules():
            if isinstance(part, nn.Dropout):
                part.p = dropout
        self.head = head(encoder.width, classes, generator)
        self.to(encoder.device).eval()

    def features(self, hidden: Tensor, mask: Tensor) -> Tensor:
        """What the head sees, (B, width): the mean over the text's tokens, or the activation of [CLS]."""
        hidden = _through(self.layers, hidden, mask)
        if self.pooling == "cls":
            return hidden[:, 0]
        share = mask.unsqueeze(-1).to(hidden)
        return (hidden * share).sum(1) / share.sum(1)

    def forward(self, hidden: Tensor, mask: Tensor) -> Tensor:
        """Logits (B, classes)."""
        return cast(Tensor, self.head(self.features(hidden, mask)))


def head(width: int, classes: int, generator: Generator) -> nn.Linear:
    """A fresh last layer, drawn from `generator`."""
    layer = nn.utils.skip_init(nn.Linear, width, classes)
    nn.init.normal_(layer.weight, std=0.02, generator=generator)
    nn.init.zeros_(layer.bias)
    return cast(nn.Linear, layer)


def _through(layers: nn.ModuleList, hidden: Tensor, mask: Tensor) -> Tensor:
    closed = torch.zeros(mask.shape, dtype=hidden.dtype, device=hidden.device)
    closed = closed.masked_fill(~mask, torch.finfo(hidden.dtype).min)[:, None, None, :]
    for layer in layers:
        hidden = layer(hidden, closed)
    return hidden


@contextmanager
def _transformers() -> Iterator[tuple[Any, Any]]:
    """Tokenizer and model classes; without progress bars and reports of weights that nobody asked for.

    Imported here, because it takes seconds that who only asks for a config need not spend.
    """
    from transformers import AutoTokenizer, BertModel
    from transformers.utils import logging

    bars, level = logging.is_progress_bar_enabled(), logging.get_verbosity()
    logging.disable_progress_bar()
    logging.set_verbosity_error()
    try:
        yield AutoTokenizer, BertModel
    finally:
        logging.set_verbosity(level)
        if bars:
            logging.enable_progress_bar()


def _check_folder(folder: Path) -> None:
    weights, tokenizer = ("model.safetensors", "pytorch_model.bin"), ("tokenizer.json", "vocab.txt")
    for part, names in (("weights", weights), ("tokenizer", tokenizer)):
        if not any((folder / name).exists() for name in names):
            raise FileNotFoundError(
                f"{folder} has no {part} ({' or '.join(names)}): use the folder of lib.data.words.minilm() "
                f"or bert(), or save the {part} there"
            )
