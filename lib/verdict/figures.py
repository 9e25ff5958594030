"""Figures of the last chapter: the settings side by side, and what predicts in each of them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from matplotlib.figure import Figure

from lib.base import style
from lib.verdict import empirical, pooled, rivals, rule, settings

_LOOKS = {"measure": style.SERIES[1], "rival": style.SERIES[0], "baseline": style.SERIES[2]}


def forest(runs: Mapping[str, Any], stamp: str) -> Figure:
    """Mean tau-b of every setting's headline with its interval, and of the four together."""
    lines: list[tuple[str, rule.Evidence | None]] = []
    for setting in settings.SETTINGS:
        run = runs[setting.key]
        found = empirical.evidence(setting, run, *setting.headline) if run else None
        lines.append((f"{setting.section} {setting.title}", found[0] if found else None))
    lines.append(("the four real settings", pooled.together(runs, settings.FOUR)))
    fig, ax = style.figure(height=0.55 * len(lines) + 1.2)
    for row, (_, one) in enumerate(lines):
        place = len(lines) - 1 - row
        last = row == len(lines) - 1
        colour = style.PALETTE["black" if last else "blue"]
        if one is None:
            ax.text(
                0,
                place,
                "not recorded",
                color=style.PALETTE["grey"],
                ha="center",
                va="center",
                bbox={"color": "white"},
            )
            continue
        if one.interval:
            ax.plot(
                [one.interval.low, one.interval.high],
                [place, place],
                color=colour,
                linewidth=2.5 if last else 1.6,
            )
        ax.plot(one.tau, place, "D" if last else "o", color=colour, markersize=8 if last else 6)
        ax.text(
            1.06,
            place,
            f"p {rule.short(one.p)}\n{rule.correlation(one)}",
            va="center",
            fontsize=style.SMALLEST,
        )
    ax.axvline(0, color=style.PALETTE["grey"], linewidth=1)
    ax.set_yticks(range(len(lines)), [name for name, _ in lines][::-1])
    ax.set(xlim=(-1.02, 1.02), ylim=(-0.6, len(lines) - 0.4), xlabel="mean Kendall $\\tau_b$")
    return style.stamp(fig, stamp)


def predictors(scores: Sequence[rivals.Score], stamp: str) -> Figure:
    """Every predictor in every setting: mean tau-b and its 95 % interval over sources."""
    shown = list(dict.fromkeys(score.setting.key for score in scores))
    names = list(rivals.PREDICTORS)
    fig, axes = style.figure(1, max(1, len(shown)), sharey=True, squeeze=False, height=5.2)
    for ax, key in zip(axes[0], shown):
        for score in scores:
            if score.setting.key == key:
                place, look = len(names) - 1 - names.index(score.predictor), _LOOKS[score.kind]
                ax.plot([score.tau.low, score.tau.high], [place, place], color=look["color"], linewidth=1.2)
                ax.plot(score.tau.value, place, look["marker"], color=look["color"], markersize=6)
                ax.set_title(score.setting.title.replace(", ", "\n"))
        ax.axvline(0, color=style.PALETTE["grey"], linewidth=1)
        ax.set(xlim=(-1.05, 1.05), xlabel="mean $\\tau_b$")
    titles = [name + ("*" if name in rivals.MEANS else "") for name in names]
    axes[0, 0].set_yticks(range(len(names)), titles[::-1])
    for kind, look in _LOOKS.items():
        axes[0, 0].plot([], [], look["marker"], color=look["color"], label=kind)
    fig.legend(*axes[0, 0].get_legend_handles_labels(), loc="outside upper center", ncols=3)
    return style.stamp(fig, f"{stamp} · * {'; '.join(map(rivals.label, rivals.MEANS))}")
