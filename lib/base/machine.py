"""What this machine lends: cores and memory, as a container limits them; and how threads wait.

Loads no torch, so that what it sets is there before torch is.
"""

from __future__ import annotations

import os
from pathlib import Path

_GROUPS = Path("/sys/fs/cgroup")
_UNLIMITED = 2**60  # bytes: what an unlimited group of version 1 says is about 2^63


def wait_passively() -> None:
    """Threads that wait for others sleep, unless the user chose otherwise (OMP_WAIT_POLICY).

    Where other programs want the cores too, OpenMP's spinning threads burn the time of the one that they wait
    for: a small training loop becomes 16 to 70 times slower. Too late once torch has been imported.
    """
    os.environ.setdefault("OMP_WAIT_POLICY", "passive")


def cores() -> int:
    """Those that this process may use: at least 1."""
    here = getattr(os, "sched_getaffinity", None)  # absent on macOS
    count = len(here(0)) if here else os.cpu_count() or 1
    return max(1, min(count, int(_quota())))


def memory() -> int | None:
    """Bytes that new processes can have without others making room; None where the system does not say."""
    found = [free for free in (_available(), _left_of_group()) if free is not None]
    return min(found, default=None)


def _quota() -> float:
    """The cores' worth of time that a container gets."""
    limit, _, period = _read(_GROUPS / "cpu.max").partition(" ")
    if not limit:
        limit = _read(_GROUPS / "cpu/cpu.cfs_quota_us")
        period = _read(_GROUPS / "cpu/cpu.cfs_period_us")
    plain = limit.isdecimal() and period.isdecimal() and int(period)
    return int(limit) / int(period) if plain and int(limit) else float(2**20)


def _available() -> int | None:
    lines = _read(Path("/proc/meminfo")).splitlines()
    found = [int(line.split()[1]) * 1024 for line in lines if line.startswith("MemAvailable:")]
    return found[0] if found else None


def _left_of_group() -> int | None:
    for limit, used in (("memory.max", "memory.current"),
                        ("memory/memory.limit_in_bytes", "memory/memory.usage_in_bytes")):  # fmt: skip
        top, now = _read(_GROUPS / limit), _read(_GROUPS / used)
        if top.isdecimal() and now.isdecimal() and int(top) < _UNLIMITED:
            return max(0, int(top) - int(now))
    return None


def _read(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8").strip()
    except (OSError, UnicodeDecodeError):
        return ""
