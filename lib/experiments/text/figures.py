"""Figures of the text experiment; every number comes from the records or from `summary`."""

from __future__ import annotations

import html
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import NullLocator

from lib.base import paper, style
from lib.base.tables import number
from lib.experiments.text import summary
from lib.experiments.text.example import Example, Shown
from lib.experiments.text.settings import UNTRAINED


@dataclass(frozen=True)
class Marked:
    """The attacks on one text side by side: changed words struck out, their replacements beside them.

    Texts are other people's: everything is escaped.
    """

    example: Example
    caption: str

    def _repr_html_(self) -> str:
        head = "".join(
            f"<th>{name}</th>" for name in ("attack through", "text", "says", "the reference says")
        )
        body = "".join(self._row(one) for one in self.example.attacks)
        title = f"{summary.title(self.example.target)}, rated {self.example.label}"
        return (
            f'<div class="table-scroll" tabindex="0"><table class="table lib-table"><caption>'
            f"{html.escape(title)}</caption><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table></div>"
            f'<p class="table-note">{html.escape(self.caption)}</p>'
        )

    def __str__(self) -> str:
        lines = [f"{summary.title(one.attacker)}: {_plain(one)}" for one in self.example.attacks]
        return "\n".join([*lines, self.caption])

    def _row(self, one: Shown) -> str:
        cells = [html.escape(summary.title(one.attacker)), _marked(one), _beliefs(one.own)]
        cells.append(_beliefs(one.reference))
        return f"<tr>{''.join(f'<td>{cell}</td>' for cell in cells)}</tr>"


def attacked(example: Example, caption: str) -> Marked:
    """The attacked text for a page."""
    return Marked(example, caption)


def raw(result: Any) -> Figure:
    """Each quantity in its unit: mean and 95 % interval over the seeds, dots for the seeds."""
    panels: list[tuple[str, summary.Value, list[summary.Value], str]] = [
        ("τ₁ (dotted: chance)", summary.at("tau1"), [summary.at("tau1_chance")], "log"),
        ("τ₂ (dotted: mean of its null)", summary.at("tau2"), [lambda r: r["tau2_null"][0]], "log"),
        ("loss of the reference\n(dotted: clean, dashed: random words)",
         summary.MEASURES["adversarial loss"],
         [summary.at("attacks", name, "loss") for name in ("clean", "chance")], "linear"),
        ("fine-tuned accuracy", summary.KNOWLEDGE["fine-tuned accuracy"], [], "linear"),
    ]  # fmt: skip
    names = [*summary.source_names(result), UNTRAINED]
    fig, axes = style.figure(2, 2, sharey=True, height=0.62 * len(names) + 2.6)
    for index, (ax, (label, value, levels, scale)) in enumerate(zip(axes.flat, panels)):
        _rows(ax, result, names, value, style.SERIES[index])
        for level, dash in zip(levels, (":", "--")):
            ax.axvline(_level(result, level), color=style.PALETTE["grey"], linestyle=dash, linewidth=1.4)
        ax.set(xlabel=label, xscale=scale)
    axes[0, 0].set_yticks(range(len(names)), [summary.title(name) for name in names])
    axes[0, 0].invert_yaxis()
    note = "bars: 95 % (Student) over seeds; dots: seeds" if result.config.seeds > 1 else "one seed"
    return style.stamp(fig, f"{result.caption} · {note}")


def beside(result: Any) -> Figure:
    """The paper's three points and ours: a measure across, knowledge transfer up."""
    measures = {"tau1": "τ₁", "tau2": "τ₂", "adversarial_loss": "adversarial loss"}
    fig, axes = style.figure(1, 3, sharey=True, height=3.6)
    (target,) = summary.targets(result)
    up = summary.values(result, target, summary.KNOWLEDGE["fine-tuned accuracy"])
    for ax, (key, name) in zip(axes, measures.items()):
        across = summary.values(result, target, summary.MEASURES[name])
        for index, source in enumerate(summary.source_names(result)):
            look = style.series(index) | {"linestyle": "none"}
            ax.plot(across[index], up[index], label=summary.title(source), **look)
        printed = paper.TEXT.columns[key], paper.TEXT.columns["knowledge"]
        ax.plot(*printed, "*", color=style.PALETTE["grey"], markersize=9, label="paper: Yelp, AG, Fake")
        ax.set(xlabel=name, xscale="log" if key == "tau2" else "linear")
    axes[0].set_ylabel("knowledge transfer\n(accuracy)")
    handles, labels = axes[0].get_legend_handles_labels()
    fig.legend(handles, labels, loc="outside upper center", ncols=4)
    return style.stamp(fig, f"{result.caption} · a point is one source and one seed; stars: as printed")


def links(result: Any) -> Figure:
    """Kendall's tau-b of each measure and rival with each reading of knowledge transfer, within seeds."""
    names = [*summary.MEASURES, *summary.RIVALS]
    fig, ax = style.figure(height=0.32 * len(names) + 1.8)
    places = np.arange(len(names))[::-1]
    for index, knowledge in enumerate(summary.KNOWLEDGE):
        found = [summary.link(result, name, knowledge).order.value for name in names]
        look = style.series(index) | {"linestyle": "none"}
        ax.plot(found, places + 0.15 * (2 - index), label=knowledge, **look)
    ax.axvline(0, color=style.PALETTE["grey"], linewidth=1)
    ax.axhline(len(summary.RIVALS) - 0.5, color=style.PALETTE["grey"], linewidth=1, linestyle=":")
    ax.set_yticks(places, names)
    ax.set(xlabel="$\\tau_b$ within seeds", xlim=(-1.08, 1.08))
    handles, labels = ax.get_legend_handles_labels()
    fig.legend(handles, labels, loc="outside upper center", ncols=3)
    return style.stamp(fig, f"{result.caption} · below the dotted line: rivals and baselines")


def collapse(results: Sequence[Any]) -> Figure:
    """tau2 as the part that all logits have in common is shrunk, and at the right with that part gone."""
    fig, axes = style.figure(1, len(results), sharey=True, height=3.8, squeeze=False)
    for ax, result in zip(axes[0], results):
        for index, source in enumerate(summary.source_names(result)):
            rows = [record["by_scale"] for record in summary.select(result, source)]
            scales = sorted((float(key) for key in rows[0]), reverse=True)
            means = [np.mean([row[_key(row, scale)][0] for row in rows]) for scale in scales]
            gone, look = scales[-2] / 10, style.series(index)  # a place on the axis for 0
            ax.plot(scales[:-1], means[:-1], label=summary.title(source), **look)
            ax.plot(gone, means[-1], **look)
        ax.set(xscale="log", yscale="log", xlabel="what the logits have in common, × (left: taken out)")
        ax.set_xticks([gone, *scales[-2::-2]], ["0", *[f"{scale:g}" for scale in scales[-2::-2]]])
        ax.xaxis.set_minor_locator(NullLocator())
        for value in paper.TEXT.columns["tau2"]:
            ax.axhline(value, color=style.PALETTE["grey"], linestyle=":", linewidth=1)
        ax.set_title(summary.title(summary.targets(result)[0]))
        ax.legend(loc="lower right")
    axes[0, 0].set_ylabel("τ₂ (dotted: the paper's three)")
    return style.stamp(fig, " | ".join(result.caption for result in results))


def sizes(result: Any) -> Figure:
    """tau2 and its null over the number of texts; tau1 and its chance over the length of the texts."""
    fig, (left, right) = style.figure(1, 2, height=3.8)
    names = [*summary.source_names(result), UNTRAINED]
    for index, source in enumerate(names):
        records, look = summary.select(result, source), style.series(index)
        counts = [*(int(key) for key in records[0]["by_size"]), result.config.tau_texts]
        left.plot(counts, [_by_size(records, str(n)) for n in counts], label=summary.title(source), **look)
        lengths = list(records[0]["by_length"])
        taus = [np.mean([r["by_length"][key]["contrasts"]["tau1"] for r in records]) for key in lengths]
        taus.append(np.mean([r["tau1"] for r in records]))
        right.plot([*map(int, lengths), result.config.tokens], taus, **look)
    null = [np.mean([r["by_size"][str(n)]["null"] for r in result.records]) for n in counts[:-1]]
    left.plot(counts[:-1], null, color=style.PALETTE["grey"], label="null, random signs")
    left.plot(counts, [1 / n for n in counts], ":", color=style.PALETTE["grey"], label="1 / texts")
    left.set(xscale="log", yscale="log", xlabel="texts", ylabel="τ₂, contrasts")
    left.set_xticks(counts, [str(count) for count in counts])
    left.xaxis.set_minor_locator(NullLocator())
    chance = [np.mean([r["by_length"][key]["chance"] for r in result.records]) for key in lengths]
    chance.append(np.mean([r["tau1_chance"] for r in result.records]))
    right.plot(
        [*map(int, lengths), result.config.tokens], chance, ":", color=style.PALETTE["grey"], label="chance"
    )
    right.set(yscale="log", xlabel="tokens a text", ylabel="τ₁")
    right.legend(loc="center right")
    handles, labels = left.get_legend_handles_labels()
    fig.legend(handles, labels, loc="outside upper center", ncols=4)
    return style.stamp(fig, f"{result.caption} · means over seeds")


def _rows(ax: Axes, result: Any, names: list[str], value: summary.Value, look: dict[str, Any]) -> None:
    for place, name in enumerate(names):
        seeds = [value(record) for record in summary.select(result, name)]
        low, middle, high = summary.interval(seeds)
        if len(seeds) > 1:
            ax.plot([max(low, min(seeds) / 10), high], [place, place], color=look["color"], linewidth=1.2)
            ax.plot(seeds, [place + 0.22] * len(seeds), ".", color=look["color"], alpha=0.6)
        ax.plot(middle, place, look["marker"], color=look["color"])


def _level(result: Any, value: summary.Value) -> float:
    return float(np.mean([value(record) for record in result.records]))


def _by_size(records: Sequence[Any], key: str) -> float:
    found = [r["by_size"].get(key, {"tau2": r["readings"]["contrasts"]["tau2"]})["tau2"] for r in records]
    return float(np.mean(found))


def _key(row: dict[str, Any], scale: float) -> str:
    return next(key for key in row if float(key) == scale)


def _marked(one: Shown) -> str:
    parts = []
    for piece, after in one.pieces:
        kept = html.escape(piece)
        parts.append(kept if after is None else f"<del>{kept}</del> <ins><b>{html.escape(after)}</b></ins>")
    return "".join(parts)


def _plain(one: Shown) -> str:
    return "".join(piece if after is None else f"[{piece} → {after}]" for piece, after in one.pieces)


def _beliefs(pair: tuple[tuple[str, float], tuple[str, float]]) -> str:
    said = [f"{html.escape(name)} {number(sure, 2)}" for name, sure in pair]
    return f"{said[0]} → <b>{said[1]}</b>" if pair[0][0] != pair[1][0] else " → ".join(said)
