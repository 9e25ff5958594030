"""What the figures of several experiments have in common."""

from __future__ import annotations

from typing import Any

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from torch import Tensor

from lib.base import style

DASHES = (":", "--")  # of the lines that say what nothing would give


def legend(fig: Figure, ax: Axes, ncols: int) -> None:
    """The legend of one panel, above all of them."""
    handles, labels = ax.get_legend_handles_labels()
    fig.legend(handles, labels, loc="outside upper center", ncols=ncols)


def points(index: int) -> dict[str, Any]:
    """The look of the index-th series without its line."""
    return style.series(index) | {"linestyle": "none"}


def stretched(values: Tensor) -> Tensor:
    """Values (n,) with the lowest at 0 and the highest at 1: the form of the paper's figures."""
    return (values - values.min()) / (values.max() - values.min()).clamp(min=1e-12)
