"""Figures of the theory chapters, from "Definitions" to "Theorem 3"."""

from __future__ import annotations

import statistics
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from torch import Tensor

from lib.base import style
from lib.engine.results import Result
from lib.theory.counterexamples import Search

_BLUE, _RED, _GREEN, _BLACK, _GREY = (
    style.PALETTE[name] for name in ("blue", "vermilion", "green", "black", "grey")
)
FORMS = {
    "lipschitz": "Lipschitz form, 5", "paper": "full form, 5", "constant_two": "full form, 2",
    "minkowski": r"$(\sqrt{M}+\sqrt{Y^2})^2$", "pointwise": "pointwise (R)",
}  # fmt: skip


def key_variables(at: Mapping[str, Any], caption: str) -> Figure:
    """Figure 1 of the paper, from two networks R^2 -> R^2: attacks, their images, and A between them."""
    fig, (inputs, source, target) = style.figure(1, 3, height=3.9)
    _outline(inputs, at["circle"], "inputs: the unit ball")
    _outline(source, at["image_source"], "outputs of $f_S$")
    _outline(target, at["image_target"], "outputs of $f_T$")
    arrows = {
        "attack_source": (inputs, _BLUE, r"$\delta_S$", "-"),
        "attack_target": (inputs, _RED, r"$\delta_T$", "--"),
        "source_own": (source, _BLUE, r"$\Delta_S = J_S\delta_S$", "-"),
        "target_own": (target, _RED, r"$J_T\delta_T$", "--"),
        "target_moved": (target, _BLUE, r"$\Delta_T = J_T\delta_S$", "-"),
        "aligned": (target, _GREEN, r"$A\Delta_S$", ":"),
    }
    for name, (ax, colour, label, line) in arrows.items():
        end = float(at[name][0]), float(at[name][1])
        _arrow(ax, end, color=colour, linewidth=1.8, linestyle=line, shrinkA=0, shrinkB=0)
        ax.plot([], [], label=label, color=colour, linewidth=1.8, linestyle=line)  # for the legend
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


def _arrow(ax: Axes, end: tuple[float, float], **look: Any) -> None:
    """From the origin."""
    ax.annotate("", end, (0, 0), arrowprops={"arrowstyle": "-|>", **look})


def tangents(rows: Sequence[Mapping[str, Any]], caption: str) -> Figure:
    """The tangent attack beside the exact one over epsilon: what it reaches, and how far it errs."""
    fig, (left, right) = style.figure(1, 2, height=3.5)
    radius = [row["epsilon"] for row in rows]
    away = r"$|f_T(x+\delta)-f_T(x)-J_T\delta|\;/\;|J_T\delta|$"
    for ax, name, label in ((left, "gain", "reached / reached by the exact attack"), (right, "bend", away)):
        low, middle, high = ([row[name].quantile(q).item() for row in rows] for q in (0.05, 0.5, 0.95))
        style.band(ax, radius, low, middle, high, label="median, 5 to 95 %", **style.series(0))
        ax.set(xscale="log", xlabel=r"radius $\varepsilon$", ylabel=label)
    left.set_ylim(0, 1.05)
    right.set_yscale("log")
    left.legend(loc="lower left")
    return style.stamp(fig, caption)


def companions(rows: Sequence[Mapping[str, Any]], caption: str) -> Figure:
    """tau2, its split-half value and its nulls, one dot a pair, by perturbation; last, unrelated pairs."""
    fig, ax = style.figure(height=4.0)
    groups = list(dict.fromkeys(row["t"] for row in rows))
    names = {
        "tau2": r"$\tau_2$", "split_half": r"$\tau_2$, split half", "null_kept": "null, signs kept",
        "null_random": "null, random signs", "tau1": r"$\tau_1$",
    }  # fmt: skip
    for i, (name, label) in enumerate(names.items()):
        for g, t in enumerate(groups):
            values = [row[name] for row in rows if row["t"] == t]
            _column(ax, g + 0.16 * (i - 2), values, i, label="_" if g else label, alpha=0.5)
            _bar(ax, g + 0.16 * (i - 2), values, 0.06)
    _columns(ax, ["unrelated" if t is None else f"t = {t:g}" for t in groups])
    ax.set(ylim=(-0.02, 1.02), ylabel="value")
    fig.legend(loc="outside upper center", ncols=5, columnspacing=1.0)
    return style.stamp(fig, caption)


def projections(rows: Sequence[Mapping[str, Any]], caption: str) -> Figure:
    """Singular values of B*, A and the clipped map, in units of the radius r, and the share each explains."""
    fig, (left, right) = style.figure(1, 2, height=3.5, width_ratios=(3, 2))
    names = {"best": "$B^*$", "rescaled": r"$A = \psi B^*$", "clipped": "clipped at $r$"}
    for i, (name, label) in enumerate(names.items()):
        for g, row in enumerate(rows):
            values = [value / row["radius"] for value in row[name]["values"]]
            _column(left, g + 0.2 * (i - 1), values, i, label="_" if g else label)
        shares = [row[name]["share"] for row in rows]
        right.plot(range(len(rows)), shares, label=label, **style.series(i))
    left.axhline(1, color=_GREY, linestyle="--")
    left.set(ylabel="singular values / r", ylim=(0, None))
    right.set(ylabel=r"explained share of $\|\Delta_T\|_D^2$")
    for ax in (left, right):
        _columns(ax, [f"t = {row['t']:g}" for row in rows])
    right.legend()
    return style.stamp(fig, caption)


def _column(ax: Axes, at: float, values: Sequence[float], index: int, **look: Any) -> None:
    """Marks above one another, in the colour of the index-th series."""
    own = style.series(index)
    ax.plot([at] * len(values), values, own["marker"], color=own["color"], **look)


def _bar(ax: Axes, at: float, values: Sequence[float], half: float, **look: Any) -> None:
    """A bar at the median."""
    ax.plot([at - half, at + half], [statistics.median(values)] * 2, color=_BLACK, **look)


def _columns(ax: Axes, names: Sequence[str], **look: Any) -> None:
    ax.set_xticks(range(len(names)), names, **look)
    ax.grid(axis="x", visible=False)


def closed_form(points: Mapping[str, Sequence[tuple[float, float]]], caption: str) -> Figure:
    """tau2 / R^2 over psi: the curve psi (2 - psi), and one dot a pair of networks."""
    fig, ax = style.figure(height=3.8)
    psi = np.linspace(0, 1, 101)
    ax.plot(psi, psi * (2 - psi), color=_BLACK, label=r"$\psi(2-\psi)$")
    for i, (label, pairs) in enumerate(points.items()):
        look = style.series(i)
        ax.plot(*zip(*pairs), look["marker"], color=look["color"], alpha=0.6, label=label)
    ax.set(xlabel=r"projection scale $\psi$", ylabel=r"$\tau_2 / R^2$", xlim=(0, 1.02), ylim=(0, 1.05))
    ax.legend(loc="lower right")
    return style.stamp(fig, caption)


def shrinking(rows: Sequence[Mapping[str, Any]], slopes: Mapping[str, float], caption: str) -> Figure:
    """Left: L_adv / eps^2 between the sides of Prop. 2. Right: the remainder, its bound, fitted slopes."""
    fig, (left, right) = style.figure(1, 2, height=3.8)
    columns = {name: np.array([row[name] for row in rows]) for name in rows[0]}
    epsilon = columns["epsilon"]
    sides = {"upper side": "upper", r"$L_{adv}$": "loss", "lower side": "lower"}
    _lines(left, epsilon, {label: columns[name] / epsilon**2 for label, name in sides.items()})
    left.set(ylabel=r"divided by $\varepsilon^2$")
    left.legend()
    rest = {
        r"$\beta L\varepsilon^3 + \beta^2\varepsilon^4/4$, proved": columns["allowed"],
        f"remainder, slope {slopes['remainder']:.2f}": columns["remainder"],
        f"mean of both signs, slope {slopes['both_signs']:.2f}": columns["both_signs"],
    }
    _lines(right, epsilon, rest, first=3)
    right.set(yscale="log", ylabel=r"$|L_{adv} - \varepsilon^2 E|J_T v_S|^2|$")
    right.set_ylim(columns["both_signs"].min() / 1e3)
    right.legend(loc="lower right")
    for ax in (left, right):
        ax.set(xscale="log", xlabel=r"radius $\varepsilon$")
    return style.stamp(fig, caption)


def _lines(ax: Axes, x: Any, lines: Mapping[str, Any], first: int = 0) -> None:
    """Named curves over x, each in a look of its own."""
    for i, (label, values) in enumerate(lines.items(), start=first):
        ax.plot(x, values, label=label, **style.series(i))


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
    for end, colour, label, offset, width in (
        ((fitted, 0), _GREEN, r"$A\,\nabla f_S$", (-30, 8), 5),
        ((at["source"], 0), _BLACK, r"$\nabla f_S$", (-8, -16), 1.5),
        ((along, across), _BLUE, r"$\nabla f_T$", (-34, 2), 2),
    ):
        _arrow(ax, end, color=colour, linewidth=width)
        ax.annotate(label, end, offset, textcoords="offset points", color=colour)
    for text, where, offset in (
        (r"angle: $\tau_1$", (along, across / 2), (5, 0)),
        (r"length: $\tau_2$", ((along + fitted) / 2, 0), (-14, -32)),
    ):
        ax.annotate(text, where, offset, textcoords="offset points", color=_RED)
    ax.set(xlabel=r"along $\nabla f_S$", ylabel="across", ylim=(-0.5 * across, 1.4 * across))
    ax.set_xlim(-0.1, 1.35 * max(along, fitted, at["source"]))


def failing_step(turn: Mapping[str, Any], family: Mapping[str, Sequence[float]], caption: str) -> Figure:
    """Theorem 2: X3 against its two printed bounds at one point; (13), (14) and the theorem over eta."""
    fig, (left, right) = style.figure(1, 2, height=3.8)
    left.plot(turn["degrees"], turn["third"], color=_BLUE, label=r"$X_3$")
    left.axhline(turn["first_bound"], color=_GREEN, linestyle="-.", label="its first bound (true)")
    left.axhline(turn["second_bound"], color=_RED, linestyle="--", label="its second bound (false)")
    left.set(xlabel=r"angle between $t$ and $v_T$ (degrees)", ylabel=r"$X_3$")
    left.set_ylim(0, 1.5 * turn["first_bound"])
    left.legend(loc="upper left")
    names = {
        "(13)": "line_13", r"(14), claimed $\geq$ (13)": "line_14", r"$5\,(M + Y^2)$": "rhs",
        r"$2\,(M + Y^2)$": "rhs_two", "left-hand side": "lhs",
    }  # fmt: skip
    _lines(right, family["eta"], {label: family[name] for label, name in names.items()})
    right.set(xscale="log", yscale="log", xlabel=r"$\eta$, weight of the second point", ylabel="value")
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
        ax.set(title=f"{kind.capitalize()} form", xlabel="step", ylabel="left-hand side / bracket")
        ax.set_ylim(0, None)
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
            _column(ax, i, ratios, i, alpha=0.45)
            _bar(ax, i, ratios, 0.3, linewidth=2)
        ax.axhline(1, color=_GREY, linestyle="--")
        ax.set(yscale="log", title=f"t = {t:g}")
        _columns(ax, [*FORMS.values()], rotation=60, ha="right")
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
    lines = {
        "bound as printed, for |x| ≤ R": [row["rhs"]["paper"] for row in rows],
        r"with half of $\beta$": [row["rhs"]["half_beta"] for row in rows],
        "its gradient term alone": [row["gradient_term"] for row in rows],
        r"loss of $g \circ f_S$": [row["loss"] for row in rows],
        "loss of the best affine g": [row["refit_loss"] for row in rows],
    }
    _lines(ax, [row["radius"] for row in rows], lines)
    ax.set(xscale="log", yscale="log", xlabel="radius R of the data, max |x|", ylabel="squared loss")
    ax.legend()
    return style.stamp(fig, caption)
