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

PARTS = ("train", "valid", "test")
SIZE = 32  # pixels a side of every image

# A reader of (archive, classes, flag) yields (item, class name, image); the image only if the flag says so.
Row = tuple[str, str, np.ndarray | None]
Reader = Callable[[Path, Sequence[str], bool], Iterator[Row]]


@dataclass(frozen=True)
class Source:
    """How a data set is read: its registry name, its reader, its classes in the order of labels.

    An item whose name starts with "test/" is in the official test part. From the others ``held_out`` items a
    class go to the parts it names (more test items, or validation items).
    """

    name: str
    read: Reader
    classes: Sequence[str]
    held_out: Mapping[str, int]


def parts(source: Source, root: Path | None = None) -> dict[str, tuple[Tensor, Tensor]]:
    """(images uint8 (N, 3, 32, 32), labels int64 (N,)) of each part; decoded at the first call."""
    settings = source.read.__name__, list(source.classes), dict(source.held_out)
    build = lambda folder: _decode(folder, source, root)  # noqa: E731
    arrays = cache.arrays(source.name, build, root, settings=settings)
    return {part: (arrays[f"{part}_images"], arrays[f"{part}_labels"]) for part in PARTS}


def _decode(folder: Path, source: Source, root: Path | None) -> None:
    archive = registry.path(source.name, root=root)
    listed = _listed(archive, source)
    official = [item for item in listed if item.startswith("test/")]
    dealt = splits.hold_out({i: c for i, c in listed.items() if not i.startswith("test/")}, source.held_out)
    dealt["test"] = splits.order([*official, *dealt.get("test", [])])
    place = {item: (part, row) for part, items in dealt.items() for row, item in enumerate(items)}
    images = {p: cache.new(folder, f"{p}_images", (len(items), 3, SIZE, SIZE)) for p, items in dealt.items()}
    labels = {p: cache.new(folder, f"{p}_labels", (len(items),), np.int64) for p, items in dealt.items()}
    for item, label, image in source.read(archive, source.classes, True):
        part, row = place[item]
        images[part][row] = image
        labels[part][row] = source.classes.index(label)
    for array in (*images.values(), *labels.values()):
        array.flush()


def _listed(archive: Path, source: Source) -> dict[str, str]:
    """Item -> class name, as many and of the classes as expected."""
    listed = {item: label for item, label, _ in source.read(archive, source.classes, False)}
    found, expected = sorted(set(listed.values())), registry.get(source.name).items
    if len(listed) != expected:
        raise registry.Corrupt(
            f"{archive} has {len(listed):,} items, not {expected:,}; check it with --check"
        )
    if found != sorted(source.classes):
        raise registry.Corrupt(f"{archive} has the classes {found}, not {list(source.classes)}")
    return listed


def folders(archive: Path, classes: Sequence[str], pixels: bool) -> Iterator[Row]:
    """{train,val,test}/.../<class>/<file>, decoded to 32 x 32; "val" counts as test, no part as train."""
    rows = archives.members(archive) if pixels else ((name, b"") for name in archives.names(archive))
    for name, content in rows:
        path = PurePosixPath(name)
        label, part = path.parent.name, "test" if path.parts[0] in ("val", "test") else "train"
        yield f"{part}/{label}/{path.name}", label, rgb(content, SIZE) if pixels else None


def cifar_batches(archive: Path, classes: Sequence[str], pixels: bool) -> Iterator[Row]:
    """cifar-10-python.tar.gz: five pickled training batches and a test batch."""
    for member, content in archives.members(archive, lambda n: "_batch" in PurePosixPath(n).name):
        name, batch = PurePosixPath(member).name, unpickle.loads(content, encoding="bytes")
        part = "test" if "test" in name else "train"
        match batch:
            case {b"data": np.ndarray() as data, b"labels": [*labels]} if data.size == 3072 * len(labels):
                images = np.asarray(data, np.uint8).reshape(-1, 3, 32, 32)
            case _:
                raise registry.Corrupt(f"{archive}: {name} holds no images with as many labels")
        for row, label in enumerate(labels):
            yield f"{part}/{name}/{row:05d}", classes[label], images[row] if pixels else None


def stl_binaries(archive: Path, classes: Sequence[str], pixels: bool) -> Iterator[Row]:
    """stl10_binary.tar.gz; its unlabelled images are passed over, 96x96 is shrunk to 32 x 32."""
    labels: dict[str, np.ndarray] = {}
    for name, content in archives.members(archive, lambda n: n.endswith("_y.bin")):
        labels[PurePosixPath(name).name[: -len("_y.bin")]] = np.frombuffer(content, np.uint8) - 1
    for name, content in archives.members(archive, lambda n: n.endswith(("/train_X.bin", "/test_X.bin"))):
        part = PurePosixPath(name).name[: -len("_X.bin")]
        # Stored column by column: (N, channel, x, y).
        images = np.frombuffer(content, np.uint8).reshape(-1, 3, 96, 96).transpose(0, 1, 3, 2)
        for row, label in enumerate(labels[part]):
            yield f"{part}/{row:05d}", classes[label], shrink(images[row], SIZE) if pixels else None
