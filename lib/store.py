"""Files that are whole or absent, computed once: hashed keys, checksums, locks, atomic writes."""

from __future__ import annotations

import hashlib
import json
import os
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

from filelock import FileLock, Timeout

from lib import closure

T = TypeVar("T")
_DIGEST = 64  # length of a sha256 in hexadecimal: the first line of every file


class Unreadable(ValueError):
    """A stored file is damaged: cut short, edited, or of another format."""


def root() -> Path:
    """The folder of stored runs: TRANSFER_RUNS in the environment, else `_runs/` of the project."""
    return Path(os.environ.get("TRANSFER_RUNS") or closure.ROOT / "_runs")


def canonical(value: Any) -> bytes:
    """JSON with sorted keys and full precision: equal values give equal bytes.

    Raises:
        ValueError: a number is not finite. TypeError: a value is not plain data.
    """
    return json.dumps(value, sort_keys=True, allow_nan=False, separators=(",", ":")).encode()


def digest(value: Any) -> str:
    """sha256 of plain data."""
    return hashlib.sha256(canonical(value)).hexdigest()


def once(
    path: Path, compute: Callable[[], bytes], read: Callable[[bytes], T], *, wait: bool = True
) -> T | None:
    """`read` of the stored bytes, which `compute` makes where they are absent or damaged (with a warning).

    One process computes, under a lock; another waits for it, or with `wait=False` gets None at once. The
    kernel drops the lock of a killed process, and what it had begun to write is never seen under `path`.
    """
    found = _try(path, read)
    if found is not None:
        return found
    path.parent.mkdir(parents=True, exist_ok=True)
    try:
        with FileLock(f"{path}.lock", timeout=-1 if wait else 0):
            found = _try(path, read, warn=True)
            if found is None:
                content = compute()
                write(path, hashlib.sha256(content).hexdigest().encode() + b"\n" + content)
                found = read(content)
            return found
    except Timeout:
        return None


def write(path: Path, content: bytes) -> None:
    """Write a file so that it is whole or as before, whenever the process or the machine stops.

    Two processes that may write the same path must hold its lock.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    draft = path.with_name(f".{path.name}.tmp")
    with open(draft, "wb") as stream:
        stream.write(content)
        stream.flush()
        os.fsync(stream.fileno())
    os.replace(draft, path)


def _try(path: Path, read: Callable[[bytes], T], *, warn: bool = False) -> T | None:
    try:
        checksum, content = path.read_bytes().split(b"\n", 1)
        if len(checksum) != _DIGEST or hashlib.sha256(content).hexdigest().encode() != checksum:
            raise Unreadable("its checksum does not fit")
        return read(content)
    except FileNotFoundError:
        return None
    except ValueError as error:
        if warn:
            warnings.warn(f"{path} is damaged ({error}); it is computed again", stacklevel=2)
        return None
