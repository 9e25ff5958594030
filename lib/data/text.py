"""Labelled texts (Sec. 4.2): reviews, news, statements, rated sentences; and the word lists of TextFooler.

A split is decided by the texts themselves, so it does not depend on the order of rows. The training part is
balanced by leaving surplus texts out, and holds no text of the test part, which is the publisher's.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

import torch
from torch import Tensor

from lib.data import registry, splits
from lib.data.formats import texts as files
from lib.data.splits import Labelled, Parts

SENTIMENT = ("negative", "positive")
NEWS = ("world", "sports", "business", "science")
TRUTH = ("real", "fake")

# Data set -> classes.
SETS: dict[str, tuple[str, ...]] = {
    **dict.fromkeys(("imdb_part", "imdb", "yelp_reviews", "yelp_sentences", "yelp_polarity"), SENTIMENT),
    **dict.fromkeys(("ag_part", "ag_news"), NEWS),
    **dict.fromkeys(("fake_articles", "covid_posts", "liar", "fake_news"), TRUTH),
}
DOMAINS = ("tweets", "films", "amazon", "editorials")


@dataclass(frozen=True)
class Part(Labelled):
    """Texts, labels int64 (N,) into ``classes``."""

    texts: list[str]
    labels: Tensor
    classes: list[str]

    def take(self, per_class: int) -> Part:
        """The first ``per_class`` texts of every class, in their order; ValueError if a class has fewer."""
        index = self.first(per_class)
        return Part([self.texts[i] for i in index.tolist()], self.labels[index], self.classes)


Split = Parts[Part]


def load(name: str, root: Path | None = None) -> Split:
    """A data set of SETS: train and valid balanced (valid a tenth of the smallest class), test as published.

    Removed from train: texts of the test part, repeated texts, and texts that occur with two labels.
    """
    if name not in SETS:
        raise ValueError(f"no text data set is called {name!r}; known: {', '.join(SETS)}, and vader(domain)")
    classes, rows = SETS[name], files.rows(name, root)
    if odd := sorted({label for _, label in rows.train + rows.test} - set(range(len(classes)))):
        raise registry.Corrupt(f"{name} has the labels {odd}; its classes are 0 to {len(classes) - 1}")
    train = _single(rows.train, without={splits.normal(text) for text, _ in rows.test})
    held_out = min(_counts(train, len(classes))) // 10
    parts = splits.hold_out(train, {"valid": held_out})
    fair = {part: _balanced(items, train, classes) for part, items in parts.items()}
    test = sorted(rows.test, key=lambda row: (splits.rank(row[0]), *row))
    return Split(name, fair["train"], fair["valid"], _part(test, classes))


def vader(domain: str, margin: float = 0.5, root: Path | None = None) -> Split:
    """Sentences of one of DOMAINS with the sign of their mean rating; |rating| < ``margin`` is left out.

    The parts hold 70, 10 and 20 % of the documents, all sentences of a document in the same part (a tweet and
    a film sentence are documents of their own: the publisher does not say which review they come from); every
    part is balanced.
    """
    if domain not in DOMAINS:
        raise ValueError(f"VADER has the domains {', '.join(DOMAINS)}; got {domain!r}")
    if not 0 <= margin < 4:
        raise ValueError(f"margin {margin}: ratings go from -4 to 4, so 0 <= margin < 4")
    rated = [row for row in files.vader(domain, root) if row.rating and abs(row.rating) >= margin]
    labels = _single([(row.text, int(row.rating > 0)) for row in rated], without=set())
    document = {row.text: row.document for row in rated}
    parts: dict[str, list[str]] = {"train": [], "valid": [], "test": []}
    for text in splits.order(list(labels)):
        share = splits.rank(f"{domain} {document[text]}", seed=1) / 2**64
        parts["test" if share < 0.2 else "valid" if share < 0.3 else "train"].append(text)
    fair = {part: _balanced(items, labels, SENTIMENT) for part, items in parts.items()}
    return Split(f"vader {domain}", **fair)


def textfooler(name: str, root: Path | None = None) -> Part:
    """TextFooler's own 1,000 evaluation texts of "imdb", "yelp" or "ag", lower-cased and tokenised."""
    classes = {"imdb": SENTIMENT, "yelp": SENTIMENT, "ag": NEWS}
    if name not in classes:
        raise ValueError(f"TextFooler's texts are {', '.join(classes)}; got {name!r}")
    return _part(files.jsonl("textfooler_texts", f"textfooler_{name}_1k.jsonl.gz", root), classes[name])


def _single(rows: Iterable[tuple[str, int]], without: set[str]) -> dict[str, int]:
    """Text -> label, each text once; none that is in ``without`` or has two labels."""
    chosen: dict[str, tuple[str, int]] = {}
    contested = set()
    for text, label in rows:
        key = splits.normal(text)
        known = chosen.setdefault(key, (text, label))
        if known[1] != label:
            contested.add(key)
        elif text < known[0]:  # of spellings of the same text, one that does not depend on the order
            chosen[key] = (text, label)
    return {text: label for key, (text, label) in chosen.items() if key and key not in without | contested}


def _balanced(items: list[str], labels: dict[str, int], classes: tuple[str, ...]) -> Part:
    """The items with as many of every class as the smallest has, the first in their order."""
    least = min(_counts({item: labels[item] for item in items}, len(classes)))
    seen = [0] * len(classes)
    kept = []
    for item in items:
        seen[labels[item]] += 1
        if seen[labels[item]] <= least:
            kept.append((item, labels[item]))
    return _part(kept, classes)


def _counts(labels: dict[str, int], classes: int) -> list[int]:
    return torch.bincount(torch.tensor(list(labels.values()), dtype=torch.long), minlength=classes).tolist()


def _part(rows: list[tuple[str, int]], classes: tuple[str, ...]) -> Part:
    labels = torch.tensor([label for _, label in rows], dtype=torch.long)
    return Part([text for text, _ in rows], labels, list(classes))
