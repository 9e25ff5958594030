"""Reading archives from outside: members are handed over one by one, and nothing is ever unpacked to disk.

Anything that a data set has no use for is refused: absolute paths, "..", links, device files, passwords, rare
compressions, endless headers, and contents that swell beyond reason.
"""

from __future__ import annotations

import gzip
import stat
import tarfile
import zipfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path, PurePosixPath
from typing import BinaryIO, cast

SWELL = 100  # contents may be this many times the archive; jsonl and label images stay below 30
FLOOR = 16 * 2**20  # ... but 16 MiB are always allowed
HEADER = 2**16  # bytes of a long name or of a tar's attributes
MEMBERS = 2**20  # CelebA has 202,599
# bzip2 and lzma unpack without a limit: a member that lies about its size would fill the memory.
COMPRESSIONS = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)
LINK = "is a link or a device; only plain files are read"

Wanted = Callable[[str], object]  # of a member's name: is its content wanted?


class Refused(ValueError):
    """An archive holds something that no data set here needs."""


def members(archive: Path, wanted: Wanted = lambda name: True) -> Iterator[tuple[str, bytes]]:
    """(name, content) of the regular files in a .tar, .tar.gz, .tgz, .zip or .whl, in the archive's order.

    Every member is inspected, wanted or not. Raises :class:`Refused`, or ValueError for a damaged archive.
    """
    reader = _zip if archive.suffix in (".zip", ".whl") else _tar
    with _one_error(archive):
        yield from reader(archive, wanted)


def names(archive: Path) -> list[str]:
    """Names of the regular files."""
    listed: list[str] = []
    for _ in members(archive, listed.append):  # which returns None: no content is wanted
        pass
    return listed


def gunzip(path: Path) -> bytes:
    """Content of a .gz file, refused if it swells beyond reason; ValueError if it is damaged."""
    limit = _limit(path)
    with _one_error(path), gzip.open(path) as stream:
        content = stream.read(limit + 1)
    if len(content) > limit:
        raise Refused(f"{path} swells to more than {limit:,} bytes")
    return content


def member(archive: Path, name: str) -> bytes:
    """Content of the first file of this name, in whatever folder; ValueError if there is none."""
    for _, content in members(archive, lambda path: PurePosixPath(path).name == name):
        return content
    raise ValueError(f"{archive} has no {name}; check it with --check")


@contextmanager
def _one_error(archive: Path) -> Iterator[None]:
    """Damaged bytes end in nearly any exception of tarfile and zipfile; here in ValueError."""
    try:
        yield
    except Refused:
        raise
    except Exception as error:
        told = str(error) or type(error).__name__
        raise ValueError(f"{archive} cannot be read ({told}); check it with --check") from error


class _Measured:
    """A stream that gives no more than ``limit`` bytes, whatever they are: contents, headers, padding."""

    def __init__(self, stream: BinaryIO, archive: Path, limit: int) -> None:
        self.stream, self.archive, self.limit, self.given = stream, archive, limit, 0

    def read(self, size: int) -> bytes:
        content = self.stream.read(size)
        self.given += len(content)
        if self.given > self.limit:
            raise Refused(f"{self.archive} swells to more than {self.limit:,} bytes")
        return content


class _Member(tarfile.TarInfo):
    """A member whose long names and attributes, which tarfile reads at once, are of sane length."""

    def _proc_member(self, tar: tarfile.TarFile) -> tarfile.TarInfo:
        if self.type not in tarfile.REGULAR_TYPES and self.size > HEADER:
            raise Refused(f"{tar.name!s} has a header of {self.size:,} bytes; {HEADER:,} are read")
        return super()._proc_member(tar)  # type: ignore[misc, no-any-return]


def _tar(archive: Path, wanted: Wanted) -> Iterator[tuple[str, bytes]]:
    total, limit, number = 0, _limit(archive), 0
    with _stream(archive) as opened:
        stream = _Measured(opened, archive, limit + FLOOR)  # of which FLOOR is for headers
        with tarfile.open(archive, fileobj=cast(BinaryIO, stream), mode="r|", tarinfo=_Member) as tar:
            while info := tar.next():
                tar.members.clear()  # type: ignore[attr-defined]  # tarfile would keep all of them
                tar.pax_headers = {}  # and what holds for all that follow
                number = _counted(archive, number)
                if not (info.isreg() or info.isdir()):
                    raise Refused(f"{archive}: {info.name!r} {LINK}")
                total = _weigh(archive, info.name, info.size, total, limit)
                if info.isreg() and wanted(info.name):
                    yield info.name, tar.extractfile(info).read()  # type: ignore[union-attr]
        while stream.read(2**20):  # to the end, where gzip keeps its checksum
            pass


def _stream(archive: Path) -> BinaryIO:
    if archive.suffix == ".tar":
        return open(archive, "rb")
    return gzip.open(archive)  # type: ignore[return-value]


def _zip(archive: Path, wanted: Wanted) -> Iterator[tuple[str, bytes]]:
    total, limit, number = 0, _limit(archive), 0
    with zipfile.ZipFile(archive) as zipped:
        for info in zipped.infolist():
            number = _counted(archive, number)
            kind = stat.S_IFMT(info.external_attr >> 16)
            if kind not in (0, stat.S_IFREG, stat.S_IFDIR):
                raise Refused(f"{archive}: {info.filename!r} {LINK}")
            if info.flag_bits & 1:
                raise Refused(f"{archive}: {info.filename!r} is encrypted; no data set here is")
            if info.compress_type not in COMPRESSIONS:
                raise Refused(
                    f"{archive}: {info.filename!r} is compressed by method {info.compress_type}; "
                    "only 0 (none) and 8 (deflate) are read"
                )
            total = _weigh(archive, info.filename, info.file_size, total, limit)
            if not info.is_dir() and wanted(info.filename):
                yield info.filename, zipped.read(info)


def _weigh(archive: Path, name: str, size: int, total: int, limit: int) -> int:
    path = PurePosixPath(name.replace("\\", "/"))
    if path.is_absolute() or ".." in path.parts or (path.parts and path.parts[0].endswith(":")):
        raise Refused(f"{archive}: {name!r} points outside the archive")
    if size < 0:
        raise Refused(f"{archive}: {name!r} has a length of {size}")
    if total + size > limit:
        raise Refused(f"{archive} swells to more than {limit:,} bytes at {name!r}")
    return total + size


def _counted(archive: Path, number: int) -> int:
    if number >= MEMBERS:
        raise Refused(f"{archive} has more than {MEMBERS:,} members")
    return number + 1


def _limit(archive: Path) -> int:
    return max(FLOOR, SWELL * archive.stat().st_size)
