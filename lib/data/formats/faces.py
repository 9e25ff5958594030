"""The formats that face sets are published in, read into cached arrays."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator
from pathlib import Path, PurePosixPath

import numpy as np
import torch
from torch import Tensor

from lib.data import cache, registry, splits
from lib.data.formats import archives, unpickle
from lib.data.formats.pixels import centre, rgb

Arrays = dict[str, Tensor]
PairArrays = tuple[Tensor, Tensor, Tensor, Tensor]  # images, index (P, 2), same (P,), fold (P,)
Flags = dict[str, list[str]]  # name of the file -> the attributes, "1" where it has one
Images = Iterator[tuple[str, np.ndarray]]  # (name of the file, image)


def celeba_299(root: Path | None = None) -> tuple[Arrays, list[str]]:
    """celeba/img/*.jpg and celeba/meta.csv of the packed subset; images with several faces are left out."""

    def build(folder: Path) -> None:
        archive = registry.path("celeba_299", root=root)
        header, *table = csv.reader(io.StringIO(archives.member(archive, "meta.csv").decode()))
        first = header.index("align_rms") + 1
        rows = [row for row in table if row[2] == "1"]
        people = {row[0]: int(row[1]) for row in rows}
        flags = {row[0]: row[first:] for row in rows}
        _write(folder, header[first:], people, flags, _jpgs(archive), 96)

    arrays = cache.arrays("celeba_299", build, root)
    return arrays, cache.lines("celeba_299", "names.txt", root)


def celeba(root: Path | None = None, size: int = 64) -> tuple[Arrays, list[str]]:
    """img_align_celeba.zip with list_attr_celeba.txt and identity_CelebA.txt, as published."""

    def rows(file: str) -> list[list[str]]:
        return [line.split() for line in registry.path("celeba", file, root).read_text().splitlines()]

    def build(folder: Path) -> None:
        people = {name: int(person) for name, person in rows("identity_CelebA.txt")}
        _, header, *table = rows("list_attr_celeba.txt")
        flags = {name: values for name, *values in table}
        images = _jpgs(registry.path("celeba", "img_align_celeba.zip", root))
        _write(folder, header, people, flags, ((name, centre(image, size)) for name, image in images), size)

    arrays = cache.arrays("celeba", build, root, settings=size)
    return arrays, cache.lines("celeba", "names.txt", root)


def lfw(root: Path | None = None) -> PairArrays:
    """lfw/<Name>/<Name>_NNNN.jpg and lfw/pairs.txt of the packed set."""

    def build(folder: Path) -> None:
        archive = registry.path("lfw_96", root=root)
        paths = sorted(n for n in archives.names(archive) if n.endswith(".jpg"))
        place = {PurePosixPath(path).name: row for row, path in enumerate(paths)}
        images = cache.new(folder, "images", (len(paths), 3, 96, 96))
        for name, image in _jpgs(archive):
            images[place[name]] = image
        images.flush()
        pairs = lfw_pairs(archives.member(archive, "pairs.txt").decode())
        first, second, same, fold = zip(*pairs)
        index = [[place[f"{a}.jpg"], place[f"{b}.jpg"]] for a, b in zip(first, second)]
        for key, values in (("index", index), ("same", same), ("fold", fold)):
            np.save(folder / f"{key}.npy", np.array(values))

    arrays = cache.arrays("lfw_96", build, root)
    return arrays["images"], arrays["index"], arrays["same"], arrays["fold"]


def lfw_pairs(listing: str) -> list[tuple[str, str, bool, int]]:
    """(file stem, file stem, same person, fold) from LFW's pairs.txt.

    Its head is "folds, pairs of each kind"; then come, fold by fold, "name i j" and "name i other j".
    """
    head, *rows = (line.split("\t") for line in listing.splitlines() if line.strip())
    per_fold = 2 * int(head[1])
    if len(rows) != int(head[0]) * per_fold:
        raise ValueError(f"pairs.txt has {len(rows)} pairs, but its head says {head[0]} folds of {per_fold}")
    found = []
    for number, row in enumerate(rows):
        first, i, *other = row
        second, j = (first, other[0]) if len(row) == 3 else other
        found.append((f"{first}_{int(i):04d}", f"{second}_{int(j):04d}", len(row) == 3, number // per_fold))
    return found


def insightface(name: str, root: Path | None = None) -> PairArrays:
    """<name>.bin: a pickle of (encoded images, two a pair; whether the two are the same person)."""

    def build(folder: Path) -> None:
        content = registry.path("face_benchmarks", f"{name}.bin", root).read_bytes()
        match unpickle.loads(content, "bytes"):
            case [[*encoded], [*same]]:
                pass
            case _:
                raise registry.Corrupt(f"{name}.bin holds no list of images and list of pairs")
        if len(encoded) != 2 * len(same):
            found = f"{len(encoded)} images for {len(same)} pairs"
            raise registry.Corrupt(f"{name}.bin has {found}; two a pair belong")
        images = cache.new(folder, "images", (len(encoded), 3, 112, 112))
        for row, content in enumerate(encoded):
            images[row] = rgb(bytes(content), 112)
        images.flush()
        np.save(folder / "same.npy", np.array(same, dtype=bool))

    arrays = cache.arrays("face_benchmarks", build, root, kind=name)
    number = len(arrays["same"])
    fold = torch.arange(number) * 10 // number
    return arrays["images"], torch.arange(2 * number).reshape(-1, 2), arrays["same"], fold


def _jpgs(archive: Path) -> Images:
    for name, content in archives.members(archive, lambda n: n.endswith(".jpg")):
        yield PurePosixPath(name).name, rgb(content)


def _write(
    folder: Path, names: list[str], people: dict[str, int], flags: Flags, images: Images, size: int
) -> None:
    """Arrays person by person, in a fixed random order of people: any split of people is then a slice."""
    (folder / "names.txt").write_text("\n".join(names))
    turn = {person: row for row, person in enumerate(splits.order([*map(str, set(people.values()))]))}
    listed = sorted(people.keys() & flags.keys(), key=lambda name: (turn[str(people[name])], name))
    place = {name: row for row, name in enumerate(listed)}
    pixels, seen = cache.new(folder, "images", (len(listed), 3, size, size)), 0
    for name, image in images:
        if name in place:
            pixels[place[name]] = image
            seen += 1
    pixels.flush()
    if seen != len(listed):
        counted = f"{len(listed):,} faces are listed, but {seen:,} images came"
        raise registry.Corrupt(f"{counted}; check it with --check")
    np.save(folder / "identities.npy", np.array([people[name] for name in listed]))
    np.save(folder / "attributes.npy", (np.array([flags[name] for name in listed]) == "1").astype(np.uint8))
