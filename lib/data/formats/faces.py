"""The formats that face sets are published in, read into cached arrays."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable
from pathlib import Path, PurePosixPath

import numpy as np
import torch
from torch import Tensor

from lib.data import cache, registry, splits
from lib.data.formats import archives, unpickle
from lib.data.formats.pixels import centre, rgb

Arrays = dict[str, Tensor]
PairArrays = tuple[Tensor, Tensor, Tensor, Tensor]  # images, index (P, 2), same (P,), fold (P,)


def celeba_299(root: Path | None = None) -> tuple[Arrays, list[str]]:
    """celeba/img/*.jpg and celeba/meta.csv of the packed subset; images with several faces are left out."""

    def build(folder: Path) -> None:
        archive = registry.path("celeba_299", root=root)
        (_, content), *_ = archives.members(archive, lambda n: n.endswith("meta.csv"))
        table = list(csv.reader(io.StringIO(content.decode())))
        header, rows = table[0], {row[0]: row for row in table[1:] if row[2] == "1"}
        first = header.index("align_rms") + 1
        (folder / "names.txt").write_text("\n".join(header[first:]))
        people = {name: int(row[1]) for name, row in rows.items()}
        flags = {name: [int(v == "1") for v in row[first:]] for name, row in rows.items()}
        images = (
            (PurePosixPath(n).name, rgb(c))
            for n, c in archives.members(archive, lambda n: n.endswith(".jpg"))
        )
        _write(folder, people, flags, images, 96)

    arrays = cache.arrays("celeba_299", 2, build, root)
    return arrays, ((root or registry.root()) / "celeba_299" / "decoded" / "names.txt").read_text().split(
        "\n"
    )


def celeba(root: Path | None = None, size: int = 64) -> tuple[Arrays, list[str]]:
    """img_align_celeba.zip with list_attr_celeba.txt and identity_CelebA.txt, as published."""

    def lines(file: str) -> list[str]:
        return registry.path("celeba", file, root).read_text().splitlines()

    def build(folder: Path) -> None:
        people = {
            name: int(person) for name, person in (line.split() for line in lines("identity_CelebA.txt"))
        }
        _, header, *rows = lines("list_attr_celeba.txt")
        flags = {name: [int(v == "1") for v in values] for name, *values in (row.split() for row in rows)}
        (folder / "names.txt").write_text("\n".join(header.split()))
        archive = registry.path("celeba", "img_align_celeba.zip", root)
        members = archives.members(archive, lambda n: n.endswith(".jpg"))
        _write(
            folder, people, flags, ((PurePosixPath(n).name, centre(rgb(c), size)) for n, c in members), size
        )

    arrays = cache.arrays("celeba", 1, build, root)
    return arrays, ((root or registry.root()) / "celeba" / "decoded" / "names.txt").read_text().split("\n")


def lfw(root: Path | None = None) -> PairArrays:
    """lfw/<Name>/<Name>_NNNN.jpg and lfw/pairs.txt of the packed set."""

    def build(folder: Path) -> None:
        archive = registry.path("lfw_96", root=root)
        (_, listing), *_ = archives.members(archive, lambda n: PurePosixPath(n).name == "pairs.txt")
        names = sorted(n for n in archives.names(archive) if n.endswith(".jpg"))
        place = {PurePosixPath(name).stem: row for row, name in enumerate(names)}
        images = cache.new(folder, "images", (len(names), 3, 96, 96))
        for name, content in archives.members(archive, lambda n: n.endswith(".jpg")):
            images[place[PurePosixPath(name).stem]] = rgb(content)
        images.flush()
        pairs = lfw_pairs(listing.decode())
        np.save(folder / "index.npy", np.array([[place[a], place[b]] for a, b, _, _ in pairs]))
        np.save(folder / "same.npy", np.array([same for _, _, same, _ in pairs]))
        np.save(folder / "fold.npy", np.array([fold for _, _, _, fold in pairs]))

    arrays = cache.arrays("lfw_96", 1, build, root)
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
        encoded, same = unpickle.loads(
            registry.path("face_benchmarks", f"{name}.bin", root).read_bytes(), "bytes"
        )
        if len(encoded) != 2 * len(same):
            raise registry.Corrupt(
                f"{name}.bin has {len(encoded)} images for {len(same)} pairs; two a pair belong"
            )
        images = cache.new(folder, "images", (len(encoded), 3, 112, 112))
        for row, content in enumerate(encoded):
            images[row] = rgb(bytes(content), 112)
        images.flush()
        np.save(folder / "same.npy", np.array(same, dtype=bool))

    arrays = cache.arrays("face_benchmarks", 1, build, root, kind=name)
    number = len(arrays["same"])
    fold = torch.arange(number) * 10 // number
    return arrays["images"], torch.arange(2 * number).reshape(-1, 2), arrays["same"], fold


def _write(
    folder: Path,
    people: dict[str, int],
    flags: dict[str, list[int]],
    images: Iterable[tuple[str, np.ndarray]],
    size: int,
) -> None:
    """Arrays person by person, in a fixed random order of people: any split of people is then a slice."""
    turn = {
        int(person): row for row, person in enumerate(splits.order([str(p) for p in set(people.values())]))
    }
    listed = sorted(people.keys() & flags.keys(), key=lambda name: (turn[people[name]], name))
    place = {name: row for row, name in enumerate(listed)}
    pixels, seen = cache.new(folder, "images", (len(listed), 3, size, size)), 0
    for name, image in images:
        if name in place:
            pixels[place[name]] = image
            seen += 1
    pixels.flush()
    if seen != len(listed):
        raise registry.Corrupt(
            f"{len(listed):,} faces are listed, but {seen:,} images came; check it with --check"
        )
    np.save(folder / "identities.npy", np.array([people[name] for name in listed]))
    np.save(folder / "attributes.npy", np.array([flags[name] for name in listed], dtype=np.uint8))
