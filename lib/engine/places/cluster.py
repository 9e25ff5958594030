"""Jobs on a Dask cluster that is there already: one `dask worker tcp://host:port` for each CPU or GPU.

A worker with a GPU has it alone and says so:
`CUDA_VISIBLE_DEVICES=0 dask worker tcp://host:port --nthreads 1 --resources GPU=1`.
Each worker needs this project at the same commit, the same packages and the data; it checks before a job.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from typing import Any

from lib.engine.places.desk import DEATHS, Desk, Task
from lib.engine.places.worker import attempt

PATIENCE = 60.0  # seconds to wait for the scheduler, and for a worker when there is none
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
            on_gpu = any(worker["resources"].get("GPU") for worker in self._workers(client).values())
        if name in (None, "auto"):
            return "cuda" if on_gpu else "cpu"
        if name not in ("cpu", "cuda"):
            raise ValueError(f"device {name!r} on a cluster: use 'cpu', 'cuda', or None")
        if name == "cuda" and not on_gpu:
            raise ValueError("no worker of the cluster offers a GPU: dask worker ... --resources GPU=1")
        return str(name)

    def each(
        self, function: Callable[[Any], Any], jobs: Iterable[Any], device: str = "cpu"
    ) -> Iterator[tuple[int, Any]]:
        """See `places.Place`. Workers may come and go while it runs."""
        desk = Desk(function, jobs)
        with self._client() as client, client.as_current():
            under_way: dict[Any, Task] = {}
            try:
                while True:
                    self._hand_out(client, desk, under_way, device)
                    if not under_way:
                        break
                    for future in self._some_done(client, under_way, device):
                        yield from self._collect(desk, under_way.pop(future), future)
            finally:
                with suppress(Exception):  # the scheduler may be gone
                    client.cancel(list(under_way))
        desk.close()

    def _hand_out(self, client: Any, desk: Desk, under_way: dict[Any, Task], device: str) -> None:
        """As many tasks as there are workers."""
        workers = self._workers(client, device)
        while len(under_way) < min(max(1, len(workers)), MOST) and (task := desk.take()):
            elsewhere = [address for address in workers if address != task.avoid] if task.avoid else []
            needs = {"GPU": 1} if device == "cuda" else None
            future = client.submit(
                _on_worker, task.message, pure=False, resources=needs, workers=elsewhere or None
            )
            under_way[future] = task

    def _some_done(self, client: Any, under_way: dict[Any, Task], device: str) -> set:
        import distributed
        from distributed.client import FuturesCancelledError

        since = time.monotonic()
        while True:
            try:
                return distributed.wait(list(under_way), timeout=5, return_when="FIRST_COMPLETED").done
            except FuturesCancelledError:
                raise self._gone("was stopped, or cannot be reached any more") from None
            except TimeoutError:
                if self._workers(client, device):
                    since = time.monotonic()
                elif time.monotonic() - since > self.patience:
                    raise self._gone("has no workers left") from None

    def _collect(self, desk: Desk, task: Task, future: Any) -> Iterator[tuple[int, Any]]:
        from distributed import KilledWorker

        if future.status == "cancelled":
            raise self._gone("was stopped, or cannot be reached any more")
        try:
            where, answer = future.result()
        except KilledWorker:
            desk.died(task, DEATHS)  # Dask has tried as often (distributed.scheduler.allowed-failures)
        except Exception as error:  # what Dask itself could not do: `lib` is not there, no worker has a GPU
            yield from desk.answer(task, ("raised", f"{type(error).__name__}: {error}", ""))
        else:
            yield from desk.answer(task, answer, where)

    def _client(self) -> Any:
        import distributed

        logging.getLogger("distributed").setLevel(logging.CRITICAL)  # what matters is raised, in one line
        try:
            return distributed.Client(self.address, timeout=self.patience, set_as_default=False)
        except OSError:
            raise self._gone("does not answer") from None

    def _workers(self, client: Any, device: str = "cpu") -> dict[str, dict]:
        found = client.scheduler_info(n_workers=-1)["workers"]
        return {a: w for a, w in found.items() if device != "cuda" or w["resources"].get("GPU")}

    def _gone(self, what: str) -> ConnectionError:
        rest = "what is done is stored; the same command goes on from there"
        return ConnectionError(f"the scheduler {self.address} {what}; {rest}")


def _on_worker(message: bytes) -> tuple[str, tuple]:
    import distributed

    return distributed.get_worker().address, attempt(message)
