"""Figures of the image experiment: every number comes from the records, but for a few images to look at."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from matplotlib.axes import Axes
from matplotlib.axis import Axis
from matplotlib.figure import Figure
from matplotlib.ticker import LogLocator, NullFormatter
from torch import Tensor, nn

from lib.attacks.projected import pgd
from lib.base import streams, style
from lib.engine import runs
from lib.engine.results import Result, Value, at
from lib.experiments.common.figures import DASHES, legend, points, stretched
from lib.experiments.common.observations import Observations, interval
from lib.experiments.common.pixels import PIXELS
from lib.experiments.images import networks, record
from lib.experiments.images.readings import READINGS, title
from lib.experiments.images.settings import UNTRAINED, Config

LOSS, PROBE = READINGS.headline
LABELS = {LOSS: "adversarial loss (PGD)", PROBE: "knowledge transfer (accuracy)"}


@dataclass(frozen=True)
class Example:
    """Images (N, C, H, W) before and after, and what two models believe of them: probabilities (N, 4)."""

    epsilon: float
    before: Tensor
    after: Tensor
    labels: Tensor
    source_beliefs: tuple[Tensor, Tensor]
    reference_beliefs: tuple[Tensor, Tensor]
    source_classes: list[str]
    target_classes: list[str]


def example(
    config: Config, target: str, source: str, *, epsilon: float | None = None, count: int = 3, seed: int = 0
) -> Example:
    """The first `count` test images of a target, of different classes, attacked through a source."""
    with runs.inside(record, config) as config:
        model = networks.source_model(config, source, seed)
        reference = networks.reference_model(config, target, seed)
        split = networks.target_split(config, target)
        x, y = networks.pixels(split.test, torch.device(config.device or "cpu"))
        rows = torch.stack([(y == label).nonzero()[0, 0] for label in range(count)])
        x, y, radius = x[rows], y[rows], config.epsilon if epsilon is None else epsilon
        stream = streams.generator(seed, "example")
        after = pgd(model, x, radius, config.steps, clip=PIXELS, generator=stream)
        own, other = ((_believed(f, x), _believed(f, after)) for f in (model, reference))
        classes = networks.source_split(config, source).classes
        return Example(radius, x.cpu(), after.cpu(), y.cpu(), own, other, classes, split.classes)


@torch.no_grad()
def _believed(model: nn.Module, x: Tensor) -> Tensor:
    probabilities: Tensor = model(x).softmax(1)
    return probabilities.cpu()


def attacked(example: Example, caption: str) -> Figure:
    """Image, perturbation (scaled to full contrast), attacked image, and both models' beliefs."""
    count = len(example.labels)
    shape: dict[str, Any] = {"height": 1.45 * count + 0.8, "width_ratios": [1, 1, 1, 1.5, 1.5]}
    fig, axes = style.figure(count, 5, squeeze=False, **shape)
    gain = 0.5 / max(example.epsilon, 1e-9)  # the whole ball fills the range from black to white
    for row in range(count):
        before, after = example.before[row], example.after[row]
        for ax, picture in zip(axes[row], (before, 0.5 + gain * (after - before), after)):
            _picture(ax, picture)
        axes[row, 0].set_ylabel(example.target_classes[int(example.labels[row])])
        _beliefs(axes[row, 3], [b[row] for b in example.source_beliefs], example.source_classes)
        _beliefs(axes[row, 4], [b[row] for b in example.reference_beliefs], example.target_classes)
    for ax, name in zip(axes[0], ("image", f"change × {gain:.3g}", "attacked", "source", "reference")):
        ax.set_title(name)
    for ax in axes[-1, 3:]:
        ax.set_xlabel("probability")
    handles, labels = axes[0, 3].get_legend_handles_labels()
    fig.legend(handles, labels, loc="outside upper right", ncols=2)
    return style.stamp(fig, caption)


def figure_3(result: Result) -> Figure:
    """Figure 3 left in the paper's form: means over seeds, each series normalised to [0, 1]."""
    seen = READINGS.of(result)
    fig, axes = _panels(seen, 1, 3.6, sharey=True)
    for ax, target in zip(axes[0], seen.targets):
        for index, name in enumerate((LOSS, "τ₁", "τ₂", PROBE)):
            scaled = stretched(seen.means(name, target))
            ax.plot(_shares(seen), scaled, label=LABELS.get(name, name), **style.series(index))
        ax.set(xlabel=_axis(seen), xticks=_shares(seen))
    axes[0, 0].set_ylabel("normalised to [0, 1]")
    legend(fig, axes[0, 0], 4)
    return style.stamp(fig, result.caption)


def raw(result: Result) -> Figure:
    """The same numbers with their units: mean and 95 % interval over seeds, dots for the seeds."""
    seen = READINGS.of(result)
    losses = [at("attacks", name, "loss") for name in ("clean", "noise")]
    rows: list[tuple[str, str, list[Value]]] = [
        ("τ₁\n(dotted: chance)", "τ₁", [at("tau1_chance")]),
        ("τ₂\n(dotted: 95 % of null)", "τ₂", [at("tau2_null", 1)]),
        ("adversarial loss\n(dotted: clean,\ndashed: noise)", LOSS, losses),
        ("probe accuracy\n(dotted: untrained)", PROBE, []),
    ]
    fig, axes = _panels(seen, len(rows), 8.6, sharex=True)
    for row, (label, measure, lines) in enumerate(rows):
        for ax, target in zip(axes[row], seen.targets):
            _seeds(ax, seen, target, measure, style.SERIES[row])
            levels = [float(seen.values(line, target).mean()) for line in lines]
            control = float(seen.values(measure, target, [UNTRAINED]).mean())
            for level, dash in zip(levels or [control], DASHES):
                ax.axhline(level, color=style.PALETTE["grey"], linestyle=dash, linewidth=1.4)
            if lines:
                ax.set_ylim(bottom=0)
        axes[row, 0].set_ylabel(label)
    for ax in axes[-1]:
        ax.set(xlabel=_axis(seen), xticks=_shares(seen))
    fig.align_ylabels()
    note = "bars: 95 % (Student) over seeds, cut where impossible; dots: seeds"
    return style.stamp(fig, f"{result.caption} · {note}")


def scatter(result: Result, knowledge: str = PROBE) -> Figure:
    """Each source and seed as a point: a measure across, knowledge transfer up."""
    seen = READINGS.of(result)
    fig, axes = style.figure(2, 2, sharey=True, height=5.6)
    for ax, name in zip(axes.flat, ("τ₁", "τ₂", "α²", LOSS)):
        for index, target in enumerate(seen.targets):
            x, y = seen.values(name, target), seen.values(knowledge, target)
            ax.plot(x.flatten(), y.flatten(), label=title(target), alpha=0.75, **points(index))
        ax.set(xlabel=name, xscale="log")
        _plain_logarithm(ax.xaxis)
    for ax in axes[:, 0]:
        ax.set_ylabel(knowledge)
    legend(fig, axes[0, 0], 3)
    return style.stamp(fig, f"{result.caption} · a point is one source and one seed")


def sweeps(result: Result) -> Figure:
    """The cross adversarial loss along epsilon and along the number of steps, a line a source."""
    seen, config = READINGS.of(result), result.config
    fig, axes = _panels(seen, 2, 5.8, sharey="row")
    panels = {"epsilon": config.sweep_epsilons, "steps": config.sweep_steps}
    for row, (key, grid) in enumerate(panels.items()):
        for ax, target in zip(axes[row], seen.targets):
            for index, source in enumerate([*seen.sources, UNTRAINED]):
                found = [r["sweeps"][key] for r in seen.records(source, target)]
                ax.plot(grid, np.mean(found, axis=0), label=source, **style.series(index))
            ax.set(xlabel="ε (pixels in [0, 1])" if key == "epsilon" else "steps", yscale="log")
            _plain_logarithm(ax.yaxis)
            ax.set_xticks([grid[0], grid[-1] / 2, grid[-1]])
        axes[row, 0].set_ylabel("loss of the reference")
    legend(fig, axes[0, 0], 3)
    return style.stamp(fig, f"{result.caption} · {config.sweep_images} images, means over seeds")


def swapped_axis(result: Result, target: str) -> Figure:
    """One target's numbers twice: against the true axis, and against the one the authors' script prints."""
    seen = READINGS.of(result)
    shares = _shares(seen)
    fig, axes = style.figure(1, 2, sharey=True, height=3.4)
    for ax, ticks in zip(axes, (shares, shares[::-1])):
        for index, name in enumerate((LOSS, PROBE)):
            scaled = stretched(seen.means(name, target))
            ax.plot(range(len(shares)), scaled, label=LABELS[name], **style.series(3 * index))
        ax.set_xticks(range(len(shares)), [str(share) for share in ticks])
        ax.set_xlabel(_axis(seen))
    axes[0].set(title="as measured", ylabel="normalised to [0, 1]")
    axes[1].set_title("labelled as the script labels it")
    legend(fig, axes[0], 2)
    return style.stamp(fig, f"{title(target)} · {result.caption}")


def links(result: Result) -> Figure:
    """Kendall's tau-b of each measure with each kind of knowledge transfer, within seeds."""
    seen = READINGS.of(result)
    fig, axes = _panels(seen, 1, 4.2, sharex=True, sharey=True)
    positions = np.arange(len(READINGS.measures))[::-1]
    for ax, target in zip(axes[0], seen.targets):
        for index, knowledge in enumerate(READINGS.knowledge):
            found = [seen.link(name, knowledge, target).order.value for name in READINGS.measures]
            ax.plot(found, positions + 0.18 * (1.5 - index), label=knowledge, **points(index))
        ax.axvline(0, color=style.PALETTE["grey"], linewidth=1)
        ax.set(xlabel="$\\tau_b$ within seeds", xlim=(-1.08, 1.08))
    axes[0, 0].set_yticks(positions, list(READINGS.measures))
    legend(fig, axes[0, 0], 4)
    return style.stamp(fig, result.caption)


def _panels(seen: Observations, rows: int, height: float, **options: Any) -> tuple[Figure, Any]:
    """A column a target, its name on top."""
    fig, axes = style.figure(rows, len(seen.targets), height=height, squeeze=False, **options)
    for ax, target in zip(axes[0], seen.targets):
        ax.set_title(title(target, "\n"))
    return fig, axes


def _picture(ax: Axes, image: Tensor) -> None:
    pixels = image.permute(1, 2, 0).clamp(0, 1).numpy()
    grey = pixels.shape[2] == 1
    ax.imshow(pixels[..., 0] if grey else pixels, cmap="gray" if grey else None, vmin=0, vmax=1)
    style.bare(ax)


def _beliefs(ax: Axes, beliefs: list[Tensor], classes: list[str]) -> None:
    positions = np.arange(len(classes))[::-1]
    looks = ((0.2, "clean", "sky", ""), (-0.2, "attacked", "vermilion", "///"))
    for (shift, label, colour, hatch), belief in zip(looks, beliefs):
        look: dict[str, Any] = {"color": style.PALETTE[colour], "hatch": hatch, "label": label}
        ax.barh(positions + shift, belief.tolist(), 0.38, edgecolor="white", **look)
    ax.set_yticks(positions, classes)
    ax.set(xlim=(0, 1), xticks=[0, 0.5, 1])


def _seeds(ax: Axes, seen: Observations, target: str, name: str, look: dict[str, Any]) -> None:
    values, shares = seen.values(name, target), np.array(_shares(seen), dtype=float)
    low, middle, high = np.array([interval(row) for row in values]).T
    most = 1.0 if values.max() <= 1 and name != LOSS else np.inf
    spread = np.stack([middle - np.maximum(low, 0), np.minimum(high, most) - middle]).clip(min=0)
    ax.errorbar(shares, middle, spread, capsize=3, **look)
    ax.plot(shares.repeat(values.shape[1]) + 3, values.flatten(), ".", color=look["color"], alpha=0.5)


def _plain_logarithm(axis: Axis) -> None:
    """0.03, 0.1, 0.3, 1 instead of powers of ten."""
    axis.set_major_locator(LogLocator(subs=(1, 3)))
    axis.set_major_formatter(lambda value, _: f"{value:g}")
    axis.set_minor_formatter(NullFormatter())


def _shares(seen: Observations) -> list[int]:
    """0, 25, 50, 75, 100: per cent of the source's classes that come from the second group."""
    return [int(name.partition("%")[0]) for name in seen.sources]


def _axis(seen: Observations) -> str:
    return seen.sources[0].replace("0%", "%") + " in the source"
