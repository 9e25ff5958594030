"""Figures of the attribute experiment: every number comes from the records, but for a few drawn faces."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from torch import Tensor

from lib.attacks.projected import pgd
from lib.base import labels, streams, style
from lib.data.drawn import faces
from lib.engine import runs
from lib.engine.results import Result, Value
from lib.experiments.attributes import attacking, networks, record, selection
from lib.experiments.attributes.people import album
from lib.experiments.attributes.readings import ACCURACY, LOSS, READINGS, called, intervals, link, reliability
from lib.experiments.attributes.settings import PERMUTED, UNTRAINED, Config
from lib.experiments.common.figures import legend, points
from lib.experiments.common.observations import Observations
from lib.experiments.common.pixels import PIXELS

MEASURES = READINGS.measures
PANELS = ("τ₁", "τ₂", LOSS, "identity in the labels")
GREY = style.PALETTE["grey"]
CONTROLS = {UNTRAINED: ("untrained", "X", "grey"), PERMUTED: ("permuted labels", "s", "vermilion")}


@dataclass(frozen=True)
class Example:
    """Photos (N, 3, S, S) before and after an attack on one attribute.

    beliefs: the source's probability that the attribute is there; same: the reference's cosine between the
    photo and itself attacked, and between the photo and one of somebody else; all (N,).
    """

    attribute: str
    epsilon: float
    before: Tensor
    after: Tensor
    present: Tensor
    beliefs: list[Tensor]
    same: Tensor
    other: Tensor


def example(
    config: Config, attribute: str, *, epsilon: float | None = None, count: int = 3, seed: int = 0
) -> Example:
    """Photos of `count` known people that the models have not learnt from, attacked through one source.

    Raises ValueError for photos of real people, whom the book does not show.
    """
    if config.data != "rendered":
        raise ValueError(f"data={config.data!r} shows real people: the example takes 'rendered' faces only")
    radius = config.epsilon if epsilon is None else epsilon
    with runs.inside(record, config) as config:
        source = networks.source_model(config, attribute, seed)
        reference = networks.reference_model(config, seed)
        kept = album(config).attacked
        first = torch.stack([(kept.identities == who).nonzero()[0, 0] for who in kept.identities.unique()])
        has = kept.attributes[first, kept.names.index(attribute)]
        some = kept.select(torch.cat([first[has][: (count + 1) // 2], first[~has][: count // 2]]))
        x = attacking.photos(some, config.device).x
        stream = streams.generator(seed, "example")
        after = pgd(source, x, radius, config.steps, clip=PIXELS, generator=stream)
        with torch.no_grad():
            clean, moved = reference.embed(x), reference.embed(after)
            beliefs = [source(part).softmax(1)[:, 1].cpu() for part in (x, after)]
        return Example(
            attribute, radius, x.cpu(), after.cpu(), some.attributes[:, some.names.index(attribute)],
            beliefs, (clean * moved).sum(1).cpu(), (clean * clean.roll(1, 0)).sum(1).cpu(),
        )  # fmt: skip


def portraits(attributes: tuple[str, ...], size: int = 72, person: int = 3) -> tuple[Tensor, list[str]]:
    """One person, first plain, then with one attribute changed: images (1 + A, 3, S, S) and their titles."""
    off = dict.fromkeys(attributes, False) | {"Young": True, "No_Beard": True}
    changed = [off, *(off | {name: not off[name]} for name in attributes)]
    images = [faces.faces([person], 1, size=size, fixed=each).images for each in changed]
    return torch.cat(images), ["plain", *(f"not {name}" if off[name] else name for name in attributes)]


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
    widths = [1, 1, 1, 1.3, 1.3]
    fig, axes = style.figure(count, 5, height=1.4 * count + 0.9, width_ratios=widths, squeeze=False)
    for row, line in enumerate(axes):
        before, after = example.before[row], example.after[row]
        for ax, picture in zip(line, (before, 0.5 + gain * (after - before), after)):
            ax.imshow(picture.permute(1, 2, 0).clamp(0, 1))
            style.bare(ax)
        _bars(line[3], [float(b[row]) for b in example.beliefs], ("clean", "attacked"))
        _bars(line[4], [float(example.same[row]), float(example.other[row])], ("attacked", "other person"))
        line[4].set_xlim(-0.3, 1)
        line[0].set_ylabel(("" if example.present[row] else "not ") + called(example.attribute))
    question = f"source: {called(example.attribute)}?"
    for ax, title in zip(axes[0], ("photo", f"change × {gain:.2g}", "attacked", question, "reference")):
        ax.set_title(title)
    axes[-1, 3].set_xlabel("probability")
    axes[-1, 4].set_xlabel("cosine with the photo")
    return style.stamp(fig, caption)


def every(result: Result) -> Figure:
    """All attributes: adversarial loss across, verification accuracy up, controls beside them."""
    fig, ax = style.figure(height=6.4)
    seen = READINGS.of(result)
    names = seen.sources
    x, y = _points(ax, seen, _above_noise("pgd"))
    inside = [i for i, name in enumerate(names) if name in selection.SHOWN]
    look = {"facecolors": "none", "edgecolors": style.PALETTE["black"], "s": 90, "linewidths": 1.3}
    ax.scatter(x[inside], y[inside], label="in the paper's Table 1", **look)
    for i, place in labels.beside(x, y, [called(name) for name in names], first=inside):
        ax.annotate(called(names[i]), (x[i], y[i]), xytext=(7 * place, 0), textcoords="offset points",
                    fontsize=style.SMALLEST, ha="left" if place > 0 else "right", va="center")  # fmt: skip
    for name, title, dash in (("clean", "clean photos", ":"), ("noise", "under noise", "--")):
        level = float(seen.means(_above_noise(name)).mean())
        ax.axvline(level, color=GREY, linestyle=dash, linewidth=1.2, label=title)
    across = "adversarial loss of the reference (PGD), above that under noise"
    ax.set(xlabel=across, ylabel="verification accuracy")
    fig.legend(loc="outside upper center", ncols=3)
    return style.stamp(fig, f"{result.caption} · means over seeds, lines: their range")


def panels(result: Result) -> Figure:
    """The same accuracies against tau1, tau2, the adversarial loss, and identity in the labels."""
    fig, axes = style.figure(2, 2, sharey=True, height=6.0)
    seen = READINGS.of(result)
    for ax, title in zip(axes.flat, PANELS):
        _points(ax, seen, title, controls=title in MEASURES)
        one = link(seen, title).order
        p = f"p = {one.p_one_sided:.2g}" if one.p_one_sided >= 0.001 else "p < .001"
        ax.set_title(f"$\\tau_b$ = {one.value:.2f}, {p}")
        ax.set_xlabel(title)
    for ax in axes[:, 0]:
        ax.set_ylabel("verification accuracy")
    legend(fig, axes[0, 0], 3)
    note = "points: means over seeds, lines: their range; τ_b: mean over seeds, one-sided p by permutation"
    return style.stamp(fig, f"{result.caption} · {note}")


def links(result: Result) -> Figure:
    """Kendall's tau-b of every predictor with verification accuracy, best first, with bootstrap intervals."""
    seen = READINGS.of(result)
    taus = {name: link(seen, name).order.value for name in READINGS.predictors}
    found = sorted(taus.items(), key=lambda item: item[1])
    fig, ax = style.figure(height=0.27 * len(found) + 1.2)
    for row, (name, value) in enumerate(found):
        own = intervals(seen, name)[0]
        spread = [[max(value - own.low, 0)], [max(own.high - value, 0)]]
        ax.errorbar([value], [row], xerr=spread, capsize=2, **points(0 if name in MEASURES else 1))
    for index, label in enumerate(("needs an attack", "needs none")):
        ax.plot([], [], label=label, **points(index))
    if (ceiling := reliability(seen, ACCURACY)) is not None:
        ax.axvline(ceiling, label="accuracy, one seed by the other", color=GREY, linestyle="--")
    ax.axvline(0, color=GREY, linewidth=1)
    ax.set_yticks(range(len(found)), [name for name, _ in found])
    ax.set(xlabel="$\\tau_b$ with verification accuracy, all attributes", xlim=(-1, 1))
    fig.legend(loc="outside upper center", ncols=3)
    return style.stamp(fig, f"{result.caption} · 95 %, attributes resampled")


def selected(correlations: tuple[float, ...] = (0.0, 0.3, 0.6), repeats: int = 2000) -> Figure:
    """Kendall's tau over all forty, and over the top five, where the true one is known."""
    fig, axes = style.figure(1, len(correlations), sharey=True, height=3.3)
    bins = np.arange(-1.1, 1.2, 0.2)
    for ax, true in zip(axes, correlations):
        draws = selection.simulate(true, repeats=repeats)
        plain = {"color": style.PALETTE["sky"]}
        hatched = {"color": style.PALETTE["vermilion"], "histtype": "step", "hatch": "///"}
        for values, label, look in ((draws.whole, "all forty", plain), (draws.top, "top five", hatched)):
            weights = np.full(len(values), 1 / len(values))
            ax.hist(values.numpy(), bins=bins, weights=weights, label=label, linewidth=1.4, **look)
        ax.axvline(0.8, color=style.PALETTE["black"], linestyle=":", label="Table 1")
        ax.set(title=f"true $\\tau$ = {true:g}", xlabel="observed $\\tau$")
    axes[0].set_ylabel("share of draws")
    legend(fig, axes[0], 3)
    return style.stamp(fig, f"simulated: {repeats:,} draws of forty normal pairs, seed 0")


def released() -> Figure:
    """The authors' forty mean accuracies in order, Table 1's five marked; those five alone if not here."""
    found = selection.released()
    fig, ax = style.figure(height=3.4)
    if found:
        order = sorted(found, key=lambda name: -found[name])
        heights = [found[name] for name in order]
        ax.plot(range(1, len(order) + 1), heights, ".", color=GREY, label="released, all forty")
        places = {name: (order.index(name) + 1, found[name]) for name in selection.SHOWN}
    else:
        printed = selection.printed("knowledge").tolist()
        places = dict(zip(selection.SHOWN, zip(selection.CITED, printed)))
    for name, (rank, height) in places.items():
        ax.plot([rank], [height], **points(1))
        ax.annotate(selection.SHOWN[name], (rank, height), xytext=(2, 8) if rank == 1 else (8, 3),
                    textcoords="offset points", fontsize=style.SMALLEST)  # fmt: skip
    ax.axhline(0.5, color=style.PALETTE["black"], linestyle=":", label="chance")
    ax.margins(y=0.15)
    ax.set(xlabel="rank among the forty", ylabel="mean accuracy, seven benchmarks")
    fig.legend(loc="outside upper center", ncols=2)
    where = "authors' code, exp2/visualize.py at 985ab57"
    return style.stamp(fig, f"{where} · {selection.stamp()} · one run, seeds unknown")


def _above_noise(attack: str) -> Value:
    """The loss under an attack, less that under noise: the references of two seeds differ in both alike."""
    return lambda r: float(r["attacks"][attack]["loss"] - r["attacks"]["noise"]["loss"])


def _points(ax: Axes, seen: Observations, value: str | Value, *, controls: bool = True) -> tuple[Any, Any]:
    """Attributes (and controls) as points with the range over seeds; the means of the attributes."""
    kinds = [(seen.sources, "attributes", "o", "blue")]
    for kind, look in CONTROLS.items():
        if controls and (found := seen.controls(kind)):
            kinds.append((found, *look))
    for sources, label, marker, colour in kinds:
        x, y = (seen.values(side, sources=sources) for side in (value, ACCURACY))
        ax.errorbar(x.mean(1), y.mean(1), _range(y), _range(x), fmt=marker, color=style.PALETTE[colour],
                    label=label, markersize=4.5, elinewidth=0.6, alpha=0.85)  # fmt: skip
    return seen.means(value).numpy(), seen.means(ACCURACY).numpy()


def _range(values: Tensor) -> Any:
    middle = values.mean(1)
    return torch.stack([middle - values.amin(1), values.amax(1) - middle]).clamp(min=0).numpy()


def _bars(ax: Axes, lengths: list[float], labels: tuple[str, ...]) -> None:
    looks = zip((style.PALETTE["sky"], style.PALETTE["vermilion"]), ("", "///"))
    for row, (length, (colour, hatch)) in enumerate(zip(lengths, looks)):
        ax.barh(-row, length, 0.7, color=colour, hatch=hatch, edgecolor="white")
    ax.set_yticks([-row for row in range(len(labels))], labels)
    ax.set_xlim(0, 1)
