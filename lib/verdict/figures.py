"""Figures of the last chapter: the settings side by side, and what predicts in each of them."""

from __future__ import annotations

from collections.abc import Sequence

from matplotlib.axes import Axes
from matplotlib.figure import Figure

from lib.base import style
from lib.verdict import robustness, rule, settings
from lib.verdict.settings import Settings

_LOOKS = {"measure": style.SERIES[1], "rival": style.SERIES[0], "baseline": style.SERIES[2]}


def forest(every: Settings, stamp: str) -> Figure:
    """Mean tau-b of every setting's headline with its interval, and of the four together."""
    lines = {one.part: one.found for one in every.values()}
    lines["the four real settings"] = settings.together(settings.four(every))
    fig, ax = style.figure(height=0.55 * len(lines) + 1.2)
    missing = {"bbox": {"color": "white"}, "color": style.PALETTE["grey"], "ha": "center", "va": "center"}
    for place, found in zip(reversed(range(len(lines))), lines.values()):
        if found:
            _line(ax, place, found)
        else:
            ax.text(0, place, "not recorded", **missing)
    ax.axvline(0, color=style.PALETTE["grey"], linewidth=1)
    ax.set_yticks(range(len(lines)), list(lines)[::-1])
    ax.set(xlim=(-1.02, 1.02), ylim=(-0.6, len(lines) - 0.4), xlabel="mean Kendall $\\tau_b$")
    return style.stamp(fig, stamp)


def _line(ax: Axes, place: int, found: rule.Evidence) -> None:
    """Interval, mean and p at a height; the lowest line is the one of all settings."""
    colour, marker, size, width = ("blue", "o", 6, 1.6) if place else ("black", "D", 8, 2.5)
    if found.interval:
        ends = [found.interval.low, found.interval.high]
        ax.plot(ends, [place, place], color=style.PALETTE[colour], linewidth=width)
    ax.plot(found.tau, place, marker, color=style.PALETTE[colour], markersize=size)
    text = f"p {rule.short(found.p)}\n{rule.correlation(found)}"
    ax.text(1.06, place, text, va="center", fontsize=style.SMALLEST)


def predictors(scores: Sequence[robustness.Score], stamp: str) -> Figure:
    """Every predictor in every setting: mean tau-b and its 95 % interval over sources."""
    shown = list(dict.fromkeys(score.setting.key for score in scores))
    names = list(robustness.PREDICTORS)[::-1]
    fig, axes = style.figure(1, max(1, len(shown)), sharey=True, squeeze=False, height=5.2)
    for ax, key in zip(axes[0], shown):
        for score in [score for score in scores if score.setting.key == key]:
            place, look = names.index(score.predictor), _LOOKS[score.kind]
            ax.plot([score.tau.low, score.tau.high], [place, place], color=look["color"], linewidth=1.2)
            ax.plot(score.tau.value, place, look["marker"], color=look["color"], markersize=6)
            ax.set_title(score.setting.title.replace(", ", "\n"))
        ax.axvline(0, color=style.PALETTE["grey"], linewidth=1)
        ax.set(xlim=(-1.05, 1.05), xlabel="mean $\\tau_b$")
    axes[0, 0].set_yticks(range(len(names)), [name + "*" * (name in robustness.MEANS) for name in names])
    for kind, look in _LOOKS.items():
        axes[0, 0].plot([], [], look["marker"], color=look["color"], label=kind)
    fig.legend(*axes[0, 0].get_legend_handles_labels(), loc="outside upper center", ncols=3)
    return style.stamp(fig, f"{stamp} · * {'; '.join(map(robustness.label, robustness.MEANS))}")
