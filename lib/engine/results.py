"""A run as readers keep it: `results/<experiment>-<preset>[-<name>].json`, small, committed, complete.

A chapter does not fail because such a file is missing: `shown(tables.attacks, one("images"))` is the table,
or a note of what is absent and how to get it.
"""

from __future__ import annotations

import dataclasses
import json
import subprocess
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any, TypeVar

from lib.base import project
from lib.base.tables import Table
from lib.base.version import VERSION
from lib.engine import store
from lib.engine.experiment import C, Experiment

FOLDER = project.ROOT / "results"
MEASURED = FOLDER / "benchmarks"  # tables of `python -m benchmarks --record`
SCHEMA = 1
T = TypeVar("T")
Record = dict[str, Any]
Value = Callable[[Record], float]
FORMER = {"rbf": "synthetic"}  # experiments renamed since: what was recorded before keeps its file
_PROVENANCE = ("data", "code", "environment", "started", "seconds")
_DATA = {"quick": "miniature data", "reduced": "real data"}


@dataclasses.dataclass(frozen=True)
class Result:
    """A run: its config (fields as attributes), its records, where they come from, and a caption for figures.

    `provenance` has the keys data, code, environment, started and seconds of a recorded run; `path` is the
    file of one that was recorded, None for one that was just run.
    """

    experiment: str
    config: Any
    records: list[dict[str, Any]]
    provenance: dict[str, Any]
    caption: str
    path: Path | None = None


@dataclasses.dataclass(frozen=True)
class Absent:
    """A recorded run that is not in `results/`; false where a run is true."""

    experiment: str
    preset: str
    name: str | None = None

    def __bool__(self) -> bool:
        return False

    @property
    def note(self) -> Table:
        """What the page shows in place of the run's tables and figures."""
        label = f" {self.name}" if self.name else ""
        command = f"`python -m lib run {self.experiment} --preset {self.preset} --record{label}`"
        return Table(
            ["not recorded", "to record it"], [[f"{self.experiment}, {self.preset}{label}", command]]
        )


def record(result: Result, name: str | None = None, folder: Path = FOLDER, *, overwrite: bool = True) -> Path:
    """Write a run to `results/<experiment>-<preset>[-<name>].json` and return the path.

    Raises:
        ValueError: as `place_for`, or there are no records.
    """
    path = place_for(result.experiment, result.config.preset, name, folder, overwrite=overwrite)
    if not result.records:
        raise ValueError(f"the run of {result.experiment} has no records: nothing to keep")
    config = dataclasses.asdict(result.config)
    content = {
        "schema": SCHEMA,
        "experiment": result.experiment,
        "preset": config["preset"],
        "config": config,
    }
    content |= result.provenance | {"code": result.provenance["code"] | {"version": _version()}}
    content |= {"records": result.records}
    store.write(path, _lines(content | {"sha256": store.digest(content)}).encode())
    return path


def names_of(experiment: str) -> list[str]:
    """The names under which runs of an experiment are recorded: its own, and those it had before."""
    return [experiment, *(old for old, new in FORMER.items() if new == experiment)]


def at(*path: str | int) -> Callable[[Record], Any]:
    """What stands at a path of keys, as a function of a record: a `Value` where it is a number."""

    def value(record: Record) -> Any:
        found: Any = record
        for key in path:
            found = found[key]
        return found

    return value


def place_for(
    experiment: str, preset: str, name: str | None = None, folder: Path = FOLDER, *, overwrite: bool = False
) -> Path:
    """The file of a recorded run.

    Raises:
        ValueError: the name is not made of letters, digits and underscores, or, without `overwrite`, a run
            is recorded there.
    """
    if name is not None and not name.isidentifier():
        raise ValueError(f"name {name!r} of a recorded run: use letters, digits and underscores")
    path = _file(experiment, preset, name, folder)
    if path.exists() and not overwrite:
        raise ValueError(f"{path} is there already: add --overwrite, or another name after --record")
    return path


def recorded(experiment: str | None = None, preset: str | None = None, folder: Path = FOLDER) -> list[Result]:
    """The recorded runs, by file name: all of them, or those of one experiment, one preset.

    Raises:
        ValueError: a file is not a recorded run.
    """
    found = [load(path) for path in sorted(folder.glob("*.json"))]
    found = [result for result in found if experiment in (None, result.experiment)]
    return [result for result in found if preset in (None, result.config.preset)]


def load(path: Path) -> Result:
    """One recorded run. JSON has no tuples: what was one in the config comes back as a list.

    Raises:
        ValueError: the file is not a recorded run.
    """
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
        config = SimpleNamespace(**content["config"])
        provenance = {key: content[key] for key in _PROVENANCE}
        name = "".join(f" ({part})" for part in path.stem.split("-", 2)[2:])
        label = _label(config.preset, provenance) + name
        caption = _caption(label, config, provenance, f"recorded {provenance['started'][:10]}")
        experiment = FORMER.get(content["experiment"], content["experiment"])
        return Result(experiment, config, content["records"], provenance, caption, path)
    except (KeyError, TypeError, AttributeError, ValueError) as error:
        raise ValueError(f"{path} is no recorded run ({error!r}): python -m lib results --verify") from None


def one(
    experiment: str, preset: str = "reduced", name: str | None = None, folder: Path | None = None
) -> Result | Absent:
    """The recorded run `<experiment>-<preset>[-<name>]`, or an `Absent`.

    Raises:
        ValueError: the file is there and is not a recorded run.
    """
    known = (_file(former, preset, name, folder or FOLDER) for former in names_of(experiment))
    path = next((path for path in known if path.exists()), None)
    return load(path) if path else Absent(experiment, preset, name)


def shown(function: Callable[..., T], *arguments: Any, **keywords: Any) -> T | Table:
    """`function(*arguments, **keywords)`, or the note of the first recorded run among them that is absent.

    A run may stand among the values of a dict argument.
    """
    given = [*arguments, *keywords.values()]
    given += [value for argument in given if isinstance(argument, dict) for value in argument.values()]
    absent = next((value for value in given if isinstance(value, Absent)), None)
    return function(*arguments, **keywords) if absent is None else absent.note


def titled(result: Result, title: str) -> str:
    """The heading of a table or figure with what kind of run it shows: "Recorded run · The attacks"."""
    return f"{'Recorded' if result.path else result.config.preset.capitalize()} run · {title}"


def caption(experiment: Experiment[C], config: C, provenance: dict[str, Any]) -> str:
    """`quick: miniature data · digits · seeds 0-2 · cpu · torch 2.14.1`, with what differs from the preset.

    The experiment may say better what a preset is, by LABELS = {"quick": "quick: the paper's size"}.
    """
    label = getattr(experiment, "LABELS", {}).get(config.preset) or _label(config.preset, provenance)
    base, own = dataclasses.asdict(experiment.PRESETS[config.preset]), dataclasses.asdict(config)
    changed = [f"{k} = {v}" for k, v in own.items() if v != base[k] and k not in ("device", "seeds")]
    return _caption(label + (", changed: " + ", ".join(changed) if changed else ""), config, provenance)


def benchmarks(folder: Path = MEASURED) -> dict[str, dict[str, Any]]:
    """The recorded benchmarks by name: date, environment, caption, note, columns and rows of a table.

    Raises:
        ValueError: a file is damaged, or was edited.
    """
    found = {}
    for path in sorted(folder.glob("*.json")):
        try:
            content = json.loads(path.read_text(encoding="utf-8"))
            whole = content.pop("sha256") == store.digest(content)
        except (ValueError, KeyError, AttributeError):
            whole = False
        if not whole:
            raise ValueError(f"{path} is no recorded benchmark: python -m benchmarks {path.stem} --record")
        found[path.stem] = content
    return found


def overview(results: list[Result]) -> Table:
    """The recorded runs as a table: what was run, on what, when, for how long, and whether it still holds."""
    columns = ["run", "records", "data", "code", "device", "seconds", "date", "checked"]
    return Table(columns, [_row(result) for result in results])


def check_path(path: Path) -> Path:
    """Where `python -m lib results --rerun` keeps its finding about a recorded run."""
    return path.parent / "checked" / path.name


def standing(result: Result) -> str:
    """What the last re-run of one of its records found: "agrees", "stale", or "not re-run".

    A finding counts for the file it was made of; see `lib.engine.audit.rerun`.
    """
    path = result.path and check_path(result.path)
    if path is None or not path.exists():
        return "not re-run"
    found = json.loads(path.read_text(encoding="utf-8"))
    if found["records"] != store.digest(result.records):
        return "not re-run"
    return f"{'agrees' if found['agrees'] else 'stale'} ({found['date'][:10]})"


def _file(experiment: str, preset: str, name: str | None, folder: Path) -> Path:
    return folder / ("-".join(filter(None, [experiment, preset, name])) + ".json")


def _row(result: Result) -> list[Any]:
    source = result.provenance
    data = ", ".join(f"{name} {entry['sha256'][:8]}" for name, entry in source["data"].items()) or "generated"
    label = result.path.stem if result.path else f"{result.experiment}-{result.config.preset}"
    return [label, len(result.records), data, source["code"]["version"], source["environment"]["device"],
            round(source["seconds"]), source["started"][:10], standing(result)]  # fmt: skip


def _lines(content: dict[str, Any]) -> str:
    """JSON with one line for each key and each record, so that a difference can be read."""

    def text(key: str, value: Any) -> str:
        if key != "records":
            return json.dumps(value, allow_nan=False)
        return "[\n" + ",\n".join("  " + json.dumps(row, allow_nan=False) for row in value) + "\n ]"

    return (
        "{" + ",\n ".join(f"{json.dumps(key)}: {text(key, value)}" for key, value in content.items()) + "}\n"
    )


def _label(preset: str, provenance: dict[str, Any]) -> str:
    if preset == "paper":
        return "paper settings"
    return f"{preset}: {_DATA.get(preset, 'own settings') if provenance['data'] else 'generated data'}"


def _caption(label: str, config: Any, provenance: dict[str, Any], *more: str) -> str:
    seeds = "seed 0" if config.seeds == 1 else f"seeds 0-{config.seeds - 1}"
    environment = provenance["environment"]
    torch = environment["torch"].partition("+")[0]  # without the build: 2.14.1+cu130
    parts = [label, *provenance["data"], seeds, environment["device"], f"torch {torch}", *more]
    return " · ".join(parts)


def _version() -> str:
    """The package's version, and the commit where git knows it: `0.1.0+1a2b3c4` (`-dirty` if edited)."""
    checkout = project.PACKAGE.parent
    if not (checkout / "pyproject.toml").exists():  # installed, perhaps inside another repository
        return VERSION
    command = ["git", "-C", str(checkout), "describe", "--always", "--dirty", "--exclude=*"]
    try:
        done = subprocess.run(command, capture_output=True, text=True, check=True, timeout=10)
    except (OSError, subprocess.SubprocessError):
        return VERSION
    return f"{VERSION}+{done.stdout.strip()}"
