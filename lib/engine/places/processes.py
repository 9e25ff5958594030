"""Processes of this machine as a place to compute (`places.Place`); see also `cluster`."""

from __future__ import annotations

import multiprocessing
import os
import signal
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from typing import Any

import torch

from lib.base import machine
from lib.engine.places import worker
from lib.engine.places.here import HERE, handed_out


class Processes:
    """`count` processes of this machine, each with its share of the threads; GPUs are dealt out in turn.

    A program that uses it does so under `if __name__ == "__main__":`, as a process loads it again.

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
        spawn = multiprocessing.get_context("spawn")  # a fork would have torch's threads, stopped anywhere
        there, lifeline = spawn.Pipe(duplex=False)
        # An executor for each process: if it is killed, it is known at which job, and the others go on.
        last: dict[ProcessPoolExecutor, Future[Any] | None] = {
            ProcessPoolExecutor(1, spawn, worker.begin, (there, threads_for(self.count), card)): None
            for card in _cards(self.count, device)
        }

        def start(job: Any) -> Future[Any]:
            free = next(each for each, future in last.items() if future is None or future.done())
            # The new process inherits the mask: Ctrl-C is the parent's alone, which ends its workers.
            before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
            try:
                last[free] = future = free.submit(worker.attempt, function, job)
            finally:
                signal.pthread_sigmask(signal.SIG_SETMASK, before)
            return future

        try:
            yield from handed_out(jobs, start, lambda: self.count, killed=BrokenProcessPool)
        finally:
            lifeline.close()
            there.close()
            for executor in last:
                executor.shutdown()


def threads_for(count: int) -> int:
    """Torch threads of each of `count` processes: together at most the threads of this one (OMP_NUM_THREADS).

    At least one each: a number of processes above that of threads was chosen by the user, too.
    """
    return max(1, min(torch.get_num_threads(), machine.cores()) // count)


def _cards(count: int, device: str) -> list[str | None]:
    """The GPU for each process, of those that this one may use; None where there is no choice."""
    found = torch.cuda.device_count() if device == "cuda" else 0
    if found < 2:
        return [None] * count
    mine = (os.environ.get("CUDA_VISIBLE_DEVICES") or ",".join(map(str, range(found)))).split(",")
    return [mine[number % len(mine)] for number in range(count)]
