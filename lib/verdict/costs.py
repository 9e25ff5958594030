"""What each kind of predictor costs: seconds from the records, passes from the configs.

Passes are forward and backward passes of one sample through one network. An attack needs a reference model
that was trained on the target's labels; a rival needs the labels and no reference. A measure's seconds
therefore stand beside the seconds that training the reference took.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from statistics import median
from typing import Any

from lib.verdict import settings
from lib.verdict.settings import Setting, Settings

PARTS = {
    "tau": "τ₁, τ₂, α² (Jacobians)",
    "attack": "adversarial losses (all that were recorded)",
    "rivals": "all rivals together",
    "knowledge": "knowledge transfer itself",
    "reference": "training the reference model",
}
COMPARED = ("tau", "attack", "rivals", "reference")  # with knowledge transfer


@dataclass(frozen=True)
class Cost:
    """Median seconds a record of one part in one setting, and its passes if the config determines them."""

    setting: Setting
    part: str
    seconds: float
    passes: str


def costs(every: Settings) -> list[Cost]:
    """Every part that the records of a recorded setting time."""
    found = []
    for one in filter(None, settings.four(every)):
        passes = PASSES[one.key](one.result.config) if one.key in PASSES else {}
        for part in PARTS:
            times = [row["seconds"][part] for row in one.result.records if part in row.get("seconds", {})]
            if times:
                found.append(Cost(one, part, median(times), passes.get(part, "")))
    return found


def prices(every: Settings) -> dict[str, dict[str, float | None]]:
    """{title: {part: its median seconds / those of knowledge transfer}}, where both were timed."""
    found: dict[str, dict[str, float]] = {}
    for cost in costs(every):
        found.setdefault(cost.setting.title, {})[cost.part] = cost.seconds
    return {
        title: {part: parts[part] / parts["knowledge"] if part in parts else None for part in COMPARED}
        for title, parts in found.items()
        if parts.get("knowledge")
    }


def dearer(every: Settings) -> str:
    """One sentence: where do the attacks take longer than what they are to predict?"""
    found = {title: shares["attack"] for title, shares in prices(every).items() if shares["attack"]}
    if not found:
        return "No recorded run timed both the attacks and knowledge transfer."
    longer = [f"{title} (× {ratio:.1f})" for title, ratio in found.items() if ratio > 1]
    where = f": {', '.join(longer)}" if longer else ""
    return (
        f"In {len(longer)} of the {len(found)} settings that timed both, all the attacks of a record "
        f"together took longer than all its readings of knowledge transfer{where}."
    )


def _pixels(config: Any, outputs: int, rival_images: int, more: str) -> dict[str, str]:
    images, steps = config.attack_images, config.steps
    return {
        "tau": _line(2 * images, 2 * outputs * images),
        "attack": f"{_line((steps + 1) * images, steps * images)} for the paper's{more}",
        "rivals": _line(rival_images, 0),
    }


def _tasks(config: Any) -> dict[str, str]:
    """A record is one fold: all fifteen sources, all fifteen targets, all radii."""
    tasks, attacked = 15, config.attack_images * len(config.epsilons)
    steps = tasks * config.steps * attacked
    lines = {
        "attack": _line(steps + tasks**2 * attacked, steps),
        "rivals": _line(tasks * config.rival_images, 0),
    }
    return {part: f"{line} for all 225 pairs" for part, line in lines.items()}


def _line(forward: int, backward: int) -> str:
    return f"{forward:,} forward, {backward:,} backward"


PASSES: dict[str, Callable[[Any], dict[str, str]]] = {
    "images": lambda config: _pixels(config, 4, 1000, "; six losses were recorded"),
    "attributes": lambda config: _pixels(config, 1, config.rival_images, ""),
    "tasks": _tasks,
}
