"""The formats that image sets are published in, read into cached arrays: pixels and labels of each part."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

import numpy as np
from torch import Tensor

from lib.data import cache, registry, splits
from lib.data.formats import archives, unpickle
from lib.data.formats.pixels import rgb, shrink

VERSION = 1  # raise it when the decoding or the split changes: every cache is then built anew
PARTS = ("train", "valid", "test")

# A reader yields (item, class name, image); the image, uint8 (3, H, W), only if the flag says so.
Row = tuple[str, str, np.ndarray | None]
Reader = Callable[[Path, bool], Iterator[Row]]


@dataclass(frozen=True)
class Source:
    """How a data set is read: its registry name, its reader, its classes in the order of labels.

    An item whose name starts with "test/" is in the official test part. From the others ``held_out`` items a
    class go to the parts it names (more test items, or validation items).
    """

    name: str
    read: Reader
    classes: list[str]
    held_out: Mapping[str, int]
    size: int = 32


def parts(source: Source, root: Path | None = None) -> dict[str, tuple[Tensor, Tensor]]:
    """(images uint8 (N, 3, size, size), labels int64 (N,)) of each part; decoded at the first call."""
    arrays = cache.arrays(source.name, VERSION, lambda folder: _decode(folder, source, root), root)
    return {part: (arrays[f"{part}_images"], arrays[f"{part}_labels"]) for part in PARTS}


def _decode(folder: Path, source: Source, root: Path | None) -> None:
    archive = registry.path(source.name, root=root)
    plan = _plan(_listed(archive, source), source.held_out)
    place = {item: (part, row) for part, items in plan.items() for row, item in enumerate(items)}
    shape = (3, source.size, source.size)
    images = {p: cache.new(folder, f"{p}_images", (len(items), *shape)) for p, items in plan.items()}
    labels = {p: cache.new(folder, f"{p}_labels", (len(items),), np.int64) for p, items in plan.items()}
    for item, label, image in source.read(archive, True):
        part, row = place[item]
        images[part][row] = image
        labels[part][row] = source.classes.index(label)
    for array in (*images.values(), *labels.values()):
        array.flush()


def _listed(archive: Path, source: Source) -> dict[str, str]:
    """Item -> class name, as many and of the classes as expected."""
    listed = {item: label for item, label, _ in source.read(archive, False)}
    expected = registry.get(source.name).items
    if len(listed) != expected:
        raise registry.Corrupt(
            f"{archive} has {len(listed):,} items, not {expected:,}; check it with --check"
        )
    if set(listed.values()) != set(source.classes):
        raise registry.Corrupt(
            f"{archive} has the classes {sorted(set(listed.values()))}, not {source.classes}"
        )
    return listed


def _plan(listed: Mapping[str, str], held_out: Mapping[str, int]) -> dict[str, list[str]]:
    official = {item: label for item, label in listed.items() if item.startswith("test/")}
    rest = {item: label for item, label in listed.items() if item not in official}
    dealt = splits.hold_out(rest, held_out)
    return dealt | {"test": splits.order([*official, *dealt.get("test", [])])}


def folders(size: int) -> Reader:
    """Reader of archives with {train,val,test}/.../<class>/<file>; "val" counts as test, no part as train."""

    def read(archive: Path, pixels: bool) -> Iterator[Row]:
        rows = archives.members(archive) if pixels else ((name, b"") for name in archives.names(archive))
        for name, content in rows:
            path = PurePosixPath(name)
            part = "test" if path.parts[0] in ("val", "test") else "train"
            yield (
                f"{part}/{path.parent.name}/{path.name}",
                path.parent.name,
                rgb(content, size) if pixels else None,
            )

    return read


def cifar_batches(classes: Sequence[str]) -> Reader:
    """Reader of cifar-10-python.tar.gz: five pickled training batches and a test batch."""

    def read(archive: Path, pixels: bool) -> Iterator[Row]:
        for name, content in archives.members(archive, lambda n: "_batch" in PurePosixPath(n).name):
            batch = unpickle.loads(content, encoding="bytes")
            part = "test" if "test" in PurePosixPath(name).name else "train"
            images = np.asarray(batch[b"data"], np.uint8).reshape(-1, 3, 32, 32)
            for row, label in enumerate(batch[b"labels"]):
                item = f"{part}/{PurePosixPath(name).name}/{row:05d}"
                yield item, classes[label], images[row] if pixels else None

    return read


def stl_binaries(classes: Sequence[str], size: int) -> Reader:
    """Reader of stl10_binary.tar.gz; its unlabelled images are passed over, 96x96 is shrunk to ``size``."""

    def read(archive: Path, pixels: bool) -> Iterator[Row]:
        labels: dict[str, np.ndarray] = {}
        for name, content in archives.members(archive, lambda n: n.endswith("_y.bin")):
            labels[PurePosixPath(name).name[: -len("_y.bin")]] = np.frombuffer(content, np.uint8) - 1
        for name, content in archives.members(archive, lambda n: n.endswith(("/train_X.bin", "/test_X.bin"))):
            part = PurePosixPath(name).name[: -len("_X.bin")]
            # Stored column by column: (N, channel, x, y).
            images = np.frombuffer(content, np.uint8).reshape(-1, 3, 96, 96).transpose(0, 1, 3, 2)
            for row, label in enumerate(labels[part]):
                yield f"{part}/{row:05d}", classes[label], shrink(images[row], size) if pixels else None

    return read
