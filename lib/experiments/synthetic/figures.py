"""Figures of Section 4.1: the paper's Figure 2 in its own form, and the same curves made readable."""

from __future__ import annotations

from collections.abc import Sequence

from matplotlib.axes import Axes
from matplotlib.figure import Figure

from lib.base import style
from lib.engine.results import Result
from lib.experiments.synthetic import tracking
from lib.experiments.synthetic.tracking import Pair

Line = tuple[str, str]  # a quantity's name in the records, and its label

_GREEN, _BLUE, _RED, _MAGENTA, _BLACK = (
    style.PALETTE[name] for name in ("green", "blue", "vermilion", "purple", "black")
)


def paper_form(result: Result) -> Figure:
    """Figure 2: seven quantities over t on four coloured axes, one panel a width, bands over the seeds.

    The caption of the paper counts four axes and names five. Four are drawn here: the bound of Theorem 2
    (blue) and the true difference (red) share one, so that the gap between them can be seen.
    """
    pairs = _own(result)
    fig, axes = style.figure(len(pairs), 1, height=3.9 * len(pairs), squeeze=False)
    for ax, pair in zip(axes.flat, pairs):
        _figure_2_panel(ax, result, pair)
        ax.set_title(f"hidden-layer width {pair[0]}", loc="left")
    lines = {str(line.get_label()): line for twin in fig.axes for line in twin.get_lines()}
    fig.legend(list(lines.values()), list(lines), loc="outside upper center", ncols=3)
    return style.stamp(fig, result.caption)


def _figure_2_panel(ax: Axes, result: Result, pair: Pair) -> None:
    axes = [ax, ax.twinx(), ax.twinx(), ax.twinx()]
    for offset, twin in zip((1.0, 1.13, 1.28), axes[1:]):
        twin.spines["right"].set_visible(True)
        twin.spines["right"].set_position(("axes", offset))
        twin.grid(False)
    _lines(axes[0], result, pair, [("tau1", "τ₁"), ("tau2", "τ₂"), ("alpha_squared", "α²")], _GREEN)
    axes[0].lines[-1].set(markerfacecolor="none", markersize=9)  # it lies on τ₁
    _lines(axes[1], result, pair, [("theorem_2_paper", "Theorem 2, bound")], _BLUE, first=3)
    _lines(axes[1], result, pair, [("gradient_difference", "true gradient difference")], _RED, first=4)
    _lines(axes[2], result, pair, [("theorem_3_paper", "Theorem 3, bound")], _MAGENTA, first=5)
    _lines(axes[3], result, pair, [("transferred_loss", "true transferred loss")], _BLACK, first=6)
    labels = ("τ₁, τ₂, α²", "gradient difference: bound, truth", "bound on the loss", "transferred loss")
    for twin, label, colour in zip(axes, labels, (_GREEN, _BLUE, _MAGENTA, _BLACK)):
        twin.set_ylabel(label, color=colour)
        twin.tick_params(axis="y", colors=colour)
        twin.spines["left" if twin is ax else "right"].set_color(colour)
        twin.set_ylim(bottom=0)
    axes[2].ticklabel_format(axis="y", style="sci", scilimits=(0, 0))
    ax.set(xlabel="t", xlim=(0, 1), ylim=(0, 1.02))


def small_multiples(result: Result) -> Figure:
    """Five rows of one kind of quantity each, a column a width, rows on one scale; bands over the seeds."""
    pairs, rows = _own(result), len(_ROWS)
    height = 2.3 * rows + 0.6
    fig, axes = style.figure(rows, len(pairs), height=height, sharex=True, sharey="row", squeeze=False)
    for row, (label, scale, lines) in zip(axes, _ROWS):
        for ax, pair in zip(row, pairs):
            _lines(ax, result, pair, lines, None, skip=int(scale == "log"))
            ax.set_yscale(scale)
        row[0].set_ylabel(label)
        row[-1].legend(loc="center left", bbox_to_anchor=(1.01, 0.5))
    for ax, pair in zip(axes[0], pairs):
        ax.set_title(f"width {pair[0]}" if pair[0] == pair[1] else f"width {pair[0]}, source {pair[1]}")
    for ax in axes[-1]:
        ax.set_xlabel("t")
    return style.stamp(fig, result.caption)


_ROWS: tuple[tuple[str, str, list[Line]], ...] = (
    ("angle and loss", "linear", [
        ("tau1", "τ₁"), ("alpha_squared", "α squared"), ("alpha", "α, its root"),
        ("adversarial_excess_ratio", "true loss ratio")]),
    ("deviation", "linear", [
        ("tau2", "τ₂"), ("tau2_split", "τ₂, split half"), ("tau2_kept_high", "null, signs kept, 95 %"),
        ("tau2_null_high", "null, random signs, 95 %"),
        ("projection_scale", "ψ, projection")]),
    ("gradient difference", "linear", [
        ("gradient_difference", "true"), ("theorem_2_paper", "paper (5)"),
        ("theorem_2_constant_two", "constant 2"), ("theorem_2_pointwise", "pointwise")]),
    ("loss", "linear", [
        ("transferred_loss", "last layer refit"), ("transferred_loss_fresh", "the same, fresh x"),
        ("affine_loss", "best affine g")]),
    ("loss and its bounds", "log", [
        ("theorem_g_loss", "the theorem's g"), ("theorem_3_paper", "paper, β"),
        ("theorem_3_half_beta", "β / 2"), ("theorem_3_sampled_beta", "β / 2, bend found"),
        ("theorem_3_no_beta", "β = 0")]),
)  # fmt: skip


def fixed_t(result: Result, at: Sequence[float] = (0.2, 0.5, 1.0)) -> Figure:
    """tau1 against the transferred loss at fixed t, both less their seed's mean: t no longer drives both.

    Raises ValueError for a t that the run has not measured.
    """
    pairs, grid = _own(result), result.records[0]["t"]
    for t in at:
        if t not in grid:
            raise ValueError(f"t = {t} was not measured: choose from {grid}")
    fig, axes = style.figure(len(pairs), len(at), height=2.5 * len(pairs) + 0.5, squeeze=False)
    for row, pair in zip(axes, pairs):
        for ax, t in zip(row, at):
            both = (tracking.centred(result.records, name, pair) for name in ("tau1", "transferred_loss"))
            tau1, loss = (values[:, :, grid.index(t)].flatten() for values in both)
            for line in (ax.axhline, ax.axvline):
                line(0, color=style.PALETTE["grey"], linewidth=0.8)
            ax.plot(tau1, loss, linestyle="", marker="o", color=_BLUE, alpha=0.6)
            ax.set_title(f"width {pair[0]}, t = {t:g}")
            ax.locator_params(nbins=3)
        row[0].set_ylabel("loss, less the seed's mean")
    for ax in axes[-1]:
        ax.set_xlabel("τ₁, less the seed's mean")
    return style.stamp(fig, result.caption)


def _own(result: Result) -> list[Pair]:
    """The pairs of widths to show: the paper's kind, a target and itself moved; others only if alone."""
    pairs = list(tracking.sweeps(result.records))
    return [pair for pair in pairs if pair[0] == pair[1]] or pairs


def _lines(
    ax: Axes, result: Result, pair: Pair, lines: Sequence[Line], colour: str | None, first: int = 0,
    skip: int = 0,
) -> None:  # fmt: skip
    """Median and band of each quantity; `colour` overrides the series', `skip` leaves out t = 0 (log 0)."""
    t = result.records[0]["t"][skip:]
    for index, (name, label) in enumerate(lines, start=first):
        look = style.series(index) | ({} if colour is None else {"color": colour})
        low, middle, high = (values[skip:] for values in tracking.band(result.records, name, pair))
        style.band(ax, t, low, middle, high, label=label, **look)
