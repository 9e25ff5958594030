"""The jobs of a run on their way to workers and back, wherever those are (`processes`, `cluster`).

Jobs and results travel as bytes, so a cluster needs no shared disk. A worker has one job at a time. If it
dies, another takes the job; a job that raises is tried once more, elsewhere where there is an elsewhere.
A worker executes what it is sent, and so does who reads its answers: use only a cluster that you trust.
"""

from __future__ import annotations

import pickle
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Any

from lib.engine.places import JobFailed

DEATHS, ERRORS = 3, 2  # workers that may die at one job, times that it may raise


@dataclass
class Task:
    """A job on its way: what is sent, how often it failed, and where it should not go again."""

    number: int
    job: Any
    message: bytes
    deaths: int = 0
    errors: int = 0
    avoid: str = ""


class Desk:
    """Hands out the jobs, takes back those that failed, and gives up on a job that fails everywhere."""

    def __init__(self, function: Callable[[Any], Any], jobs: Iterable[Any]):
        self._function, self._new = function, enumerate(jobs)
        self._again: deque[Task] = deque()
        self._failed: JobFailed | None = None

    def take(self) -> Task | None:
        """The next task; None if there is none now, or a job has failed for good."""
        if self._failed is not None:
            return None
        if self._again:
            return self._again.popleft()
        return next((self._task(*item) for item in self._new), None)

    def died(self, task: Task, workers: int = 1) -> None:
        """One or more workers died at this task: another may try, but not for ever."""
        task.deaths += workers
        problem = f"{task.deaths} workers died at it, one after the other: out of memory?"
        self._retry(task, task.deaths < DEATHS, problem, "")

    def answer(self, task: Task, answer: tuple, where: str = "") -> Iterator[tuple[int, Any]]:
        """What a worker sent back (see `worker.attempt`): the result, or nothing and a second try."""
        kind, value, *details = answer
        if kind == "done":
            yield task.number, value
            return
        task.errors += 1
        task.avoid = where
        self._retry(task, task.errors < ERRORS, f"{value} (tried {task.errors} times)", *details)

    def close(self) -> None:
        """Raise what made a job fail, when all is over."""
        if self._failed is not None:
            raise self._failed

    def _task(self, number: int, job: Any) -> Task:
        try:
            return Task(number, job, pickle.dumps((self._function, job)))
        except (pickle.PicklingError, AttributeError, TypeError) as error:
            raise TypeError(f"job {job} cannot be sent to another process ({error}): run it here") from None

    def _retry(self, task: Task, again: bool, problem: str, trace: str) -> None:
        if again:
            self._again.append(task)
        elif self._failed is None:
            self._failed = JobFailed(f"job {task.job}: {problem}")
            if trace:
                self._failed.add_note(f"In the worker:\n{trace}")
