"""Is the built book whole? Every page of the table of contents is there, and shows what was executed."""

from __future__ import annotations

import json
import re
from pathlib import Path

from lib import chapters

HTML = chapters.BUILD / "html"
_HIDDEN = {"remove-output", "remove_output", "remove-cell", "remove_cell"}


def check_build(html: Path = HTML) -> list[str]:
    """What is missing in the built pages; an empty list if nothing is.

    Every page of `_toc.yml` must exist; a page with code cells must be of a fresh execution, have outputs,
    and show at least as many as its executed notebook has.
    """
    found = [f"{page}: {html / page}.html does not exist" for page in chapters.toc() if not _page(html, page)]
    for name in chapters.names():
        if not chapters.fresh(name):
            found.append(f"{name}: the page is not of the present code; build the book again")
        elif page := _page(html, name):
            shown = len(re.findall(r'<div class="cell_output\b', page))
            made = _outputs(chapters.executed(name))
            if not made:
                found.append(f"{name}: has code cells, but none has an output")
            elif shown < made:
                found.append(f"{name}: shows {shown} outputs of {made}")
    return found


def _page(html: Path, name: str) -> str:
    path = html / f"{name}.html"
    return path.read_text(encoding="utf-8") if path.is_file() else ""


def _outputs(executed: Path) -> int:
    """Code cells with an output that the page should show: not hidden, not only glue."""
    cells = json.loads(executed.read_text(encoding="utf-8"))["cells"]
    visible = [cell for cell in cells if not _HIDDEN & set(cell["metadata"].get("tags", []))]
    return sum(any(_shown(output) for output in cell.get("outputs", ())) for cell in visible)


def _shown(output: dict) -> bool:
    kinds = output.get("data", {"text/plain": ""})
    return not all(kind.startswith("application/papermill.record/") for kind in kinds)
