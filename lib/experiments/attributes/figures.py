"""Figures of the attribute experiment; every number comes from the records or from `summary`."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from lib.base import compute, labels, style
from lib.experiments.attributes import selection, summary
from lib.experiments.attributes.example import Example, portraits
from lib.experiments.attributes.settings import PERMUTED, UNTRAINED
from lib.experiments.attributes.summary import HEADLINE, KNOWLEDGE, MEASURES, PREDICTORS, called

ACCURACY = KNOWLEDGE[HEADLINE[1]]
PANELS = ("τ₁", "τ₂", "adversarial loss", "identity in the labels")
CONTROLS = {UNTRAINED: ("untrained", "X", "grey"), PERMUTED: ("permuted labels", "s", "vermilion")}


def people(attributes: tuple[str, ...], caption: str) -> Figure:
    """One drawn person, with one attribute changed at a time."""
    images, titles = portraits(attributes)
    columns = 7
    rows = -(-len(images) // columns)
    fig, axes = style.figure(rows, columns, height=1.3 * rows + 0.2, squeeze=False)
    for ax in axes.flat:
        style.bare(ax)
    for ax, image, title in zip(axes.flat, images, titles):
        ax.imshow(image.permute(1, 2, 0))
        ax.set_title(called(title).replace(" ", "\n", 1), fontsize=style.SMALLEST)
    return style.stamp(fig, caption)


def attacked(example: Example, caption: str) -> Figure:
    """Photo, change (scaled to full contrast), attacked photo; and what the two models make of it."""
    count, gain = len(example.before), 0.5 / max(example.epsilon, 1e-9)
    fig, axes = style.figure(
        count, 5, height=1.4 * count + 0.9, width_ratios=[1, 1, 1, 1.3, 1.3], squeeze=False
    )
    for row, line in enumerate(axes):
        before, after = example.before[row], example.after[row]
        for ax, picture in zip(line, (before, 0.5 + gain * (after - before), after)):
            ax.imshow(picture.permute(1, 2, 0).clamp(0, 1))
            style.bare(ax)
        _bars(line[3], [float(b[row]) for b in example.beliefs], ("clean", "attacked"))
        _bars(line[4], [float(example.same[row]), float(example.other[row])], ("attacked", "other person"))
        line[4].set_xlim(-0.3, 1)
        line[0].set_ylabel(("" if example.present[row] else "not ") + called(example.attribute))
    titles = (
        "photo",
        f"change × {gain:.2g}",
        "attacked",
        f"source: {called(example.attribute)}?",
        "reference",
    )
    for ax, title in zip(axes[0], titles):
        ax.set_title(title)
    axes[-1, 3].set_xlabel("probability")
    axes[-1, 4].set_xlabel("cosine with the photo")
    return style.stamp(fig, caption)


def every(result: Any) -> Figure:
    """All attributes: adversarial loss across, verification accuracy up, controls beside them."""
    fig, ax = style.figure(height=6.4)
    names = summary.source_names(result)
    x, y = _points(ax, result, _above_noise("pgd"), names)
    five = {selection.CODE_NAMES.get(n, n).replace(" ", "_") for n in selection.SHOWN}
    inside = [i for i, name in enumerate(names) if name in five]
    look = {"facecolors": "none", "edgecolors": style.PALETTE["black"], "s": 90, "linewidths": 1.3}
    ax.scatter(x[inside], y[inside], label="in the paper's Table 1", **look)
    for i, place in labels.beside(x, y, [called(name) for name in names], first=inside):
        ax.annotate(called(names[i]), (x[i], y[i]), xytext=(7 * place, 0), textcoords="offset points",
                    fontsize=style.SMALLEST, ha="left" if place > 0 else "right", va="center")  # fmt: skip
    for name, title, dash in (("clean", "clean photos", ":"), ("noise", "under noise", "--")):
        level = float(summary.means(result, _above_noise(name)).mean())
        ax.axvline(level, color=style.PALETTE["grey"], linestyle=dash, linewidth=1.2, label=title)
    ax.set(
        xlabel="adversarial loss of the reference (PGD), above that under noise",
        ylabel="verification accuracy",
    )
    fig.legend(loc="outside upper center", ncols=3)
    return style.stamp(fig, f"{result.caption} · means over seeds, lines: their range")


def panels(result: Any) -> Figure:
    """The same accuracies against tau1, tau2, the adversarial loss, and identity in the labels."""
    fig, axes = style.figure(2, 2, sharey=True, height=6.0)
    for ax, title in zip(axes.flat, PANELS):
        _points(ax, result, PREDICTORS[title], summary.source_names(result), controls=title in MEASURES)
        one = summary.link(result, title)
        p = f"p = {one.all.p_one_sided:.2g}" if one.all.p_one_sided >= 0.001 else "p < .001"
        ax.set_title(f"$\\tau_b$ = {one.all.value:.2f}, {p}")
        ax.set_xlabel(title)
    for ax in axes[:, 0]:
        ax.set_ylabel("verification accuracy")
    handles, names = axes[0, 0].get_legend_handles_labels()
    fig.legend(handles, names, loc="outside upper center", ncols=3)
    note = "points: means over seeds, lines: their range; τ_b: mean over seeds, one-sided p by permutation"
    return style.stamp(fig, f"{result.caption} · {note}")


def links(result: Any) -> Figure:
    """Kendall's tau-b of every predictor with verification accuracy, best first, with bootstrap intervals."""
    found = sorted((summary.link(result, name) for name in PREDICTORS), key=lambda one: one.all.value)
    fig, ax = style.figure(height=0.27 * len(found) + 1.2)
    for row, one in enumerate(found):
        look = style.series(0 if one.predictor in MEASURES else 1) | {"linestyle": "none"}
        value = one.all.value
        spread = [[max(value - one.interval.low, 0)], [max(one.interval.high - value, 0)]]
        ax.errorbar([value], [row], xerr=spread, capsize=2, **look)
    ax.plot([], [], label="needs an attack", **(style.series(0) | {"linestyle": "none"}))
    ax.plot([], [], label="needs none", **(style.series(1) | {"linestyle": "none"}))
    ceiling = summary.reliability(result, ACCURACY)
    if ceiling is not None:
        ax.axvline(
            ceiling, color=style.PALETTE["grey"], linestyle="--", label="accuracy, one seed by the other"
        )
    ax.axvline(0, color=style.PALETTE["grey"], linewidth=1)
    ax.set_yticks(range(len(found)), [one.predictor for one in found])
    ax.set(xlabel="$\\tau_b$ with verification accuracy, all attributes", xlim=(-1, 1))
    fig.legend(loc="outside upper center", ncols=3)
    return style.stamp(fig, f"{result.caption} · 95 %, attributes resampled")


def selected(correlations: tuple[float, ...] = (0.0, 0.3, 0.6), repeats: int = 2000) -> Figure:
    """Kendall's tau over all forty, and over the top five, where the true one is known."""
    fig, axes = style.figure(1, len(correlations), sharey=True, height=3.3)
    bins = np.arange(-1.1, 1.2, 0.2)
    for ax, true in zip(axes, correlations):
        draws = selection.simulate(true, generator=compute.generator(0, "selection", true), repeats=repeats)
        for values, label, look in (
            (draws.whole, "all forty", {"color": style.PALETTE["sky"]}),
            (
                draws.top,
                "top five",
                {"color": style.PALETTE["vermilion"], "histtype": "step", "hatch": "///"},
            ),
        ):
            weights = np.full(len(values), 1 / len(values))
            ax.hist(values.numpy(), bins=bins, weights=weights, label=label, linewidth=1.4, **look)
        ax.axvline(0.8, color=style.PALETTE["black"], linestyle=":", label="Table 1")
        ax.set(title=f"true $\\tau$ = {true:g}", xlabel="observed $\\tau$")
    axes[0].set_ylabel("share of draws")
    handles, names = axes[0].get_legend_handles_labels()
    fig.legend(handles, names, loc="outside upper center", ncols=3)
    return style.stamp(fig, f"simulated: {repeats:,} draws of forty normal pairs, seed 0")


def released() -> Figure:
    """The authors' forty mean accuracies in order, Table 1's five marked; those five alone if not here."""
    found = selection.released()
    fig, ax = style.figure(height=3.4)
    five = {selection.CODE_NAMES.get(n, n).replace(" ", "_"): n for n in selection.SHOWN}
    if found:
        order = sorted(found, key=lambda name: -found[name])
        heights = [found[name] for name in order]
        ax.plot(
            range(1, len(order) + 1), heights, ".", color=style.PALETTE["grey"], label="released, all forty"
        )
        places = {name: (order.index(name) + 1, found[name]) for name in five}
    else:
        printed = selection.printed("knowledge").tolist()
        places = dict(zip(five, zip(selection.CITED, printed)))
    for name, (rank, height) in places.items():
        ax.plot([rank], [height], **(style.series(1) | {"linestyle": "none"}))
        ax.annotate(
            five[name],
            (rank, height),
            xytext=(2, 8) if rank == 1 else (8, 3),
            textcoords="offset points",
            fontsize=style.SMALLEST,
        )
    ax.axhline(0.5, color=style.PALETTE["black"], linestyle=":", label="chance")
    ax.margins(y=0.15)
    ax.set(xlabel="rank among the forty", ylabel="mean accuracy, seven benchmarks")
    fig.legend(loc="outside upper center", ncols=2)
    where = "authors' code, exp2/visualize.py at 985ab57"
    return style.stamp(fig, f"{where} · {selection.stamp()} · one run, seeds unknown")


def _above_noise(attack: str) -> summary.Value:
    """The loss under an attack, less that under noise: the references of two seeds differ in both alike."""
    return lambda r: r["attacks"][attack]["loss"] - r["attacks"]["noise"]["loss"]


def _points(
    ax: Axes, result: Any, value: summary.Value, names: list[str], *, controls: bool = True
) -> tuple[Any, Any]:
    """Attributes (and controls) as points with the range over seeds; the means of the attributes."""
    target = summary.targets(result)[0]
    kinds = [(names, "attributes", "o", "blue")]
    for kind, (label, marker, colour) in CONTROLS.items():
        if controls and (found := summary.control_names(result, kind)):
            kinds.append((found, label, marker, colour))
    for sources, label, marker, colour in kinds:
        x, y = (
            summary.values(result, target, value, sources),
            summary.values(result, target, ACCURACY, sources),
        )
        spread = [_range(x), _range(y)]
        ax.errorbar(x.mean(1), y.mean(1), spread[1], spread[0], fmt=marker, color=style.PALETTE[colour],
                    label=label, markersize=4.5, elinewidth=0.6, alpha=0.85)  # fmt: skip
    return summary.means(result, value, names).numpy(), summary.means(result, ACCURACY, names).numpy()


def _range(values: torch.Tensor) -> Any:
    middle = values.mean(1)
    return torch.stack([middle - values.amin(1), values.amax(1) - middle]).clamp(min=0).numpy()


def _bars(ax: Axes, lengths: list[float], labels: tuple[str, ...]) -> None:
    looks = zip((style.PALETTE["sky"], style.PALETTE["vermilion"]), ("", "///"))
    for row, (length, (colour, hatch)) in enumerate(zip(lengths, looks)):
        ax.barh(-row, length, 0.7, color=colour, hatch=hatch, edgecolor="white")
    ax.set_yticks([-row for row in range(len(labels))], labels)
    ax.set_xlim(0, 1)
