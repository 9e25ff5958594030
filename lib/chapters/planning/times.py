"""What the recorded runs took, as their records say: `book/benchmarks.md`."""

from __future__ import annotations

from collections.abc import Iterable

from lib.base.tables import Table
from lib.engine.results import Result


def table(results: Iterable[Result]) -> Table:
    """A row a recorded run: records, hours of all its jobs one after another, seconds a record, where."""
    rows: list[list] = []
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
