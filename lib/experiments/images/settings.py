"""Settings of the image experiment (Sec. 4.2, App. G.2), fixed before the runs were looked at.

`reduced` was recorded in two goes: the first three of its five seeds were read before the last two were run.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from lib.data import images
from lib.engine.parameters import Checked, Count, Natural, NotNegative

# The authors' substitution with digits: 6 7 8 9 replace 0 1 2 3 one after another.
DIGIT_SOURCES: dict[str, tuple[int, ...]] = {
    "0% high digits": (0, 1, 2, 3),
    "25% high digits": (6, 1, 2, 3),
    "50% high digits": (6, 7, 2, 3),
    "75% high digits": (6, 7, 8, 3),
    "100% high digits": (6, 7, 8, 9),
}
DIGIT_TARGETS = {"low": (0, 1, 2, 3), "high": (6, 7, 8, 9)}
UNTRAINED = "untrained"  # a control, not one of the five: the same network, never trained

DATA = {  # name in the registry -> key of images.TARGETS
    "digits": "digits",
    "cifar10": "cifar10",
    "cifar10_jpg": "cifar10",
    "tinyimagenet32": "tiny_imagenet32",
    "stl10": "stl10",
}


@dataclass(frozen=True)
class Config(Checked):
    """One image experiment. A target is "<data set> <group>": "stl10 vehicles", "cifar10_jpg animals"."""

    preset: str
    seeds: Count  # the paper gives none; it changes initialisation, order, augmentation, start of attack
    device: str | None
    source_data: Literal["digits", "cifar10", "cifar10_jpg"]  # Sec. 4.2: CIFAR-10
    targets: tuple[str, ...]  # Sec. 4.2: STL-10 vehicles; the authors' code trains on its animals
    model: Literal["cnn", "resnet", "resnet18"]  # App. G.2: one architecture for all; "resnet" is narrow
    width: Count  # channels after the stem
    epochs: Count  # App. G.2: 300
    target_epochs: Count  # the reference model's on another, smaller data set; App. G.2: 300
    batch_size: Count  # the paper gives none
    lr: float  # App. G.2: 0.1
    weight_decay: NotNegative  # App. G.2: 1e-4; momentum 0.9
    schedule: str  # the paper gives none
    augment: bool  # random crops and flips; the paper gives none
    epsilon: NotNegative  # Sec. 4.2: 0.1, here on pixels in [0, 1]
    steps: Count  # Sec. 4.2: 10
    epsilon_l2: NotNegative  # of the Definition-1 attack, Euclidean, on pixels in [0, 1]
    attack_images: Count  # Sec. 4.2: 1000
    sweep_images: Natural  # of them, for the sweeps over epsilon and steps; 0 leaves the sweeps out
    sweep_epsilons: tuple[NotNegative, ...]
    sweep_steps: tuple[Count, ...]
    probe_strengths: tuple[float, ...]  # penalties of the linear layer, tried on the validation part
    tune_epochs: Count  # whole-network fine-tuning, the second measure of knowledge transfer
    tune_lr: float
    null_repeats: int  # permutations behind tau2's null
    floor: float  # a reference model less accurate than this makes "not a test"; set before the runs

    def __post_init__(self) -> None:
        """Raise ValueError for what no run could use."""
        super().__post_init__()
        if self.sweep_images > self.attack_images:
            raise ValueError(
                f"sweep_images={self.sweep_images} must be at most attack_images={self.attack_images}"
            )
        for target in self.targets:
            data, group = split_target(target)
            if (data == "digits") != (self.source_data == "digits") or group not in groups(data):
                known = ", ".join(groups(data))
                raise ValueError(
                    f"target {target!r} does not fit source_data={self.source_data!r}; groups: {known}"
                )


def split_target(target: str) -> tuple[str, str]:
    """("stl10", "vehicles") from "stl10 vehicles"; ValueError for an unknown data set."""
    data, _, group = target.partition(" ")
    if data not in DATA:
        raise ValueError(f"target {target!r}: the data set must be one of {', '.join(DATA)}")
    return data, group


def groups(data: str) -> tuple[str, ...]:
    """The groups of four classes that a data set offers as a target."""
    return tuple(DIGIT_TARGETS if data == "digits" else images.TARGETS[DATA[data]])


def sources(config: Config) -> dict[str, tuple[int, ...]]:
    """The five sources: name -> classes, in the order of Figure 3 left."""
    return DIGIT_SOURCES if config.source_data == "digits" else images.SOURCES


def shared(config: Config, source: str, target: str) -> float | None:
    """Share of the source's four classes that are of the target's group; None for the untrained one."""
    if source == UNTRAINED:
        return None
    far = list(sources(config)).index(source) / 4
    return 1 - far if split_target(target)[1] in ("low", "vehicles") else far


STRENGTHS = tuple(10.0**power for power in range(-4, 2))  # weaker ones change nothing and converge slowly

PRESETS = {
    "quick": Config(
        preset="quick", seeds=3, device=None, source_data="digits", targets=("digits low", "digits high"),
        model="cnn", width=12, epochs=40, target_epochs=40, batch_size=32, lr=0.05, weight_decay=1e-4,
        schedule="onecycle", augment=False, epsilon=0.1, steps=10, epsilon_l2=1.0, attack_images=200,
        sweep_images=60, sweep_epsilons=(0.0, 0.05, 0.1, 0.2, 0.4), sweep_steps=(1, 3, 10, 20),
        probe_strengths=STRENGTHS[1:], tune_epochs=10, tune_lr=0.02, null_repeats=100, floor=0.6,
    ),
    "reduced": Config(
        preset="reduced", seeds=5, device=None, source_data="cifar10_jpg",
        targets=("tinyimagenet32 vehicles", "cifar10_jpg vehicles", "cifar10_jpg animals"),
        model="resnet", width=16, epochs=20, target_epochs=60, batch_size=128, lr=0.1, weight_decay=1e-4,
        schedule="onecycle", augment=True, epsilon=0.1, steps=10, epsilon_l2=1.0, attack_images=1000,
        sweep_images=200, sweep_epsilons=(0.0, 0.0125, 0.025, 0.05, 0.1), sweep_steps=(1, 2, 5, 10, 20),
        probe_strengths=STRENGTHS, tune_epochs=3, tune_lr=0.02, null_repeats=200, floor=0.6,
    ),
    "paper": Config(
        preset="paper", seeds=1, device=None, source_data="cifar10",
        targets=("stl10 vehicles", "stl10 animals"),
        model="resnet18", width=64, epochs=300, target_epochs=300, batch_size=128, lr=0.1, weight_decay=1e-4,
        schedule="constant", augment=True, epsilon=0.1, steps=10, epsilon_l2=1.0, attack_images=1000,
        sweep_images=200, sweep_epsilons=(0.0, 0.0125, 0.025, 0.05, 0.1), sweep_steps=(1, 2, 5, 10, 20),
        probe_strengths=STRENGTHS, tune_epochs=10, tune_lr=0.01, null_repeats=200, floor=0.6,
    ),
}  # fmt: skip
