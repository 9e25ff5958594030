"""Files that are whole or absent, computed once: hashed keys, checksums, locks, atomic writes."""

from __future__ import annotations

import glob
import hashlib
import json
import os
import warnings
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any, TypeVar

from filelock import FileLock, Timeout

from lib.base import project

T = TypeVar("T")
_DIGEST = 64  # length of a sha256 in hexadecimal: the first line of every file


class Unreadable(ValueError):
    """A stored file is damaged: cut short, edited, or of another format."""


def root() -> Path:
    """The folder of stored runs: TRANSFER_RUNS, else `_runs/` of the project or of the working folder."""
    return Path(os.environ.get("TRANSFER_RUNS") or project.ROOT / "_runs")


def canonical(value: Any) -> bytes:
    """JSON with sorted keys and full precision: equal values give equal bytes.

    Raises:
        ValueError: a number is not finite. TypeError: a value is not plain data.
    """
    return json.dumps(value, sort_keys=True, allow_nan=False, separators=(",", ":")).encode()


def digest(value: Any) -> str:
    """sha256 of plain data."""
    return hashlib.sha256(canonical(value)).hexdigest()


def get(path: Path, read: Callable[[bytes], T], *, warn: bool = False) -> T | None:
    """`read` of the stored bytes; None where they are absent or damaged (with a warning if `warn`)."""
    try:
        checksum, _, content = path.read_bytes().partition(b"\n")
        if len(checksum) != _DIGEST or hashlib.sha256(content).hexdigest().encode() != checksum:
            raise Unreadable("its checksum does not fit")
        return read(content)
    except FileNotFoundError:
        return None
    except ValueError as error:
        if warn:
            warnings.warn(f"{path} is damaged ({error}); it is computed again", stacklevel=3)
        return None


def put(path: Path, content: bytes) -> None:
    """Store bytes under their sha256. The caller holds the `claim`."""
    write(path, hashlib.sha256(content).hexdigest().encode() + b"\n" + content)


def claim(path: Path, *, wait: bool = True) -> FileLock | None:
    """The lock of a stored file, held until its `release()`; with `wait=False` None where another has it.

    The kernel drops the lock of a killed process.

    Raises:
        OSError: the folder cannot be written; the message names the way out.
    """
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        lock = FileLock(f"{path}.lock", timeout=-1 if wait else 0)
        lock.acquire()
    except Timeout:
        return None
    except OSError as error:
        raise _with_remedy(error, path) from None
    return lock


def once(
    path: Path, compute: Callable[[], bytes], read: Callable[[bytes], T], *, wait: bool = True
) -> T | None:
    """`read` of the stored bytes, which `compute` makes where they are absent or damaged (with a warning).

    One process computes, under a lock; another waits for it, or with `wait=False` gets None at once. What a
    killed process had begun to write is never seen under `path`.

    Raises:
        OSError: as `claim`; or the disk is full.
    """
    found = get(path, read)
    if found is not None:
        return found
    lock = claim(path, wait=wait)
    if lock is None:
        return None
    try:
        found = get(path, read, warn=True)
        if found is None:
            content = compute()
            put(path, content)
            found = read(content)
        return found
    finally:
        lock.release()


class Claims:
    """Files that are absent: to be made one by one, each under its lock from when it is handed out.

    `given` are the indices handed out, in order; `others` those that another process holds or has made
    meanwhile: go to `once` for them, last.
    """

    def __init__(self, paths: Mapping[int, Path]):
        self.given: list[int] = []
        self.others: list[int] = []
        self._paths, self._held = paths, dict[int, FileLock]()

    def __iter__(self) -> Iterator[int]:
        """Hand out: the lock is taken when the next one is asked for, not before."""
        for index, path in self._paths.items():
            lock = claim(path, wait=False)
            if lock is None or get(path, bytes, warn=True) is not None:
                self.others.append(index)
                if lock is not None:
                    lock.release()
            else:
                self._held[index] = lock
                self.given.append(index)
                yield index

    def keep(self, index: int, content: bytes) -> None:
        """Store what was made, and drop its lock."""
        put(self._paths[index], content)
        self._held.pop(index).release()

    def release(self) -> None:
        """Drop the locks of what was handed out and never kept."""
        while self._held:
            self._held.popitem()[1].release()


def write(path: Path, content: bytes) -> None:
    """Write a file so that it is whole or as before, whenever the process or the machine stops.

    Two processes may write the same path: each has a draft of its own, and the last one stands.

    Raises:
        OSError: the folder cannot be written, or the disk is full; then nothing is left behind.
    """
    draft = path.with_name(f".{path.name}.{os.getpid()}.tmp")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        _clear(path)
        try:
            with open(draft, "wb") as stream:
                stream.write(content)
                stream.flush()
                os.fsync(stream.fileno())
            os.replace(draft, path)
        except OSError:
            draft.unlink(missing_ok=True)
            raise
    except OSError as error:
        raise _with_remedy(error, path) from None


def _clear(path: Path) -> None:
    """Remove the drafts of processes that were killed while they wrote."""
    for left in path.parent.glob(f".{glob.escape(path.name)}.*.tmp"):
        try:
            os.kill(int(left.suffixes[-2][1:]), 0)
        except ProcessLookupError:
            left.unlink(missing_ok=True)
        except PermissionError:  # alive, and somebody else's
            pass


def _with_remedy(error: OSError, path: Path) -> OSError:
    """The error as the user needs it: what could not be written, and what to do."""
    if isinstance(error, IsADirectoryError):
        return IsADirectoryError(error.errno, "is a folder; name a file in it", str(path))
    advice = "make room or permit it"
    if path.is_relative_to(root()):
        advice += ", or name another folder for stored runs in TRANSFER_RUNS"
    return type(error)(error.errno, f"{error.strerror or error}; {advice}", str(path))
