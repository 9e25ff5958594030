"""The formats that text sets are published in, read into (text, label) rows."""

from __future__ import annotations

import csv
import io
import json
import re
import tarfile
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Any, TypeVar

from lib.data import registry, splits
from lib.data.formats import archives

T = TypeVar("T")
Row = tuple[str, int]
csv.field_size_limit(2**24)  # an article can be longer than csv's default of 131,072 letters


@dataclass(frozen=True)
class Rows:
    """Rows of the publisher's training and test parts."""

    train: list[Row]
    test: list[Row]


@dataclass(frozen=True)
class Rated:
    """A sentence of VADER: text, mean rating in [-4, 4], the document it is from."""

    text: str
    rating: float
    document: str


def jsonl(name: str, file: str, root: Path | None = None) -> list[Row]:
    """Rows of a gzipped json-lines file with "text" and "label"."""
    # Only "\n" ends a row; str.splitlines would also cut at the line separators of Unicode inside a text.
    place = registry.path(name, file, root)
    lines = filter(None, archives.gunzip(place).split(b"\n"))
    return list(_read(place, map(json.loads, lines), lambda row: (row["text"], int(row["label"]))))


def packed(name: str, root: Path | None = None) -> Rows:
    """A packed set, whose two files are train and test."""
    files = {file.name.rpartition("_")[2]: file.name for file in registry.get(name).files}
    return Rows(*(jsonl(name, files[f"{part}.jsonl.gz"], root) for part in ("train", "test")))


def imdb(root: Path | None = None) -> Rows:
    """aclImdb_v1.tar.gz: aclImdb/{train,test}/{neg,pos}/<n>.txt, line breaks written as <br />."""
    rows = Rows([], [])
    archive = registry.path("imdb", root=root)
    wanted = re.compile(r"(?:\./)?aclImdb/(train|test)/(neg|pos)/[^/]*\.txt").fullmatch
    for name, content in archives.members(archive, wanted):
        _, part, kind, _ = name.removeprefix("./").split("/")
        getattr(rows, part).append((content.decode().replace("<br />", " "), int(kind == "pos")))
    return rows


def ag_news(root: Path | None = None) -> Rows:
    """train.csv and test.csv: class 1 to 4, title, description; a backslash stands for a line break."""

    def read(part: str) -> list[Row]:
        place = registry.path("ag_news", f"{part}.csv", root)
        with open(place, encoding="utf-8", newline=None) as stream:
            return list(_read(place, csv.reader(stream), row))

    def row(fields: list[str]) -> Row:
        label, title, description = fields
        return f"{title} {description}".replace("\\", " "), int(label) - 1

    return Rows(read("train"), read("test"))


def yelp_polarity(root: Path | None = None) -> Rows:
    """yelp_review_polarity_csv.tgz: {train,test}.csv with class 1 or 2 and the text, line breaks as \\n."""
    archive = registry.path("yelp_polarity", root=root)

    def read(part: str) -> list[Row]:
        content = io.BytesIO(archives.member(archive, f"{part}.csv"))
        reader = csv.reader(io.TextIOWrapper(content, encoding="utf-8", newline=""))
        return list(_read(archive, reader, row))

    def row(fields: list[str]) -> Row:
        label, text = fields
        return text.replace("\\n", " "), int(label) - 1

    return Rows(read("train"), read("test"))


def fake_news(root: Path | None = None) -> Rows:
    """Kaggle's train.csv: id, title, author, text, label (1 = unreliable). A fifth is held out."""
    rows = Rows([], [])
    place = registry.path("fake_news", root=root)
    with open(place, encoding="utf-8", newline="") as stream:
        for title, body, label in _read(place, csv.DictReader(stream), _article):
            text = f"{title} . {body}"
            held_out = splits.rank(splits.normal(text), seed=1) / 2**64 < 0.2
            if body.strip():
                (rows.test if held_out else rows.train).append((text, label))
    return rows


def _article(row: dict[str, str]) -> tuple[str, str, int]:
    title, body, label = row["title"], row["text"], row["label"]
    if None in (title, body, label):
        raise ValueError("the row ends before its last column, or a quote is never closed")
    return title, body, int(label)


def _read(place: Path, rows: Iterable[Any], row: Callable[[Any], T]) -> Iterator[T]:
    """``row`` of each of the rows; Corrupt says near which one a file ceases to be what was published."""
    number = 0
    try:
        for fields in rows:
            number += 1
            yield row(fields)
    except (csv.Error, ValueError, TypeError, LookupError, RecursionError) as error:
        told = f"no column {error}" if isinstance(error, KeyError) else error
        raise registry.Corrupt(f"{place} is not as published, near row {number:,}: {told}") from error


READERS = {"imdb": imdb, "ag_news": ag_news, "yelp_polarity": yelp_polarity, "fake_news": fake_news}


def rows(name: str, root: Path | None = None) -> Rows:
    """A labelled set in the format it is published in, or packed."""
    return READERS[name](root) if name in READERS else packed(name, root)


def vader(domain: str, root: Path | None = None) -> Iterator[Rated]:
    """The rated sentences of one domain: an archive inside the package's source archive, tab-separated."""
    files = {"tweets": "tweets", "films": "movieReviewSnippets", "amazon": "amazonReviewSnippets"}
    wanted = f"{files.get(domain, 'nytEditorialSnippets')}_GroundTruth.txt"
    place = registry.path("vader", root=root)
    inner = archives.member(place, "hutto_ICWSM_2014.tar.gz")
    with tarfile.open(fileobj=io.BytesIO(inner)) as tar:
        member = next(m for m in tar if m.isreg() and PurePosixPath(m.name).name == wanted)
        text = tar.extractfile(member).read().decode("utf-8-sig")  # type: ignore[union-attr]

    def rated(line: str) -> Rated:
        item, rating, sentence = line.split("\t", 2)
        return Rated(sentence.strip(), float(rating), item.partition("_")[0])

    yield from _read(place, filter(None, text.split("\r\n")), rated)
