"""Texts, candidates and classifiers on which the attacks of `benchmarks.textfooler` are compared."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from typing import Any

import torch
from torch import Tensor
from torch.nn import functional
from transformers import AutoModelForSequenceClassification, AutoTokenizer
from transformers.utils import logging

from benchmarks._wordcnn import WordCNN
from lib.data import text, words

PADDED = 128  # tokens that the public code pads every sentence to
BATCH = 32  # about the fastest for MiniLM on one thread
Function = Callable[[list[str]], Tensor]


def candidates() -> dict[str, list[str]]:
    """The neighbours file's words a-z."""
    plain = re.compile("[a-z]+").fullmatch
    found = {
        w: [c for c in near if plain(c) and c != w] for w, near in words.neighbours().items() if plain(w)
    }
    return {word: near for word, near in found.items() if near}


def cut(texts: Sequence[str], count: int | None, longest: int, keep: Tensor | None = None) -> Any:
    """The first texts of at least ten words, cut to a multiple of ten; with labels if they are given."""
    found = [re.findall("[a-z]+", t.lower())[:longest] for t in texts]
    pairs = [(" ".join(w[: len(w) // 10 * 10]), i) for i, w in enumerate(found) if len(w) >= 10][:count]
    return [t for t, _ in pairs] if keep is None else ([t for t, _ in pairs], keep[[i for _, i in pairs]])


def trained_cnn(train: tuple[list[str], Tensor], near: dict, texts: list[str], epochs: int = 3) -> WordCNN:
    """A CNN of 50 filters a width, over the training words and every candidate of the attacked ones."""
    sentences, labels = train[0][:2000], train[1][:2000]
    known = {w for t in [*sentences, *texts] for w in t.split()}
    known |= {c for t in texts for w in t.split() for c in near.get(w, ())}
    torch.manual_seed(0)
    model = WordCNN(sorted(known))
    optimizer = torch.optim.Adam(model.parameters(), 2e-3)
    for _ in range(epochs):
        for index in torch.randperm(len(sentences)).split(32):
            optimizer.zero_grad()
            logits = model([sentences[i] for i in index.tolist()])
            functional.cross_entropy(logits, labels[index]).backward()
            optimizer.step()
    return model.eval()


def minilm() -> tuple[Any, Any]:
    """The packaged MiniLM with a logistic head fitted to a hundred film reviews, and its tokenizer."""
    logging.set_verbosity_error()
    logging.disable_progress_bar()
    tokenizer = AutoTokenizer.from_pretrained(words.minilm())
    model = AutoModelForSequenceClassification.from_pretrained(words.minilm(), num_labels=2).eval()
    _fit_head(model, tokenizer, text.vader("films").train.take(100))
    return model, tokenizer


def classifier(model: Any, tokenizer: Any, padded: int | None = None) -> Function:
    """Sentences -> logits."""
    return bucketed(lambda batch: model(**batch).logits, tokenizer, padded)


def encoder(model: Any, tokenizer: Any) -> Function:
    """Sentences -> the mean over their tokens of MiniLM's last layer."""

    def mean(batch: Any) -> Tensor:
        share = batch["attention_mask"].unsqueeze(-1)
        return (model.bert(**batch).last_hidden_state * share).sum(1) / share.sum(1)

    return bucketed(mean, tokenizer)


def bucketed(function: Callable[[Any], Tensor], tokenizer: Any, padded: int | None = None) -> Function:
    """Sentences of about as many tokens together, padded to the longest of them or to `padded` tokens."""

    @torch.no_grad()
    def answers(sentences: list[str]) -> Tensor:
        ids = tokenizer(sentences, truncation=True, max_length=padded or PADDED)["input_ids"]
        order = sorted(range(len(ids)), key=lambda i: len(ids[i]))
        found = []
        for start in range(0, len(order), BATCH):
            part = {"input_ids": [ids[i] for i in order[start : start + BATCH]]}
            padding = {"padding": "max_length" if padded else True, "max_length": padded}
            found.append(function(tokenizer.pad(part, return_tensors="pt", **padding)))
        return torch.cat(found)[torch.tensor(order).argsort()]

    return answers


@torch.no_grad()
def _fit_head(model: Any, tokenizer: Any, part: text.Part) -> None:
    """A ridge classifier on the pooled features of a few training sentences."""
    batch = tokenizer(part.texts, truncation=True, max_length=64, padding=True, return_tensors="pt")
    features = model.bert(**batch).pooler_output
    wanted = functional.one_hot(part.labels, 2).float() - 0.5
    gram = features.T @ features + 0.1 * torch.eye(features.shape[1])
    model.classifier.weight.copy_((torch.linalg.solve(gram, features.T @ wanted) * 8).T)
    model.classifier.bias.zero_()
