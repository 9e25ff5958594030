"""Figures of the chapter "Definitions"."""

from __future__ import annotations

import statistics
from collections.abc import Mapping, Sequence
from typing import Any

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from torch import Tensor

from lib.base import style

_BLUE, _RED, _GREEN, _BLACK, _GREY = (
    style.PALETTE[name] for name in ("blue", "vermilion", "green", "black", "grey")
)


def key_variables(at: Mapping[str, Any], caption: str) -> Figure:
    """Figure 1 of the paper, from two networks R^2 -> R^2: attacks, their images, and A between them."""
    fig, (inputs, source, target) = style.figure(1, 3, height=3.9)
    _outline(inputs, at["circle"], "inputs: the unit ball")
    _arrow(inputs, at["attack_source"], _BLUE, r"$\delta_S$", "-")
    _arrow(inputs, at["attack_target"], _RED, r"$\delta_T$", "--")
    _outline(source, at["image_source"], "outputs of $f_S$")
    _arrow(source, at["source_own"], _BLUE, r"$\Delta_S = J_S\delta_S$", "-")
    _outline(target, at["image_target"], "outputs of $f_T$")
    _arrow(target, at["target_own"], _RED, r"$J_T\delta_T$", "--")
    _arrow(target, at["target_moved"], _BLUE, r"$\Delta_T = J_T\delta_S$", "-")
    _arrow(target, at["aligned"], _GREEN, r"$A\Delta_S$", ":")
    for ax in (inputs, source, target):
        ax.legend(loc="upper center", bbox_to_anchor=(0.5, -0.12))
    return style.stamp(fig, caption)


def _outline(ax: Axes, curve: Tensor, title: str) -> None:
    x, y = curve.cpu().T
    ax.fill(x, y, color=_GREY, alpha=0.12, linewidth=0)
    ax.plot(x, y, color=_GREY, linewidth=1)
    reach = 1.15 * float(curve.abs().max())
    ax.set(title=title, xlim=(-reach, reach), ylim=(-reach, reach), aspect="equal")
    ax.plot(0, 0, ".", color=_BLACK)


def _arrow(ax: Axes, end: Tensor, colour: str, label: str, line: str) -> None:
    """An arrow from the origin; an empty line beside it carries the label into the legend."""
    look: dict[str, Any] = {"color": colour, "linewidth": 1.8, "linestyle": line}
    head = {"arrowstyle": "-|>", "shrinkA": 0, "shrinkB": 0}
    ax.annotate("", (float(end[0]), float(end[1])), (0, 0), arrowprops=look | head)
    ax.plot([], [], label=label, **look)


def tangents(rows: Sequence[Mapping[str, Any]], caption: str) -> Figure:
    """The tangent attack beside the exact one over epsilon: what it reaches, and how far it errs."""
    fig, (left, right) = style.figure(1, 2, height=3.5)
    radius = [row["epsilon"] for row in rows]
    panels = (
        (left, "gain", "reached / reached by the exact attack"),
        (right, "bend", r"$|f_T(x+\delta)-f_T(x)-J_T\delta|\;/\;|J_T\delta|$"),
    )
    for ax, name, label in panels:
        low, middle, high = zip(*(_quantiles(row[name]) for row in rows))
        style.band(ax, radius, low, middle, high, label="median, 5 to 95 %", **style.series(0))
        ax.set(xscale="log", xlabel=r"radius $\varepsilon$", ylabel=label)
    left.set_ylim(0, 1.05)
    right.set_yscale("log")
    left.legend(loc="lower left")
    return style.stamp(fig, caption)


def _quantiles(values: Tensor) -> tuple[float, float, float]:
    low, middle, high = (values.quantile(share).item() for share in (0.05, 0.5, 0.95))
    return low, middle, high


def companions(rows: Sequence[Mapping[str, Any]], caption: str) -> Figure:
    """tau2, its split-half value and its nulls, one dot a pair, by perturbation; last, unrelated pairs."""
    fig, ax = style.figure(height=4.0)
    groups = list(dict.fromkeys(row["t"] for row in rows))
    names = {
        "tau2": r"$\tau_2$",
        "split_half": r"$\tau_2$, split half",
        "null_kept": "null, signs kept",
        "null_random": "null, random signs",
        "tau1": r"$\tau_1$",
    }
    for i, (name, label) in enumerate(names.items()):
        look = style.series(i)
        for g, t in enumerate(groups):
            values = [row[name] for row in rows if row["t"] == t]
            at = g + 0.16 * (i - 2)
            ax.plot(
                [at] * len(values),
                values,
                look["marker"],
                color=look["color"],
                alpha=0.5,
                label="_" if g else label,
            )
            ax.plot([at - 0.06, at + 0.06], [statistics.median(values)] * 2, color=_BLACK)
    ax.set_xticks(range(len(groups)), ["unrelated" if t is None else f"t = {t:g}" for t in groups])
    ax.set(ylim=(-0.02, 1.02), ylabel="value")
    ax.grid(axis="x", visible=False)
    fig.legend(loc="outside upper center", ncols=5, columnspacing=1.0)
    return style.stamp(fig, caption)


def projections(rows: Sequence[Mapping[str, Any]], caption: str) -> Figure:
    """Singular values of B*, A and the clipped map, in units of the radius r, and the share each explains."""
    fig, (left, right) = style.figure(1, 2, height=3.5, width_ratios=(3, 2))
    names = {"best": "$B^*$", "rescaled": r"$A = \psi B^*$", "clipped": "clipped at $r$"}
    for i, (name, label) in enumerate(names.items()):
        look = style.series(i)
        for g, row in enumerate(rows):
            values = [value / row["radius"] for value in row[name]["values"]]
            at = g + 0.2 * (i - 1)
            left.plot(
                [at] * len(values), values, look["marker"], color=look["color"], label="_" if g else label
            )
        shares = [row[name]["share"] for row in rows]
        right.plot(range(len(rows)), shares, label=label, **look)
    left.axhline(1, color=_GREY, linestyle="--")
    left.set(ylabel="singular values / r", ylim=(0, None))
    right.set(ylabel=r"explained share of $\|\Delta_T\|_D^2$")
    for ax in (left, right):
        ax.set_xticks(range(len(rows)), [f"t = {row['t']:g}" for row in rows])
        ax.grid(axis="x", visible=False)
    right.legend()
    return style.stamp(fig, caption)
