"""Where measured tables are kept: one JSON file a benchmark, with machine and date; `results` reads them."""

import json
import platform
from datetime import UTC, datetime
from pathlib import Path

from lib.base import devices
from lib.engine import results, store


def keep(name, table, folder=results.MEASURED):
    """Write results/benchmarks/<name>.json; its checksum is over all else."""
    content = {
        "benchmark": name,
        "date": datetime.now(UTC).isoformat(timespec="seconds"),
        "environment": devices.environment() | {"processor": processor()},
        "caption": table.caption,
        "note": table.note,
        "columns": list(table.columns),
        "rows": [[plain(cell) for cell in row] for row in table.rows],
    }
    content["sha256"] = store.digest(content)
    store.write(folder / f"{name}.json", (json.dumps(content, indent=1) + "\n").encode())


def plain(cell):
    """A number as a number, anything else as text."""
    if cell is None or isinstance(cell, bool | int | float | str):
        return cell
    return cell.item() if hasattr(cell, "item") else str(cell)


def processor():
    """The model of the processor, without the name of the machine."""
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
    except OSError:
        return platform.processor()
    return next((line.partition(":")[2].strip() for line in lines if line.startswith("model name")), "")
