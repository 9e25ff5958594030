"""The labelled target: tensors, a folder of images, or a file of texts; and its split."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from lib.base.extras import needed_from

LEAST = 5  # samples of a class: two to fit, one to choose, two to test
TEST, VALID = 0.4, 0.15  # shares of each class


@dataclass(frozen=True, eq=False)
class Target:
    """N labelled samples of the new task, in three parts that share no sample.

    inputs (N, *shape): pixels in [0, 1] as a rule, or one gate a word for texts; labels (N,) in 0 .. K-1;
    texts: the words of each sample, or None. fit, valid, test: row numbers, in random order. Fitting (probe,
    rivals, reference) sees fit and valid; test is for what is measured.
    """

    inputs: Tensor
    labels: Tensor
    classes: list[str]
    texts: list[list[str]] | None
    fit: Tensor
    valid: Tensor
    test: Tensor
    notes: tuple[str, ...] = ()

    def __len__(self) -> int:
        return len(self.labels)


def load(target: Any, *, pixels: int, words: int, most: int, generator: torch.Generator) -> Target:
    """The target from (x, y), a folder `class/image`, or a .tsv or .jsonl file with columns text and label.

    Images of a folder are resized and cropped to pixels x pixels; texts are cut after `words` words. Of more
    than `most` samples a random choice is kept, the same share of every class but 5 of each at least, with a
    note.

    Raises ValueError or TypeError, with the remedy, for anything that is not one of these, for fewer than two
    classes, for classes with too few samples, NaN, and labels that are no integers.
    """
    texts: list[list[str]] | None = None
    total: int | None = None
    if isinstance(target, str | Path):
        path = Path(target).expanduser()
        if path.is_dir():
            inputs, labels, classes, total = _folder(path, pixels, most, generator)
            most = max(most, len(labels))  # the choice is made
        else:
            labels, classes, texts = read_texts(path, words)
            inputs = torch.ones(len(texts), words)  # gates, one a word
    elif isinstance(target, tuple | list) and len(target) == 2:
        inputs, labels, classes = _tensors(*target)
    else:
        raise TypeError(
            f"the target is a {type(target).__name__}: pass (x, y), a folder of class/image, or a .tsv or "
            ".jsonl file with text and label"
        )
    counts = torch.bincount(labels, minlength=len(classes))
    if len(classes) < 2 or int(counts.min()) < LEAST:
        short = {name: int(count) for name, count in zip(classes, counts) if count < LEAST}
        raise ValueError(
            f"the target has the classes {', '.join(classes[:10])} and too few samples of "
            f"{short or 'any other'}: pass two classes or more, with {LEAST} or more samples each"
        )
    parts = _deal(_chosen(labels, most, generator), generator)
    notes = _thinned(sum(map(len, parts)), total or len(labels))
    return Target(inputs, labels, classes, texts, *parts, notes)


def is_file(target: Any) -> bool:
    """True for a path that is no folder: texts, or a mistake."""
    return isinstance(target, str | Path) and not Path(target).expanduser().is_dir()


def _chosen(labels: Tensor, most: int, generator: torch.Generator) -> list[Tensor]:
    """The rows of each class that are used, in random order: the same share of every class."""
    kept = min(1.0, most / len(labels))
    chosen = []
    for label in labels.unique():
        rows = torch.nonzero(labels == label).flatten()
        rows = rows[torch.randperm(len(rows), generator=generator)]
        chosen.append(rows[: max(LEAST, round(kept * len(rows)))])
    return chosen


def _deal(chosen: list[Tensor], generator: torch.Generator) -> tuple[Tensor, Tensor, Tensor]:
    """Rows to fit, to choose and to test: the same shares of every class, in random order."""
    dealt = []
    for rows in chosen:
        test, valid = max(2, round(TEST * len(rows))), max(1, round(VALID * len(rows)))
        dealt.append((rows[test + valid :], rows[test : test + valid], rows[:test]))
    parts = [torch.cat(part) for part in zip(*dealt)]
    fit, valid_part, test_part = (part[torch.randperm(len(part), generator=generator)] for part in parts)
    return fit, valid_part, test_part


def _thinned(used: int, total: int) -> tuple[str, ...]:
    """Said of a target of which not all is used."""
    if used == total:
        return ()
    return (f"{used:,} of {total:,} samples used: most= sets how many, of each class {LEAST} at least",)


def _tensors(x: Any, y: Any) -> tuple[Tensor, Tensor, list[str]]:
    x, y = _tensor(x, "x", "floats (N, *shape), or uint8 images"), _tensor(y, "y", _LABELS)
    if not (x.is_floating_point() or x.dtype == torch.uint8):
        raise TypeError(f"x of the target is {x.dtype}: pass floats (N, *shape), or uint8 images")
    if y.is_floating_point() or y.shape != x.shape[:1] or x.dim() < 2:
        raise ValueError(
            f"the target has x {tuple(x.shape)} and {y.dtype} y {tuple(y.shape)}: pass x (N, *shape) with "
            "one integer label for each of its N samples"
        )
    x = x.float() / 255 if x.dtype == torch.uint8 else x.detach().float()
    if not torch.isfinite(x).all():
        raise ValueError("x of the target holds NaN or infinity: leave those samples out first")
    kinds, labels = torch.unique(y.cpu(), return_inverse=True)
    return x, labels, [str(int(kind)) for kind in kinds]


_LABELS = "integers; for names, [sorted(set(y)).index(name) for name in y]"


def _tensor(values: Any, which: str, wanted: str) -> Tensor:
    """A tensor of the caller's tensor, array or list."""
    if isinstance(values, Tensor):
        return values
    try:
        return torch.tensor(values)
    except (ValueError, TypeError, RuntimeError) as error:
        raise TypeError(f"{which} of the target is no tensor ({_first(error)}): pass {wanted}") from None


def _first(error: Exception) -> str:
    return (str(error).strip().splitlines() or [type(error).__name__])[0]


def _folder(
    path: Path, pixels: int, most: int, generator: torch.Generator
) -> tuple[Tensor, Tensor, list[str], int]:
    """Images of a folder with one folder a class, as torchvision's ImageFolder reads them, and how many."""
    with needed_from("ranking"):
        from torchvision import datasets, transforms

    steps = [transforms.Resize(pixels), transforms.CenterCrop(pixels), transforms.ToTensor()]
    try:
        found = datasets.ImageFolder(path, transforms.Compose(steps))
    except FileNotFoundError as error:
        raise ValueError(f"{path} is no folder of class/image: {error}") from None
    chosen = torch.cat(_chosen(torch.tensor(found.targets), most, generator)).sort().values
    images, labels = zip(*(found[i] for i in chosen.tolist()))
    return torch.stack(images), torch.tensor(labels), found.classes, len(found)


def read_texts(path: Path, words: int) -> tuple[Tensor, list[str], list[list[str]]]:
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
