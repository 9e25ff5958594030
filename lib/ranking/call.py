"""`lib.rank`: one call that ranks a reader's own models for a labelled target."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from lib.base import devices, streams
from lib.base.progress import track
from lib.ranking import candidates, checks, pretrained, references, resampling, targets, texts
from lib.ranking.candidates import Candidate, Normalise
from lib.ranking.measures import DIRECT, MEASURES, Settings, cross_entropy, evidence, named
from lib.ranking.report import Ranking
from lib.ranking.result import Frame
from lib.ranking.targets import Target

EPSILON = 8 / 255  # of the range of the inputs: the usual radius for small pictures
GATES = 1.0  # for texts: as far as switching one word off


def rank(
    models: Mapping[str, Any] | Iterable[str],
    target: tuple[Tensor, Tensor] | str | Path,
    *,
    reference: Any = None,
    by: str = DIRECT,
    normalise: Normalise | Mapping[str, Normalise] = None,
    size: int | Mapping[str, int] | None = None,
    features: Mapping[str, Callable[[Tensor], Tensor]] | None = None,
    weights: str | None = "DEFAULT",
    attacked: int = 100,
    outputs: int = 16,
    epsilon: float | None = None,
    steps: int = 10,
    pixels: int = 64,
    max_words: int = 32,
    most: int = 1000,
    repeats: int = 200,
    batch_size: int = 64,
    seed: int = 0,
    device: str | None = None,
) -> Ranking:
    """Rank models by how well they would serve a labelled target; explained in `book/models.md`.

    models: dict name -> module or callable (N, *shape) -> (N, outputs), in evaluation mode; or a list of
    names of torchvision or transformers (`weights`: "DEFAULT", or None for untrained ones; fetched where they
    are not on disk). For texts: names or folders of transformers, or dict name -> (tokenizer, model).
    target: (x, y), x (N, *shape) in [0, 1] for pixels (or uint8), y (N,) integers; a folder of class/image,
    read at `pixels`; or a .tsv or .jsonl file with text and label, cut after `max_words`. Use samples that
    the models have not been trained on. Of more than `most` a choice is used, the same share of each class.
    reference: a model trained for the target, for tau1, tau2, alpha and the adversarial loss; without one a
    small network is fitted here to the target's fitting part.
    by: the measure that sorts, by name or title, "probe accuracy" by default: what the others try to predict.
    normalise: "inside" (the models do it themselves), "imagenet", (mean, deviation), or a dict of these by
    name. size: what models resize to inside, if they want another size than the target has.
    features: functions x -> (N, D) by name; default, what the last linear layer is given.
    attacked: test samples whose Jacobians are taken, 2 or more; outputs: directions of a model's outputs
    that are attacked, the principal ones where it has more. epsilon (L-infinity, in units of x; default 8/255
    of its range) and steps are PGD's. repeats: resamples behind the ranks. device: where the modules are
    moved to; None leaves them where they are.

    Raises ValueError or TypeError, with the remedy, for models and targets that do not fit; see `candidates`
    and `targets`.
    """
    by, given = named(by), checks.models_by_name(models)
    checks.whole(1, outputs=outputs, steps=steps, pixels=pixels, max_words=max_words, most=most)
    checks.whole(1, repeats=repeats, batch_size=batch_size)
    checks.whole(2, attacked=attacked)  # tau2 is a fit
    checks.radius(epsilon)
    checks.sizes(size)
    checks.by_name(given, reference is not None, features=features, size=size, normalise=normalise)
    place = None if device is None else devices.resolve_device(device)
    if not targets.is_file(target):  # the models of texts are transformers'
        pretrained.check(given, weights)
    stream = streams.generator(seed, "split")
    goal = targets.load(target, pixels=pixels, words=max_words, most=most, generator=stream)
    reader = _Reader(goal, normalise, size, features or {}, weights, place)
    made = {name: reader.candidate(name, model) for name, model in given.items()}
    clock = time.perf_counter()
    judge = reader.judge(reference, streams.generator(seed, "reference"))
    fitting = 0.0 if reference is not None else time.perf_counter() - clock
    chosen = _settings(goal, epsilon, steps, outputs, batch_size, seed)
    rows = goal.test[: min(attacked, len(goal.test))]
    first, stream = next(iter(made.values())), streams.generator(seed, "untrained")
    blank = references.untrained(goal, first, stream, reader.place)
    baseline = evidence(blank, judge, goal, rows, chosen)  # first: it warms up what all the others share
    found = {name: evidence(each, judge, goal, rows, chosen) for name, each in track(made.items(), "models")}

    def spread(measure: str) -> resampling.Spread | None:
        stream = streams.generator(seed, "resample")
        return resampling.spread(list(found.values()), measure, repeats=repeats, generator=stream)

    spreads = {measure: spread(measure) for measure in MEASURES}
    frame = _frame(judge, goal, rows, chosen, fitting)
    notes = [*goal.notes, *(note for each in made.values() for note in each.notes)]
    alerts = [*_bare(made), *_undeclared(goal, given, normalise)]
    return Ranking(by, found, baseline, spreads, frame, alerts, notes)


@dataclass(frozen=True)
class _Reader:
    """How models are read for one target: what is said by model, or once for all of them."""

    target: Target
    normalise: Normalise | Mapping[str, Normalise]
    size: int | Mapping[str, int] | None
    features: Mapping[str, Callable[[Tensor], Tensor]]
    weights: str | None
    device: torch.device | None

    @property
    def place(self) -> torch.device:
        """Where what is made here lives."""
        return self.device or torch.device("cpu")

    def candidate(self, name: str, model: Any) -> Candidate:
        """One of the caller's models, checked; a name is loaded."""
        if self.target.texts is not None:
            return texts.wrap(name, model, self.target, self.device)
        normalise: Any = self.normalise.get(name) if isinstance(self.normalise, Mapping) else self.normalise
        size = self.size.get(name) if isinstance(self.size, Mapping) else self.size
        note = None
        if isinstance(model, str | Path):
            model, own, note = pretrained.image_model(name, str(model), self.weights)
            normalise = normalise or own
        samples, features = self.target.inputs[self.target.fit[:2]], self.features.get(name)
        options: dict[str, Any] = {"normalise": normalise, "size": size, "features": features}
        made = candidates.wrap(name, model, samples, device=self.device, **options)
        made.notes += [note] if note else []
        return made

    def judge(self, given: Any, generator: torch.Generator) -> Candidate:
        """The reference model; the caller's must have an output for each class of the target."""
        if given is None:
            return references.fitted(self.target, generator, self.place)
        made, rows = self.candidate("reference", given), self.target.fit[:2]
        found = made.read(self.target.inputs[rows], rows)[0].shape[1]
        if found != len(self.target.classes):
            raise ValueError(
                f"the reference has {found} outputs, the target {len(self.target.classes)} classes: pass a "
                "model that was trained for this target, or None to have a small one fitted"
            )
        return made


def _settings(
    target: Target, epsilon: float | None, steps: int, outputs: int, batch_size: int, seed: int
) -> Settings:
    if target.texts is not None:
        return Settings(GATES if epsilon is None else epsilon, steps, outputs, batch_size, seed, None)
    low, high = float(target.inputs.min()), float(target.inputs.max())
    clip = (0.0, 1.0) if low >= 0 and high <= 1 else (low, high)
    radius = EPSILON * (clip[1] - clip[0]) if epsilon is None else epsilon
    return Settings(radius, steps, outputs, batch_size, seed, clip)


def _frame(judge: Candidate, target: Target, rows: Tensor, chosen: Settings, fitting: float) -> Frame:
    """The reference on the test part, and its loss on the attacked samples without and under noise."""
    parts = target.test.split(chosen.batch_size)
    read = torch.cat([judge.read(target.inputs[part], part)[0] for part in parts])
    right = float((read.argmax(1) == target.labels[target.test]).double().mean())
    x, y = target.inputs[rows], target.labels[rows]
    coin = torch.randint(0, 2, x.shape, generator=streams.generator(chosen.seed, "noise")) * 2 - 1
    spread = chosen.epsilon / (x[0].numel() ** 0.5 if target.texts is not None else 1)
    noisy = x + spread * coin.to(x)
    noisy = noisy if chosen.clip is None else noisy.clamp(*chosen.clip)
    losses = [
        torch.cat([cross_entropy(judge, z[at], rows[at], y[at]) for at in torch.arange(len(rows)).split(64)])
        for z in (x, noisy)
    ]
    counts = torch.bincount(target.labels[target.test], minlength=len(target.classes))
    samples = f"{len(target.fit)} samples to fit, {len(target.valid)} to choose, {len(target.test)} to test"
    samples += f", {len(rows)} of these attacked (radius {chosen.epsilon:.3g}), seed {chosen.seed}"
    clean, noise = (float(loss.mean()) for loss in losses)
    return Frame(
        judge.name, accuracy=right, chance=float(counts.max() / len(target.test)), clean=clean, noise=noise,
        tau1_chance=1 / x[0].numel(), samples=samples, smallest=int(counts.min()), fitting=fitting,
    )  # fmt: skip


def _bare(made: Mapping[str, Candidate]) -> list[str]:
    """Models judged by their outputs, where others are judged by what goes into their last layer."""
    bare = [name for name, each in made.items() if getattr(each, "bare", False)]
    if not bare or len(bare) == len(made):
        return []
    return [
        f"no last linear layer was found in {', '.join(bare)}: features are outputs there, and seldom as "
        "good. Pass the module itself, lib.ranking.candidates.Then(model, ...) instead of a function, or "
        f"features={{{bare[0]!r}: ...}}"
    ]


def _undeclared(target: Target, given: Mapping[str, Any], normalise: Any) -> list[str]:
    """Normalisation that nobody declared, and inputs that are no pixels in [0, 1]."""
    if target.texts is not None or target.inputs.dim() != 4:
        return []
    declared = normalise if isinstance(normalise, Mapping) else {} if normalise is None else given
    silent = [n for n, model in given.items() if n not in declared and not isinstance(model, str | Path)]
    found = []
    if silent:
        found.append(
            f"normalisation was not declared for {', '.join(silent)}: the pixels were given as they are. "
            "Pass normalise='inside' if that is right, 'imagenet', or (mean, deviation)"
        )
    low, high = float(target.inputs.min()), float(target.inputs.max())
    if low < 0 or high > 1:
        found.append(
            f"x runs from {low:.3g} to {high:.3g}, so these are no pixels in [0, 1]: attacks are cut to "
            "that range"
        )
    return found
