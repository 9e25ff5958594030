"""The surroundings of a chapter's kernel: a home of its own, and how much memory it took."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

TIMEOUT = 600  # seconds a cell may take


class ChapterError(RuntimeError):
    """A chapter could not be executed: names the chapter, the cell and the error."""


@contextmanager
def home() -> Iterator[None]:
    """Kernels started inside need no folder in the user's home, and read no start-up files from it.

    JUPYTER_PREFER_ENV_PATH: the kernel of this environment comes before one that the user has installed.
    """
    with TemporaryDirectory(prefix="kernel-", ignore_cleanup_errors=True) as folder:
        own = {"JUPYTER_RUNTIME_DIR": folder, "IPYTHONDIR": folder, "JUPYTER_PREFER_ENV_PATH": "1"}
        if not (Path.home().is_dir() and os.access(Path.home(), os.W_OK)):
            own["MPLCONFIGDIR"] = os.environ.get("MPLCONFIGDIR", folder)
        before = {name: os.environ.get(name) for name in own}
        os.environ.update(own)
        try:
            yield
        finally:
            for name, value in before.items():
                if value is None:
                    del os.environ[name]
                else:
                    os.environ[name] = value


def peak_memory() -> int:
    """MiB that the largest living child of this process has had at most; 0 where the system has no /proc."""
    return max((_high_water(child) for child in _children()), default=0)


def _children() -> list[str]:
    lists = list(Path("/proc/self/task").glob("*/children"))
    return [child for path in lists for child in path.read_text().split()]


def _high_water(process: str) -> int:
    try:
        lines = Path(f"/proc/{process}/status").read_text().splitlines()
    except OSError:  # it has just ended
        return 0
    return next((int(line.split()[1]) // 1024 for line in lines if line.startswith("VmHWM:")), 0)
