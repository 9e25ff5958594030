"""The labelled target: tensors, a folder of images, or a file of texts; and its split."""

from __future__ import annotations

import csv
import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

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
    than `most` samples a random, balanced choice is kept, with a note.

    Raises ValueError or TypeError, with the remedy, for anything that is not one of these, for fewer than two
    classes, for classes with too few samples, NaN, and labels that are no integers.
    """
    if isinstance(target, str | Path):
        path = Path(target).expanduser()
        if path.is_dir():
            inputs, labels, classes, texts = *_folder(path, pixels, most, generator), None
        else:
            inputs, labels, classes, texts = _texts(path, words)
    elif isinstance(target, tuple | list) and len(target) == 2:
        inputs, labels, classes = _tensors(*target)
        texts = None
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
    return _split(inputs, labels, classes, texts, most, generator)


def _split(
    inputs: Tensor,
    labels: Tensor,
    classes: list[str],
    texts: list[list[str]] | None,
    most: int,
    generator: torch.Generator,
) -> Target:
    """Deal each class into the parts, the same share of every class, at most `most` samples in all."""
    parts: dict[str, list[Tensor]] = {"fit": [], "valid": [], "test": []}
    kept = min(1.0, most / len(labels))
    for label in range(len(classes)):
        rows = torch.nonzero(labels == label).flatten()
        rows = rows[torch.randperm(len(rows), generator=generator)][: max(LEAST, round(kept * len(rows)))]
        test, valid = max(2, round(TEST * len(rows))), max(1, round(VALID * len(rows)))
        parts["test"].append(rows[:test])
        parts["valid"].append(rows[test : test + valid])
        parts["fit"].append(rows[test + valid :])
    dealt = {name: torch.cat(rows) for name, rows in parts.items()}
    dealt = {name: rows[torch.randperm(len(rows), generator=generator)] for name, rows in dealt.items()}
    used = sum(map(len, dealt.values()))
    notes = () if used == len(labels) else (f"{used:,} of {len(labels):,} samples used (most={most:,})",)
    return Target(inputs, labels, classes, texts, dealt["fit"], dealt["valid"], dealt["test"], notes)


def _tensors(x: Any, y: Any) -> tuple[Tensor, Tensor, list[str]]:
    if not isinstance(x, Tensor) or not (x.is_floating_point() or x.dtype == torch.uint8):
        found = getattr(x, "dtype", type(x).__name__)
        raise TypeError(f"x of the target is {found}: pass floats (N, *shape), or uint8 images")
    y = torch.as_tensor(y)
    if y.is_floating_point() or y.shape != x.shape[:1] or x.dim() < 2:
        raise ValueError(
            f"the target has x {tuple(x.shape)} and {y.dtype} y {tuple(y.shape)}: pass x (N, *shape) with "
            "one integer label for each of its N samples"
        )
    x = x.float() / 255 if x.dtype == torch.uint8 else x.detach()
    if not torch.isfinite(x).all():
        raise ValueError("x of the target holds NaN or infinity: leave those samples out first")
    kinds, labels = torch.unique(y.cpu(), return_inverse=True)
    return x, labels, [str(int(kind)) for kind in kinds]


def _folder(
    path: Path, pixels: int, most: int, generator: torch.Generator
) -> tuple[Tensor, Tensor, list[str]]:
    """Images of a folder with one folder a class, as torchvision's ImageFolder reads them."""
    from torchvision import datasets, transforms

    steps = [transforms.Resize(pixels), transforms.CenterCrop(pixels), transforms.ToTensor()]
    try:
        found = datasets.ImageFolder(path, transforms.Compose(steps))
    except FileNotFoundError as error:
        raise ValueError(f"{path} is no folder of class/image: {error}") from None
    chosen = torch.randperm(len(found), generator=generator)[:most].sort().values.tolist()
    images, labels = zip(*(found[i] for i in chosen))
    return torch.stack(images), torch.tensor(labels), found.classes


def _texts(path: Path, words: int) -> tuple[Tensor, Tensor, list[str], list[list[str]]]:
    """Rows of text and label; the inputs are gates, one a word, all 1."""
    rows = _rows(path)
    try:
        texts = [str(row["text"]).split()[:words] for row in rows]
        names = [str(row["label"]) for row in rows]
    except KeyError as error:
        raise ValueError(f"{path} has a row without {error}: name the columns text and label") from None
    kept = [i for i, text in enumerate(texts) if text]
    if not kept:
        raise ValueError(f"{path} has no text in it")
    classes = sorted(set(names))
    labels = torch.tensor([classes.index(names[i]) for i in kept])
    return torch.ones(len(kept), words), labels, classes, [texts[i] for i in kept]


def _rows(path: Path) -> Sequence[dict[str, Any]]:
    if path.suffix not in (".tsv", ".jsonl") or not path.is_file():
        raise ValueError(f"{path} is neither a folder of class/image nor a .tsv or .jsonl file that is there")
    lines = path.read_text(encoding="utf-8").split("\n")
    if path.suffix == ".jsonl":
        return [json.loads(line) for line in lines if line.strip()]
    return list(csv.DictReader((line for line in lines if line.strip()), delimiter="\t"))
