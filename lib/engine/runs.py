"""Result = experiment(config), record by record, stored under the hash of config, code and data.

A run that was stopped goes on where it was; two processes at one run share its records. Its jobs run here, or
at another place (`lib.engine.places`), which sends the bytes back: only this process writes records.
"""

from __future__ import annotations

import dataclasses
import json
import math
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Any

import torch

from lib.base import compute
from lib.base.progress import track
from lib.base.version import VERSION
from lib.engine import fingerprint, places, steps, store
from lib.engine.results import Result, caption, record, recorded
from lib.engine.steps import artifact, only, seconds, step, timed

__all__ = [
    "Result", "artifact", "fresh", "inside", "only", "record", "recorded", "run", "seconds", "step", "timed",
]  # fmt: skip


def run(module: Any, config: Any, *, progress: bool = True, place: places.Place = places.HERE) -> Result:
    """Run the experiment `module` with `config`, or read from the store what has been run before.

    `place` says where: this process, `Processes(4)`, `processes.place(scheduler="tcp://host:port")`. On
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
    device, data, code = place.device(config.device), _data(module, config), _code(module)
    seen = _as_jobs_see_it(module, config, device)
    key = _key(module, seen, data, code)
    jobs = module.jobs(config)
    found = _bodies(module, seen, key, jobs, place)
    by_index = dict(track(found, module.NAME, len(jobs)) if progress else found)
    bodies = [by_index[index] for index in range(len(jobs))]
    provenance = {
        "data": data,
        "code": {"version": VERSION, "hash": code},
        "environment": bodies[0]["environment"] if bodies else compute.environment("cpu"),
        "started": min((body["started"] for body in bodies), default=_now()),
        "seconds": math.fsum(body["seconds"] for body in bodies),
    }
    records = [body["record"] for body in bodies]
    return Result(module.NAME, config, records, provenance, caption(module, config, provenance))


def fresh(module: Any, config: Any, job: dict) -> dict[str, Any]:
    """The record of one job, computed now: nothing is read from the store of records and nothing kept.

    Raises:
        FileNotFoundError, ValueError, TypeError: as `run`.
    """
    seen = _as_jobs_see_it(module, config, str(compute.resolve_device(config.device)))
    key = _key(module, seen, _data(module, config), _code(module))
    return json.loads(_compute(module.run_job, seen, key, job))["record"]


@contextmanager
def inside(module: Any, config: Any) -> Iterator[Any]:
    """The door of `run_job` for a figure or an example that no record holds.

        with runs.inside(images, config) as config:
            model = networks.source_model(config, source, seed)

    Inside, `config.device` is the name of a device that is here, the CPU has one thread, and steps (such as
    training) are those of the run: what it has stored is read, and what is computed here, it will read.

    Raises:
        FileNotFoundError, ValueError: as `run`.
    """
    config = dataclasses.replace(config, device=str(compute.resolve_device(config.device)))
    with steps.door(config.device, _checksums(_data(module, config))):
        yield config


def _code(module: Any) -> str:
    return fingerprint.digest(Path(module.__file__))


def _key(module: Any, seen: Any, data: dict[str, dict], code: str) -> dict[str, Any]:
    """All that a record depends on, but its job."""
    return {
        "experiment": module.NAME,
        "config": {name: value for name, value in dataclasses.asdict(seen).items() if name != "device"},
        "device": torch.device(seen.device).type,
        "code": code,
        "data": _checksums(data),
    }


def _checksums(data: dict[str, dict]) -> dict[str, str]:
    return {name: entry["sha256"] for name, entry in data.items()}


def _as_jobs_see_it(module: Any, config: Any, device: str) -> Any:
    """The config with its device resolved and None in the fields that the module's jobs do not read."""
    seen = dataclasses.replace(config, device=device)
    for name in getattr(module, "JOB_IGNORES", ()):
        object.__setattr__(seen, name, None)  # a frozen copy of ours; __post_init__ must not see the None
    return seen


def _bodies(
    module: Any, seen: Any, key: dict, jobs: list[dict], place: places.Place
) -> Iterator[tuple[int, dict]]:
    """(index, record with its key, time and environment): first the stored ones, then as they are done.

    Those that another process is at come last, when it has finished them or has died.
    """
    source = Path(module.__file__)
    work = partial(_compute, module.run_job, seen, key)
    if place is not places.HERE:
        work = partial(_checked, fingerprint.relative(source), work)
    if not steps.trusted(source):
        yield from ((index, json.loads(body)) for index, body in place.each(work, jobs, key["device"]))
        return
    folder = store.root() / key["experiment"] / store.digest(key)[:16]
    paths = [folder / f"{store.digest(job)[:24]}.json" for job in jobs]
    stored = {index: body for index, path in enumerate(paths) if (body := store.get(path, json.loads))}
    yield from stored.items()
    claims = store.Claims({index: path for index, path in enumerate(paths) if index not in stored})
    try:
        todo = (jobs[index] for index in claims)
        for number, body in place.each(work, todo, key["device"]):
            index = claims.given[number]
            claims.keep(index, body)
            yield index, json.loads(body)
    finally:
        claims.release()
    for index in claims.others:
        done = store.once(paths[index], partial(_alone, place, work, jobs[index], key["device"]), json.loads)
        assert done is not None  # it waited
        yield index, done


def _alone(place: places.Place, work: Callable, job: dict, device: str) -> bytes:
    return next(places.map_jobs(work, [job], place, device))


def _checked(source: str, work: partial, job: dict) -> bytes:
    """`work(job)` in another process: only with the code and the data that the key names."""
    path, key = fingerprint.PACKAGE / source, work.args[2]
    if fingerprint.digest(path) != key["code"] or fingerprint.changed(path):
        advice = "the same commit and packages there as here; then start the worker again"
        raise RuntimeError(f"the worker has another {source}, or other packages: {advice}")
    if key["data"]:
        from lib.data import registry

        for name, checksum in key["data"].items():
            if registry.digest(name) != checksum:
                raise RuntimeError(f"the worker has no {name}, or another: python -m lib data {name}")
    return work(job)


def _compute(run_job: Callable, config: Any, key: dict, job: dict) -> bytes:
    """The bytes of a record with its key, time and environment."""
    key = key | {"job": job}
    started, clock = _now(), time.perf_counter()
    with steps.door(config.device, key["data"]):
        found = run_job(config, job)
    _check_plain(found, f"{key['experiment']}, job {job}: record")
    spent, environment = time.perf_counter() - clock, compute.environment(config.device)
    body = {"key": key, "record": found, "started": started, "seconds": spent, "environment": environment}
    return json.dumps(body).encode()


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


def _data(module: Any, config: Any) -> dict[str, dict]:
    """{name: {"sha256", "items"}} of the data sets that the run reads."""
    names = module.datasets(config)
    if not names:
        return {}
    from lib.data import registry  # here, so that a run without data sets does not load it

    found = {}
    for name in names:
        entry, checksum = registry.get(name), registry.digest(name)
        if checksum is None:
            needs = f"{module.NAME} at preset {config.preset} needs the data set {name}, which is not here."
            raise registry.Missing(f"{needs} {registry.remedy(entry)}")
        found[name] = {"sha256": checksum, "items": entry.items}
    return found


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="seconds").replace("+00:00", "Z")
