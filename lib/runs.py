"""Result = experiment(config), record by record, stored under the hash of config, code and data.

A run that was stopped goes on where it was; two processes at one run share its records.
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

from lib import __version__, closure, compute, store
from lib.progress import track
from lib.records import Result, caption, record, recorded

__all__ = ["Result", "artifact", "fresh", "record", "recorded", "run"]
_run: ContextVar[dict | None] = ContextVar("run", default=None)  # device and data of the run at work


def run(module: Any, config: Any, *, progress: bool = True) -> Result:
    """Run the experiment `module` with `config`, or read from the store what has been run before.

    A record's key holds the config, the job, the device's type, the code (the module's import closure and
    the versions it uses) and the sha256 of the data. Fields that the module names in `JOB_IGNORES` (such as
    `seeds`, which only says how many jobs there are) leave the key, and `run_job` sees None in their place.

    Raises:
        FileNotFoundError: a data set is absent; the message says how to get it.
        ValueError, TypeError: a record is not plain, finite data.
    """
    device, data, code = compute.resolve_device(config.device), _data(module, config), _code(module)
    seen = _as_jobs_see_it(module, config, str(device))
    key = _key(module, seen, data, code)
    jobs = module.jobs(config)
    found = _bodies(partial(_body, module.run_job, seen, key, _unchanged(Path(module.__file__))), jobs)
    by_index = dict(track(found, module.NAME, len(jobs)) if progress else found)
    bodies = [by_index[index] for index in range(len(jobs))]
    provenance = {
        "data": data,
        "code": {"version": __version__, "hash": code},
        "environment": bodies[0]["environment"] if bodies else compute.environment(device),
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
    return json.loads(_compute(module.run_job, seen, key | {"job": job}))["record"]


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
    name = store.digest({"artifact": key, "code": closure.digest(source), "run": _run.get()})
    return store.once(store.root() / "artifacts" / f"{name}.pt", lambda: _dump(function()), _load)


def _code(module: Any) -> str:
    return closure.digest(Path(module.__file__))


def _key(module: Any, seen: Any, data: dict[str, dict], code: str) -> dict[str, Any]:
    """All that a record depends on, but its job."""
    return {
        "experiment": module.NAME,
        "config": {name: value for name, value in dataclasses.asdict(seen).items() if name != "device"},
        "device": compute.resolve_device(seen.device).type,
        "code": code,
        "data": {name: entry["sha256"] for name, entry in data.items()},
    }


def _as_jobs_see_it(module: Any, config: Any, device: str) -> Any:
    """The config with its device resolved and None in the fields that the module's jobs do not read."""
    seen = dataclasses.replace(config, device=device)
    for name in getattr(module, "JOB_IGNORES", ()):
        object.__setattr__(seen, name, None)  # a frozen copy of ours; __post_init__ must not see the None
    return seen


def _bodies(body: Callable[[bool, dict], dict | None], jobs: list[dict]) -> Iterator[tuple[int, dict]]:
    """(index, stored record) as they are done; those that another process is at come last."""
    busy = []
    for index, found in enumerate(compute.map_jobs(partial(body, False), jobs)):
        if found is None:
            busy.append(index)
        else:
            yield index, found
    for index, found in zip(busy, compute.map_jobs(partial(body, True), [jobs[index] for index in busy])):
        assert found is not None  # it waited
        yield index, found


def _body(run_job: Callable, config: Any, key: dict, stored: bool, wait: bool, job: dict) -> dict | None:
    """One record with its key, time and environment; None if another process is at it and not `wait`."""
    make = partial(_compute, run_job, config, key | {"job": job})
    if not stored:
        return json.loads(make())
    path = store.root() / key["experiment"] / store.digest(key)[:16] / f"{store.digest(job)[:24]}.json"
    return store.once(path, make, json.loads, wait=wait)


def _compute(run_job: Callable, config: Any, key: dict) -> bytes:
    started, clock = _now(), time.perf_counter()
    token = _run.set({"device": key["device"], "data": key["data"]})
    try:
        found = run_job(config, key["job"])
    finally:
        _run.reset(token)
    _check_plain(found, f"{key['experiment']}, job {key['job']}: record")
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
    changed = closure.changed(source)
    if changed:
        names = ", ".join(path.relative_to(closure.ROOT).as_posix() for path in changed)
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
