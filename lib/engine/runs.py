"""Result = experiment(config), record by record, stored under the hash of config, code and data.

A run that was stopped goes on where it was; two processes at one run share its records. Its jobs run here, or
at another place (`lib.engine.places`), which sends the bytes back: only this process writes records.
"""

from __future__ import annotations

import dataclasses
import json
import math
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Any

import torch

from lib.base import devices, fingerprint
from lib.base.progress import track
from lib.base.version import VERSION
from lib.engine import places, steps, store
from lib.engine.experiment import C, DataSet, Experiment
from lib.engine.results import Record, Result, caption, record, recorded
from lib.engine.steps import only, seconds, step, timed

__all__ = [
    "Result", "fresh", "inside", "only", "record", "recorded", "run", "seconds", "step", "timed",
]  # fmt: skip


def run(
    experiment: Experiment[C], config: C, *, progress: bool = True, place: places.Place = places.HERE
) -> Result:
    """Run the `experiment` with `config`, or read from the store what has been run before.

    `place` says where: this process, `Processes(4)`, `places.place(scheduler="tcp://host:port")`. On
    one kind of device the records are the same to the bit.

    A record's key holds the config, the job, the device's type, the code (the module's import closure and
    the versions it uses) and the sha256 of the data. Fields that the module names in `JOB_IGNORES` (such as
    `seeds`, which only says how many jobs there are) leave the key, and `run_job` sees None in their place.
    It is called behind the engine's `steps.door`: `config.device` is then the name of a device that is here,
    never None, and on the CPU there is one thread. What it does in `step`s is stored step by step.

    Raises:
        FileNotFoundError: a data set is absent; the message says how to get it.
        ValueError, TypeError: a record is not plain, finite data.
        places.JobFailed: at another place, a job failed again and again; the others that had begun are kept.
    """
    jobs, work = experiment.jobs(config), _work(experiment, config, place.device(config.device))
    found = _bodies(work, jobs, place)
    by_index = dict(track(found, experiment.NAME, len(jobs)) if progress else found)
    bodies = [by_index[index] for index in range(len(jobs))]
    provenance = {
        "data": {
            each.name: {"sha256": work.key["data"][each.name], "items": each.items} for each in work.data
        },
        "code": {"version": VERSION, "hash": work.key["code"]},
        "environment": bodies[0]["environment"] if bodies else devices.environment("cpu"),
        "started": min((body["started"] for body in bodies), default=_now()),
        "seconds": math.fsum(body["seconds"] for body in bodies),
    }
    records = [body["record"] for body in bodies]
    return Result(experiment.NAME, config, records, provenance, caption(experiment, config, provenance))


def fresh(experiment: Experiment[C], config: C, job: Record) -> Record:
    """The record of one job, computed now: nothing is read from the store of records and nothing kept.

    Raises:
        FileNotFoundError, ValueError, TypeError: as `run`.
    """
    work = _work(experiment, config, str(devices.resolve_device(config.device)))
    found: Record = json.loads(work(job))["record"]
    return found


@contextmanager
def inside(experiment: Experiment[C], config: C) -> Iterator[C]:
    """The door of `run_job` for a figure or an example that no record holds.

        with runs.inside(images, config) as config:
            model = networks.source_model(config, source, seed)

    Inside, `config.device` is the name of a device that is here, the CPU has one thread, and steps (such as
    training) are those of the run: what it has stored is read, and what is computed here, it will read.

    Raises:
        FileNotFoundError, ValueError: as `run`.
    """
    device = str(devices.resolve_device(config.device))
    with steps.door(device, _checksums(experiment, config)):
        yield dataclasses.replace(config, device=device)


@dataclasses.dataclass(frozen=True)
class _Work:
    """What is sent to where a run's jobs are done: of a job it makes the bytes of its record."""

    run_job: Callable[[Any, Record], Record]
    config: Any  # as jobs see it
    key: dict[str, Any]  # all that a record depends on, but its job
    data: Sequence[DataSet]
    source: str  # the experiment's file, inside lib

    def __call__(self, job: Record) -> bytes:
        """The record with its key, time and environment."""
        started, clock = _now(), time.perf_counter()
        with steps.door(self.config.device, self.key["data"]):
            found = self.run_job(self.config, job)
        _check_plain(found, f"{self.key['experiment']}, job {job}: record")
        body = {
            "key": self.key | {"job": job},
            "record": found,
            "started": started,
            "seconds": time.perf_counter() - clock,
            "environment": devices.environment(self.config.device),
        }
        return json.dumps(body).encode()

    def elsewhere(self, job: Record) -> bytes:
        """The same in another process: only with the code and the data that the key names."""
        path = fingerprint.PACKAGE / self.source
        if fingerprint.digest(path) != self.key["code"] or fingerprint.changed(path):
            advice = "the same commit and packages there as here; then start the worker again"
            raise RuntimeError(f"the worker has another {self.source}, or other packages: {advice}")
        for each in self.data:
            if each.digest() != self.key["data"][each.name]:
                raise RuntimeError(f"the worker has no {each.name}, or another: {each.remedy()}")
        return self(job)


def _work(experiment: Experiment[C], config: C, device: str) -> _Work:
    """The device resolved, and None in the fields that the jobs do not read: all that a record depends on."""
    seen, source = dataclasses.replace(config, device=device), Path(experiment.__file__ or "")
    for name in getattr(experiment, "JOB_IGNORES", ()):
        object.__setattr__(seen, name, None)  # a frozen copy of ours; __post_init__ must not see the None
    key = {
        "experiment": experiment.NAME,
        "config": {name: value for name, value in dataclasses.asdict(seen).items() if name != "device"},
        "device": torch.device(device).type,
        "code": fingerprint.digest(source),
        "data": _checksums(experiment, config),
    }
    return _Work(experiment.run_job, seen, key, experiment.datasets(config), fingerprint.relative(source))


def _checksums(experiment: Experiment[C], config: C) -> dict[str, str]:
    """{name: sha256} of the data sets that a run reads."""
    found = {}
    for each in experiment.datasets(config):
        checksum = each.digest()
        if checksum is None:
            needs = f"{experiment.NAME} at preset {config.preset} needs the data set {each.name}"
            raise FileNotFoundError(f"{needs}, which is not here. {each.remedy()}")
        found[each.name] = checksum
    return found


def _bodies(work: _Work, jobs: list[Record], place: places.Place) -> Iterator[tuple[int, dict[str, Any]]]:
    """(index, record with its key, time and environment): first the stored ones, then as they are done.

    Those that another process is at come last, when it has finished them or has died.
    """
    send, device = work if place is places.HERE else work.elsewhere, work.key["device"]
    if not steps.trusted(fingerprint.PACKAGE / work.source):
        yield from ((index, json.loads(body)) for index, body in place.each(send, jobs, device))
        return
    folder = store.root() / work.key["experiment"] / store.digest(work.key)[:16]
    paths = [folder / f"{store.digest(job)[:24]}.json" for job in jobs]
    stored = {index: body for index, path in enumerate(paths) if (body := store.get(path, json.loads))}
    yield from stored.items()
    claims = store.Claims({index: path for index, path in enumerate(paths) if index not in stored})
    try:
        todo = (jobs[index] for index in claims)
        for number, body in place.each(send, todo, device):
            index = claims.given[number]
            claims.keep(index, body)
            yield index, json.loads(body)
    finally:
        claims.release()
    for index in claims.others:
        alone = partial(next, places.map_jobs(send, [jobs[index]], place, device))
        done = store.once(paths[index], alone, json.loads)
        assert done is not None  # it waited
        yield index, done


def _check_plain(value: Any, place: str) -> None:
    """Refuse what JSON cannot keep exactly, naming the place."""
    if isinstance(value, dict):
        for name, item in value.items():
            if not isinstance(name, str):
                raise TypeError(f"{place} has the key {name!r}: keys must be str")
            _check_plain(item, f"{place}[{name!r}]")
    elif isinstance(value, list | tuple):
        for index, item in enumerate(value):
            _check_plain(item, f"{place}[{index}]")
    elif type(value) not in (type(None), bool, int, float, str):
        raise TypeError(f"{place} is a {type(value).__name__}: use plain data (float(), .tolist(), a dict)")
    elif isinstance(value, float) and not math.isfinite(value):
        raise ValueError(f"{place} is {value}: not a finite number; use None for what is undefined")


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="seconds").replace("+00:00", "Z")
