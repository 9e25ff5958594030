"""Recorded runs on a page: the one that is meant, or a note that it is not there and how to get it.

A chapter must not fail because a file of `results/` is missing: `shown(report.table, one("images"))` is the
table, or the note.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from lib.base.tables import Table
from lib.engine import results


@dataclass(frozen=True)
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


def one(
    experiment: str, preset: str = "reduced", name: str | None = None, folder: Path | None = None
) -> results.Result | Absent:
    """The recorded run `<experiment>-<preset>[-<name>]`, or an `Absent`.

    Raises:
        ValueError: the file is there and is not a recorded run.
    """
    folder = folder or results.FOLDER
    for known in results.names_of(experiment):
        path = folder / ("-".join([known, preset, *([name] if name else [])]) + ".json")
        if path.exists():
            return results.load(path)
    return Absent(experiment, preset, name)


def shown(function: Callable[..., Any], *arguments: Any, **keywords: Any) -> Any:
    """`function(*arguments, **keywords)`, or the note of the first recorded run among them that is absent.

    A run may stand among the values of a dict argument.
    """
    given = [*arguments, *keywords.values()]
    given += [value for argument in given if isinstance(argument, dict) for value in argument.values()]
    absent = next((value for value in given if isinstance(value, Absent)), None)
    return function(*arguments, **keywords) if absent is None else absent.note
