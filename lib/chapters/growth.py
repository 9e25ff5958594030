"""The figure of `book/benchmarks.md`: how seconds grow with size."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from matplotlib.figure import Figure

from lib.base import style


def growth(curves: Mapping[str, Sequence[tuple[float, float]]], stamp: str) -> Figure:
    """Seconds against size, both over their first value, a line for each of `curves`: name -> points.

    Raises:
        ValueError: there is no curve.
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
