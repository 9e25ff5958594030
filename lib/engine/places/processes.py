"""Processes of this machine as a place to compute (`places.Place`); see also `cluster`."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable, Iterable, Iterator
from multiprocessing import Pipe
from multiprocessing.connection import wait
from typing import Any

import torch

from lib.base import machine
from lib.engine.places import HERE, Place
from lib.engine.places.desk import Desk, Task


def place(processes: int | None = None, scheduler: str | None = None) -> Place:
    """The place that a command line names: this process, `processes` of this machine, or a cluster.

    Raises:
        ValueError: both are named, or a value is not usable.
    """
    if processes is not None and scheduler is not None:
        raise ValueError("give --processes or --scheduler, not both")
    if scheduler is not None:
        from lib.engine.places.cluster import Cluster  # needs dask

        return Cluster(scheduler)
    return HERE if processes is None else Processes(processes)


def threads_for(count: int) -> int:
    """Torch threads of each of `count` processes: together at most the threads of this one (OMP_NUM_THREADS).

    At least one each: a number of processes above that of threads was chosen by the user, too.
    """
    return max(1, min(torch.get_num_threads(), machine.cores()) // count)


class Processes:
    """`count` processes of this machine, each with its share of the threads; GPUs are dealt out in turn.

    Raises:
        ValueError: `count` is below 1.
    """

    def __init__(self, count: int):
        if count < 1:
            raise ValueError(f"processes = {count} must be at least 1")
        self.count = count

    def device(self, name: str | None) -> str:
        """See `places.Place`."""
        return HERE.device(name)

    def each(
        self, function: Callable[[Any], Any], jobs: Iterable[Any], device: str = "cpu"
    ) -> Iterator[tuple[int, Any]]:
        """See `places.Place`. A process starts when there is a job for it, and ends with the last."""
        desk = Desk(function, jobs)
        crew: list[_Worker] = []
        try:
            while busy := self._set_to_work(crew, desk, device):
                for pipe in wait([worker.pipe for worker in busy]):
                    (worker,) = (each for each in busy if each.pipe is pipe)
                    yield from worker.collect(desk)
                crew = [worker for worker in crew if worker.alive]
        finally:
            for worker in crew:
                worker.stop()
        desk.close()

    def _set_to_work(self, crew: list[_Worker], desk: Desk, device: str) -> list[_Worker]:
        """Give a task to every worker without one, starting workers up to `count`; those that have one."""
        while True:
            idle = next((worker for worker in crew if worker.task is None), None)
            if idle is None and len(crew) >= self.count:
                break
            task = desk.take()
            if task is None:
                break
            if idle is None:
                taken = {worker.number for worker in crew}
                free = min(set(range(self.count)) - taken)
                crew.append(idle := _Worker(free, threads_for(self.count), device))
            if not idle.give(task):
                desk.died(task)
                crew.remove(idle)
        return [worker for worker in crew if worker.task is not None]


class _Worker:
    """A process of its own, and the task that it is at. It ends with its parent, however that ends."""

    def __init__(self, number: int, threads: int, device: str):
        self.number, self.task, self.alive = number, None, True
        self.pipe, there = Pipe()
        start = f"import sys; sys.path[:] = {sys.path!r}; from lib.engine.places import worker; "
        start += f"worker.serve({there.fileno()}, {os.getpid()})"
        environment = os.environ | {"OMP_NUM_THREADS": str(threads), "TRANSFER_PROGRESS": "0"}
        if device == "cuda" and torch.cuda.device_count() > 1:
            environment["CUDA_VISIBLE_DEVICES"] = _card(number)
        with there:
            self._process = subprocess.Popen(
                [sys.executable, "-c", start], pass_fds=[there.fileno()], env=environment
            )

    task: Task | None

    def give(self, task: Task) -> bool:
        """Send a task; False if the process has died meanwhile."""
        try:
            self.pipe.send_bytes(task.message)
        except OSError:
            self.stop()
            return False
        self.task = task
        return True

    def collect(self, desk: Desk) -> Iterator[tuple[int, Any]]:
        """What the pipe has: an answer, or its end because the process died."""
        task, self.task = self.task, None
        assert task is not None
        try:
            answer = self.pipe.recv()
        except (EOFError, OSError):
            self.stop()
            desk.died(task)
            return
        yield from desk.answer(task, answer)

    def stop(self) -> None:
        """End the process at once: what it had begun to store is whole or absent."""
        self.alive = False
        self.pipe.close()
        self._process.kill()
        self._process.wait()


def _card(number: int) -> str:
    """The device for a worker, of those that this process may use."""
    mine = os.environ.get("CUDA_VISIBLE_DEVICES") or ",".join(map(str, range(torch.cuda.device_count())))
    cards = mine.split(",")
    return cards[number % len(cards)]
