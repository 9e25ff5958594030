"""Figures of the text experiment: every number comes from the records, but for one attacked text to read."""

from __future__ import annotations

import html
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import NullLocator

from lib.attacks.words.spelling import Words
from lib.attacks.words.textfooler import Attacked
from lib.base import paper, style
from lib.base.tables import number
from lib.engine import runs
from lib.engine.results import Result, Value, at
from lib.experiments.common.figures import DASHES, legend, points
from lib.experiments.common.observations import Observations, interval
from lib.experiments.text import attacking, networks, record
from lib.experiments.text.readings import READINGS, title
from lib.experiments.text.settings import UNTRAINED, Config
from lib.models import bert

LOSS, TUNED = READINGS.headline
GREY = style.PALETTE["grey"]
ITSELF = "the reference itself"
Belief = tuple[str, float]  # the likeliest class and its probability


@dataclass(frozen=True)
class Shown:
    """The attack through one model. `pieces`: (text, its replacement or None), in order.

    `own` and `reference`: what that model and the reference believe before and after.
    """

    attacker: str
    pieces: list[tuple[str, str | None]]
    own: tuple[Belief, Belief]
    reference: tuple[Belief, Belief]


@dataclass(frozen=True)
class Example:
    """A text of the target, its class, and the attacks on it, with changed words struck out on a page.

    Texts are other people's: everything is escaped.
    """

    target: str
    label: str
    attacks: list[Shown]
    caption: str

    def _repr_html_(self) -> str:
        names = ("attack through", "text", "says", "the reference says")
        head = "".join(f"<th>{name}</th>" for name in names)
        body = "".join(self._row(one) for one in self.attacks)
        caption = html.escape(f"{title(self.target)}, rated {self.label}")
        return (
            f'<div class="table-scroll" tabindex="0"><table class="table lib-table"><caption>'
            f"{caption}</caption><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table></div>"
            f'<p class="table-note">{html.escape(self.caption)}</p>'
        )

    def __str__(self) -> str:
        lines = [f"{title(one.attacker)}: {_plain(one)}" for one in self.attacks]
        return "\n".join([*lines, self.caption])

    def _row(self, one: Shown) -> str:
        cells = [html.escape(title(one.attacker)), _marked(one), _said(one.own), _said(one.reference)]
        return f"<tr>{''.join(f'<td>{cell}</td>' for cell in cells)}</tr>"


def attacked(config: Config, caption: str, *, seed: int = 0, tries: int = 8) -> Example:
    """The first text that the reference gets right until a source's attack changes its mind.

    Looked for among the first `tries` texts; where there is none, the first of them. The models are those of
    the run and need not be trained again.
    """
    with runs.inside(record, config) as config:
        reference = networks.reference_model(config, seed)
        models = {name: networks.source_model(config, name, seed) for name in config.sources}
        part, read = networks.attacked_part(config), networks.reader(config)
        texts, labels = part.texts[:tries], part.labels[:tries]
        found = {name: attacking.attack(config, model, texts) for name, model in models.items()}
        right = read(reference, texts).argmax(1) == labels
        after = [read(reference, [one.attacked for one in each]).argmax(1) for each in found.values()]
        fooled = right & (torch.stack(after) != labels).any(0)
        row = int(fooled.int().argmax())
        chosen = {name: each[row] for name, each in found.items()}
        chosen[ITSELF] = attacking.attack(config, reference, [texts[row]])[0]
        shown = []
        for name, model in (models | {ITSELF: reference}).items():
            own = _believed(config, model, chosen[name], config.target if name == ITSELF else name)
            said = _believed(config, reference, chosen[name], config.target)
            shown.append(Shown(name, _pieces(chosen[name]), own, said))
        return Example(config.target, part.classes[int(labels[row])], shown, caption)


def raw(result: Result) -> Figure:
    """Each quantity in its unit: mean and 95 % interval over the seeds, dots for the seeds."""
    seen = READINGS.of(result)
    losses = [at("attacks", name, "loss") for name in ("clean", "chance")]
    panels: list[tuple[str, str, list[Value], str]] = [
        ("τ₁ (dotted: chance)", "τ₁", [at("tau1_chance")], "log"),
        ("τ₂ (dotted: mean of its null)", "τ₂", [at("tau2_null", 0)], "log"),
        ("loss of the reference\n(dotted: clean, dashed: random words)", LOSS, losses, "linear"),
        ("fine-tuned accuracy", TUNED, [], "linear"),
    ]
    names = [*seen.sources, UNTRAINED]
    fig, axes = style.figure(2, 2, sharey=True, height=0.62 * len(names) + 2.6)
    for index, (ax, (label, name, levels, scale)) in enumerate(zip(axes.flat, panels)):
        _bars(ax, seen, names, name, style.SERIES[index])
        for level, dash in zip(levels, DASHES):
            everywhere = float(np.mean([level(r) for r in seen.rows]))
            ax.axvline(everywhere, color=GREY, linestyle=dash, linewidth=1.4)
        ax.set(xlabel=label, xscale=scale)
    axes[0, 0].set_yticks(range(len(names)), [title(name) for name in names])
    axes[0, 0].invert_yaxis()
    note = "bars: 95 % (Student) over seeds; dots: seeds" if result.config.seeds > 1 else "one seed"
    return style.stamp(fig, f"{result.caption} · {note}")


def beside(result: Result) -> Figure:
    """The paper's three points and ours: a measure across, knowledge transfer up."""
    seen, printed = READINGS.of(result), paper.TEXT.columns
    fig, axes = style.figure(1, 3, sharey=True, height=3.6)
    up = seen.values(TUNED)
    for ax, (key, name) in zip(axes, {"tau1": "τ₁", "tau2": "τ₂", "adversarial_loss": LOSS}.items()):
        across = seen.values(name)
        for index, source in enumerate(seen.sources):
            ax.plot(across[index], up[index], label=title(source), **points(index))
        stars = printed[key], printed["knowledge"]
        ax.plot(*stars, "*", color=GREY, markersize=9, label="paper: Yelp, AG, Fake")
        ax.set(xlabel=name, xscale="log" if key == "tau2" else "linear")
    axes[0].set_ylabel("knowledge transfer\n(accuracy)")
    legend(fig, axes[0], 4)
    return style.stamp(fig, f"{result.caption} · a point is one source and one seed; stars: as printed")


def links(result: Result) -> Figure:
    """Kendall's tau-b of each measure and rival with each reading of knowledge transfer, within seeds."""
    seen, names = READINGS.of(result), list(READINGS.predictors)
    fig, ax = style.figure(height=0.32 * len(names) + 1.8)
    places = np.arange(len(names))[::-1]
    for index, knowledge in enumerate(READINGS.knowledge):
        found = [seen.link(name, knowledge).order.value for name in names]
        ax.plot(found, places + 0.15 * (2 - index), label=knowledge, **points(index))
    ax.axvline(0, color=GREY, linewidth=1)
    ax.axhline(len(READINGS.rivals) - 0.5, color=GREY, linewidth=1, linestyle=":")
    ax.set_yticks(places, names)
    ax.set(xlabel="$\\tau_b$ within seeds", xlim=(-1.08, 1.08))
    legend(fig, ax, 3)
    return style.stamp(fig, f"{result.caption} · below the dotted line: rivals and baselines")


def collapse(*results: Result) -> Figure:
    """tau2 as the part that all logits have in common is shrunk, and at the right with that part gone."""
    fig, axes = style.figure(1, len(results), sharey=True, height=3.8, squeeze=False)
    for ax, result in zip(axes[0], results):
        seen = READINGS.of(result)
        scales = sorted(map(float, seen.rows[0]["by_scale"]), reverse=True)
        gone = scales[-2] / 10  # a place on the axis for 0
        for index, source in enumerate(seen.sources):
            rows = [r["by_scale"] for r in seen.records(source)]
            means = [np.mean([row[str(scale)][0] for row in rows]) for scale in scales]
            ax.plot(scales[:-1], means[:-1], label=title(source), **style.series(index))
            ax.plot(gone, means[-1], **style.series(index))
        ax.set(xscale="log", yscale="log", xlabel="what the logits have in common, × (left: taken out)")
        ax.set_xticks([gone, *scales[-2::-2]], ["0", *[f"{scale:g}" for scale in scales[-2::-2]]])
        ax.xaxis.set_minor_locator(NullLocator())
        for value in paper.TEXT.columns["tau2"]:
            ax.axhline(value, color=GREY, linestyle=":", linewidth=1)
        ax.set_title(title(seen.targets[0]))
        ax.legend(loc="lower right")
    axes[0, 0].set_ylabel("τ₂ (dotted: the paper's three)")
    return style.stamp(fig, " | ".join(result.caption for result in results))


def sizes(result: Result) -> Figure:
    """tau2 and its null over the number of texts; tau1 and its chance over the length of the texts."""
    seen = READINGS.of(result)
    few, short = list(seen.rows[0]["by_size"]), list(seen.rows[0]["by_length"])
    counts = [*map(int, few), result.config.tau_texts]
    tokens = [*map(int, short), result.config.tokens]
    tau2 = [*[at("by_size", key, "tau2") for key in few], at("readings", "contrasts", "tau2")]
    tau1 = [*[at("by_length", key, "contrasts", "tau1") for key in short], at("tau1")]
    chance = [*[at("by_length", key, "chance") for key in short], at("tau1_chance")]
    fig, (left, right) = style.figure(1, 2, height=3.8)
    for index, source in enumerate([*seen.sources, UNTRAINED]):
        found, look = seen.records(source), style.series(index)
        left.plot(counts, _means(found, tau2), label=title(source), **look)
        right.plot(tokens, _means(found, tau1), **look)
    null = _means(seen.rows, [at("by_size", key, "null") for key in few])
    left.plot(counts[:-1], null, color=GREY, label="null, random signs")
    left.plot(counts, [1 / n for n in counts], ":", color=GREY, label="1 / texts")
    left.set(xscale="log", yscale="log", xlabel="texts", ylabel="τ₂, contrasts")
    left.set_xticks(counts, [str(count) for count in counts])
    left.xaxis.set_minor_locator(NullLocator())
    right.plot(tokens, _means(seen.rows, chance), ":", color=GREY, label="chance")
    right.set(yscale="log", xlabel="tokens a text", ylabel="τ₁")
    right.legend(loc="center right")
    legend(fig, left, 4)
    return style.stamp(fig, f"{result.caption} · means over seeds")


def _bars(ax: Axes, seen: Observations, names: list[str], name: str, look: dict[str, Any]) -> None:
    for place, source in enumerate(names):
        seeds = seen.values(name, sources=[source])[0].tolist()
        low, middle, high = interval(seeds)
        if len(seeds) > 1:
            ax.plot([max(low, min(seeds) / 10), high], [place, place], color=look["color"], linewidth=1.2)
            ax.plot(seeds, [place + 0.22] * len(seeds), ".", color=look["color"], alpha=0.6)
        ax.plot(middle, place, look["marker"], color=look["color"])


def _means(records: Sequence[dict[str, Any]], values: Sequence[Value]) -> list[float]:
    return [float(np.mean([value(r) for r in records])) for value in values]


def _pieces(found: Attacked) -> list[tuple[str, str | None]]:
    """What stands there, and what replaces it or None, piece by piece."""
    words, changed = Words(found.original), {index: after for index, _, after in found.changes}
    return [(piece, changed.get(i // 2) if i % 2 else None) for i, piece in enumerate(words.pieces)]


def _believed(config: Config, model: bert.Classifier, found: Attacked, learnt: str) -> tuple[Belief, Belief]:
    """What a model that has learnt a data set believes before and after."""
    classes = networks.split(learnt).classes
    sure, chosen = networks.reader(config)(model, [found.original, found.attacked]).softmax(1).max(1)
    before, after = ((classes[int(c)], float(p)) for c, p in zip(chosen, sure))
    return before, after


def _marked(one: Shown) -> str:
    parts = []
    for piece, after in one.pieces:
        kept = html.escape(piece)
        parts.append(kept if after is None else f"<del>{kept}</del> <ins><b>{html.escape(after)}</b></ins>")
    return "".join(parts)


def _plain(one: Shown) -> str:
    return "".join(piece if after is None else f"[{piece} → {after}]" for piece, after in one.pieces)


def _said(pair: tuple[Belief, Belief]) -> str:
    said = [f"{html.escape(name)} {number(sure, 2)}" for name, sure in pair]
    return f"{said[0]} → <b>{said[1]}</b>" if pair[0][0] != pair[1][0] else " → ".join(said)
