"""Figures of the chapters "Theorem 1" to "Theorem 3"."""

from __future__ import annotations

import statistics
from collections.abc import Mapping, Sequence
from typing import Any

from matplotlib.axes import Axes
from matplotlib.figure import Figure

from lib.base import style
from lib.engine.results import Result
from lib.theory.counterexamples import Search

_GREY, _BLUE, _RED, _GREEN, _BLACK = (
    style.PALETTE[name] for name in ("grey", "blue", "vermilion", "green", "black")
)
FORMS = {
    "lipschitz": "Lipschitz form, 5",
    "paper": "full form, 5",
    "constant_two": "full form, 2",
    "minkowski": r"$(\sqrt{M}+\sqrt{Y^2})^2$",
    "pointwise": "pointwise (R)",
}


def gradients(triangle: Mapping[str, float], slopes: Mapping[str, Any], caption: str) -> Figure:
    """Theorem 1: the gradients at one point, and E|grad f_T - a grad f_S|^2 over slopes a."""
    fig, (left, right) = style.figure(1, 2, height=3.8)
    _triangle(left, triangle)
    right.plot(slopes["slope"], slopes["loss"], color=_BLUE, label="distance for slope a")
    right.axhline(slopes["exact"], color=_RED, linestyle="--", label=r"$E[(1-\tau_1(x)\tau_2)\,\sigma_T^2]$")
    right.plot([slopes["alignment"]], [slopes["exact"]], "o", color=_BLACK, label="A, from the attacks")
    right.set(xlabel="slope a", ylabel="squared distance of gradients", ylim=(0, 1.5 * max(slopes["loss"])))
    right.legend(loc="upper center")
    return style.stamp(fig, caption)


def _triangle(ax: Axes, at: Mapping[str, float]) -> None:
    """The target's gradient against the source's: what lies across is missed, what lies along is fitted."""
    along, across, fitted = at["along"], at["across"], at["fitted"]
    ax.plot([fitted, along], [0, 0], color=_RED, linewidth=6, alpha=0.35, solid_capstyle="butt")
    ax.plot([along, along], [0, across], ":", color=_RED)
    _arrow(ax, (fitted, 0), _GREEN, r"$A\,\nabla f_S$", (-30, 8), 5)
    _arrow(ax, (at["source"], 0), _BLACK, r"$\nabla f_S$", (-8, -16), 1.5)
    _arrow(ax, (along, across), _BLUE, r"$\nabla f_T$", (-34, 2), 2)
    for text, where, offset in (
        (r"angle: $\tau_1$", (along, across / 2), (5, 0)),
        (r"length: $\tau_2$", ((along + fitted) / 2, 0), (-14, -32)),
    ):
        ax.annotate(text, where, offset, textcoords="offset points", color=_RED)
    ax.set(
        xlabel=r"along $\nabla f_S$", ylabel="across", xlim=(-0.1, 1.35 * max(along, fitted, at["source"]))
    )
    ax.set_ylim(-0.5 * across, 1.4 * across)


def _arrow(
    ax: Axes, end: tuple[float, float], colour: str, label: str, offset: tuple[int, int], width: float
) -> None:
    ax.annotate("", end, (0, 0), arrowprops={"arrowstyle": "-|>", "color": colour, "linewidth": width})
    ax.annotate(label, end, offset, textcoords="offset points", color=colour)


def failing_step(turn: Mapping[str, Any], family: Mapping[str, Sequence[float]], caption: str) -> Figure:
    """Theorem 2: X3 against its two printed bounds at one point; (13), (14) and the theorem over eta."""
    fig, (left, right) = style.figure(1, 2, height=3.8)
    left.plot(turn["degrees"], turn["third"], color=_BLUE, label=r"$X_3$")
    left.axhline(turn["first_bound"], color=_GREEN, linestyle="-.", label="its first bound (true)")
    left.axhline(turn["second_bound"], color=_RED, linestyle="--", label="its second bound (false)")
    left.set(
        xlabel=r"angle between $t$ and $v_T$ (degrees)", ylabel=r"$X_3$", ylim=(0, 1.5 * turn["first_bound"])
    )
    left.legend(loc="upper left")
    lines = [
        ("line_13", "(13)"),
        ("line_14", r"(14), claimed $\geq$ (13)"),
        ("rhs", r"$5\,(M + Y^2)$"),
        ("rhs_two", r"$2\,(M + Y^2)$"),
        ("lhs", "left-hand side"),
    ]
    for i, (name, label) in enumerate(lines):
        right.loglog(family["eta"], family[name], label=label, **style.series(i))
    right.set(xlabel=r"$\eta$, weight of the second point", ylabel="value")
    right.legend(loc="upper left")
    return style.stamp(fig, caption)


def climbs(searches: Mapping[str, Search], limits: Mapping[str, float], caption: str) -> Figure:
    """The search's ratio along every climb, one panel a kind, with the constant that was proved."""
    fig, axes = style.figure(1, len(searches), height=3.8, squeeze=False)
    for ax, (kind, found) in zip(axes.flat, searches.items()):
        steps = range(1, found.trace.shape[1] + 1)
        ax.plot(steps, found.trace.T, color=_BLUE, alpha=0.25, linewidth=0.7)
        best = found.trace.nan_to_num(0).amax(0).cummax(0).values
        ax.plot(steps, best, color=_BLACK, label=f"best so far: {found.best_ratio:.4f}")
        ax.axhline(limits[kind], color=_RED, linestyle="--", label=f"proved: at most {limits[kind]:g}")
        ax.set(
            title=f"{kind.capitalize()} form",
            xlabel="step",
            ylabel="left-hand side / bracket",
            ylim=(0, None),
        )
        ax.legend(loc="lower right")
    return style.stamp(fig, caption)


def tightness(result: Result) -> Figure:
    """Right-hand sides over the left-hand side of Theorem 2, one dot a pair of networks, by perturbation."""
    ts = sorted({r["perturbation"] for r in result.records})
    fig, axes = style.figure(1, len(ts), height=4.2, sharey=True, squeeze=False)
    for ax, t in zip(axes.flat, ts):
        rows = [r for r in result.records if r["perturbation"] == t]
        for i, form in enumerate(FORMS):
            ratios = [r["rhs"][form] / r["lhs"] for r in rows]
            look = style.series(i)
            ax.plot([i] * len(ratios), ratios, look["marker"], color=look["color"], alpha=0.45)
            ax.plot([i - 0.3, i + 0.3], [statistics.median(ratios)] * 2, color=_BLACK, linewidth=2)
        ax.axhline(1, color=_GREY, linestyle="--")
        ax.set(yscale="log", title=f"t = {t:g}")
        ax.set_xticks(range(len(FORMS)), FORMS.values(), rotation=60, ha="right")
        ax.grid(axis="x", visible=False)
    axes.flat[0].set_ylabel("bound / left-hand side")
    return style.stamp(fig, result.caption)


def bends(points: Mapping[str, Mapping[str, Sequence[float]]], caption: str) -> Figure:
    """Lemma 1: what the linear part leaves of v, over |x|^2, and the lines it may not cross."""
    fig, ax = style.figure(height=4.0)
    for (label, one), look in zip(points.items(), style.SERIES):
        squares = [length**2 for length in one["length"]]
        ax.loglog(squares, one["rest"], look["marker"], color=look["color"], alpha=0.5, label=label)
    squares = [length**2 for one in points.values() for length in one["length"]]
    ends = [min(squares), max(squares)]
    ax.loglog(ends, ends, "--", color=_RED, label=r"Lemma 1: $\beta_1|x|^2$")
    ax.loglog(ends, [e / 2 for e in ends], "-", color=_BLACK, label=r"integral form: $\beta_1|x|^2/2$")
    ax.set(xlabel=r"$|x|^2$", ylabel=r"$|v(x) - v(0) - J_v(x)x| \;/\; \beta_1$")
    ax.legend()
    return style.stamp(fig, caption)


def radii(rows: Sequence[Mapping[str, Any]], caption: str) -> Figure:
    """Theorem 3 over the radius of the data: the loss, the part that gradients explain, and the bounds."""
    fig, ax = style.figure(height=4.2)
    radius = [row["radius"] for row in rows]
    lines = [
        ("bound as printed, for |x| ≤ R", [row["rhs"]["paper"] for row in rows]),
        (r"with half of $\beta$", [row["rhs"]["half_beta"] for row in rows]),
        ("its gradient term alone", [row["gradient_term"] for row in rows]),
        (r"loss of $g \circ f_S$", [row["loss"] for row in rows]),
        ("loss of the best affine g", [row["refit_loss"] for row in rows]),
    ]
    for i, (label, values) in enumerate(lines):
        ax.loglog(radius, values, label=label, **style.series(i))
    ax.set(xlabel="radius R of the data, max |x|", ylabel="squared loss")
    ax.legend()
    return style.stamp(fig, caption)
