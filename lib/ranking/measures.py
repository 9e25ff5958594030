"""What is measured of one candidate, by sample, so that it can be computed again on a resample."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from time import perf_counter
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional

from lib.attacks.projected import pgd
from lib.base import streams
from lib.measures import estimators, jacobian, probe, singular, transferability
from lib.measures.jacobian import Model
from lib.ranking.candidates import Candidate
from lib.ranking.checks import nearest
from lib.ranking.targets import Target

DIRECT = "probe accuracy"
ADVERSARIAL = ("tau1", "tau2", "alpha", "adversarial loss")
RIVALS = tuple(estimators.TITLES)
MEASURES = (DIRECT, *ADVERSARIAL, *RIVALS)
SYMBOLS = {"tau1": "τ₁", "tau2": "τ₂", "alpha": "α"}
TITLES = {measure: measure for measure in MEASURES} | SYMBOLS | estimators.TITLES
STRENGTHS = tuple(10.0**k for k in range(-5, 2))  # of the probe's penalty; the features' variance is 1
NULLS = 100  # permutations behind the null of tau2
PART = 32  # samples whose Jacobians are in memory at a time


@dataclass(frozen=True)
class Settings:
    """What the caller chose; see `call.rank`."""

    epsilon: float
    steps: int
    outputs: int
    batch_size: int
    seed: int
    clip: tuple[float, float] | None


@dataclass(frozen=True, eq=False)
class Attacked:
    """Samples that are attacked: tensors (n, ...), one row a sample."""

    tau1: Tensor
    moved: Tensor  # |J_T delta_S|^2
    own: Tensor  # sigma_T^2
    deviation_source: Tensor
    deviation_target: Tensor
    loss: Tensor  # of the reference, after the source's attack


@dataclass(eq=False)
class Evidence:
    """All that was measured of one candidate. `null`: mean and 95 % of tau2 without pairing."""

    name: str
    attacked: Attacked
    hits: Tensor
    features: Tensor
    probabilities: Tensor | None
    labels: Tensor
    null: tuple[float, float]
    kept: float
    seconds: dict[str, float] = field(default_factory=dict)
    passes: dict[str, float] = field(default_factory=dict)
    whole: dict[str, float | None] = field(default_factory=dict)  # values on all samples, once computed
    parameters: int | None = None  # of the candidate; None for a function

    def value(self, measure: str, rows: Tensor | None = None) -> float | None:
        """A measure on all its samples, or on `rows` of them; higher is better; None if undefined."""
        if rows is not None:
            return self._value(measure, rows)
        if measure not in self.whole:
            self.whole[measure] = self._value(measure, None)
        return self.whole[measure]

    def _value(self, measure: str, rows: Tensor | None) -> float | None:
        at, found = slice(None) if rows is None else rows, self.attacked
        if measure in RIVALS:
            theta = None if self.probabilities is None else self.probabilities[at]
            return estimators.score(measure, self.features[at], self.labels[at], theta)
        if measure == "alpha":
            own = float(found.own[at].sum())
            return min(1.0, float(found.moved[at].sum()) / own) ** 0.5 if own > 0 else 0.0
        if measure == "tau2":
            return transferability.tau2(found.deviation_source[at], found.deviation_target[at])
        means = {DIRECT: self.hits.double(), "tau1": found.tau1, "adversarial loss": found.loss}
        return float(means[measure][at].mean())

    def count(self, measure: str) -> int:
        """Samples behind a measure."""
        if measure in RIVALS:
            return len(self.labels)
        return len(self.hits) if measure == DIRECT else len(self.attacked.tau1)


def named(measure: str) -> str:
    """The measure that is meant by its name or by its title in the table; ValueError lists the names."""
    known = {title: name for name, title in TITLES.items()} | {name: name for name in MEASURES}
    if measure not in known:
        raise ValueError(
            f"{measure!r} is no measure{nearest(measure, known)}: use one of {', '.join(MEASURES)}"
        )
    return known[measure]


def evidence(
    candidate: Candidate, reference: Candidate, target: Target, rows: Tensor, chosen: Settings
) -> Evidence:
    """Measure one candidate: `rows` of the target are attacked, the others fit and test the probe."""
    seconds: dict[str, float] = {}
    passes: dict[str, float] = {}

    def timed(name: str, work: Callable[[], Any]) -> Any:
        before, begun = (candidate.passes.forward, candidate.passes.backward), perf_counter()
        done = work()
        seconds[name] = perf_counter() - begun
        passes[f"{name} forward"] = candidate.passes.forward - before[0]
        passes[f"{name} backward"] = candidate.passes.backward - before[1]
        return done

    every = torch.cat([target.fit, target.valid, target.test])
    _read(candidate, target, every[: chosen.batch_size], chosen.batch_size)  # a warm-up: the first is slow
    outputs, features = timed("reading", lambda: _read(candidate, target, every, chosen.batch_size))
    hits = timed("probe", lambda: _probe(features, target))
    fitted = len(target.fit) + len(target.valid)
    chart, kept = _chart(outputs[:fitted], chosen.outputs)
    tangent, delta = timed("tau", lambda: _tangent(candidate, reference, target, rows, chart))
    loss = timed("attack", lambda: _loss(candidate, reference, target, rows, delta, outputs.shape[1], chosen))
    pair = tangent["deviation_source"], tangent["deviation_target"]
    stream = streams.generator(chosen.seed, "null")
    null = transferability.tau2_null(*pair, generator=stream, repeats=NULLS, signs="kept")
    model = getattr(candidate, "model", None)
    found = Evidence(
        candidate.name, Attacked(**tangent, loss=loss), hits, features[:fitted].double(),
        _probabilities(outputs[:fitted], features[:fitted]), target.labels[every[:fitted]],
        (float(null.mean()), float(null.quantile(0.95))), kept, seconds, passes,
        parameters=sum(p.numel() for p in model.parameters()) if isinstance(model, nn.Module) else None,
    )  # fmt: skip
    timed("rivals", lambda: [found.value(name) for name in RIVALS])
    return found


def _read(candidate: Candidate, target: Target, rows: Tensor, batch_size: int) -> tuple[Tensor, Tensor]:
    parts = [candidate.read(target.inputs[part], part) for part in rows.split(batch_size)]
    outputs, features = (torch.cat(column) for column in zip(*parts))
    if not torch.isfinite(features).all():
        raise ValueError(f"{candidate.name} has features that are NaN or infinite: check its normalisation")
    return outputs, features


def _probe(features: Tensor, target: Target) -> Tensor:
    """Which test samples a linear layer on the features gets right (Sec. 4.2), fitted in closed form.

    Ridge regression on one-hot labels, its penalty chosen on the validation part, then fitted to both. The
    experiments' probe is logistic (`probe.linear_probe`), and far slower on features wider than the
    samples.
    """
    sizes = [len(target.fit), len(target.valid), len(target.test)]
    fit, valid, test = features.double().split(sizes)
    labels = [target.labels[rows] for rows in (target.fit, target.valid, target.test)]
    scale = fit.std(0, correction=0)
    centre, scale = fit.mean(0), scale.where(scale > 0, torch.ones_like(scale)) * fit.shape[1] ** 0.5
    fit, valid, test = ((part - centre) / scale for part in (fit, valid, test))
    goals = functional.one_hot(torch.cat(labels[:2]), len(target.classes)).double()

    def loss(ridge: float) -> float:
        layer = probe.affine_refit(fit, goals[: len(fit)], ridge=ridge)
        return float((valid @ layer.weight.mT + layer.bias - goals[len(fit) :]).square().sum())

    best = min(STRENGTHS, key=loss)
    layer = probe.affine_refit(torch.cat([fit, valid]), goals, ridge=best)
    return torch.eq((test @ layer.weight.mT + layer.bias).argmax(1), labels[2])


def _chart(outputs: Tensor, most: int) -> tuple[Tensor | None, float]:
    """Of many outputs the principal directions (most, m), and their share of the variance."""
    if outputs.shape[1] <= most:
        return None, 1.0
    centred = (outputs - outputs.mean(0)).double()
    _, s, v = torch.linalg.svd(centred, full_matrices=False)
    total = float(s.square().sum())
    return v[:most].to(outputs), float(s[:most].square().sum()) / total if total > 0 else 1.0


def _probabilities(outputs: Tensor, features: Tensor) -> Tensor | None:
    """The source's own class probabilities; None for one output, or for outputs that are features."""
    if outputs.shape[1] < 2 or outputs.data_ptr() == features.data_ptr() or torch.equal(outputs, features):
        return None
    sums = outputs.sum(1)
    are = bool((outputs >= 0).all()) and float((sums - 1).abs().max()) < 1e-3
    return outputs.double() if are else outputs.double().softmax(1)


def _tangent(
    candidate: Candidate, reference: Candidate, target: Target, rows: Tensor, chart: Tensor | None
) -> tuple[dict[str, Tensor], Tensor]:
    """Definitions 1 to 3 by exact Jacobians, and the unit attacks delta_S in the shape of the inputs."""
    columns: dict[str, list[Tensor]] = {}
    for part in rows.split(PART):
        x = target.inputs[part]
        source = jacobian.jacobians(charted(candidate.bind(part), chart), x, chunk_size=PART).cpu()
        wanted = jacobian.jacobians(reference.bind(part), x, chunk_size=PART).cpu()
        found = transferability.measure_jacobians(source, wanted)
        here = {
            "tau1": found.tau1_per_sample,
            "moved": found.deviation_target.square().sum(1),
            "own": found.sigma_target.square(),
            "deviation_source": found.deviation_source,
            "deviation_target": found.deviation_target,
            "delta": singular.top_right(source).reshape(x.shape).to(x),
        }
        for name, values in here.items():
            columns.setdefault(name, []).append(values)
    joined = {name: torch.cat(values) for name, values in columns.items()}
    return joined, joined.pop("delta")


def charted(f: Model, chart: Tensor | None) -> Model:
    """f followed by its principal directions."""
    return f if chart is None else lambda x: f(x) @ chart.to(x.device, x.dtype).mT


def _loss(
    candidate: Candidate, reference: Candidate, target: Target, rows: Tensor, delta: Tensor, outputs: int,
    chosen: Settings,
) -> Tensor:  # fmt: skip
    """The reference's cross-entropy after PGD, or after both signs of delta where PGD has no loss."""
    generator = streams.generator(chosen.seed, "attack")  # the same random starts for all candidates
    losses = []
    for part, moves in zip(rows.split(PART), delta.split(PART)):
        x, y, f = target.inputs[part], target.labels[part], candidate.bind(part)
        if target.texts is not None or outputs < 2:
            moved = [x + chosen.epsilon * sign * moves for sign in (-1, 1)]
        else:
            options: dict[str, Any] = {"clip": chosen.clip, "generator": generator}
            moved = [pgd(f, x, chosen.epsilon, chosen.steps, **options)]
        losses.append(torch.stack([cross_entropy(reference, z, part, y) for z in moved]).mean(0))
    return torch.cat(losses)


@torch.no_grad()
def cross_entropy(reference: Candidate, x: Tensor, rows: Tensor, labels: Tensor) -> Tensor:
    """The reference's loss on each sample, on the CPU."""
    return functional.cross_entropy(reference.bind(rows)(x).cpu().double(), labels, reduction="none")
