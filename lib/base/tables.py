"""A small table that reads well in a page, in a terminal and in a README."""

from __future__ import annotations

import html
import math
import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any


def number(value: Any, digits: int = 3) -> str:
    """`value` as a reader wants it: `digits` significant ones, powers of ten only when they help.

    Strings and integers pass through; None and NaN become an en dash, booleans yes or no.
    """
    if value is None or (isinstance(value, float) and math.isnan(value)):
        return "–"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, int):
        return f"{value:,}"
    if not isinstance(value, float):
        return str(value)
    if value == 0 or math.isinf(value):
        return f"{value:g}"
    exponent = math.floor(math.log10(abs(value)))
    if -4 <= exponent < 6:
        return f"{value:,.{max(digits - 1 - exponent, 0)}f}"
    mantissa, power = f"{value:.{digits - 1}e}".split("e")
    return f"{mantissa}e{int(power)}"


def _rich(text: str) -> str:
    r"""HTML of a cell: escaped, `code` and τ_b set, `$...$` as the span that a page's MathJax looks for."""
    text = html.escape(text, quote=False)
    text = re.sub(r"`([^`]+)`", r"<code>\1</code>", text).replace("τ_b", "τ<sub>b</sub>")
    return re.sub(r"\$([^$]+)\$", r'<span class="math notranslate nohighlight">\\(\1\\)</span>', text)


@dataclass(frozen=True)
class Table:
    """Columns and rows; floats are formatted by `number`, a mathematical cell is `$...$`.

    A notebook shows HTML (which MathJax reads and a phone can scroll sideways), a terminal and a
    README show markdown. `note` goes below the rows: preset, data, seeds, device.

    Raises:
        ValueError: a row has another length than `columns`.
    """

    columns: Sequence[str]
    rows: Sequence[Sequence[Any]]
    caption: str = ""
    note: str = ""
    digits: int = 3

    def __post_init__(self) -> None:
        for i, row in enumerate(self.rows):
            if len(row) != len(self.columns):
                raise ValueError(
                    f"row {i} has {len(row)} cells, the table has {len(self.columns)} columns: give one each"
                )

    def _cells(self) -> list[list[str]]:
        return [[number(cell, self.digits) for cell in row] for row in self.rows]

    def _numeric(self) -> list[bool]:
        """Which columns hold numbers only (and gaps): those are set flush right."""
        return [
            any(isinstance(row[j], int | float) for row in self.rows)
            and all(row[j] is None or isinstance(row[j], int | float) for row in self.rows)
            for j in range(len(self.columns))
        ]

    def _repr_html_(self) -> str:
        sides = ["right" if numeric else "left" for numeric in self._numeric()]

        def line(tag: str, cells: Sequence[str]) -> str:
            return "".join(
                f'<{tag} class="text-{side}">{_rich(cell)}</{tag}>'
                for cell, side in zip(cells, sides, strict=True)
            )

        caption = f"<caption>{_rich(self.caption)}</caption>" if self.caption else ""
        body = "".join(f"<tr>{line('td', row)}</tr>" for row in self._cells())
        note = f'<p class="table-note">{_rich(self.note)}</p>' if self.note else ""
        return (
            f'<div class="table-scroll" tabindex="0"><table class="table lib-table">{caption}'
            f"<thead><tr>{line('th', self.columns)}</tr></thead><tbody>{body}</tbody></table></div>{note}"
        )

    def _repr_markdown_(self) -> str:
        def line(cells: Sequence[str]) -> str:
            return "| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |"

        rule = line(["---:" if numeric else "---" for numeric in self._numeric()])
        parts = [line(self.columns), rule, *map(line, self._cells())]
        if self.caption:
            parts = [f"**{self.caption}**", "", *parts]
        if self.note:
            parts += ["", f"*{self.note}*"]
        return "\n".join(parts)

    def __str__(self) -> str:
        return self._repr_markdown_()
