"""Reading archives from outside: members are handed over one by one, and nothing is ever unpacked to disk.

Anything that a data set has no use for is refused: absolute paths, "..", links, device files, and contents
that swell beyond reason.
"""

from __future__ import annotations

import gzip
import stat
import tarfile
import zipfile
import zlib
from collections.abc import Callable, Iterator
from pathlib import Path, PurePosixPath
from typing import BinaryIO

SWELL = 100  # contents may be this many times the archive; jsonl and label images stay below 30
FLOOR = 16 * 2**20  # ... but 16 MiB are always allowed
LINK = "is a link or a device; only plain files are read"

Wanted = Callable[[str], object]  # of a member's name: is its content wanted?


class Refused(ValueError):
    """An archive holds something that no data set here needs."""


def members(archive: Path, wanted: Wanted = lambda name: True) -> Iterator[tuple[str, bytes]]:
    """(name, content) of the regular files in a .tar, .tar.gz, .tgz, .zip or .whl, in the archive's order.

    Every member is inspected, wanted or not. Raises :class:`Refused`, or ValueError for a damaged archive.
    """
    reader = _zip if archive.suffix in (".zip", ".whl") else _tar
    try:
        yield from reader(archive, wanted)
    except (tarfile.TarError, zipfile.BadZipFile, zlib.error, EOFError, OSError) as error:
        raise ValueError(f"{archive} cannot be read ({error}); check it with --check") from error


def names(archive: Path) -> list[str]:
    """Names of the regular files."""
    listed: list[str] = []
    for _ in members(archive, listed.append):  # which returns None: no content is wanted
        pass
    return listed


def gunzip(path: Path) -> bytes:
    """Content of a .gz file, refused if it swells beyond reason."""
    limit = _limit(path)
    with gzip.open(path) as stream:
        content = stream.read(limit + 1)
    if len(content) > limit:
        raise Refused(f"{path} swells to more than {limit:,} bytes")
    return content


def member(archive: Path, name: str) -> bytes:
    """Content of the first file of this name, in whatever folder; ValueError if there is none."""
    for _, content in members(archive, lambda path: PurePosixPath(path).name == name):
        return content
    raise ValueError(f"{archive} has no {name}; check it with --check")


def _tar(archive: Path, wanted: Wanted) -> Iterator[tuple[str, bytes]]:
    total, limit = 0, _limit(archive)
    with _stream(archive) as stream, tarfile.open(fileobj=stream, mode="r|") as tar:
        for info in tar:
            if not (info.isreg() or info.isdir()):
                raise Refused(f"{archive}: {info.name!r} {LINK}")
            total = _weigh(archive, info.name, info.size, total, limit)
            if info.isreg() and wanted(info.name):
                yield info.name, tar.extractfile(info).read()  # type: ignore[union-attr]
        while rest := stream.read(2**20):  # to the end, where gzip keeps its checksum
            total = _weigh(archive, "what follows the last member", len(rest), total, limit)


def _stream(archive: Path) -> BinaryIO:
    if archive.suffix == ".tar":
        return open(archive, "rb")
    return gzip.open(archive)  # type: ignore[return-value]


def _zip(archive: Path, wanted: Wanted) -> Iterator[tuple[str, bytes]]:
    total, limit = 0, _limit(archive)
    with zipfile.ZipFile(archive) as zipped:
        for info in zipped.infolist():
            kind = stat.S_IFMT(info.external_attr >> 16)
            if kind not in (0, stat.S_IFREG, stat.S_IFDIR):
                raise Refused(f"{archive}: {info.filename!r} {LINK}")
            total = _weigh(archive, info.filename, info.file_size, total, limit)
            if not info.is_dir() and wanted(info.filename):
                yield info.filename, zipped.read(info)


def _weigh(archive: Path, name: str, size: int, total: int, limit: int) -> int:
    path = PurePosixPath(name.replace("\\", "/"))
    if path.is_absolute() or ".." in path.parts or (path.parts and path.parts[0].endswith(":")):
        raise Refused(f"{archive}: {name!r} points outside the archive")
    if total + size > limit:
        raise Refused(f"{archive} swells to more than {limit:,} bytes at {name!r}")
    return total + size


def _limit(archive: Path) -> int:
    return max(FLOOR, SWELL * archive.stat().st_size)
