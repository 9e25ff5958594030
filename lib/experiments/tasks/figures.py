"""Figures of the task experiment: every number comes from the records, but for one room to look at."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from matplotlib import colormaps
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from scipy.cluster import hierarchy
from torch import Tensor

from lib.base import streams, style
from lib.data import registry
from lib.data.task_labels import VOID
from lib.engine import runs
from lib.engine.results import Result
from lib.experiments.common.figures import points
from lib.experiments.tasks import attacking, losses, matrices, networks, readings, record, scenes
from lib.experiments.tasks.matrices import CATEGORIES, NAMES
from lib.experiments.tasks.readings import AFFINITY, CATEGORY, READINGS, READOUT, title
from lib.experiments.tasks.settings import Config
from lib.statistics import clustering

WHICH = 7  # of the first fold's test images: a room with furniture in it
# Colour and marker of each category: as in Fig. 4, but safe for colour-blind readers, and not colour alone.
LOOKS = {
    "2D": (style.PALETTE["blue"], "o"),
    "3D": (style.PALETTE["green"], "^"),
    "semantic": (style.PALETTE["vermilion"], "s"),
}
COLUMNS = 5
SHOWN = (AFFINITY, "τ₁", "H-score", "same category")


@dataclass(frozen=True)
class Example:
    """A test image (3, H, W); by task its label, the network's output before and after its own attack, and
    the attacked image; `classes` are the names of the classes where a task has classes.
    """

    image: Tensor
    labels: dict[str, Tensor]
    outputs: dict[str, Tensor]
    attacked: dict[str, Tensor]
    fooled: dict[str, Tensor]
    classes: dict[str, list[str]]
    epsilon: float


def example(config: Config) -> Example:
    """One test image of the first fold, through the networks of seed 0, attacked with the largest radius."""
    epsilon, seed, fold = max(config.epsilons), 0, 0
    with runs.inside(record, config) as config:
        data = scenes.load(config)
        index = scenes.halves(data, fold)[1][WHICH][None]
        x = networks.pixels(config, index)
        rows = []
        for name in NAMES:
            model = networks.network(config, name, seed, fold)
            after = attacking.attack(config, name, model, x, epsilon, streams.generator(seed, "example"))
            with torch.no_grad():
                each = data.labels[name][index], model(x), after, model(after)
            rows.append([values[0].cpu() for values in each])
        labels, outputs, moved, fooled = (dict(zip(NAMES, column)) for column in zip(*rows))
        classes = {name: list(known) for name, known in data.classes.items()}
        return Example(x[0].cpu(), labels, outputs, moved, fooled, classes, epsilon)


def picture(task: str, values: Tensor, count: int = 1) -> Tensor | str:
    """A label or an output as colours in [0, 1], (H, W, 3) or (H, W), or as the position of a class.

    Two channels become red and blue; channels of -1..1 are moved to 0..1; classes are shares of `count`.
    """
    kind = losses.BY_NAME[task].kind
    if kind == "classification":
        return str(int(values if values.ndim == 0 else values.argmax()))
    if kind == "segmentation":
        classes = values if values.ndim == 2 else values.argmax(0)
        return torch.where(classes == VOID, torch.nan, classes.float() / max(count - 1, 1))
    if task in ("Surface-Normal", "Curvature"):
        values = (values + 1) / 2
    maps = values.clamp(0, 1)
    if len(maps) == 2:
        maps = torch.stack([maps[0], maps.mean(0), maps[1]])
    return maps[0] if len(maps) == 1 else maps.permute(1, 2, 0)


def labels(example: Example, caption: str) -> Figure:
    """One image: every task's label (left of each pair) and what its network says of it (right)."""
    fig, axes = _grid()
    for ax, name in zip(axes, NAMES):
        label = picture(name, example.labels[name], len(example.classes.get(name, ())))
        _side_by_side(ax, name, label, example.outputs[name], example)
    height, width = example.image.shape[1:]
    note = f"left: label, right: network · image of {height} x {width} pixels"
    return style.stamp(fig, f"{note} · {caption}")


def derived(row: int = 700) -> Figure:
    """One photograph of NYU Depth v2 with its fifteen labels; a note where the data set is not here."""
    found = scenes.photograph(row)
    if found is None:
        fig, ax = style.figure(height=1.2)
        style.bare(ax)
        ax.text(0, 0.5, f"nyuv2 is not here: {registry.remedy(registry.get('nyuv2'))}", wrap=True)
        return style.stamp(fig, "labels of NYU Depth v2: absent when this page was made")
    image, values = found
    fig, axes = _grid(4.6)
    for ax, name in zip(axes, NAMES):
        names = scenes.NYUV2_CLASSES.get(name, [])
        shown = picture(name, values[name], len(names))
        _titled(ax, name)
        if isinstance(shown, str):
            ax.set_xlabel(names[int(shown)], fontsize=style.SMALLEST)
            shown = image.permute(1, 2, 0) / 255
        ax.imshow(_colours(shown))
    return style.stamp(fig, f"NYU Depth v2, row {row}, 64 x 48 pixels · labels derived, no seed")


def attacked(example: Example, caption: str) -> Figure:
    """The attack of each network: the change at full contrast, and the network's output after it."""
    fig, axes = _grid()
    gain = 0.5 / max(example.epsilon, 1e-9)
    for ax, name in zip(axes, NAMES):
        change = 0.5 + gain * (example.attacked[name] - example.image)
        _side_by_side(ax, name, change.clamp(0, 1).permute(1, 2, 0), example.fooled[name], example)
    note = f"left: change x {gain:.3g}, right: network after its own attack · radius {example.epsilon:g}"
    return style.stamp(fig, f"{note} · {caption}")


def ranks(result: Result, epsilon: str = "0.03") -> Figure:
    """The adversarial matrix and the readouts': within each target, the rank of every other source."""
    found = matrices.panels(result)
    names = [name for name in found if name in (f"adversarial, ε = {epsilon}", "readouts")]
    fig, axes = style.figure(1, len(names), height=5.3, squeeze=False, width=8.6)
    for ax, name in zip(axes[0], names):
        off = found[name].double().clone().fill_diagonal_(float("-inf"))  # no source's rank is its own task's
        rank = (off.argsort(0, descending=True).argsort(0) + 1).double().fill_diagonal_(float("nan"))
        image = ax.imshow(rank.numpy(), cmap="viridis_r", vmin=1, vmax=len(rank) - 1)
        ax.set(title=name, xlabel="target")
        ax.grid(False)
        _named(ax.xaxis, rotation=90)
        _named(ax.yaxis)
        if ax is not axes[0, 0]:
            ax.set_yticklabels([])
    axes[0, 0].set_ylabel("source")
    fig.colorbar(image, ax=axes[0].tolist(), label="rank among the sources (1: most)", shrink=0.6)
    return style.stamp(fig, result.caption)


def trees(result: Result, epsilon: str = "0.03") -> Figure:
    """The trees of the published matrix, if it is here, of the adversarial one and of the readouts'."""
    found = matrices.beside(result)
    names = [name for name in found if "ε" not in name or name.endswith(f"ε = {epsilon}")]
    fig, axes = style.figure(1, len(names), height=4.6, squeeze=False, width=8.6)
    for ax, name in zip(axes[0], names):
        _dendrogram(ax, matrices.comparable(found[name]))
        ax.set_xticks([])
        ax.set_title(name, loc="left", fontsize=style.SMALLEST + 0.5)
    handles = [
        Line2D([], [], color=colour, marker=marker, linestyle="none", label=category, markersize=7)
        for category, (colour, marker) in LOOKS.items()
    ]
    fig.legend(handles=handles, loc="outside upper center", ncols=3)
    return style.stamp(fig, f"Ward, on logarithms · {result.caption}")


def entropies(result: Result, *, weighted: bool = False) -> Figure:
    """Entropy of the categories within clusters, for 1 to 15 clusters; the band holds 95 % of the null."""
    fig, ax = style.figure(height=4.4)
    numbers = np.arange(1, len(NAMES) + 1)
    null = matrices.entropy_null(weighted)
    style.band(
        ax, numbers, null.low, null.mean, null.high, label="random partitions (mean, 95 %)",
        color=style.PALETTE["grey"], linestyle=":",
    )  # fmt: skip
    for index, (name, matrix) in enumerate(matrices.beside(result).items()):
        cuts = clustering.cuts(clustering.tree(matrices.comparable(matrix)))
        curve = clustering.entropy_curve(cuts, CATEGORIES, weighted)
        ax.plot(numbers, curve, label=name, **style.series(index))
    how = "weighted by size" if weighted else "unweighted mean over clusters"
    ax.set(xlabel="number of clusters", ylabel=f"entropy in nats\n({how})", xticks=numbers[::2])
    ax.legend()
    return style.stamp(fig, result.caption)


def agreement(result: Result, knowledge: str = READOUT) -> Figure:
    """Kendall's tau-b of four measures with knowledge transfer, target by target, over 14 sources."""
    fig, ax = style.figure(height=5.2)
    names = readings.targets(result)
    places = np.arange(len(names))[::-1]
    seen = READINGS.of(result)
    for index, measure in enumerate(SHOWN):
        found = readings.link(seen, measure, knowledge)
        taus = [found[name].value for name in names]
        shift = 0.16 * ((len(SHOWN) - 1) / 2 - index)
        ax.plot(taus, places + shift, label=measure, **points(index))
    ax.axvline(0, color=style.PALETTE["grey"], linewidth=1)
    ax.set(xlim=(-1.05, 1.05), xlabel=f"$\\tau_b$ with {knowledge}, 14 sources")
    ax.set_yticks(places, [title(name) for name in names])
    fig.legend(loc="outside upper center", ncols=2)
    return style.stamp(fig, result.caption)


def _dendrogram(ax: Axes, rows: Tensor) -> None:
    drawn = hierarchy.dendrogram(
        clustering.tree(rows), orientation="left", ax=ax, labels=[title(name) for name in NAMES],
        color_threshold=0, above_threshold_color=style.PALETTE["grey"],
    )  # fmt: skip
    ax.grid(False)
    ax.spines[:].set_visible(False)
    for place, (text, leaf) in enumerate(zip(ax.get_yticklabels(), drawn["leaves"])):
        colour, marker = LOOKS[CATEGORIES[leaf]]
        ax.plot(0, 10 * place + 5, marker=marker, color=colour, clip_on=False, markersize=7)
        text.set_color(colour)


def _grid(height: float = 3.5) -> tuple[Figure, list[Axes]]:
    fig, axes = style.figure(3, COLUMNS, height=height, width=8.6)
    return fig, list(axes.flat)


def _side_by_side(ax: Axes, name: str, first: Any, output: Tensor, example: Example) -> None:
    """A label or a change to the left, an output to the right, on one set of axes."""
    names = example.classes.get(name, [])
    second = picture(name, output, len(names))
    _titled(ax, name)
    left = _colours(example.image.permute(1, 2, 0) if isinstance(first, str) else first)
    right = np.ones_like(left) if isinstance(second, str) else _colours(second)
    if isinstance(second, str):
        said = names[int(second)]
        ax.set_xlabel(f"{names[int(first)]} / {said}" if isinstance(first, str) else said, fontsize=9)
    gap = np.ones((len(left), max(1, len(left) // 24), 3))
    ax.imshow(np.concatenate([left, gap, right], 1))


def _titled(ax: Axes, name: str) -> None:
    style.bare(ax)
    ax.set_title(title(name), fontsize=style.SMALLEST, color=LOOKS[CATEGORY[name]][0])


def _colours(maps: Any) -> np.ndarray:
    """(H, W) as colours of the map, nan white; (H, W, 3) as they are."""
    values = maps.numpy() if isinstance(maps, Tensor) else np.asarray(maps)
    if values.ndim == 3:
        return values
    coloured: np.ndarray = colormaps["viridis"](np.nan_to_num(values))[..., :3]
    coloured[np.isnan(values)] = 1
    return coloured


def _named(axis: Any, rotation: int = 0) -> None:
    axis.set_ticks(range(len(NAMES)), [title(name) for name in NAMES], rotation=rotation)
    for text, category in zip(axis.get_ticklabels(), CATEGORIES):
        text.set_color(LOOKS[category][0])
