"""Figures of the chapter "Propositions"."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from matplotlib.figure import Figure

from lib.base import style


def closed_form(points: Mapping[str, Sequence[tuple[float, float]]], caption: str) -> Figure:
    """tau2 / R^2 over psi: the curve psi (2 - psi), and one dot a pair of networks."""
    fig, ax = style.figure(height=3.8)
    psi = np.linspace(0, 1, 101)
    ax.plot(psi, psi * (2 - psi), color=style.PALETTE["black"], label=r"$\psi(2-\psi)$")
    for i, (label, pairs) in enumerate(points.items()):
        look = style.series(i)
        ax.plot(*zip(*pairs), look["marker"], color=look["color"], alpha=0.6, label=label)
    ax.set(xlabel=r"projection scale $\psi$", ylabel=r"$\tau_2 / R^2$", xlim=(0, 1.02), ylim=(0, 1.05))
    ax.legend(loc="lower right")
    return style.stamp(fig, caption)


def shrinking(rows: Sequence[Mapping[str, Any]], slopes: Mapping[str, float], caption: str) -> Figure:
    """Left: L_adv / eps^2 between the sides of Prop. 2. Right: the remainder, its bound, fitted slopes."""
    fig, (left, right) = style.figure(1, 2, height=3.8)
    epsilon = np.array([row["epsilon"] for row in rows])

    def column(name: str) -> np.ndarray:
        return np.array([row[name] for row in rows])

    sides = (("upper", "upper side"), ("loss", r"$L_{adv}$"), ("lower", "lower side"))
    for i, (name, label) in enumerate(sides):
        left.semilogx(epsilon, column(name) / epsilon**2, label=label, **style.series(i))
    left.set(xlabel=r"radius $\varepsilon$", ylabel=r"divided by $\varepsilon^2$")
    left.legend()
    lines = {
        "allowed": r"$\beta L\varepsilon^3 + \beta^2\varepsilon^4/4$, proved",
        "remainder": f"remainder, slope {slopes['remainder']:.2f}",
        "both_signs": f"mean of both signs, slope {slopes['both_signs']:.2f}",
    }
    for i, (name, label) in enumerate(lines.items()):
        right.loglog(epsilon, column(name), label=label, **style.series(i + 3))
    right.set_ylim(column("both_signs").min() / 1e3)
    right.set(xlabel=r"radius $\varepsilon$", ylabel=r"$|L_{adv} - \varepsilon^2 E|J_T v_S|^2|$")
    right.legend(loc="lower right")
    return style.stamp(fig, caption)
