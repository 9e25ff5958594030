"""What `lib.rank` returns: a sorted table, its intervals, and when not to believe it."""

from __future__ import annotations

import html
from collections.abc import Mapping
from functools import cached_property

import torch

from lib import statistics
from lib.base.tables import Table
from lib.ranking.doubts import doubts
from lib.ranking.measures import MEASURES, TITLES, Evidence
from lib.ranking.resampling import LEVEL, pairs_right
from lib.ranking.result import Findings

CONTROL = "control: an untrained network"
PARTS = ("reading", "tau", "attack")  # of a candidate's costs, that are passes
COSTS = ("reading: passes", "s", "τ: passes", "s", "attack: passes", "s", "probe, s", "rivals, s")


class Ranking(Findings):
    """Findings that show themselves as a table in a notebook and in a terminal, with their warnings."""

    @cached_property
    def warnings(self) -> list[str]:
        """Reasons not to trust the order; the alerts are among them."""
        return doubts(self)

    @property
    def table(self) -> Table:
        """A line a model, and one for the untrained network; ranks are intervals over resamples."""
        shown = [m for m in MEASURES if any(each.value(m) is not None for each in self.found.values())]
        at = shown.index("tau2") + 1
        titles = [TITLES[m] for m in shown]
        columns = ["model", f"rank by {TITLES[self.by]}", "minus the first's", *titles[:at], "τ₂ unpaired"]

        def numbers(each: Evidence) -> list[float | None]:
            values = [each.value(measure) for measure in shown]
            return [*values[:at], each.null[1], *values[at:]]

        rows = [
            [name, _span(self.interval(name, self.by)), self._lost(name), *numbers(self.found[name])]
            for name in self.names
        ]
        rows.append([CONTROL, "–", "–", *numbers(self.baseline)])
        return Table([*columns, *titles[at:]], rows, "Candidates, best first", self._note())

    @property
    def ranks(self) -> Table:
        """The interval of ranks of each model by each measure, and how often its first is first again."""
        rows = [
            [TITLES[m], *(_span(self.interval(name, m)) for name in self.names), max(spread.first)]
            for m, spread in self.spreads.items()
            if spread is not None
        ]
        columns = ["measure", *self.names, "first is first again"]
        return Table(columns, rows, f"Ranks by each measure ({LEVEL:.0%} of resamples)")

    @property
    def costs(self) -> Table:
        """Passes through each candidate and seconds, by what they were for."""
        rows = []
        for name in self.names:
            each = self.found[name]
            row: list[object] = [name, "–" if each.parameters is None else f"{each.parameters:,}"]
            for part in PARTS:
                forward, backward = (each.passes[f"{part} {way}"] for way in ("forward", "backward"))
                row += [f"{forward:,.0f} + {backward:,.0f}", each.seconds[part]]
            rows.append([*row, each.seconds["probe"], each.seconds["rivals"]])
        note = (
            "Passes are samples forward + backward through the candidate; reading serves probe and rivals. "
            "Seconds are of one run, after a warm-up: do not choose by small differences."
        )
        if self.frame.fitting:
            note += f" Attacks and τ need the reference besides: fitting it took {self.frame.fitting:.1f} s."
        return Table(["model", "parameters", *COSTS], rows, "Costs", note)

    def agreement(self, truth: Mapping[str, float]) -> Table:
        """How well each measure orders the models as `truth` does: {name: known accuracy of each model}.

        Kendall's tau-b with its exact one-sided p; the share of pairs in the right order, on all samples and
        over resamples; and how often the truly best is first. Guessing gets half of the pairs.
        Raises ValueError unless truth names every model, with two different values at least.
        """
        if set(truth) != set(self.found) or len(set(truth.values())) < 2:
            raise ValueError(
                f"truth must name {', '.join(self.found)}, and not all alike; it has {dict(truth)}"
            )
        known = torch.tensor([truth[name] for name in self.found], dtype=torch.float64)
        rows = []
        for measure, spread in self.spreads.items():
            if spread is None:
                continue
            whole = torch.tensor([[each.value(measure) for each in self.found.values()]], dtype=torch.float64)
            order = statistics.kendall(whole[0], known)
            shares = [float(pairs_right(values, known).mean()) for values in (whole, spread.draws)]
            best = spread.first[int(known.argmax())]
            rows.append([TITLES[measure], order.tau, order.p_one_sided, *shares, best])
        columns = ["measure", "Kendall τ", "p", "pairs right", "pairs right, resampled", "best is first"]
        note = f"{len(known)} models; pairs with equal truth are left out, a tie of the measure counts half."
        return Table(columns, rows, "Order against the known accuracies", note)

    def _lost(self, name: str) -> str:
        ends = self.behind(name)
        return "–" if ends is None or name == self.best else f"{_signed(ends[0])} to {_signed(ends[1])}"

    def _note(self) -> str:
        f = self.frame
        return (
            f"{f.samples}. Reference: {f.reference}, accuracy {f.accuracy:.2f} (chance {f.chance:.2f}), "
            f"loss {f.clean:.3g} unattacked and {f.noise:.3g} under noise. τ₁ of random directions: "
            f"{f.tau1_chance:.2g}. τ₂ unpaired: 95 % of what remains when attacks are paired with other "
            f"samples. Minus the first's: {TITLES[self.by]} less that of the first, {LEVEL:.0%} "
            "of resamples. Higher is better."
        )

    def _repr_html_(self) -> str:
        def listed(title: str, items: list[str]) -> str:
            points = "".join(f"<li>{html.escape(item)}</li>" for item in items)
            return f"<p><strong>{title}</strong></p><ul>{points}</ul>" if items else ""

        before, after = listed("Before you choose", self.warnings), listed("Notes", self.notes)
        return f'<div class="ranking">{before}{self.table._repr_html_()}{after}</div>'

    def _repr_markdown_(self) -> str:
        parts = [*(f"- {item}" for item in self.warnings), "", str(self.table)]
        return "\n".join([*parts, "", *(f"- {item}" for item in self.notes)])

    def __str__(self) -> str:
        return self._repr_markdown_()


def _signed(value: float) -> str:
    return f"{value:+.3g}".replace("-", "−") if value else "0"


def _span(ends: tuple[int, int] | None) -> str:
    if ends is None:
        return "–"
    return str(ends[0]) if ends[0] == ends[1] else f"{ends[0]}–{ends[1]}"
