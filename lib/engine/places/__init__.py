"""Where the jobs of a run are done: in this process (`HERE`), in others of this machine, on a Dask cluster.

The jobs do not depend on which. Loads no torch, so that a command line can name a place at once.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import Any, Protocol, TypeVar

Job = TypeVar("Job")
Done = TypeVar("Done")


class JobFailed(RuntimeError):
    """A job failed at another place: names the job, the error, and what to do."""


class Place(Protocol):
    """Where jobs run: `HERE`, `processes.Processes`, `cluster.Cluster`."""

    def device(self, name: str | None) -> str:
        """The device called `name` at that place, as `devices.resolve_device`; ValueError if it has none."""

    def each(
        self, function: Callable[[Any], Any], jobs: Iterable[Any], device: str = "cpu"
    ) -> Iterator[tuple[int, Any]]:
        """(number of the job, `function(job)`) as they are done.

        A job is taken from `jobs` only when there is a worker for it. Raises JobFailed once every other
        job that had begun is done.
        """


class _Here:
    """This process, one job after the other. An error of a job is raised as it is."""

    def device(self, name: str | None) -> str:
        from lib.base import devices

        return str(devices.resolve_device(name))

    def each(
        self, function: Callable[[Any], Any], jobs: Iterable[Any], device: str = "cpu"
    ) -> Iterator[tuple[int, Any]]:
        return ((number, function(job)) for number, job in enumerate(jobs))


HERE: Place = _Here()


def map_jobs(
    function: Callable[[Job], Done], jobs: Iterable[Job], place: Place = HERE, device: str = "cpu"
) -> Iterator[Done]:
    """`function(job)` for every job, in the order of the jobs; here, one after the other, each as it is done.

    For another `place` function and jobs must be picklable and independent.

    Raises:
        JobFailed: a job failed at another place; here its own error is raised.
    """
    early: dict[int, Done] = {}
    wanted = 0
    for number, done in place.each(function, jobs, device):
        early[number] = done
        while wanted in early:
            yield early.pop(wanted)
            wanted += 1
