"""What the `paper` presets cost, counted: passes through each network times the operations of one pass.

Passes are read off the configs (App. G.2 - G.4); what a pass takes is counted by torch on tensors without
storage, so nothing is computed and no data are needed. Hours follow from a rate that the reader states.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any, Literal

import torch
from torch import Tensor, nn
from torch.utils.flop_counter import FlopCounterMode

from lib.base.tables import Table
from lib.engine.experiment import Experiment
from lib.experiments.attributes.settings import Config as Attributes
from lib.experiments.images.settings import Config as Images
from lib.experiments.tasks.settings import Config as Tasks
from lib.experiments.text.settings import Config as Text
from lib.models.facenet import FaceNet
from lib.models.resnet import ResNet

Pass = Literal["forward", "attack", "train"]  # attack: a backward pass to the input only
KNOWN_FACES = 162_770  # photos of the 8,142 people of CelebA's training split (Sec. 4.3: 80 %)
CIFAR_FOUR, STL_FOUR = 20_000, 2_000  # training images of four classes
TEXTS = {"imdb": 25_000, "ag_news": 120_000, "fake_news": 20_800, "yelp_polarity": 560_000}  # to train on
QUERIES = 300  # of TextFooler for a review of 256 tokens: about one for each word, and the candidates
PRODUCTS = 25  # pairs of products with Jacobians for the recogniser's largest singular vector, at most
FRAMES, TASKS = 1_000, 15  # of the task experiment (Sec. 4.4)
FEATURES, CLASSES, PIXELS = 512, 4, 3 * 32 * 32  # of the image experiment's ResNet-18
TRAINED = ("sources", "references", "reference")  # the stages whose networks are kept


class _Sentence(nn.Module):
    """bert-base-uncased as transformers describes it, from word vectors to two logits."""

    def __init__(self) -> None:
        super().__init__()
        from transformers import BertConfig, BertModel

        self.bert = BertModel(BertConfig(), add_pooling_layer=False)
        self.head = nn.Linear(self.bert.config.hidden_size, 2)

    def forward(self, vectors: Tensor) -> Tensor:
        logits: Tensor = self.head(self.bert(inputs_embeds=vectors).last_hidden_state[:, 0])
        return logits


def _bank() -> nn.Module:
    from lib.models.taskbank import Decoder, Encoder

    return nn.Sequential(Encoder(), Decoder(3))


NETWORKS: dict[str, tuple[Callable[[], nn.Module], tuple[int, ...]]] = {  # name: network, a sample's shape
    "ResNet-18, 32 x 32": (lambda: ResNet(4), (3, 32, 32)),
    "BERT, 256 tokens": (_Sentence, (256, 768)),
    "ResNet-18, face of 64 x 64": (lambda: FaceNet(2, size=64), (3, 64, 64)),
    "task bank, 256 x 256": (_bank, (3, 256, 256)),
}
IMAGE, TEXT, FACE, BANK = NETWORKS


@dataclass(frozen=True)
class Stage:
    """`passes` samples through `network`, of one kind."""

    what: str
    network: str
    kind: Pass
    passes: int

    @property
    def total(self) -> int:
        """Floating-point operations."""
        return self.passes * operations(self.network, self.kind)


@cache
def operations(network: str, kind: Pass) -> int:
    """Operations of one sample: multiplications and additions of convolutions and matrix products.

    Raises ValueError for no such network.
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
    return int(counter.get_total_flops())


@cache
def parameters(network: str) -> int:
    """How many numbers a network holds."""
    with torch.device("meta"):
        return sum(p.numel() for p in NETWORKS[network][0]().parameters())


def images(config: Images) -> list[Stage]:
    """Sec. 4.2, App. G.2: five sources, a reference a target; every record tunes a whole network."""
    references = config.seeds * len(config.targets)
    records = 6 * references
    return [
        Stage("sources", IMAGE, "train", 5 * config.seeds * config.epochs * CIFAR_FOUR),
        Stage("references", IMAGE, "train", references * config.target_epochs * STL_FOUR),
        Stage("tau: 4 logits of two networks", IMAGE, "attack", records * 8 * config.attack_images),
        Stage("PGD", IMAGE, "attack", records * config.steps * config.attack_images),
        Stage("fine-tuning", IMAGE, "train", records * config.tune_epochs * STL_FOUR),
    ]


def text(config: Text) -> list[Stage]:
    """Sec. 4.2, App. G.1 and G.2; the linear layer is learnt on features, computed once."""
    records, target = config.seeds * (len(config.sources) + 1), TEXTS[config.target]
    texts = sum(TEXTS[name] for name in config.sources)
    return [
        Stage("sources", TEXT, "train", config.seeds * config.epochs * texts),
        Stage("references", TEXT, "train", config.seeds * config.epochs * target),
        Stage("tau: logits of two networks", TEXT, "attack", records * 4 * config.tau_texts),
        Stage("TextFooler", TEXT, "forward", records * config.attack_texts * QUERIES),
        Stage("fine-tuning", TEXT, "train", records * config.transfer_epochs * target),
    ]


def attributes(config: Attributes) -> list[Stage]:
    """Sec. 4.3, App. G.3: a source an attribute and control, one recogniser a seed, pairs to verify."""
    trained = config.seeds * (len(config.attributes) + len(config.permuted))
    records = trained + config.seeds * config.untrained
    photos = 2 * 2 * config.pairs * len(config.benchmarks)  # of each kind, two a pair
    products = records * (2 + PRODUCTS) * config.attack_images
    return [
        Stage("sources", FACE, "train", trained * config.epochs * KNOWN_FACES),
        Stage("reference", FACE, "train", config.seeds * config.reference_epochs * KNOWN_FACES),
        Stage("tau: two logits, and products", FACE, "attack", products),
        Stage("PGD", FACE, "attack", records * config.steps * config.attack_images),
        Stage("verification", FACE, "forward", records * photos),
    ]


def tasks(config: Tasks) -> list[Stage]:
    """Sec. 4.4, App. G.4: the task bank comes trained; every network attacks, and all see every attack."""
    attacked = config.seeds * len(config.epsilons) * TASKS * FRAMES
    return [
        Stage("attacks", BANK, "attack", attacked * config.steps),
        Stage("losses of all on all", BANK, "forward", attacked * (TASKS + 1)),
    ]


STAGES: Mapping[str, Callable[[Any], list[Stage]]] = {
    "images": images, "text": text, "attributes": attributes, "tasks": tasks,
}  # fmt: skip


def note(teraflops: float) -> str:
    """What stands under every number that rests on the rate."""
    counted = "Computed from counted operations, not measured"
    return f"{counted}; a device is taken to sustain {teraflops:g} x 10^12 operations a second."


def hours(modules: Sequence[Experiment[Any]], teraflops: float) -> Table:
    """Every stage of every experiment at its `paper` preset: passes, operations, device hours."""
    rows: list[list[Any]] = []
    for module in modules:
        for stage in STAGES[module.NAME](module.PRESETS["paper"]):
            time = stage.total / (teraflops * 1e12 * 3600)
            rows.append([module.NAME, stage.what, stage.network, stage.passes, stage.total / 1e15, time])
    rows.append(["together", "", "", None, *(sum(row[k] for row in rows) for k in (4, 5))])
    columns = ["experiment", "stage", "network", "passes", "10^15 operations", "hours"]
    return Table(columns, rows, caption="Operations of the paper's settings", note=note(teraflops))


def storage(modules: Sequence[Experiment[Any]]) -> Table:
    """Jobs, the networks that are kept, and the data's published sizes where the registry knows them."""
    rows: list[list[Any]] = []
    for module in modules:
        config = module.PRESETS["paper"]
        jobs, kept = module.jobs(config), [s for s in STAGES[module.NAME](config) if s.what in TRAINED]
        networks, size = 0, 0.0
        if kept:  # sources that are trained, and references: jobs share them
            sources = {(job["source"], job["seed"]) for job in jobs if "untrained" not in job["source"]}
            networks = len(sources) + len({(job.get("target"), job["seed"]) for job in jobs})
            size = networks * 4 * parameters(kept[0].network) / 1e9
        items = ", ".join(f"{each.name} ({each.items:,})" for each in module.datasets(config))
        rows.append([module.NAME, len(jobs), networks, size, items])
    columns = ["experiment", "jobs", "networks trained", "GB of networks", "data (items)"]
    return Table(columns, rows, caption="Jobs and storage of the paper's settings")


def candidates(count: int, config: Images, teraflops: float) -> Table:
    """Ways to find the best of `count` sources like the image experiment's (`config`), dearest first."""
    rate, samples = teraflops * 1e12 * 3600, config.attack_images
    jacobian = CLASSES * samples * operations(IMAGE, "attack") / rate
    forward = samples * operations(IMAGE, "forward") / rate
    tune = config.tune_epochs * STL_FOUR * operations(IMAGE, "train") / rate
    gigabytes = 4 * samples / 1e9  # of one number a sample
    ways: list[tuple[str, float, float]] = [
        ("fine-tune each on the target's data", count * tune, count * 4 * parameters(IMAGE) / 1e9),
        ("tau of each, both Jacobians anew", count * 2 * jacobian, 0.0),
        ("tau, the target's Jacobians once", count * jacobian + jacobian, CLASSES * PIXELS * gigabytes),
        ("features of each once, for any estimator", count * forward, count * FEATURES * gigabytes),
    ]
    rows = [[what, time, ways[0][1] / time, stored] for what, time, stored in ways]
    columns = ["way", "device hours", "times cheaper", "GB stored"]
    caption = f"{count:,} candidates, {samples:,} samples, {CLASSES} outputs"
    return Table(columns, rows, caption=caption, note=note(teraflops))
