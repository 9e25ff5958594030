"""Are the recorded runs in `results/` what they say? Schema, checksums, numbers recomputed, a record re-run.

Loads experiments by name, so a chapter that imported this would depend on all of them: for the command line,
which also hands over the registry of data sets (`registry.needed`).
"""

from __future__ import annotations

import dataclasses
import json
import math
import re
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, datetime
from importlib import import_module
from pathlib import Path
from typing import Any, NoReturn, cast

from lib.base import devices, fingerprint
from lib.engine import parameters, runs, store
from lib.engine.experiment import DataSet, Experiment
from lib.engine.results import FOLDER, FORMER, SCHEMA, Record, check_path, load

Registry = Callable[[str], Sequence[DataSet]]  # raises ValueError where it has no such name
_FIELDS: dict[str, type] = {
    "schema": int, "experiment": str, "preset": str, "config": dict, "data": dict, "code": dict,
    "environment": dict, "started": str, "seconds": float, "records": list, "sha256": str,
}  # fmt: skip
_INNER: dict[str, dict[str, type]] = {
    "code": {"version": str, "hash": str},
    "environment": {"python": str, "torch": str, "device": str, "threads": int},
}
_EXACT = 1e-9  # relative: a summary recomputed from stored raw values
_RERUN = 1e-3  # relative: the same record on another machine; a module may set RERUN_TOLERANCE


def experiment(name: str) -> Experiment[Any]:
    """The module `lib.experiments.<name>`.

    Raises:
        ValueError: there is no such experiment; the message lists those there are.
    """
    known, name = fingerprint.experiments(), FORMER.get(name, name)
    if name not in known:
        raise ValueError(f"no experiment is called {name!r}; there are: {', '.join(known)}")
    found: Any = import_module(f"lib.experiments.{name}.record")
    return cast(Experiment[Any], found)


def verify(path: Path, needed: Registry) -> list[str]:
    """What is wrong with a recorded run; an empty list if nothing is.

    Checks the schema and its types, that every number is finite, the checksum over the content, the data
    sets' names and checksums, that no record comes twice, that the config is one that the experiment
    accepts, and that each number of the module's optional `recompute(record)` is the stored one.
    """
    try:
        content = json.loads(path.read_text(encoding="utf-8"), parse_constant=_refuse, parse_float=_finite)
    except (OSError, ValueError) as error:
        return [f"{path.name}: not readable as JSON: {error}"]
    shape = list(_shape(content))
    found = shape or [*_content(content), *_data(content["data"], needed), *_against_module(content)]
    if not shape and not path.stem.startswith(f"{content['experiment']}-{content['preset']}"):
        found.append(f"is named for another run than {content['experiment']}-{content['preset']}")
    return [f"{path.name}: {problem}" for problem in found]


def rerun(path: Path, needed: Registry) -> str | None:
    """Run the quickest record of a recorded run afresh; None if it agrees, else what differs.

    This, not a hash of the code, decides whether a recorded run is stale. The finding is kept in
    `results/checked/`, where `results.standing` reads it, dated when it was first made of these records
    and this code. Times are not compared.

    Raises:
        FileNotFoundError: the data are not here. ValueError: the file is not sound (see `verify`).
    """
    if problems := verify(path, needed):
        raise ValueError(problems[0])
    result = load(path)
    module = experiment(result.experiment)
    finding = _rerun_one(module, parameters.build(module, vars(result.config)), result.records)
    kept = {
        "agrees": finding is None,
        "finding": finding,
        "records": store.digest(result.records),
        "code": fingerprint.digest(Path(module.__file__ or "")),
        "date": datetime.now(UTC).isoformat(timespec="seconds"),
    }
    if _said(check_path(path)) != _undated(kept):  # as it was, with its date, where nothing is new
        store.write(check_path(path), (json.dumps(kept, indent=1) + "\n").encode())
    return finding


def _said(path: Path) -> dict[str, Any] | None:
    """What a finding says that was kept, without its date."""
    try:
        return _undated(json.loads(path.read_text(encoding="utf-8")))
    except (OSError, ValueError, AttributeError):
        return None


def _undated(finding: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in finding.items() if name != "date"}


def paths(folder: Path = FOLDER) -> list[Path]:
    """The files of all recorded runs."""
    return sorted(folder.glob("*.json"))


def differences(stored: Any, found: Any, tolerance: float, place: str = "record") -> Iterator[str]:
    """Where two records differ by more than `tolerance`, relative to the larger; times do not count."""
    if isinstance(stored, dict) and isinstance(found, dict):
        for key in sorted(stored.keys() | found.keys()):
            if key != "seconds":
                yield from differences(stored.get(key), found.get(key), tolerance, f"{place}[{key!r}]")
    elif isinstance(stored, list) and isinstance(found, list) and len(stored) == len(found):
        for index, pair in enumerate(zip(stored, found)):
            yield from differences(*pair, tolerance, f"{place}[{index}]")
    elif _number(stored) and _number(found):
        if not math.isclose(stored, found, rel_tol=tolerance, abs_tol=tolerance * 1e-3):
            yield f"{place} is {stored} as recorded, {found} now"
    elif stored != found:
        yield f"{place} is {stored!r} as recorded, {found!r} now"


def _rerun_one(module: Experiment[Any], config: Any, records: list[Record]) -> str | None:
    config = _on_this_machine(config)
    jobs = module.jobs(config)
    if len(jobs) != len(records):
        return f"the config now means {len(jobs)} records, not {len(records)}"
    quickest = min(range(len(jobs)), key=lambda index: _seconds(records[index]))
    now = runs.fresh(module, config, jobs[quickest])
    tolerance = getattr(module, "RERUN_TOLERANCE", _RERUN)
    return next(differences(records[quickest], now, tolerance, f"record {quickest}"), None)


def _on_this_machine(config: Any) -> Any:
    try:
        devices.resolve_device(config.device)
    except ValueError:
        return dataclasses.replace(config, device="cpu")
    return config


def _seconds(value: Any) -> float:
    """What a record says that it took: the sum of the numbers under its key `seconds`."""
    seconds = value.get("seconds", 0.0)
    return math.fsum(seconds.values()) if isinstance(seconds, dict) else float(seconds)


def _shape(content: Any) -> Iterator[str]:
    """Missing keys and wrong types."""
    if not isinstance(content, dict):
        yield "is not a JSON object"
        return
    yield from _typed(content, _FIELDS, "")
    for name, fields in _INNER.items():
        if isinstance(content.get(name), dict):
            yield from _typed(content[name], fields, f"{name}.")
    for name, entry in content["data"].items() if isinstance(content.get("data"), dict) else ():
        yield from _typed(entry, {"sha256": str, "items": int}, f"data.{name}.")
    if not all(isinstance(row, dict) for row in content.get("records") or [None]):
        yield "records must be a list of objects, and not empty"


def _typed(content: Any, fields: dict[str, type], place: str) -> Iterator[str]:
    if not isinstance(content, dict):
        yield f"{place.rstrip('.')} is not an object"
        return
    for name, kind in fields.items():
        value = content.get(name)
        if not isinstance(value, kind) and not (kind is float and _number(value)):
            yield f"{place}{name} must be {kind.__name__}, not {value!r}"


def _content(content: dict[str, Any]) -> Iterator[str]:
    """What is wrong in a file of the right shape."""
    if content["schema"] != SCHEMA:
        yield f"has schema {content['schema']}; this code reads {SCHEMA}"
    if store.digest({k: v for k, v in content.items() if k != "sha256"}) != content["sha256"]:
        yield "its checksum does not fit its content: it was edited after it was recorded"
    if content["config"].get("preset") != content["preset"]:
        yield f"is of preset {content['preset']}, its config of {content['config'].get('preset')}"
    try:
        datetime.fromisoformat(content["started"])
    except ValueError:
        yield f"started {content['started']!r} is not a time"
    digests = [store.digest(_untimed(row)) for row in content["records"]]
    for digest, again in Counter(digests).items():
        if again > 1:
            yield f"record {digests.index(digest)} comes {again} times"


def _data(data: dict[str, dict[str, Any]], needed: Registry) -> Iterator[str]:
    """Data sets that the registry does not know, or of which it has another version here."""
    for name, entry in data.items():
        try:
            here = needed(name)[0].digest()
        except ValueError as error:
            yield str(error)
            continue
        if not re.fullmatch("[0-9a-f]{64}", entry["sha256"]):
            yield f"data.{name}.sha256 is no sha256: {entry['sha256']!r}"
        elif here not in (None, entry["sha256"]):
            yield f"was run on another {name} ({entry['sha256'][:12]}) than the one here ({here[:12]})"


def _against_module(content: dict[str, Any]) -> Iterator[str]:
    """A config that the experiment refuses; numbers that its `recompute` finds otherwise."""
    try:
        module = experiment(content["experiment"])
        parameters.build(module, content["config"])
    except (ValueError, TypeError) as error:
        yield str(error)
        return
    recompute: Any = getattr(module, "recompute", lambda record: {})
    for index, row in enumerate(content["records"]):
        again = json.loads(json.dumps(recompute(row)))
        for name, value in again.items():
            if name not in row:
                yield f"record {index} has no {name!r} to compare with"
            else:
                yield from differences(row[name], value, _EXACT, f"record {index}: {name}")


def _untimed(row: Record) -> Record:
    return {name: value for name, value in row.items() if name != "seconds"}


def _number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _finite(text: str) -> float:
    return float(text) if math.isfinite(float(text)) else _refuse(text)


def _refuse(constant: str) -> NoReturn:
    raise ValueError(f"{constant} is not a finite number")
