"""Result = experiment(config), record by record, stored under the hash of config, code and data.

A run that was stopped goes on where it was; two processes at one run share its records. Its jobs run here, or
at another place (`lib.engine.places`), which sends the bytes back: only this process writes records.
"""

from __future__ import annotations

import dataclasses
import io
import json
import math
import time
import warnings
from collections.abc import Callable, Iterator
from contextvars import ContextVar
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Any

import torch

from lib.base import compute
from lib.base.progress import track
from lib.base.version import VERSION
from lib.engine import fingerprint, places, store
from lib.engine.results import Result, caption, record, recorded

__all__ = ["Result", "artifact", "fresh", "record", "recorded", "run"]
_run: ContextVar[dict | None] = ContextVar("run", default=None)  # device and data of the run at work


def run(module: Any, config: Any, *, progress: bool = True, place: places.Place = places.HERE) -> Result:
    """Run the experiment `module` with `config`, or read from the store what has been run before.

    `place` says where: this process, `Processes(4)`, `processes.place(scheduler="tcp://host:port")`. On
    one kind of device the records are the same to the bit.

    A record's key holds the config, the job, the device's type, the code (the module's import closure and
    the versions it uses) and the sha256 of the data. Fields that the module names in `JOB_IGNORES` (such as
    `seeds`, which only says how many jobs there are) leave the key, and `run_job` sees None in their place.

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


def artifact(key: dict[str, Any], function: Callable[[], Any]) -> Any:
    """`function()`, computed once and stored: a model's `state_dict`, tensors, plain data (on the CPU).

    `key` holds all that the object depends on; added to it are the code (the import closure of the module
    that defines `function`) and, inside a run, its device and data. It is always read back from what was
    stored, with `weights_only=True`, so that the first caller gets what later ones get.

    Raises:
        TypeError: the function is not defined in a file, or what it returns cannot be read back safely.
    """
    source = _defined_in(function)
    if not _unchanged(source):
        return _load(_dump(function()))
    name = store.digest({"artifact": key, "code": fingerprint.digest(source), "run": _run.get()})
    return store.once(store.root() / "artifacts" / f"{name}.pt", lambda: _dump(function()), _load)


def _code(module: Any) -> str:
    return fingerprint.digest(Path(module.__file__))


def _key(module: Any, seen: Any, data: dict[str, dict], code: str) -> dict[str, Any]:
    """All that a record depends on, but its job."""
    return {
        "experiment": module.NAME,
        "config": {name: value for name, value in dataclasses.asdict(seen).items() if name != "device"},
        "device": torch.device(seen.device).type,
        "code": code,
        "data": {name: entry["sha256"] for name, entry in data.items()},
    }


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
    if not _unchanged(source):
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
    token = _run.set({"device": key["device"], "data": key["data"]})
    try:
        found = run_job(config, job)
    finally:
        _run.reset(token)
    _check_plain(found, f"{key['experiment']}, job {job}: record")
    seconds, environment = time.perf_counter() - clock, compute.environment(config.device)
    body = {"key": key, "record": found, "started": started, "seconds": seconds, "environment": environment}
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


def _unchanged(source: Path) -> bool:
    """False, with a warning, where a file was edited after this process may have imported it."""
    changed = fingerprint.changed(source)
    if changed:
        names = ", ".join(path.relative_to(fingerprint.ROOT).as_posix() for path in changed)
        advice = "nothing is stored until you restart it"
        warnings.warn(f"{names} changed after this process (kernel) started: {advice}", stacklevel=3)
    return not changed


def _defined_in(function: Callable) -> Path:
    while isinstance(function, partial):
        function = function.func
    path = getattr(function, "__globals__", {}).get("__file__")
    if path is None:
        raise TypeError(f"{function!r} is not defined in a file: an artefact's function lives in lib")
    return Path(path)


def _dump(value: Any) -> bytes:
    stream = io.BytesIO()
    torch.save(value, stream)
    try:
        _load(stream.getvalue())
    except ValueError as error:
        raise TypeError(
            f"an artefact must be tensors or plain data (a model's state_dict()): {error}"
        ) from None
    return stream.getvalue()


def _load(content: bytes) -> Any:
    try:
        return torch.load(io.BytesIO(content), map_location="cpu", weights_only=True)
    except Exception as error:  # torch raises whatever its unpickler meets
        raise store.Unreadable(str(error).partition("\n")[0]) from None


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="seconds").replace("+00:00", "Z")
