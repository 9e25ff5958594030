"""Jobs on a Dask cluster that is there already: one `dask worker tcp://host:port` for each CPU or GPU.

A worker with a GPU has it alone and says so:
`CUDA_VISIBLE_DEVICES=0 dask worker tcp://host:port --nthreads 1 --resources GPU=1`.
Each worker needs this project at the same commit, the same packages and the data; it checks before a job.
Jobs and results travel as bytes, so no disk is shared. Dask tries a job again whose worker died
(distributed.scheduler.allowed-failures), and once again one that raised.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import CancelledError
from contextlib import suppress
from typing import Any

from lib.engine.places import worker
from lib.engine.places.here import GOES_ON, handed_out

PATIENCE = 60.0  # seconds to wait for the scheduler
_LOST = "was stopped, or cannot be reached any more"
MOST = 400  # jobs under way at once: each holds a lock, and a process may open about a thousand files


class Cluster:
    """The cluster whose scheduler listens at `address`, "tcp://host:port".

    Raises:
        ValueError: the address has another form. ModuleNotFoundError: dask is not installed.
    """

    def __init__(self, address: str, patience: float = PATIENCE):
        scheme, _, rest = address.partition("://")
        if scheme not in ("tcp", "tls", "ucx") or ":" not in rest:
            raise ValueError(f"scheduler {address!r}: write it as tcp://host:port")
        import distributed  # noqa: F401  # say at once if it is absent

        self.address, self.patience = address, patience

    def device(self, name: str | None) -> str:
        """See `places.Place`; None is "cuda" where a worker offers a GPU."""
        with self._client() as client:
            on_gpu = bool(self._workers(client, "cuda"))
            if not self._workers(client, "cpu"):
                raise self._gone("has no workers: dask worker " + self.address)
        if name in (None, "auto"):
            return "cuda" if on_gpu else "cpu"
        if name not in ("cpu", "cuda"):
            raise ValueError(f"device {name!r} on a cluster: use 'cpu', 'cuda', or None")
        if name == "cuda" and not on_gpu:
            raise ValueError("no worker of the cluster offers a GPU: dask worker ... --resources GPU=1")
        return name

    def each(
        self, function: Callable[[Any], Any], jobs: Iterable[Any], device: str = "cpu"
    ) -> Iterator[tuple[int, Any]]:
        """See `places.Place`. Workers may come and go while it runs."""
        from distributed import KilledWorker

        with self._client() as client:
            resources = {"GPU": 1} if device == "cuda" else None
            executor = client.get_executor(pure=False, retries=1, resources=resources)
            try:
                yield from handed_out(
                    jobs,
                    lambda job: executor.submit(worker.attempt, function, job),
                    lambda: min(max(1, len(self._workers(client, device))), MOST),
                    killed=KilledWorker,
                )
            except CancelledError:
                raise self._gone(_LOST) from None
            finally:
                with suppress(Exception):  # the scheduler may be gone
                    executor.shutdown(wait=False)

    def _client(self) -> Any:
        import distributed

        logging.getLogger("distributed").setLevel(logging.CRITICAL)  # what matters is raised, in one line
        try:
            return distributed.Client(self.address, timeout=self.patience, set_as_default=False)
        except OSError:
            raise self._gone("does not answer") from None

    def _workers(self, client: Any, device: str) -> list[str]:
        """Addresses of the workers that can take a job for `device`."""
        found = client.scheduler_info(n_workers=-1).get("workers")
        if found is None:
            raise self._gone(_LOST)
        return [
            address for address, told in found.items() if device != "cuda" or told["resources"].get("GPU")
        ]

    def _gone(self, what: str) -> ConnectionError:
        return ConnectionError(f"the scheduler {self.address} {what}; {GOES_ON}")
