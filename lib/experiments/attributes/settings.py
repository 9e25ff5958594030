"""Settings of the attribute experiment (Sec. 4.3, App. G.3), fixed before the runs were looked at."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Literal

from lib.data import registry
from lib.data.drawn import faces
from lib.data.faces import BENCHMARKS
from lib.engine.parameters import Checked, Count, NotNegative, Some, limits, one_of
from lib.models.training import OPTIMIZERS, SCHEDULES

UNTRAINED = "untrained"  # controls: "untrained 1", ...; the source's network, never trained
PERMUTED = "permuted"  # "permuted Male": trained on the labels of Male, dealt to the photos at random
_FORTY = """
    5_o_Clock_Shadow Arched_Eyebrows Attractive Bags_Under_Eyes Bald Bangs Big_Lips Big_Nose Black_Hair
    Blond_Hair Blurry Brown_Hair Bushy_Eyebrows Chubby Double_Chin Eyeglasses Goatee Gray_Hair
    Heavy_Makeup High_Cheekbones Male Mouth_Slightly_Open Mustache Narrow_Eyes No_Beard Oval_Face
    Pale_Skin Pointy_Nose Receding_Hairline Rosy_Cheeks Sideburns Smiling Straight_Hair Wavy_Hair
    Wearing_Earrings Wearing_Hat Wearing_Lipstick Wearing_Necklace Wearing_Necktie Young
"""
CELEBA = tuple(_FORTY.split())  # in the order of the publisher's table
STRANGERS = "strangers"  # verification pairs drawn from the same data set's held-out people


@dataclass(frozen=True)
class Config(Checked):
    """One attribute experiment. People are known (every model learns from their photos) or strangers."""

    preset: str
    seeds: Count  # the paper gives none; a seed changes initialisation, order, augmentation, start of attack
    device: str | None
    data: Literal["rendered", "celeba_299", "celeba"]  # Sec. 4.3: CelebA; "rendered" draws people
    size: int  # pixels a side; the authors' code has 112
    people: int  # known ones, for "rendered"; 0 for CelebA, which has its own: 239, or 8,142, of 80 %
    least: Count  # the rule: so many photos to learn from must have an attribute, and so many must not
    attributes: Some[str]  # Sec. 4.3: forty; those that pass the rule
    untrained: Count  # control networks that were never trained
    permuted: tuple[str, ...]  # attributes whose labels are also dealt at random, as a control
    width: int  # channels after the stem; App. G.3: ResNet-18, 64
    blocks: tuple[int, ...]  # App. G.3: ResNet-18, (2, 2, 2, 2)
    embedding: int  # the authors' code has 512
    epochs: Count  # App. G.3: 14
    batch_size: Count  # the paper gives none; 64 in the authors' code
    optimizer: Annotated[str, one_of(OPTIMIZERS)]  # App. G.3: Adadelta
    lr: float  # App. G.3: 1.0
    schedule: Annotated[str, one_of(SCHEDULES)]  # open; the authors' code has 0.7 after each epoch
    reference_epochs: Count  # App. G.3: 125
    reference_lr: float  # App. G.3: SGD, initial 0.1; momentum 0.9 and decay 5e-4 from the authors' code
    scale: float  # of ArcFace; the paper gives none, 64 is ArcFace's own
    margin: float  # of ArcFace; the paper gives none, 0.5 is ArcFace's own
    augment: bool  # random crops and flips, as in the authors' code
    attack_images: Count  # Sec. 4.3: 1000; photos of known people that no model has learnt from
    familiar_images: Count  # photos that all have learnt from, attacked too: the authors' code has only such
    epsilon: NotNegative  # of PGD, on pixels in [0, 1]; 0.03 in the authors' plotting script
    steps: Count  # 10 in the authors' code
    epsilon_l2: NotNegative  # of the Definition-1 attack: about the length of a corner of PGD's ball
    benchmarks: Some[Annotated[str, one_of((STRANGERS, *BENCHMARKS))]]  # Sec. 4.3: seven
    pairs: Annotated[int, limits(ge=1, multiple_of=5)]  # of each kind, of the strangers; they fill ten folds
    rival_images: Count  # photos of known people on which the rivals of tau are computed
    null_repeats: Count  # permutations behind each null of tau2
    floor: float  # a reference that names fewer attacked photos makes "not a test"; set before the runs

    def __post_init__(self) -> None:
        """Raise ValueError for what no run could use."""
        super().__post_init__()
        every = attributes(self.data)
        if unknown := {*self.attributes, *self.permuted} - set(every):
            raise ValueError(f"{self.data} has no {', '.join(sorted(unknown))}: it has {', '.join(every)}")
        if (self.people > 0) != (self.data == "rendered"):
            raise ValueError(f"people={self.people}: how many to draw for 'rendered', 0 for {self.data!r}")


def attributes(data: str) -> tuple[str, ...]:
    """The attributes that a data set has."""
    return faces.NAMES if data == "rendered" else CELEBA


def is_control(source: str) -> bool:
    """Whether a source is one of the two controls, not an attribute's network."""
    return source.split(" ")[0] in (UNTRAINED, PERMUTED)


def datasets(config: Config) -> tuple[registry.Needed, ...]:
    """Photos and pairs; LFW comes with the 299 people packed, else in the benchmarks' format."""
    faces = () if config.data == "rendered" else (config.data,)
    tests = [lfw(config) if name == "lfw" else "face_benchmarks" for name in config.benchmarks]
    return registry.needed(*faces, *(t for t, n in zip(tests, config.benchmarks) if n != STRANGERS))


def lfw(config: Config) -> str:
    """Which of the two variants of LFW a run reads: both hold the same 6,000 pairs."""
    return "face_benchmarks" if config.data == "celeba" else "lfw_96"


PRESETS = {
    "quick": Config(
        preset="quick", seeds=2, device=None, data="rendered", size=32, people=60, least=40,
        attributes=faces.NAMES, untrained=1, permuted=("Smiling",), width=12, blocks=(1, 1, 1),
        embedding=32, epochs=4, batch_size=64, optimizer="adadelta", lr=1.0, schedule="onecycle",
        reference_epochs=12, reference_lr=0.1, scale=16.0, margin=0.3, augment=False, attack_images=120,
        familiar_images=40, epsilon=0.03, steps=10, epsilon_l2=1.7, benchmarks=(STRANGERS,), pairs=500,
        rival_images=400, null_repeats=50, floor=0.3,
    ),
    "reduced": Config(
        preset="reduced", seeds=5, device=None, data="celeba_299", size=48, people=0, least=100,
        attributes=tuple(name for name in CELEBA if name != "Bald"),  # 24 photos to learn from are bald
        untrained=3, permuted=("Male", "Smiling", "Eyeglasses"), width=16, blocks=(1, 1, 1),
        embedding=128, epochs=8, batch_size=64, optimizer="adadelta", lr=1.0, schedule="onecycle",
        reference_epochs=60, reference_lr=0.1, scale=32.0, margin=0.3, augment=True, attack_images=1000,
        familiar_images=500, epsilon=0.03, steps=10, epsilon_l2=2.5, benchmarks=(STRANGERS, "lfw"),
        pairs=3000, rival_images=1000, null_repeats=100, floor=0.3,
    ),
    "paper": Config(
        preset="paper", seeds=1, device=None, data="celeba", size=64, people=0, least=100, attributes=CELEBA,
        untrained=3, permuted=("Male", "Smiling", "Eyeglasses"), width=64, blocks=(2, 2, 2, 2),
        embedding=512, epochs=14, batch_size=64, optimizer="adadelta", lr=1.0, schedule="cosine",
        reference_epochs=125, reference_lr=0.1, scale=64.0, margin=0.5, augment=True, attack_images=1000,
        familiar_images=1000, epsilon=0.03, steps=10, epsilon_l2=3.3, benchmarks=BENCHMARKS, pairs=3000,
        rival_images=1000, null_repeats=200, floor=0.3,
    ),
}  # fmt: skip
