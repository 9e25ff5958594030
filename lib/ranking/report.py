"""What `lib.rank` returns: a sorted table, its intervals, and when not to believe it."""

from __future__ import annotations

import html
import math
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property

import torch

from lib import statistics
from lib.base.tables import Table
from lib.ranking.measures import MEASURES, TITLES, Evidence, named, nearest
from lib.ranking.resamples import LEVEL, Spread

CONTROL = "control: an untrained network"


@dataclass(frozen=True, eq=False)
class Frame:
    """What the numbers are to be read against: the reference, and losses without and with other attacks."""

    reference: str
    accuracy: float
    chance: float
    clean: float
    noise: float
    tau1_chance: float
    samples: str
    smallest: int  # test samples of the smallest class
    fitting: float = 0.0  # seconds; 0 for a reference that was passed


@dataclass(frozen=True, eq=False)
class Ranking:
    """Candidates, best first by the measure `by`; shows itself as a table in a notebook and in a terminal.

    found: everything measured, by model; baseline: the same for an untrained network; spreads: ranks over
    resamples, by measure (None where a measure is undefined); warnings: why not to trust the order;
    alerts: what the caller left open (they are among the warnings); notes: what was done to models and
    samples.
    """

    by: str
    found: dict[str, Evidence]
    baseline: Evidence
    spreads: dict[str, Spread | None]
    frame: Frame
    alerts: list[str]
    notes: list[str]

    @property
    def names(self) -> list[str]:
        """The models, best first by `by`; models that tie are in the order they were given."""
        return self.order(self.by)

    @property
    def best(self) -> str:
        """The first of them; see `warnings` and `contenders` before you take it."""
        return self.names[0]

    @property
    def contenders(self) -> list[str]:
        """Models that may be the best by `by`: their interval of ranks reaches 1. One: it is separated."""
        spread = self.spreads[self.by]
        ends = dict(zip(self.found, spread.ranks)) if spread else {}
        return [name for name in self.names if not ends or ends[name][0] == 1]

    def value(self, name: str, measure: str) -> float | None:
        """One number of the table; `measure` by its name or its title, as everywhere below.

        Raises ValueError for a model or measure that is not among them, as everywhere below.
        """
        return self.found[self._known(name)].value(named(measure))

    def order(self, measure: str) -> list[str]:
        """The models, best first by a measure."""
        measure = named(measure)
        values = {name: each.value(measure) for name, each in self.found.items()}
        return sorted(
            values, key=lambda name: math.inf if values[name] is None else -float(values[name] or 0)
        )

    def interval(self, name: str, measure: str) -> tuple[int, int] | None:
        """The model's interval of ranks by a measure, over resamples of the samples."""
        spread, at = self.spreads[named(measure)], list(self.found).index(self._known(name))
        return None if spread is None else spread.ranks[at]

    def behind(self, name: str, measure: str | None = None) -> tuple[float, float] | None:
        """Interval of the model's difference to the first by a measure (`by`), on the same resamples."""
        measure = named(measure or self.by)
        spread, names = self.spreads[measure], list(self.found)
        at = names.index(self._known(name))
        return None if spread is None else spread.behind(names.index(self.order(measure)[0]))[at]

    def _known(self, name: str) -> str:
        if name not in self.found:
            near = nearest(name, self.found)
            raise ValueError(f"{name!r} is none of the models{near}: they are {', '.join(self.found)}")
        return name

    @cached_property
    def warnings(self) -> list[str]:
        """Reasons not to trust the order."""
        from lib.ranking import doubts

        return doubts.doubts(self)

    @property
    def table(self) -> Table:
        """A line a model, and one for the untrained network; ranks are intervals over resamples."""
        shown = [m for m in MEASURES if any(each.value(m) is not None for each in self.found.values())]
        at = shown.index("tau2") + 1
        titles = [TITLES.get(m, m) for m in shown]
        titles.insert(at, "τ₂ unpaired")
        columns = ["model", f"rank by {TITLES.get(self.by, self.by)}", "minus the first's", *titles]
        rows = [
            [name, self._rank(name), self._lost(name), *self._line(each, shown, at)]
            for name, each in self._lines()
        ]
        return Table(columns, rows, "Candidates, best first", self._note())

    @property
    def ranks(self) -> Table:
        """The interval of ranks of each model by each measure, and how often its first is first again."""
        rows = [
            [TITLES.get(m, m), *(_span(self.interval(name, m)) for name in self.names), max(spread.first)]
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
            for part in ("reading", "tau", "attack"):
                forward, backward = (each.passes[f"{part} {way}"] for way in ("forward", "backward"))
                row += [f"{forward:,.0f} + {backward:,.0f}", each.seconds[part]]
            rows.append([*row, each.seconds["probe"], each.seconds["rivals"]])
        columns = [
            "model",
            "parameters",
            "reading: passes",
            "s",
            "τ: passes",
            "s",
            "attack: passes",
            "s",
            "probe, s",
            "rivals, s",
        ]
        note = (
            "Passes are samples forward + backward through the candidate; reading serves probe and rivals. "
            "Seconds are of one run, after a warm-up: do not choose by small differences."
        )
        if self.frame.fitting:
            note += f" Attacks and τ need the reference besides: fitting it took {self.frame.fitting:.1f} s."
        return Table(columns, rows, "Costs", note)

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
            again = _pairs_right(spread.draws, known)
            best = spread.first[int(known.argmax())]
            right = float(_pairs_right(whole, known))
            rows.append(
                [TITLES.get(measure, measure), order.tau, order.p_one_sided, right, float(again.mean()), best]
            )
        columns = ["measure", "Kendall τ", "p", "pairs right", "pairs right, resampled", "best is first"]
        note = f"{len(known)} models; pairs with equal truth are left out, a tie of the measure counts half."
        return Table(columns, rows, "Order against the known accuracies", note)

    def _lines(self) -> list[tuple[str, Evidence]]:
        return [*((name, self.found[name]) for name in self.names), (CONTROL, self.baseline)]

    def _line(self, each: Evidence, shown: list[str], at: int) -> list[float | None]:
        values = [each.value(measure) for measure in shown]
        values.insert(at, each.null[1])
        return values

    def _rank(self, name: str) -> str:
        return _span(self.interval(name, self.by)) if name in self.found else "–"

    def _lost(self, name: str) -> str:
        ends = self.behind(name) if name in self.found else None
        return "–" if ends is None or name == self.best else f"{_signed(ends[0])} to {_signed(ends[1])}"

    def _note(self) -> str:
        f = self.frame
        return (
            f"{f.samples}. Reference: {f.reference}, accuracy {f.accuracy:.2f} (chance {f.chance:.2f}), "
            f"loss {f.clean:.3g} unattacked and {f.noise:.3g} under noise. τ₁ of random directions: "
            f"{f.tau1_chance:.2g}. τ₂ unpaired: 95 % of what remains when attacks are paired with other "
            f"samples. Minus the first's: {TITLES.get(self.by, self.by)} less that of the first, {LEVEL:.0%} "
            "of resamples. Higher is better."
        )

    def _repr_html_(self) -> str:
        def listed(title: str, items: list[str]) -> str:
            points = "".join(f"<li>{html.escape(item)}</li>" for item in items)
            return f"<p><strong>{title}</strong></p><ul>{points}</ul>" if items else ""

        parts = [
            listed("Before you choose", self.warnings),
            self.table._repr_html_(),
            listed("Notes", self.notes),
        ]
        return f'<div class="ranking">{"".join(parts)}</div>'

    def _repr_markdown_(self) -> str:
        parts = [*(f"- {item}" for item in self.warnings), "", str(self.table)]
        return "\n".join([*parts, "", *(f"- {item}" for item in self.notes)])

    def __str__(self) -> str:
        return self._repr_markdown_()


def _pairs_right(values: torch.Tensor, known: torch.Tensor) -> torch.Tensor:
    """The share of the pairs that each row of values (repeats, models) orders as `known` does."""
    wanted = torch.sign(known.unsqueeze(0) - known.unsqueeze(1))
    found = torch.sign(values.unsqueeze(1) - values.unsqueeze(2))
    return ((1 + wanted * found) / 2 * wanted.abs()).sum((1, 2)) / wanted.abs().sum()


def _signed(value: float) -> str:
    return f"{value:+.3g}".replace("-", "−") if value else "0"


def _span(ends: tuple[int, int] | None) -> str:
    if ends is None:
        return "–"
    return str(ends[0]) if ends[0] == ends[1] else f"{ends[0]}–{ends[1]}"
