"""What a place is, this process as one, and how jobs are handed out at the others."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import FIRST_COMPLETED, CancelledError, Future, wait
from typing import Any, Protocol, TypeVar

Job = TypeVar("Job")
Done = TypeVar("Done")
GOES_ON = "what is done is stored, and the same command goes on from there"


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

        A job is taken from `jobs` only when there is a worker for it. Raises JobFailed for the first that
        failed, once the others that had begun are done.
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


def handed_out(
    jobs: Iterable[Any], start: Callable[[Any], Future[Any]], room: Callable[[], int], killed: type[Exception]
) -> Iterator[tuple[int, Any]]:
    """What `Place.each` does where jobs are futures: `start` them while fewer than `room()` are under way.

    `killed` is the error of a future whose worker is no more.

    Raises:
        JobFailed: as `Place.each`. CancelledError: nobody will do the job.
    """
    todo, busy = enumerate(jobs), dict[Future[Any], tuple[int, Any]]()
    failed: JobFailed | None = None
    while True:
        while failed is None and len(busy) < room() and (item := next(todo, None)) is not None:
            busy[start(item[1])] = item
        if not busy:
            break
        for future in wait(busy, return_when=FIRST_COMPLETED).done:
            number, job = busy.pop(future)
            try:
                result = future.result()
            except CancelledError:
                raise
            except Exception as error:
                failed = failed or _failed(job, error, killed)
            else:
                yield number, result
    if failed is not None:
        raise failed


def _failed(job: Any, error: Exception, killed: type[Exception]) -> JobFailed:
    """What stops the run: the words of `worker.attempt`, or what kept them from coming."""
    if isinstance(error, JobFailed):
        problem = str(error)
    elif isinstance(error, killed):
        problem = "its worker was killed, most likely for lack of memory (fewer at once need less)"
    else:
        problem = f"it or its result cannot be sent to another process ({type(error).__name__}: {error})"
    found = JobFailed(f"job {job}: {problem}; {GOES_ON}")
    found.__notes__ = getattr(error, "__notes__", [])
    return found
