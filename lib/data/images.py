"""Small labelled images (Sec. 4.2): digits, CIFAR-10, Tiny-ImageNet, STL-10, and mixtures of their classes.

Images are uint8 tensors (N, C, H, W) mapped from disk, labels int64 (N,). Every part lies in a fixed random
order, so that its first n images are a random sample of it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from lib.data import registry, splits
from lib.data.formats import images as files
from lib.data.splits import Labelled, Parts

CIFAR10 = ("airplane", "automobile", "bird", "cat", "deer", "dog", "frog", "horse", "ship", "truck")
STL10 = ("airplane", "bird", "car", "cat", "deer", "dog", "horse", "monkey", "ship", "truck")
NATURAL = ("airplane", "car", "cat", "dog", "motorbike")
TINY_VEHICLES = (
    "beach_wagon", "bullet_train", "convertible", "freight_car", "go_kart", "gondola", "jinrikisha",
    "lifeboat", "limousine", "moving_van", "police_van", "school_bus", "sports_car", "tractor",
    "trolleybus",
)  # fmt: skip
TINY_ANIMALS = (
    "albatross", "arabian_camel", "bighorn", "bison", "black_stork", "bullfrog", "chihuahua",
    "egyptian_cat", "gazelle", "german_shepherd", "golden_retriever", "goose", "king_penguin",
    "labrador_retriever", "ox", "persian_cat", "tabby_cat", "tailed_frog", "yorkshire_terrier",
)  # fmt: skip

# The five sources, by class number of CIFAR-10 (authors' code, 985ab57, exp1/cmd.sh).
SOURCES: dict[str, tuple[int, ...]] = {
    "0% animals": (0, 1, 8, 9),
    "25% animals": (2, 1, 8, 9),
    "50% animals": (2, 3, 8, 9),
    "75% animals": (2, 3, 4, 9),
    "100% animals": (2, 3, 4, 5),
}

# Four-class targets: data set -> target -> label -> classes. The paper names vehicles; the authors' cmd.sh
# trains on STL-10's classes 1 3 4 5, which are animals. Two Tiny-ImageNet classes a label keep it balanced.
TARGETS: dict[str, dict[str, dict[str, tuple[str, ...]]]] = {
    "cifar10": {
        "vehicles": {name: (name,) for name in ("airplane", "automobile", "ship", "truck")},
        "animals": {name: (name,) for name in ("bird", "cat", "deer", "dog")},
    },
    "stl10": {
        "vehicles": {name: (name,) for name in ("airplane", "car", "ship", "truck")},
        "animals": {name: (name,) for name in ("bird", "cat", "deer", "dog")},
    },
    "tiny_imagenet32": {
        "vehicles": {
            "cars": ("beach_wagon", "sports_car"),
            "vans": ("moving_van", "police_van"),
            "boats": ("gondola", "lifeboat"),
            "trains": ("bullet_train", "freight_car"),
        },
        "animals": {
            "birds": ("albatross", "goose"),
            "cats": ("persian_cat", "tabby_cat"),
            "antelopes and sheep": ("bighorn", "gazelle"),
            "dogs": ("german_shepherd", "labrador_retriever"),
        },
    },
}


@dataclass(frozen=True)
class Part(Labelled):
    """Images uint8 (N, C, H, W), labels int64 (N,) into ``classes``."""

    images: Tensor
    labels: Tensor
    classes: list[str]

    def select(self, index: Tensor) -> Part:
        """The images at these positions, copied out of the map."""
        return Part(self.images[index], self.labels[index], self.classes)

    def take(self, per_class: int) -> Part:
        """The first ``per_class`` images of every class; ValueError if a class has fewer."""
        return self.select(self.first(per_class))

    def share(self, index: int, number: int) -> Part:
        """One of ``number`` disjoint shares, every class dealt evenly (for models that share no image)."""
        if not 0 <= index < number:
            raise ValueError(f"share {index} of {number}; 0 to {number - 1} exist")
        return self.select(self.of_each_class(slice(index, None, number)))


Split = Parts[Part]


def digits(root: Path | None = None) -> Split:
    """scikit-learn's 1,797 digits, (N, 1, 8, 8), 0..16 scaled to 0..255; 50 test and 20 valid a class."""
    table = np.loadtxt(registry.path("digits", root=root), delimiter=",", dtype=np.int64)
    images = np.rint(table[:, :64] * (255 / 16)).astype(np.uint8).reshape(-1, 1, 8, 8)
    labels = {f"{row:04d}": int(label) for row, label in enumerate(table[:, 64])}
    classes = [str(digit) for digit in range(10)]
    rows = {p: [*map(int, items)] for p, items in splits.hold_out(labels, {"test": 50, "valid": 20}).items()}
    pixels, digit = torch.from_numpy(images), torch.from_numpy(table[:, 64])
    return Split("digits", **{p: Part(pixels[index], digit[index], classes) for p, index in rows.items()})


def cifar10(variant: str = "jpg", root: Path | None = None) -> Split:
    """CIFAR-10, (N, 3, 32, 32): 4,500 train, 500 valid and 1,000 test a class.

    ``variant`` is "jpg" (the JPEG copies) or "original" (the publisher's pickled batches).
    """
    readers = {"jpg": ("cifar10_jpg", files.folders), "original": ("cifar10", files.cifar_batches)}
    if variant not in readers:
        raise ValueError(f"CIFAR-10 has the variants 'jpg' and 'original'; got {variant!r}")
    return _split(files.Source(*readers[variant], CIFAR10, {"valid": 500}), root, "cifar10")


def tiny_imagenet32(root: Path | None = None) -> Split:
    """34 classes of Tiny-ImageNet, (N, 3, 32, 32): 350 train, 50 valid, 150 test a class.

    The test part is the official validation set (50 a class) and 100 held-out training images a class.
    """
    classes, held_out = (*TINY_VEHICLES, *TINY_ANIMALS), {"valid": 50, "test": 100}
    return _split(files.Source("tinyimagenet32", files.folders, classes, held_out), root, "tiny_imagenet32")


def natural_images(root: Path | None = None) -> Split:
    """Five classes of "Natural Images", 30x30 enlarged to (N, 3, 32, 32): 150 test and 50 valid a class.

    The publisher has no split. Its airplanes are near-duplicates of one another: a score on them flatters.
    """
    return _split(files.Source("natural_images", files.folders, NATURAL, {"valid": 50, "test": 150}), root)


def stl10(root: Path | None = None) -> Split:
    """STL-10's labelled part, 96x96 shrunk to (N, 3, 32, 32): 450 train, 50 valid, 800 test a class."""
    return _split(files.Source("stl10", files.stl_binaries, STL10, {"valid": 50}), root)


def mixture(split: Split, groups: Sequence[int | str] | Mapping[str, Sequence[int | str]]) -> Split:
    """The part of a data set that has these classes, relabelled 0, 1, ... in the order given.

    ``groups`` lists classes (by number or name), or maps a new label's name to the classes merged into it.
    ``SOURCES`` and ``TARGETS`` hold the paper's. Raises ValueError for an unknown or repeated class.
    """
    merged = groups if isinstance(groups, Mapping) else {_name(split, g): (g,) for g in groups}
    members = [_name(split, member) for group in merged.values() for member in group]
    if len(set(members)) < len(members) or len(merged) < len(groups):
        raise ValueError(f"a class is named twice in {groups!r}")
    relabel = torch.full((len(split.classes),), -1)
    for new, group in enumerate(merged.values()):
        relabel[[split.classes.index(_name(split, member)) for member in group]] = new
    parts = {part: _relabelled(getattr(split, part), relabel, list(merged)) for part in files.PARTS}
    return Split(split.name, **parts)


def _split(source: files.Source, root: Path | None, title: str = "") -> Split:
    found, classes = files.parts(source, root), list(source.classes)
    return Split(title or source.name, **{part: Part(*pair, classes) for part, pair in found.items()})


def _name(split: Split, member: int | str) -> str:
    if isinstance(member, int) and 0 <= member < len(split.classes):
        return split.classes[member]
    if member not in split.classes:
        raise ValueError(f"{split.name} has no class {member!r}; it has {', '.join(split.classes)}")
    return str(member)


def _relabelled(part: Part, relabel: Tensor, classes: list[str]) -> Part:
    labels = relabel[part.labels]
    index = torch.nonzero(labels >= 0).flatten()
    return Part(part.images[index], labels[index], classes)
