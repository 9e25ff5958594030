"""The kernels of chapters: their surroundings, how many at once, and a watch over what each of them uses.

Time is work here: a cell is stopped by the processor time of its kernel and of all that the kernel started,
not by the clock, which runs on while other programs have the cores.
"""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import FIRST_COMPLETED, ThreadPoolExecutor, wait
from contextlib import contextmanager, suppress
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, TypeVar

from lib.base import machine, project

T = TypeVar("T")
TIMEOUT = 600  # seconds of processor time that a cell may take
SHARE = 3 * 2**29  # bytes of memory that a kernel may need: 1.5 GiB
_LOOK = 0.5  # seconds between two looks at the kernels
_IDLE = 0.02  # of the time: a process that has less, and wants no core, is waiting for something
_SOCKET = 90  # characters of a socket's path: the system allows 107, or fewer


class ChapterError(RuntimeError):
    """A chapter could not be executed: names the chapter, the cell and the error.

    `cells` are the code cells that had begun, by their place in the notebook, with the outputs they had.
    """

    def __init__(self, message: str, cells: Mapping[int, Any] | None = None):
        super().__init__(message)
        self.cells = dict(cells or {})


def jobs(asked: int | None = None) -> int:
    """How many chapters run side by side: `asked`, TRANSFER_JOBS, or what cores and memory allow.

    Raises:
        ValueError: the number is not 1 or more.
    """
    told = os.environ.get("TRANSFER_JOBS") if asked is None else str(asked)
    if told is None:
        free = machine.memory()
        return max(1, min(machine.cores(), machine.cores() if free is None else free // SHARE))
    if not told.isdecimal() or int(told) < 1:
        raise ValueError(f"{told} chapters side by side (--jobs or TRANSFER_JOBS): give 1 or more")
    return int(told)


@contextmanager
def home() -> Iterator[Path]:
    """The surroundings of the kernels started inside: a private folder, and this project's `lib`.

    They need no folder in the user's home, and read no start-up files from it. JUPYTER_PREFER_ENV_PATH: the
    kernel of this environment comes before one that the user has installed. PYTHONPATH: a chapter runs the
    `lib` beside it, whatever the environment has installed. One thread, unless the user says otherwise: small
    networks gain nothing from more, and each number is the same on any machine.
    """
    with TemporaryDirectory(prefix="kernel-", ignore_cleanup_errors=True) as folder:
        own = {"JUPYTER_RUNTIME_DIR": folder, "IPYTHONDIR": folder, "JUPYTER_PREFER_ENV_PATH": "1"}
        if project.PACKAGE.parent == project.ROOT:
            before_it = filter(None, [str(project.ROOT), os.environ.get("PYTHONPATH")])
            own["PYTHONPATH"] = os.pathsep.join(before_it)
        own["OMP_NUM_THREADS"] = os.environ.get("OMP_NUM_THREADS", "1")
        if not (Path.home().is_dir() and os.access(Path.home(), os.W_OK)):
            own["MPLCONFIGDIR"] = os.environ.get("MPLCONFIGDIR", folder)
        before = {name: os.environ.get(name) for name in own}
        os.environ.update(own)
        try:
            yield Path(folder)
        finally:
            for name, value in before.items():
                if value is None:
                    del os.environ[name]
                else:
                    os.environ[name] = value


class Kernel:
    """One kernel at work: what it uses, and whether it may go on.

    A cell may use `limit` seconds of processor time, and may stand still (use none, and want none) for as
    long. Where the system has no /proc, `limit` is on the clock.
    """

    def __init__(self, limit: float):
        self.limit = limit
        self.process = 0  # 0: not started
        self.cells: dict[int, Any] = {}  # those that have begun, with the outputs they have so far
        self.memory = 0  # MiB that it has had at most
        self.total = 0.0  # seconds of processor time of all cells so far
        self.stopped = ""  # why it was stopped
        self._begun = self._moved = self._seen = time.monotonic()
        self._before: float = 0.0
        self._used: float | None = 0.0
        self._mark = self._begun, self._before

    @property
    def times(self) -> str:
        """What the present cell has taken."""
        clock = f"{self._seen - self._begun:.0f} s by the clock"
        return (
            clock if self._used is None else f"{self._used - self._before:.1f} s of processor time, {clock}"
        )

    def begins(self, cell: Any, cell_index: int) -> None:
        """The hook of nbclient before a cell."""
        self.cells[cell_index] = cell
        self._used = processor_time(self.process)
        self._begun = self._moved = self._seen = time.monotonic()
        self._before = self._used or 0.0
        self._mark = self._begun, self._before

    def ended(self, **_: Any) -> None:
        """The hook of nbclient after a cell."""
        self.memory = max(self.memory, _high_water(self.process))
        self.total = max(self.total, processor_time(self.process) or 0.0)

    def look(self) -> None:
        """Stop the kernel if its cell is over the limit."""
        if not self.process or self.stopped:
            return
        self.memory = max(self.memory, _high_water(self.process))
        now = self._seen = time.monotonic()
        self._used = processor_time(self.process)
        if self._used is None:
            if now - self._begun > self.limit:
                self.stop("it took too long")
        elif self._used - self._before > self.limit:
            self.stop("it used too much time")
        elif self._moves(now, self._used):
            self._moved = now
        elif now - self._moved > self.limit:
            self.stop("it stood still")

    def stop(self, why: str) -> None:
        """End it, and all that it started, at once."""
        self.stopped = why
        for process in _tree(self.process) if self.process else ():
            with suppress(ProcessLookupError, PermissionError):
                os.kill(process, signal.SIGKILL)

    def manager(self, socket: Path) -> type:
        """The class of Jupyter's manager that starts it, talking through `socket` and not through a port.

        The socket lies in a folder that only this user may enter; a port is open to every process.
        """
        from jupyter_client.manager import AsyncKernelManager

        kernel = self

        class Manager(AsyncKernelManager):
            async def start_kernel(self, *arguments: Any, **options: Any) -> None:  # type: ignore[override]
                if os.name == "posix" and len(str(socket)) < _SOCKET:
                    self.transport, self.ip = "ipc", str(socket)
                await super().start_kernel(*arguments, **options)
                kernel.process = getattr(self.provisioner, "pid", 0) or 0
                if kernel.stopped:
                    kernel.stop(kernel.stopped)

        return Manager

    def _moves(self, now: float, used: float) -> bool:
        """True if it wants a core, or has had one for more than the ticks of a process that waits."""
        since, before = self._mark
        if now - since > min(10.0, self.limit / 4):
            self._mark = now, used
            if used - before > max(_IDLE * (now - since), 0.015):
                return True
        return any(_state(process) in {"R", "D"} for process in _tree(self.process))


def side_by_side(
    works: Mapping[str, Callable[[Kernel], T]], count: int, limit: float
) -> Iterator[tuple[str, T | Exception]]:
    """(name, what its work returned or raised) as each is done; `count` at once, begun in the given order.

    Whatever ends this, no kernel is left.
    """
    kernels = {name: Kernel(limit) for name in works}
    with ThreadPoolExecutor(count) as pool:
        try:
            names = {pool.submit(work, kernels[name]): name for name, work in works.items()}
            while names:
                done, _ = wait(names, timeout=_LOOK, return_when=FIRST_COMPLETED)
                for kernel in kernels.values():
                    kernel.look()
                for future in done:
                    error = future.exception()
                    if error is not None and not isinstance(error, Exception):
                        raise error
                    name = names.pop(future)
                    kernels.pop(name)
                    yield name, future.result() if error is None else error
        finally:
            pool.shutdown(wait=False, cancel_futures=True)
            for kernel in kernels.values():
                kernel.stop("the command was stopped")


def processor_time(process: int) -> float | None:
    """Seconds that a process and what it started, and what of it has ended, have had; None without /proc.

    Processes that have left the tree (a daemon's) are not seen.
    """
    if not Path("/proc/self/stat").exists():
        return None
    ticks = sum(sum(map(int, _stat(each)[11:15])) for each in _tree(process))
    return ticks / os.sysconf("SC_CLK_TCK")


def _tree(process: int) -> list[int]:
    """The process and all that it started, which still live or were not waited for."""
    found, todo = [process], [process]
    while todo:
        for path in Path(f"/proc/{todo.pop()}/task").glob("*/children"):
            with suppress(OSError):
                todo += (children := [int(child) for child in path.read_text().split()])
                found += children
    return found


def _state(process: int) -> str:
    return (_stat(process) or [""])[0]


def _stat(process: int) -> list[str]:
    """The fields after the name: state first, then numbers; [] of a process that has just ended."""
    try:
        return Path(f"/proc/{process}/stat").read_text().rpartition(") ")[2].split()
    except OSError:
        return []


def _high_water(process: int) -> int:
    """MiB that a process has had at most; 0 where the system has no /proc."""
    try:
        lines = Path(f"/proc/{process}/status").read_text().splitlines()
    except OSError:  # it has just ended
        return 0
    return next((int(line.split()[1]) // 1024 for line in lines if line.startswith("VmHWM:")), 0)
