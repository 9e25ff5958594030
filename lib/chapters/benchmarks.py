"""The page of the benchmarks: what was asked and whether it was met, how seconds grow, what the runs took."""

from __future__ import annotations

import operator
import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from matplotlib.figure import Figure

from lib.base import style
from lib.base.tables import Table, number
from lib.engine.results import Result

_ASKED = "asked"  # a column of a table; the value is the nearest number to its left
_PLAIN = ("ratio", "value", "measured")  # columns whose name adds nothing to what the row says
_EITHER = {  # (what begins one row, what begins the other): two ways to meet one demand, for each ending
    ("loop over measure_jacobians, ", "measure_jacobians over its floor, "): "the loop, or the floor, "
}
_CHAPTER = re.compile(r"chapter (\w+)(.*)")  # of rows alike but for the name, the worst stands for all
_UNITS = ("s", "MiB")  # that a value needs to be understood
_COMPARE = {"<=": operator.le, ">=": operator.ge, "<": operator.lt, ">": operator.gt}


def judged(measured: Mapping[str, Mapping[str, Any]]) -> Table:
    """A row for everything that was asked in the recorded tables (see `results.benchmarks`).

    Two rows that are two ways to meet one demand become one, met if either is. Of the rows of chapters
    the worst stands for all. Raises ValueError as `met`.
    """
    rows = [row for name, one in measured.items() for row in _worst(_paired(_judged(name, one)))]
    met = sum(row[-1] == "yes" for row in rows)
    note = f"{met} of {len(rows)} met; {where(measured)}. The tables below say how each was measured."
    return Table(["benchmark", "what", "measured", "asked", "met"], rows, caption="What was asked", note=note)


def where(measured: Mapping[str, Mapping[str, Any]]) -> str:
    """The days, processors and threads: "measured 2026-11-22, AMD EPYC, threads allowed: 2"."""
    days = sorted({one["date"][:10] for one in measured.values()})
    places = [one["environment"] for one in measured.values()]
    machines = sorted({f"{place['processor']}, threads allowed: {place['threads']}" for place in places})
    when = " to ".join(days[:1] + days[1:][-1:])
    return f"measured {when}, {'; '.join(machines)}" if measured else "nothing is recorded"


def met(value: float, asked: str) -> bool:
    """Whether `value` is what is `asked`: "<= 1.3", "> 0". Raises ValueError for no such comparison."""
    found = re.fullmatch(r"(<=|>=|<|>) *([-+.\deE]+)", asked.strip())
    if not found:
        raise ValueError(f"asked = {asked!r}: write <=, >=, < or > and a number")
    return bool(_COMPARE[found[1]](value, float(found[2])))


def growth(curves: Mapping[str, Sequence[tuple[float, float]]], stamp: str) -> Figure:
    """Seconds against size, both over their first value, a line for each of `curves`: name -> points.

    Raises ValueError where there is no curve.
    """
    if not curves:
        raise ValueError("there is no curve: record the benchmark `growth` first")
    fig, ax = style.figure(height=4.6)
    for i, (name, points) in enumerate(curves.items()):
        sizes, seconds = zip(*points)
        x, y = [size / sizes[0] for size in sizes], [value / seconds[0] for value in seconds]
        ax.plot(x, y, label=name, **style.series(i))
    ax.set(xscale="log", yscale="log", xlabel="size over the smallest", ylabel="seconds over the first")
    fig.legend(loc="outside upper left")  # the lines end in every corner of the axes
    return style.stamp(fig, stamp)


def curves(rows: Sequence[Sequence[Any]]) -> dict[str, list[tuple[float, float]]]:
    """{name: (size, seconds)} from the rows of the benchmark `growth`: name, size, seconds, ..."""
    found: dict[str, list[tuple[float, float]]] = {}
    for name, size, seconds, *_ in rows:
        found.setdefault(name, []).append((float(size), float(seconds)))
    return found


def took(results: Iterable[Result]) -> Table:
    """A row a recorded run: records, hours of all its jobs one after another, seconds a record, where."""
    rows: list[list[Any]] = []
    for result in results:
        seconds, where = result.provenance["seconds"], result.provenance["environment"]
        name = result.path.stem if result.path else f"{result.experiment}-{result.config.preset}"
        count = len(result.records)
        device = f"{where['device']}, threads: {where['threads']}"
        rows.append([name, count, seconds / 3600, seconds / count, device, result.provenance["started"][:10]])
    if rows:
        rows.append(["together", sum(row[1] for row in rows), sum(row[2] for row in rows), None, "", ""])
    columns = ["run", "records", "hours", "seconds a record", "device", "begun"]
    note = (
        "Seconds by the clock, summed over the jobs, on a machine that did other work as well: an upper "
        "bound for a quiet one. A network that several records share is paid for in the first of them."
    )
    return Table(columns, rows, caption="What the recorded runs took", note=note)


def _judged(name: str, one: Mapping[str, Any]) -> list[list[Any]]:
    columns = list(one["columns"])
    asked = [i for i, column in enumerate(columns) if column == _ASKED]
    return [[name, *_one(columns[:i], row[:i], row[i])] for i in asked for row in one["rows"] if row[i]]


def _paired(rows: list[list[Any]]) -> list[list[Any]]:
    """The rows of one benchmark, those of `_EITHER` that end alike joined in the place of the first."""
    for (one, other), name in _EITHER.items():
        for first in [row for row in rows if row[1].startswith(one)]:
            size = first[1].removeprefix(one)
            if second := next((row for row in rows if row[1] == other + size), None):
                value, asked = (f"{number(first[k])} or {number(second[k])}" for k in (2, 3))
                answer = next((a for a in ("yes", "no") if a in (first[-1], second[-1])), first[-1])
                rows[rows.index(first)] = [first[0], name + size, value, asked, answer]
                rows.remove(second)
    return rows


def _worst(rows: list[list[Any]]) -> list[list[Any]]:
    """The rows of one benchmark; of those of chapters the worst alone, named so."""
    worst: dict[str, list[Any]] = {}
    for row in rows:
        found = _CHAPTER.fullmatch(row[1])
        if found and row[2] >= worst.get(found[2], row)[2]:
            worst[found[2]] = row
    kept = [row for row in rows if not _CHAPTER.fullmatch(row[1]) or row in worst.values()]
    return [[row[0], _CHAPTER.sub(r"the worst chapter, \1\2", row[1]), *row[2:]] for row in kept]


def _one(columns: list[str], row: list[Any], asked: str) -> list[Any]:
    """What, its value, what was asked, and whether it was met, from the cells left of what was asked."""
    numbers = [i for i, cell in enumerate(row) if i and type(cell) in (int, float)]
    if not numbers:
        return [str(row[0]), None, asked, "not measured"]
    column, value = columns[numbers[-1]], row[numbers[-1]]
    what = str(row[0]) if column in _PLAIN else f"{row[0]}: {column}"
    unit = dict(zip(columns, row)).get("unit")
    what += f", {unit}" if unit in _UNITS else ""
    return [what, value, asked, "yes" if met(value, asked) else "no"]
