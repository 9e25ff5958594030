"""What a source's features teach about the target (Sec. 4.2): transfer, and rivals that do without it."""

from __future__ import annotations

from time import perf_counter
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional

from lib.base import compute
from lib.experiments.text import networks
from lib.experiments.text.settings import UNTRAINED, Config
from lib.measures import estimators, probe
from lib.models import bert, reading

CLASSES = 2  # of every target here


def transferred(config: Config, source: bert.Classifier, seed: int) -> dict[str, float]:
    """Three readings of "fine-tune a new linear layer [...] Adam with 1e-4 for 3 epochs" (4.2, App. G.2).

    `tuned`: a new layer and the upper layers below it; `layer`: only the new layer, for those 3 epochs;
    `probe`: only the new layer, to convergence, its penalty chosen on the validation texts.
    """
    train, test = networks.target_part(config, "transfer", seed), networks.target_part(config, "test")
    sets = [train, networks.target_part(config, "valid"), test]
    features = [(reading.apply(source.features, texts), labels) for texts, labels in sets]
    converged = probe.linear_probe(*features, classes=CLASSES, strengths=config.probe_strengths)
    layer = networks.new_layer(config, train, features[0][0], compute.generator(seed, "layer"))
    tuned = networks.fine_tuned(config, source, train, compute.generator(seed, "tune"))
    with torch.no_grad():
        by_layer = layer(features[2][0])
    return {
        **_scores("tuned", reading.apply(tuned, test[0]), test[1]),
        **_scores("layer", by_layer, test[1]),
        "probe_accuracy": converged.accuracy,
        "probe_loss": converged.loss,
        "probe_strength": converged.strength,
        "probe_converged": converged.converged,
    }


def rivals(config: Config, source: bert.Classifier, seed: int) -> dict[str, float | None]:
    """The estimators of `lib.measures` on the source's view of the texts that transfer is trained on."""
    texts, labels = networks.target_part(config, "transfer", seed)
    features = reading.apply(source.features, texts)
    with torch.no_grad():
        probabilities = source.head.cpu()(features).softmax(1)
    source.head.to(texts.encoder.device)
    return estimators.scores(features[:1000], labels[:1000], probabilities[:1000])


def baselines(config: Config, source: bert.Classifier, name: str, seed: int) -> dict[str, float | None]:
    """What one knows without the target's labels: accuracy on the own task, and how unlike the texts are.

    `domain_distance`: Euclidean, between the mean sentence embeddings of source and target.
    """
    if name == UNTRAINED:
        return {"source_accuracy": None, "domain_distance": None}
    texts, labels = networks.own_test(config, name)
    target, _ = networks.target_part(config, "transfer", seed)
    neutral = bert.Classifier(texts.encoder, 1, generator=torch.Generator()).features
    means = [nn.functional.normalize(reading.apply(neutral, part), dim=1).mean(0) for part in (texts, target)]
    return {
        "source_accuracy": _share(reading.apply(source, texts), labels),
        "domain_distance": float((means[0] - means[1]).norm()),
    }


def accuracy(config: Config, model: bert.Classifier) -> float:
    """Of a reference on the target's test texts."""
    texts, labels = networks.target_part(config, "test")
    return _share(reading.apply(model, texts), labels)


def timed(seconds: dict[str, float], name: str, function: Any, *arguments: Any) -> Any:
    """`function(*arguments)`, its time kept under `name`."""
    begun = perf_counter()
    found = function(*arguments)
    seconds[name] = perf_counter() - begun
    return found


def _scores(name: str, logits: Tensor, labels: Tensor) -> dict[str, float]:
    loss = float(functional.cross_entropy(logits, labels))
    return {f"{name}_accuracy": _share(logits, labels), f"{name}_loss": loss}


def _share(logits: Tensor, labels: Tensor) -> float:
    return float((logits.argmax(1) == labels).double().mean())
