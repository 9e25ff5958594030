"""Sources of text nearer to and farther from film reviews: Sec. 4.2 and Figure 3 right, see `book/text.md`.

One reference model, several sources and an untrained control. Everything that a record holds is measured on
the target's test texts, with the attacks made on the source alone.
"""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor
from torch.nn import functional

from lib.attacks.words import candidates
from lib.base import streams
from lib.data import registry
from lib.engine import runs
from lib.experiments.text import attacking, networks, settings, tangent
from lib.experiments.text.networks import CLASSES
from lib.experiments.text.settings import PRESETS, UNTRAINED, Config
from lib.measures import estimators, probe
from lib.models import bert, reading

__all__ = ["JOB_IGNORES", "NAME", "PRESETS", "Config", "datasets", "jobs", "run_job"]

NAME = "text"
JOB_IGNORES = ("seeds",)
RIVALS = 1000  # texts at most that the estimators see


def datasets(config: Config) -> tuple[registry.Needed, ...]:
    """The texts, the encoder, and the candidates of the attack."""
    names = [settings.split_name(name)[0] for name in (config.target, *config.sources)]
    words = candidates.opposites_data() if config.candidates == "embeddings" else [config.candidates]
    return registry.needed(*names, config.encoder, *words)


def jobs(config: Config) -> list[dict[str, Any]]:
    """One job a source and seed; a seed is complete before the next begins."""
    return [
        {"target": config.target, "source": source, "seed": seed}
        for seed in range(config.seeds)
        for source in [*config.sources, UNTRAINED]
    ]


def run_job(config: Config, job: dict[str, Any]) -> dict[str, Any]:
    """The record of one source against the reference model of the job's seed."""
    name, seed = job["source"], job["seed"]
    pair = networks.source_model(config, name, seed), networks.reference_model(config, seed)
    source, reference = pair
    accuracy = _share(*_answers(reference, networks.target_part(config, "test")))
    looked_at = runs.only(config, *networks.ATTACKED, "length_texts", "lengths", "null_repeats")
    tau = runs.step("tau", tangent.measured, looked_at, *pair, seed)
    lengths = runs.step("lengths", tangent.by_length, looked_at, *pair, seed)
    found, by_chance, itself = attacking.attacks(config, *pair, seed)
    with runs.timed("losses"):
        losses = attacking.cross_adversarial(config, *pair, found, by_chance, itself)
    words = attacking.diagnostics(config, found, itself)
    words |= attacking.deviations(config, *pair, found, itself, seed)
    with runs.timed("knowledge"):
        knowledge = transferred(config, source, seed)
    with runs.timed("rivals"):
        scores = rivals(config, source, seed)
    with runs.timed("baselines"):
        known = baselines(config, source, name, seed)
    return {
        **job,
        "same_task": settings.same_task(config, name),
        "reference_accuracy": accuracy,
        "is_test": accuracy >= config.floor,
        **tau,
        "by_length": lengths,
        "attacks": losses,
        "textfooler": words,
        "knowledge": knowledge,
        "rivals": scores,
        "baselines": known,
        "seconds": runs.seconds(),
    }


def transferred(config: Config, source: bert.Classifier, seed: int) -> dict[str, float]:
    """Three readings of "fine-tune a new linear layer [...] Adam with 1e-4 for 3 epochs" (4.2, App. G.2).

    `tuned`: a new layer and the upper layers below it; `layer`: only the new layer, for those 3 epochs;
    `probe`: only the new layer, to convergence, its penalty chosen on the validation texts.
    """
    sets = [networks.target_part(config, *part) for part in (("transfer", seed), ("valid",), ("test",))]
    known, chosen, asked = ((reading.apply(source.features, texts), labels) for texts, labels in sets)
    train, _, test = sets
    best = probe.linear_probe(known, chosen, asked, classes=CLASSES, strengths=config.probe_strengths)
    layer = networks.new_layer(config, train, known[0], streams.generator(seed, "layer"))
    tuned = networks.fine_tuned(config, source, train, streams.generator(seed, "tune"))
    with torch.no_grad():
        by_layer = layer(asked[0]), test[1]
    return {
        **_scores("tuned", *_answers(tuned, test)),
        **_scores("layer", *by_layer),
        "probe_accuracy": best.accuracy,
        "probe_loss": best.loss,
        "probe_strength": best.strength,
        "probe_converged": best.converged,
    }


def rivals(config: Config, source: bert.Classifier, seed: int) -> dict[str, float | None]:
    """The estimators of `lib.measures` on the source's view of the texts that transfer is trained on."""
    texts, labels = networks.target_part(config, "transfer", seed)
    features = reading.apply(source.features, texts)
    with torch.no_grad():
        probabilities = source.head.cpu()(features).softmax(1)
    source.head.to(texts.encoder.device)
    return estimators.scores(features[:RIVALS], labels[:RIVALS], probabilities[:RIVALS])


def baselines(config: Config, source: bert.Classifier, name: str, seed: int) -> dict[str, float | None]:
    """What one knows without the target's labels: accuracy on the own task, and how unlike the texts are.

    `domain_distance`: Euclidean, between the mean sentence embeddings of source and target.
    """
    if name == UNTRAINED:
        return {"source_accuracy": None, "domain_distance": None}
    own, (target, _) = networks.own_test(config, name), networks.target_part(config, "transfer", seed)
    neutral = bert.Classifier(target.encoder, 1, generator=torch.Generator()).features
    views = (reading.apply(neutral, part) for part in (own[0], target))
    means = [functional.normalize(view, dim=1).mean(0) for view in views]
    return {
        "source_accuracy": _share(*_answers(source, own)),
        "domain_distance": float((means[0] - means[1]).norm()),
    }


def _answers(model: bert.Classifier, part: networks.Labelled) -> tuple[Tensor, Tensor]:
    """Logits and labels."""
    return reading.apply(model, part[0]), part[1]


def _scores(name: str, logits: Tensor, labels: Tensor) -> dict[str, float]:
    loss = float(functional.cross_entropy(logits, labels))
    return {f"{name}_accuracy": _share(logits, labels), f"{name}_loss": loss}


def _share(logits: Tensor, labels: Tensor) -> float:
    return float((logits.argmax(1) == labels).double().mean())
