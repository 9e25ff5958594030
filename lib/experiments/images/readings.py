"""What the records of an image run are read by: measures, rivals, and readings of knowledge transfer."""

from __future__ import annotations

from lib.engine.results import at
from lib.experiments.common.observations import PIXELS, TANGENT, Readings
from lib.experiments.images.settings import UNTRAINED, split_target
from lib.measures import estimators

NAMES = {
    "cifar10": "CIFAR-10", "cifar10_jpg": "CIFAR-10", "tinyimagenet32": "Tiny-ImageNet", "stl10": "STL-10",
}  # fmt: skip


def title(target: str, between: str = " ") -> str:
    """ "CIFAR-10 vehicles" for a reader, from "cifar10_jpg vehicles"."""
    data, group = split_target(target)
    return f"{NAMES.get(data, data)}{between}{group}"


READINGS = Readings(
    measures={**TANGENT, **PIXELS},
    rivals={
        **{title: at("rivals", key) for key, title in estimators.RECORDED.items()},
        "class overlap": at("shared"),
        "source accuracy": at("baselines", "source_accuracy"),
        "nearness of the data": lambda r: -float(r["baselines"]["domain_distance"]),
    },
    knowledge={
        "probe accuracy": at("knowledge", "probe_accuracy"),
        "probe loss (−)": lambda r: -float(r["knowledge"]["probe_loss"]),
        "fine-tuned accuracy": at("knowledge", "tuned_accuracy"),
        "fine-tuned loss (−)": lambda r: -float(r["knowledge"]["tuned_loss"]),
    },
    headline=("adversarial loss", "probe accuracy"),  # Sec. 4.2, Results
    title=title,
    control=UNTRAINED.__eq__,
    section="4.2",
    scenario="data, images",
    first_seeds=3,
)
