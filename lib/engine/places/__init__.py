"""Where the jobs of a run are done: in this process (`HERE`), in others of this machine, on a Dask cluster.

The jobs do not depend on which. Loads no torch, so that a command line can name a place at once.
"""

from __future__ import annotations

from lib.engine.places.here import HERE, JobFailed, Place, map_jobs

__all__ = ["HERE", "JobFailed", "Place", "map_jobs", "place"]


def place(processes: int | None = None, scheduler: str | None = None) -> Place:
    """The place that a command line names: this process, `processes` of this machine, or a cluster.

    Raises:
        ValueError: both are named, or a value is not usable. ModuleNotFoundError: dask is not installed.
    """
    if processes is not None and scheduler is not None:
        raise ValueError("give --processes or --scheduler, not both")
    if scheduler is not None:
        from lib.engine.places.cluster import Cluster  # needs dask

        return Cluster(scheduler)
    if processes is not None:
        from lib.engine.places.processes import Processes  # loads torch

        return Processes(processes)
    return HERE
