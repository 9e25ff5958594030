"""Which conclusions flip when something changes that the paper leaves open: one thing at a time."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from lib.verdict import empirical, rule, settings
from lib.verdict.rule import Evidence
from lib.verdict.settings import OWN, Run, Setting, Value

FEW = 5  # targets up to which each is shown by itself


@dataclass(frozen=True)
class Change:
    """One change against the section's headline: the evidence after it, and whether the decision differs."""

    setting: Setting
    kind: str  # what was changed: "target", "attack", ...
    what: str
    found: Evidence
    before: rule.Decision

    @property
    def decision(self) -> rule.Decision:
        """By the same rule."""
        return rule.correlation(self.found)

    @property
    def flips(self) -> bool:
        """Whether a conclusion in favour becomes one that is not, or the other way round."""
        return self.decision.startswith("holds") is not self.before.startswith("holds")


def changes(runs: Mapping[str, Run]) -> list[Change]:
    """All changes of all recorded settings."""
    found = []
    for setting in settings.of(*settings.FOUR):
        run = runs[setting.key]
        plain = empirical.evidence(setting, run, *setting.headline) if run else None
        if plain:
            before = rule.correlation(plain[0])
            for kind, what, x, y, targets in _variants(setting, run):
                name = what if callable(x) else None
                one = empirical.evidence(setting, run, x, y, targets=targets, name=name)
                if one:
                    found.append(Change(setting, kind, what, one[0], before))
    return found


def _variants(setting: Setting, run: Run) -> Iterator[tuple[str, str, Any, Any, Any]]:
    """(kind, what, x, y, targets): other targets, readings of knowledge, attacks, and measures."""
    own, knowledge = setting.headline
    targets = setting.targets(run)
    if 1 < len(targets) <= FEW:
        for target in targets:
            yield "target", setting.summary.title(target), own, knowledge, [target]
    for name in setting.summary.KNOWLEDGE:
        if name != knowledge:
            yield "knowledge", name, own, name, None
    for name, value in setting.predictors.items():
        if name.startswith(("adversarial", "τ", "α")) and value is not setting.predictors[OWN]:
            yield "measure", name, name, knowledge, None
    for kind, what, value in EXTRA.get(setting.key, _none)(run):
        yield kind, what, value, knowledge, None


def _none(run: Run) -> Iterator[tuple[str, str, Value]]:
    yield from ()


def _images(run: Run) -> Iterator[tuple[str, str, Value]]:
    """Radius, steps, number of images, reading of alpha, how the loss is averaged."""
    config = run.config
    some = f"{config.sweep_images} images"
    for index, epsilon in enumerate(config.sweep_epsilons):
        if epsilon:
            yield "radius", f"ε = {epsilon:g}, {some}", _swept("epsilon", index)
    for index, steps in enumerate(config.sweep_steps):
        yield "steps", f"{steps} step{'s' if steps > 1 else ''}, {some}", _swept("steps", index)
    yield "measure", "α, not squared", lambda r: r["alpha"]
    yield "measure", "τ₂, split half", lambda r: r["tau2_split_half"]
    yield "loss", "of correctly classified images, as the authors' code", _authors
    yield "loss", "the rise over random noise", _over_noise


def _swept(sweep: str, index: int) -> Value:
    return lambda record: record["sweeps"][sweep][index]


def _authors(record: dict[str, Any]) -> float:
    return record["attacks"]["pgd"]["loss_authors"]


def _over_noise(record: dict[str, Any]) -> float:
    return record["attacks"]["pgd"]["loss"] - record["attacks"]["noise"]["loss"]


def _attributes(run: Run) -> Iterator[tuple[str, str, Value]]:
    """A classifier of two classes has one logit, or two: the paper does not say."""
    yield "outputs", "τ₁ of a source with one logit", lambda r: r["one_logit"]["tau1"]
    yield "outputs", "τ₂ of a source with one logit", lambda r: r["one_logit"]["tau2"]


EXTRA = {"images": _images, "attributes": _attributes}
