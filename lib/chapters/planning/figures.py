"""Figures of `book/cluster.md`: when a run would be done, and what early stopping risks."""

from __future__ import annotations

from collections.abc import Sequence

from matplotlib.figure import Figure
from matplotlib.ticker import NullFormatter

from lib.base import style
from lib.chapters.planning.halving import Kept
from lib.chapters.planning.schedule import Schedule


def makespans(found: Sequence[tuple[int, Schedule]], stamp: str) -> Figure:
    """Hours until all is done against the number of workers, beside the least possible."""
    fig, ax = style.figure()
    workers = [count for count, _ in found]
    ax.plot(workers, [each.makespan for _, each in found], label="schedule", **style.series(0))
    ax.plot(workers, [each.bound for _, each in found], label="least possible", **style.series(1))
    ax.set(xscale="log", yscale="log", xlabel="workers, one device each", ylabel="hours until all is done")
    ax.set_xticks(workers, [str(count) for count in workers])
    ax.yaxis.set_minor_formatter(NullFormatter())
    marks = [mark for power in range(7) for mark in (10**power, 2 * 10**power, 5 * 10**power)]
    low, high = ax.get_ylim()
    ax.set_yticks(inside := [mark for mark in marks if low <= mark <= high], [f"{m:,}" for m in inside])
    ax.set_xticks([], minor=True)
    ax.legend()
    return style.stamp(fig, stamp)


def halving(
    noises: Sequence[float], halved: Sequence[Kept], whole: Sequence[Kept], marks: Sequence[float], stamp: str
) -> Figure:
    """How often the best is chosen, and how far the chosen falls short, against the noise of a measurement.

    `marks` are the noises that were seen in a recorded run, a target each.
    """
    fig, axes = style.figure(1, 2)
    for ax, field, label in zip(
        axes, ("best", "shortfall"), ("how often the best is chosen", "mean shortfall of the chosen")
    ):
        for i, (name, found) in enumerate((("successive halving", halved), ("all, on all samples", whole))):
            ax.plot(noises, [getattr(each, field) for each in found], label=name, **style.series(i))
        for mark in marks:
            named = {"label": "tau1 between seeds, a target each"} if mark == marks[0] else {}
            ax.axvline(mark, color=style.PALETTE["grey"], linestyle=":", **named)
        ax.set(xscale="log", xlabel="noise over spread", ylabel=label, ylim=(0, None))
    axes[1].legend()
    return style.stamp(fig, stamp)
