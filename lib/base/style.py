"""One look for every figure: size, fonts, a palette safe for colour-blind readers, and the stamp.

Colour is never the only cue: `series(i)` gives colour, line style and marker together. The background is
white even on a dark page, so that the chosen contrasts hold in both.
"""

from __future__ import annotations

import textwrap
from typing import Any

import matplotlib.pyplot as plt
from matplotlib.axes import Axes
from matplotlib.figure import Figure

# Okabe and Ito's palette (2008). Yellow is left out of SERIES: it is too faint for a line on white.
PALETTE = {
    "black": "#000000",
    "orange": "#E69F00",
    "sky": "#56B4E9",
    "green": "#009E73",
    "yellow": "#F0E442",
    "blue": "#0072B2",
    "vermilion": "#D55E00",
    "purple": "#CC79A7",
    "grey": "#595959",
}

SERIES: tuple[dict[str, Any], ...] = (
    {"color": PALETTE["blue"], "linestyle": "-", "marker": "o"},
    {"color": PALETTE["vermilion"], "linestyle": "--", "marker": "s"},
    {"color": PALETTE["green"], "linestyle": "-.", "marker": "^"},
    {"color": PALETTE["black"], "linestyle": ":", "marker": "D"},
    {"color": PALETTE["purple"], "linestyle": (0, (5, 1, 1, 1, 1, 1)), "marker": "v"},
    {"color": PALETTE["orange"], "linestyle": (0, (8, 2)), "marker": "P"},
    {"color": PALETTE["sky"], "linestyle": (0, (3, 1)), "marker": "X"},
)

SMALLEST = 9  # points; nothing in a figure is set smaller

RC: Any = {
    "figure.dpi": 144,  # sharp at the width of a page (about 750 CSS pixels) and on a phone
    "savefig.dpi": 144,
    "figure.facecolor": "white",
    "savefig.facecolor": "white",
    "font.size": 10,
    "axes.titlesize": 10.5,
    "axes.labelsize": 10,
    "legend.fontsize": SMALLEST,
    "xtick.labelsize": SMALLEST,
    "ytick.labelsize": SMALLEST,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.grid": True,
    "axes.axisbelow": True,
    "grid.color": "#DDDDDD",
    "grid.linewidth": 0.6,
    "lines.linewidth": 1.6,
    "lines.markersize": 4.5,
    "legend.frameon": False,
    "legend.handlelength": 2.8,  # long enough to tell the line styles apart
    "image.cmap": "viridis",
}


def figure(
    rows: int = 1, cols: int = 1, *, width: float = 7.0, height: float | None = None, **kwargs: Any
) -> tuple[Figure, Any]:
    """A figure in the book's style and its axes, shaped as `plt.subplots` shapes them.

    `width` and `height` are inches; the height defaults to 4 for one row and 2.3 a row for more. Further
    keywords go to `plt.subplots` (sharex, width_ratios, subplot_kw, ...). The layout is constrained.

    The style is set for the process rather than in a context: legends and ticks read it when they are made,
    which is after this function has returned. The figure is closed to pyplot, so that a notebook shows it
    once, where the cell names it; it can still be drawn on, displayed and saved.
    """
    if rows < 1 or cols < 1:
        raise ValueError(f"rows and cols must be at least 1, got {rows} and {cols}")
    plt.rcParams.update(RC)
    size = (width, height if height is not None else (4.0 if rows == 1 else 2.3 * rows))
    fig, axes = plt.subplots(rows, cols, figsize=size, layout="constrained", **kwargs)
    plt.close(fig)
    return fig, axes


def series(index: int, *, markevery: int | None = None) -> dict[str, Any]:
    """Keywords for `ax.plot`: colour, line style and marker of the index-th series, 0 to 6."""
    if not 0 <= index < len(SERIES):
        raise ValueError(f"series must be in 0..{len(SERIES) - 1}, got {index}: split the figure instead")
    look = dict(SERIES[index])
    if markevery is not None:
        look["markevery"] = markevery
    return look


def band(ax: Axes, x: Any, low: Any, middle: Any, high: Any, *, label: str = "", **look: Any) -> None:
    """A line through `middle` with a shaded band from `low` to `high`; `look` as from `series`."""
    ax.plot(x, middle, label=label, **look)
    ax.fill_between(x, low, high, color=look.get("color"), alpha=0.18, linewidth=0)


def stamp(fig: Figure, text: str) -> Figure:
    """Print preset, data, seeds and device under the figure, small, in a strip kept free for it."""
    if not text.strip():
        raise ValueError("the stamp is empty: pass result.caption, so that the figure says what it shows")
    width, height = fig.get_size_inches()
    lines = textwrap.wrap(text, width=int(13.5 * width))  # characters of 9 pt that fit an inch
    strip = (0.16 * len(lines) + 0.06) / height
    engine = fig.get_layout_engine()
    if engine is not None and hasattr(engine, "set"):
        engine.set(rect=(0, strip, 1, 1 - strip))  # type: ignore[call-arg]
    fig.text(0.01, 0.01, "\n".join(lines), fontsize=SMALLEST, color=PALETTE["grey"], va="bottom", ha="left")
    return fig


def bare(ax: Axes) -> None:
    """Take ticks, grid and frame away: for pictures."""
    ax.set(xticks=[], yticks=[])
    ax.grid(False)
    ax.spines[:].set_visible(False)
