"""When would a run be done? The schedule that `lib.engine.runs` follows, played through with given durations.

Jobs are handed out in their order to whoever is free. A reference model that many jobs share is computed by
the first that needs it, under a lock; who needs it meanwhile waits, and a waiting worker does nothing else.
"""

from __future__ import annotations

import heapq
from collections.abc import Mapping, Sequence
from dataclasses import dataclass


@dataclass(frozen=True)
class Job:
    """The shared artefacts that a job `needs`, in that order, `then` hours of its own."""

    needs: tuple[str, ...]
    then: float


@dataclass(frozen=True)
class Schedule:
    """Hours until the last job is done, hours that workers waited for a lock, the least possible hours."""

    makespan: float
    waiting: float
    bound: float


def play(jobs: Sequence[Job], shared: Mapping[str, float], workers: int) -> Schedule:
    """The schedule of `jobs` on `workers`; `shared` has the hours of each artefact.

    The bound is the larger of all work over the workers, and the longest artefact with the job that needs it.
    A simplification: who starts first is taken to reach a lock first.

    Raises:
        ValueError: no worker, or a job needs an artefact that `shared` lacks.
    """
    if workers < 1:
        raise ValueError(f"workers = {workers} must be at least 1")
    if absent := {name for job in jobs for name in job.needs} - shared.keys():
        raise ValueError(f"no duration is given for {', '.join(sorted(absent))}")
    free, ready, waiting, end = [0.0] * min(workers, max(1, len(jobs))), dict[str, float](), 0.0, 0.0
    for job in jobs:
        now = heapq.heappop(free)
        for name in job.needs:
            if name not in ready:
                ready[name] = now + shared[name]
            else:
                waiting += max(0.0, ready[name] - now)
            now = max(now, ready[name])
        heapq.heappush(free, now + job.then)
        end = max(end, now + job.then)
    return Schedule(end, waiting, _bound(jobs, shared, workers))


def _bound(jobs: Sequence[Job], shared: Mapping[str, float], workers: int) -> float:
    used = {name for job in jobs for name in job.needs}
    work = sum(job.then for job in jobs) + sum(shared[name] for name in used)
    longest = max((max((shared[n] for n in job.needs), default=0.0) + job.then for job in jobs), default=0.0)
    return max(work / workers, longest)
