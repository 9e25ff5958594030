"""Figures of a ranking: intervals of ranks, and how often the order is right."""

from __future__ import annotations

from matplotlib.figure import Figure

from lib.base import style
from lib.base.tables import Table
from lib.ranking.measures import TITLES
from lib.ranking.result import Findings


def ranks(ranking: Findings) -> Figure:
    """Each model's interval of ranks by each measure; 1, on the left, is the best."""
    shown = [measure for measure, spread in ranking.spreads.items() if spread is not None]
    names = ranking.names[: len(style.SERIES)]
    step = 0.8 / max(1, len(names))
    fig, ax = style.figure(height=0.42 * len(shown) + 1.6)
    for i, name in enumerate(names):
        look = style.series(i)
        for j, measure in enumerate(shown):
            low, high = ranking.interval(name, measure) or (0, 0)
            y = j + step * (i - (len(names) - 1) / 2)
            ax.plot([low, high], [y, y], color=look["color"], linestyle="-", linewidth=1.2)
            whole, label = 1 + ranking.order(measure).index(name), name if j == 0 else None
            ax.plot(whole, y, color=look["color"], marker=look["marker"], linestyle="", label=label)
    ax.set(yticks=range(len(shown)), yticklabels=[TITLES[m] for m in shown])
    ax.set(xticks=range(1, len(ranking.found) + 1), xlabel="rank (1 is the best)")
    ax.invert_yaxis()
    ax.grid(axis="y", visible=False)
    fig.legend(loc="outside upper center", ncols=min(3, len(names)))
    return style.stamp(fig, caption(ranking))


def agreement(table: Table, text: str) -> Figure:
    """Pairs in the right order, by measure, from `Ranking.agreement`; the line is guessing."""
    at = list(table.columns).index("pairs right, resampled")
    rows = sorted(table.rows, key=lambda row: -row[at])
    fig, ax = style.figure(height=0.3 * len(rows) + 1.4)
    for y, row in enumerate(rows):
        ax.plot([0.5, row[at]], [y, y], color=style.PALETTE["grey"], linewidth=1)
        ax.plot(row[at], y, color=style.PALETTE["blue"], marker="o", linestyle="")
        open_square = {"marker": "s", "markerfacecolor": "none", "linestyle": ""}
        ax.plot(row[at - 1], y, color=style.PALETTE["vermilion"], **open_square)
    ax.axvline(0.5, color=style.PALETTE["black"], linestyle=":")
    ax.set(yticks=range(len(rows)), yticklabels=[row[0] for row in rows], xlim=(-0.03, 1.03))
    ax.set_xlabel("pairs in the right order: filled over resamples, open on all samples, dotted guessing")
    ax.invert_yaxis()
    return style.stamp(fig, text)


def caption(ranking: Findings) -> str:
    """What the numbers of a ranking come from, for a stamp."""
    return f"{ranking.frame.samples} · reference: {ranking.frame.reference}"
