"""Figures of the image experiment; every number comes from the records or from `summary`."""

from __future__ import annotations

from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.axis import Axis
from matplotlib.figure import Figure
from matplotlib.ticker import LogLocator, NullFormatter

from lib.base import style
from lib.experiments.images import summary
from lib.experiments.images.example import Example
from lib.experiments.images.settings import UNTRAINED

NORMALISED = ("adversarial loss", "τ₁", "τ₂", "probe accuracy")
LABELS = {"adversarial loss": "adversarial loss (PGD)", "probe accuracy": "knowledge transfer (accuracy)"}


def attacked(example: Example, caption: str) -> Figure:
    """Image, perturbation (scaled to full contrast), attacked image, and both models' beliefs."""
    count = len(example.labels)
    fig, axes = style.figure(
        count, 5, height=1.45 * count + 0.8, width_ratios=[1, 1, 1, 1.5, 1.5], squeeze=False
    )
    gain = 0.5 / max(example.epsilon, 1e-9)  # the whole ball fills the range from black to white
    titles = ("image", f"change × {gain:.3g}", "attacked", "source", "reference")
    for row in range(count):
        before, after = example.before[row], example.after[row]
        magnified = 0.5 + gain * (after - before)
        for ax, picture in zip(axes[row], (before, magnified, after)):
            _picture(ax, picture)
        axes[row, 0].set_ylabel(example.target_classes[int(example.labels[row])])
        _beliefs(axes[row, 3], [b[row] for b in example.source_beliefs], example.source_classes)
        _beliefs(axes[row, 4], [b[row] for b in example.reference_beliefs], example.target_classes)
    for ax, title in zip(axes[0], titles):
        ax.set_title(title)
    for ax in axes[-1, 3:]:
        ax.set_xlabel("probability")
    handles, labels = axes[0, 3].get_legend_handles_labels()
    fig.legend(handles, labels, loc="outside upper right", ncols=2)
    return style.stamp(fig, caption)


def figure_3(result: Any) -> Figure:
    """Figure 3 left in the paper's form: means over seeds, each series normalised to [0, 1]."""
    names = summary.targets(result)
    fig, axes = style.figure(1, len(names), sharey=True, squeeze=False, height=3.6)
    for ax, target in zip(axes[0], names):
        for index, name in enumerate(NORMALISED):
            means = summary.values(result, target, _measure(name)).mean(1)
            scaled = (means - means.min()) / (means.max() - means.min()).clamp(min=1e-12)
            ax.plot(_shares(result), scaled, label=LABELS.get(name, name), **style.series(index))
        ax.set(title=summary.title(target, "\n"), xlabel=_axis(result), xticks=_shares(result))
    axes[0, 0].set_ylabel("normalised to [0, 1]")
    handles, labels = axes[0, 0].get_legend_handles_labels()
    fig.legend(handles, labels, loc="outside upper center", ncols=4)
    return style.stamp(fig, result.caption)


def raw(result: Any) -> Figure:
    """The same numbers with their units: mean and 95 % interval over seeds, dots for the seeds."""
    losses = [summary.at("attacks", name, "loss") for name in ("clean", "noise")]
    rows: list[tuple[str, summary.Value, list[summary.Value]]] = [
        ("τ₁\n(dotted: chance)", summary.at("tau1"), [summary.at("tau1_chance")]),
        ("τ₂\n(dotted: 95 % of null)", summary.at("tau2"), [lambda r: r["tau2_null"][1]]),
        ("adversarial loss\n(dotted: clean,\ndashed: noise)", summary.MEASURES["adversarial loss"], losses),
        ("probe accuracy\n(dotted: untrained)", summary.KNOWLEDGE["probe accuracy"], []),
    ]
    names = summary.targets(result)
    fig, axes = style.figure(len(rows), len(names), sharex=True, squeeze=False, height=8.6)
    for row, (label, measure, lines) in enumerate(rows):
        for ax, target in zip(axes[row], names):
            _seeds(ax, result, target, measure, style.SERIES[row])
            levels = [_level(result, target, line) for line in lines]
            for level, dash in zip(levels or [_level(result, target, measure, UNTRAINED)], (":", "--")):
                ax.axhline(level, color=style.PALETTE["grey"], linestyle=dash, linewidth=1.4)
            if lines:
                ax.set_ylim(bottom=0)
        axes[row, 0].set_ylabel(label)
    for ax, target in zip(axes[0], names):
        ax.set_title(summary.title(target, "\n"))
    for ax in axes[-1]:
        ax.set(xlabel=_axis(result), xticks=_shares(result))
    fig.align_ylabels()
    return style.stamp(
        fig, f"{result.caption} · bars: 95 % (Student) over seeds, cut where impossible; dots: seeds"
    )


def scatter(result: Any, knowledge: str = "probe accuracy") -> Figure:
    """Each source and seed as a point: a measure across, knowledge transfer up."""
    measures = ("τ₁", "τ₂", "α²", "adversarial loss")
    fig, axes = style.figure(2, 2, sharey=True, height=5.6)
    for ax, name in zip(axes.flat, measures):
        for index, target in enumerate(summary.targets(result)):
            x = summary.values(result, target, summary.MEASURES[name])
            y = summary.values(result, target, summary.KNOWLEDGE[knowledge])
            look = style.series(index) | {"linestyle": "none", "alpha": 0.75}
            ax.plot(x.flatten(), y.flatten(), label=summary.title(target), **look)
        ax.set(xlabel=name, xscale="log")
        _plain_logarithm(ax.xaxis)
    for ax in axes[:, 0]:
        ax.set_ylabel(knowledge)
    handles, labels = axes[0, 0].get_legend_handles_labels()
    fig.legend(handles, labels, loc="outside upper center", ncols=3)
    return style.stamp(fig, f"{result.caption} · a point is one source and one seed")


def sweeps(result: Any) -> Figure:
    """The cross adversarial loss along epsilon and along the number of steps, a line a source."""
    names = summary.targets(result)
    config = result.config
    fig, axes = style.figure(2, len(names), sharey="row", squeeze=False, height=5.8)
    panels = {"epsilon": config.sweep_epsilons, "steps": config.sweep_steps}
    for row, (key, grid) in enumerate(panels.items()):
        for ax, target in zip(axes[row], names):
            for index, source in enumerate([*summary.source_names(result), UNTRAINED]):
                found = [r["sweeps"][key] for r in summary.select(result, target, source)]
                ax.plot(grid, np.mean(found, axis=0), label=source, **style.series(index))
            ax.set(xlabel="ε (pixels in [0, 1])" if key == "epsilon" else "steps", yscale="log")
            _plain_logarithm(ax.yaxis)
            ax.set_xticks([grid[0], grid[-1] / 2, grid[-1]])
        axes[row, 0].set_ylabel("loss of the reference")
    for ax, target in zip(axes[0], names):
        ax.set_title(summary.title(target, "\n"))
    handles, labels = axes[0, 0].get_legend_handles_labels()
    fig.legend(handles, labels, loc="outside upper center", ncols=3)
    return style.stamp(fig, f"{result.caption} · {config.sweep_images} images, means over seeds")


def swapped_axis(result: Any, target: str) -> Figure:
    """One target's numbers twice: against the true axis, and against the one the authors' script prints."""
    shares = _shares(result)
    fig, axes = style.figure(1, 2, sharey=True, height=3.4)
    for ax, ticks in zip(axes, (shares, shares[::-1])):
        for index, name in enumerate(("adversarial loss", "probe accuracy")):
            means = summary.values(result, target, _measure(name)).mean(1)
            scaled = (means - means.min()) / (means.max() - means.min()).clamp(min=1e-12)
            ax.plot(range(len(shares)), scaled, label=LABELS[name], **style.series(3 * index))
        ax.set_xticks(range(len(shares)), [str(share) for share in ticks])
        ax.set_xlabel(_axis(result))
    axes[0].set(title="as measured", ylabel="normalised to [0, 1]")
    axes[1].set_title("labelled as the script labels it")
    handles, labels = axes[0].get_legend_handles_labels()
    fig.legend(handles, labels, loc="outside upper center", ncols=2)
    return style.stamp(fig, f"{summary.title(target)} · {result.caption}")


def links(result: Any) -> Figure:
    """Kendall's tau-b of each measure with each kind of knowledge transfer, within seeds."""
    names = summary.targets(result)
    fig, axes = style.figure(1, len(names), sharex=True, sharey=True, squeeze=False, height=4.2)
    positions = np.arange(len(summary.MEASURES))[::-1]
    for ax, target in zip(axes[0], names):
        for index, knowledge in enumerate(summary.KNOWLEDGE):
            found = [
                summary.link(result, target, measure, knowledge).order.value for measure in summary.MEASURES
            ]
            look = style.series(index) | {"linestyle": "none"}
            ax.plot(found, positions + 0.18 * (1.5 - index), label=knowledge, **look)
        ax.axvline(0, color=style.PALETTE["grey"], linewidth=1)
        ax.set(title=summary.title(target, "\n"), xlabel="$\\tau_b$ within seeds", xlim=(-1.08, 1.08))
    axes[0, 0].set_yticks(positions, list(summary.MEASURES))
    handles, labels = axes[0, 0].get_legend_handles_labels()
    fig.legend(handles, labels, loc="outside upper center", ncols=4)
    return style.stamp(fig, result.caption)


def _picture(ax: Axes, image: Any) -> None:
    pixels = image.permute(1, 2, 0).clamp(0, 1).numpy()
    grey = pixels.shape[2] == 1
    ax.imshow(pixels[..., 0] if grey else pixels, cmap="gray" if grey else None, vmin=0, vmax=1)
    ax.set(xticks=[], yticks=[])
    ax.grid(False)
    for spine in ax.spines.values():
        spine.set_visible(False)


def _beliefs(ax: Axes, beliefs: list[Any], classes: list[str]) -> None:
    positions = np.arange(len(classes))[::-1]
    looks = (("clean", style.PALETTE["sky"], ""), ("attacked", style.PALETTE["vermilion"], "///"))
    for shift, (label, colour, hatch), belief in zip((0.2, -0.2), looks, beliefs):
        ax.barh(
            positions + shift,
            belief.tolist(),
            0.38,
            color=colour,
            hatch=hatch,
            edgecolor="white",
            label=label,
        )
    ax.set_yticks(positions, classes)
    ax.set(xlim=(0, 1), xticks=[0, 0.5, 1])


def _seeds(ax: Axes, result: Any, target: str, measure: Any, look: dict[str, Any]) -> None:
    values, shares = summary.values(result, target, measure), np.array(_shares(result), dtype=float)
    low, middle, high = np.array([summary.interval(row) for row in values]).T
    most = 1.0 if values.max() <= 1 and measure is not summary.MEASURES["adversarial loss"] else np.inf
    spread = np.stack([middle - np.maximum(low, 0), np.minimum(high, most) - middle]).clip(min=0)
    ax.errorbar(shares, middle, spread, capsize=3, **look)
    ax.plot(shares.repeat(values.shape[1]) + 3, values.flatten(), ".", color=look["color"], alpha=0.5)


def _level(result: Any, target: str, measure: summary.Value, source: str | None = None) -> float:
    names = [source] if source else summary.source_names(result)
    return float(np.mean([measure(r) for name in names for r in summary.select(result, target, name)]))


def _plain_logarithm(axis: Axis) -> None:
    """0.03, 0.1, 0.3, 1 instead of powers of ten."""
    axis.set_major_locator(LogLocator(subs=(1, 3)))
    axis.set_major_formatter(lambda value, _: f"{value:g}")
    axis.set_minor_formatter(NullFormatter())


def _measure(name: str) -> summary.Value:
    return summary.MEASURES.get(name) or summary.KNOWLEDGE[name]


def _shares(result: Any) -> list[int]:
    """0, 25, 50, 75, 100: per cent of the source's classes that come from the second group."""
    return [int(name.partition("%")[0]) for name in summary.source_names(result)]


def _axis(result: Any) -> str:
    return summary.source_names(result)[0].replace("0%", "%") + " in the source"
