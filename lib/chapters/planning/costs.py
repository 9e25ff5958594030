"""Floating-point operations of the `paper` presets: passes through each network times what one pass takes.

Passes are read off the configs (App. G.2 - G.4); what a pass takes is counted by torch on tensors without
storage, so nothing is computed and no data are needed. Hours follow from a rate that the reader states.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from typing import Any, Literal

import torch
from torch import Tensor, nn
from torch.utils.flop_counter import FlopCounterMode

from lib.chapters.planning.schedule import Job
from lib.models.facenet import FaceNet
from lib.models.resnet import ResNet

Pass = Literal["forward", "attack", "train"]  # attack: a backward pass to the input only
KNOWN_FACES = 162_770  # photos of the 8,142 people of CelebA's training split (Sec. 4.3: 80 %)
CIFAR_FOUR, STL_FOUR = 20_000, 2_000  # training images of four classes
TEXTS = {"imdb": 25_000, "ag_news": 120_000, "fake_news": 20_800, "yelp_polarity": 560_000}  # to train on
QUERIES = 300  # of TextFooler for a review of 256 tokens: about one for each word, and the candidates
PRODUCTS = 25  # pairs of products with Jacobians for the recogniser's largest singular vector, at most
FRAMES = 1_000  # of the task experiment (Sec. 4.4)


@dataclass(frozen=True)
class Stage:
    """`passes` samples through `network`, of one kind; `each` is the operations of one."""

    experiment: str
    what: str
    network: str
    kind: Pass
    passes: int

    @property
    def each(self) -> int:
        """Floating-point operations of one sample."""
        return operations(self.network, self.kind)

    @property
    def total(self) -> int:
        """Floating-point operations of the stage."""
        return self.passes * self.each

    def hours(self, teraflops: float) -> float:
        """Hours of one device that sustains so many 10^12 operations a second."""
        return self.total / (teraflops * 1e12 * 3600)


class _Sentence(nn.Module):
    """bert-base-uncased as transformers describes it, from word vectors to two logits."""

    def __init__(self) -> None:
        super().__init__()
        from transformers import BertConfig, BertModel

        self.bert = BertModel(BertConfig(), add_pooling_layer=False)
        self.head = nn.Linear(self.bert.config.hidden_size, 2)

    def forward(self, vectors: Tensor) -> Tensor:
        return self.head(self.bert(inputs_embeds=vectors).last_hidden_state[:, 0])


def _bank() -> nn.Module:
    from lib.models.taskbank import Decoder, Encoder

    return nn.Sequential(Encoder(), Decoder(3))


NETWORKS: dict[
    str, tuple[Callable[[], nn.Module], tuple[int, ...]]
] = {  # name -> (network, a sample's shape)
    "ResNet-18, 32 x 32": (lambda: ResNet(4), (3, 32, 32)),
    "BERT, 256 tokens": (_Sentence, (256, 768)),
    "ResNet-18, face of 64 x 64": (lambda: FaceNet(2, size=64), (3, 64, 64)),
    "task bank, 256 x 256": (_bank, (3, 256, 256)),
}
IMAGE, TEXT, FACE, BANK = NETWORKS


@cache
def operations(network: str, kind: Pass) -> int:
    """Operations of one sample: multiplications and additions of convolutions and matrix products.

    Raises:
        ValueError: no such network.
    """
    if network not in NETWORKS:
        raise ValueError(f"network {network!r} is none of {', '.join(NETWORKS)}")
    build, shape = NETWORKS[network]
    with torch.device("meta"):
        model = build().eval().requires_grad_(kind == "train")
        x = torch.empty(1, *shape, requires_grad=kind == "attack")
        with FlopCounterMode(display=False) as counter:
            y = model(x)
            if kind != "forward":
                y.sum().backward()
    return counter.get_total_flops()


@cache
def parameters(network: str) -> int:
    """How many numbers a network holds."""
    with torch.device("meta"):
        return sum(p.numel() for p in NETWORKS[network][0]().parameters())


def images(config: Any) -> list[Stage]:
    """Sec. 4.2, App. G.2: five sources, a reference a target; every record tunes a whole network."""
    trained, records = 5 * config.seeds, 6 * config.seeds * len(config.targets)
    stages = [
        ("sources", "train", trained * config.epochs * CIFAR_FOUR),
        ("references", "train", config.seeds * len(config.targets) * config.target_epochs * STL_FOUR),
        ("tau: 4 logits of two networks", "attack", records * 8 * config.attack_images),
        ("PGD", "attack", records * config.steps * config.attack_images),
        ("fine-tuning", "train", records * config.tune_epochs * STL_FOUR),
    ]
    return [Stage("images", what, IMAGE, kind, count) for what, kind, count in stages]  # type: ignore[arg-type]


def text(config: Any) -> list[Stage]:
    """Sec. 4.2, App. G.1 and G.2; the linear layer is learnt on features, computed once."""
    sizes, records = [TEXTS[name] for name in config.sources], config.seeds * (len(config.sources) + 1)
    stages = [
        ("sources", "train", config.seeds * config.epochs * sum(sizes)),
        ("references", "train", config.seeds * config.epochs * TEXTS[config.target]),
        ("tau: logits of two networks", "attack", records * 4 * config.tau_texts),
        ("TextFooler", "forward", records * config.attack_texts * QUERIES),
        ("fine-tuning", "train", records * config.transfer_epochs * TEXTS[config.target]),
    ]
    return [Stage("text", what, TEXT, kind, count) for what, kind, count in stages]  # type: ignore[arg-type]


def attributes(config: Any) -> list[Stage]:
    """Sec. 4.3, App. G.3: a source an attribute and control, one recogniser a seed, pairs to verify."""
    trained = config.seeds * (len(config.attributes) + len(config.permuted))
    records = trained + config.seeds * config.untrained
    photos = 2 * 2 * config.pairs * len(config.benchmarks)  # of each kind, two a pair
    stages = [
        ("sources", "train", trained * config.epochs * KNOWN_FACES),
        ("reference", "train", config.seeds * config.reference_epochs * KNOWN_FACES),
        ("tau: two logits, and products", "attack", records * (2 + PRODUCTS) * config.attack_images),
        ("PGD", "attack", records * config.steps * config.attack_images),
        ("verification", "forward", records * photos),
    ]
    return [Stage("attributes", what, FACE, kind, count) for what, kind, count in stages]  # type: ignore[arg-type]


def tasks(config: Any) -> list[Stage]:
    """Sec. 4.4, App. G.4: the task bank comes trained; every network attacks, and all see every attack."""
    networks, radii = 15, len(config.epsilons)
    stages = [
        ("attacks", "attack", config.seeds * radii * networks * config.steps * FRAMES),
        ("losses of all on all", "forward", config.seeds * radii * networks * (networks + 1) * FRAMES),
    ]
    return [Stage("tasks", what, BANK, kind, count) for what, kind, count in stages]  # type: ignore[arg-type]


TRAINED = ("sources", "references", "reference")  # the stages whose networks are kept
STAGES: dict[str, Callable[[Any], list[Stage]]] = {
    "images": images, "text": text, "attributes": attributes, "tasks": tasks,
}  # fmt: skip


def queue(module: Any, teraflops: float) -> tuple[list[Job], dict[str, float]]:
    """The jobs of an experiment at its `paper` preset, as `module.jobs` orders them, and the hours of each
    network that they share.
    """
    config, name = module.PRESETS["paper"], module.NAME
    stages, listed = STAGES[name](config), module.jobs(config)
    hours = {stage.what: stage.hours(teraflops) for stage in stages}
    then = sum(value for what, value in hours.items() if what not in TRAINED) / len(listed)
    shared: dict[str, float] = {}
    jobs = []
    for job in listed:
        sources, references = f"{name} source {_of(job, 'source')}", f"{name} reference {_of(job, 'target')}"
        shared[sources], shared[references] = 0.0, 0.0
        jobs.append(Job((sources, references), then))
    for key in shared:
        shared[key] = _share(key, shared, hours)
    return jobs, shared


def _of(job: dict[str, Any], role: str) -> str:
    return f"{job.get(role, '')} {job['seed']}"


def _share(key: str, keys: dict[str, float], hours: dict[str, float]) -> float:
    """The part of the training hours that falls to one network: by the size of its data where they differ."""
    role = "source" if " source " in key else "reference"
    total = hours.get(f"{role}s", hours.get(role, 0.0))
    weights = {other: _weight(other) for other in keys if f" {role} " in other}
    return total * weights[key] / (sum(weights.values()) or 1.0)


def _weight(key: str) -> float:
    if "untrained" in key:
        return 0.0
    return next((float(size) for name, size in TEXTS.items() if f" {name} " in key), 1.0)


def gigabytes(module: Any) -> float:
    """The trained networks of the `paper` preset as float32, in 10^9 bytes."""
    config = module.PRESETS["paper"]
    kept = [stage for stage in STAGES[module.NAME](config) if stage.what in TRAINED]
    _, shared = queue(module, 1.0)
    networks = sum(hours > 0 for hours in shared.values())
    return networks * 4 * parameters(kept[0].network) / 1e9 if kept else 0.0
