"""A file of labelled texts: .tsv with a header, or .jsonl with an object a line."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import torch
from torch import Tensor


def read(path: Path, words: int) -> tuple[Tensor, list[str], list[list[str]]]:
    """Labels (N,), the classes they number, and the words of each text, cut after `words`.

    A .tsv is read as it stands: a quotation mark is a character like any other, and no text has a tab.
    Raises ValueError, with file and line, for what cannot be read, and for a text or label that is missing.
    """
    if path.suffix not in (".tsv", ".jsonl") or not path.is_file():
        raise ValueError(f"{path} is neither a folder of class/image nor a .tsv or .jsonl file that is there")
    rows = [(_field(row, "text", place).split()[:words], _field(row, "label", place).strip())
            for place, row in _rows(path)]  # fmt: skip
    if not rows:
        raise ValueError(f"{path} has no text in it")
    classes = sorted({label for _, label in rows})
    number = {name: i for i, name in enumerate(classes)}
    return torch.tensor([number[label] for _, label in rows]), classes, [text for text, _ in rows]


def _field(row: dict[str, Any], name: str, place: str) -> str:
    value = row.get(name)
    if value is None or isinstance(value, list | dict) or not str(value).strip():
        raise ValueError(
            f"{place}: the {name} is {'missing' if name not in row else repr(value)}; every line needs a "
            "text and a label, under these names"
        )
    return str(value)


def _rows(path: Path) -> Iterator[tuple[str, dict[str, Any]]]:
    """(file and line, row) of each line that is not empty."""
    try:
        lines = path.read_text(encoding="utf-8-sig").split("\n")
    except UnicodeDecodeError as error:
        raise ValueError(f"{path} is not UTF-8 ({error.reason} at byte {error.start}): convert it") from None
    kept = [(f"{path}, line {i}", line) for i, line in enumerate(lines, 1) if line.strip()]
    if path.suffix == ".jsonl":
        yield from ((place, _object(line, place)) for place, line in kept)
        return
    header = kept[0][1].split("\t") if kept else []
    for place, line in kept[1:]:
        cells = line.split("\t")
        if len(cells) > len(header):
            raise ValueError(f"{place}: {len(cells)} columns under a header of {len(header)}; has it a tab?")
        yield place, dict(zip(header, cells))


def _object(line: str, place: str) -> dict[str, Any]:
    try:
        found = json.loads(line)
    except json.JSONDecodeError as error:
        raise ValueError(f"{place}: not readable as JSON: {error}") from None
    if not isinstance(found, dict):
        raise ValueError(f"{place}: a {type(found).__name__}, not an object with text and label")
    return found
