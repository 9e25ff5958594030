"""Settings of the attribute experiment (Sec. 4.3, App. G.3), fixed before the runs were looked at."""

from __future__ import annotations

from dataclasses import dataclass

from lib.data.drawn import faces
from lib.data.faces import BENCHMARKS
from lib.models.training import OPTIMIZERS, SCHEDULES

UNTRAINED = "untrained"  # controls: "untrained 1", ...; the source's network, never trained
PERMUTED = "permuted"  # "permuted Male": trained on the labels of Male, dealt to the photos at random
DATA = ("rendered", "celeba_299", "celeba")
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
class Config:
    """One attribute experiment. People are known (every model learns from their photos) or strangers."""

    preset: str
    seeds: int  # the paper gives none; a seed changes initialisation, order, augmentation, start of attack
    device: str | None
    data: str  # Sec. 4.3: CelebA; "rendered" draws people who do not exist
    size: int  # pixels a side; the authors' code has 112
    people: int  # known ones, for "rendered"; 0 for CelebA, which has its own: 239, or 8,142, of 80 %
    least: int  # the rule: so many photos to learn from must have an attribute, and so many must not
    attributes: tuple[str, ...]  # Sec. 4.3: forty; those that pass the rule
    untrained: int  # control networks that were never trained
    permuted: tuple[str, ...]  # attributes whose labels are also dealt at random, as a control
    width: int  # channels after the stem; App. G.3: ResNet-18, 64
    blocks: tuple[int, ...]  # App. G.3: ResNet-18, (2, 2, 2, 2)
    embedding: int  # the authors' code has 512
    epochs: int  # App. G.3: 14
    batch_size: int  # the paper gives none; 64 in the authors' code
    optimizer: str  # App. G.3: Adadelta
    lr: float  # App. G.3: 1.0
    schedule: str  # the paper gives none; the authors' code has 0.7 after each epoch
    reference_epochs: int  # App. G.3: 125
    reference_lr: float  # App. G.3: SGD, initial 0.1; momentum 0.9 and decay 5e-4 from the authors' code
    scale: float  # of ArcFace; the paper gives none, 64 is ArcFace's own
    margin: float  # of ArcFace; the paper gives none, 0.5 is ArcFace's own
    augment: bool  # random crops and flips, as in the authors' code
    attack_images: int  # Sec. 4.3: 1000; photos of known people that no model has learnt from
    familiar_images: int  # photos that all have learnt from, attacked too: the authors' code has only such
    epsilon: float  # of PGD, on pixels in [0, 1]; 0.03 in the authors' plotting script
    steps: int  # 10 in the authors' code
    epsilon_l2: float  # of the Definition-1 attack: about the Euclidean length of a corner of PGD's ball
    benchmarks: tuple[str, ...]  # Sec. 4.3: seven; "strangers" are the data set's own held-out people
    pairs: int  # of each kind, of the strangers
    rival_images: int  # photos of known people on which the rivals of tau are computed
    null_repeats: int  # permutations behind each null of tau2
    floor: (
        float  # a reference that names fewer of the attacked photos makes "not a test"; set before the runs
    )

    def __post_init__(self) -> None:
        """Raise ValueError for what no run could use."""
        at_least_one = (
            *("seeds", "least", "untrained", "epochs", "batch_size", "reference_epochs", "steps", "pairs"),
            *("attack_images", "familiar_images", "rival_images", "null_repeats"),
        )
        for name in at_least_one:
            if getattr(self, name) < 1:
                raise ValueError(f"{name}={getattr(self, name)} must be at least 1")
        for name in ("epsilon", "epsilon_l2"):
            if getattr(self, name) < 0:
                raise ValueError(f"{name}={getattr(self, name)} must not be negative")
        choices = {"data": DATA, "optimizer": tuple(OPTIMIZERS), "schedule": tuple(SCHEDULES)}
        for name, known in choices.items():
            if getattr(self, name) not in known:
                raise ValueError(f"{name}={getattr(self, name)!r} is unknown: use one of {', '.join(known)}")
        every = attributes(self.data)
        if unknown := {*self.attributes, *self.permuted} - set(every):
            raise ValueError(f"{self.data} has no {', '.join(sorted(unknown))}: it has {', '.join(every)}")
        if not self.attributes:
            raise ValueError("attributes is empty: name one or more")
        if (self.people > 0) != (self.data == "rendered"):
            raise ValueError(f"people={self.people}: how many to draw for 'rendered', 0 for {self.data!r}")
        if self.pairs % 5:
            raise ValueError(f"pairs={self.pairs} of each kind must fill ten folds: pass a multiple of 5")
        known = (STRANGERS, *BENCHMARKS)
        if not self.benchmarks or not set(self.benchmarks) <= set(known):
            raise ValueError(f"benchmarks={self.benchmarks}: name one or more of {', '.join(known)}")


def attributes(data: str) -> tuple[str, ...]:
    """The attributes that a data set has."""
    return faces.NAMES if data == "rendered" else CELEBA


def is_control(source: str) -> bool:
    """Whether a source is one of the two controls, not an attribute's network."""
    return source.split(" ")[0] in (UNTRAINED, PERMUTED)


def datasets(config: Config) -> tuple[str, ...]:
    """Names in the data registry; LFW comes with the 299 people packed, else in the benchmarks' format."""
    faces = () if config.data == "rendered" else (config.data,)
    tests = [lfw(config) if name == "lfw" else "face_benchmarks" for name in config.benchmarks]
    return tuple(dict.fromkeys([*faces, *(t for t, n in zip(tests, config.benchmarks) if n != STRANGERS)]))


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
