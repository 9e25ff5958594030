"""The measures of one pair of trained networks in float64, in float32 and under bfloat16 autocast.

The image experiment's quick networks: a source that learnt the digits 0 to 3, a reference that learnt 0 to 3
turned and noisy. Trained once; what is compared is the precision of measuring.
"""

from __future__ import annotations

from collections.abc import Callable
from copy import deepcopy
from functools import partial

import torch
from torch import Tensor, nn
from torch.nn import functional

from lib.attacks.projected import pgd
from lib.base import streams
from lib.base.tables import Table
from lib.data import images
from lib.experiments.images import networks
from lib.experiments.images.settings import PRESETS
from lib.measures import transferability
from lib.models import training

CONFIG = PRESETS["quick"]
IMAGES, AGREE = 100, 1e-3  # the largest relative error of float32 that is allowed
Model = Callable[[Tensor], Tensor]


def rows() -> Table:
    """A line a measure: its value in float64, and the relative errors of the two others."""
    source, reference = (trained(part, name) for name, part in splits().items())
    x = networks.pixels(splits()["reference"].test, torch.device("cpu"))[0][:IMAGES]
    exact, single, half = (measures(*cast(source, reference, x, name)) for name in PRECISIONS)
    lines = []
    for name, value in exact.items():
        errors = [abs(other[name] - value) / abs(value) for other in (single, half)]
        lines.append([name, value, errors[0], f"<= {AGREE:g}", errors[1]])
    columns = ["measure", "float64", "float32, relative error", "asked", "bfloat16, relative error"]
    note = (
        "The experiments measure float32 networks, never in mixed precision, and decompose whole Jacobians "
        "in float64; the theory chapters and the RBF experiment use float64 throughout. bfloat16 serves "
        f"training on a GPU alone. {len(x)} digits, {CONFIG.epochs} epochs; torch {torch.__version__}."
    )
    return Table(columns, lines, caption="Precision of the measures", note=note)


def splits() -> dict[str, images.Split]:
    """What the source and the reference learn."""
    first = networks.source_split(CONFIG, "0% high digits")
    return {"source": first, "reference": networks.target_split(CONFIG, "digits low")}


def trained(split: images.Split, name: str, epochs: int = CONFIG.epochs) -> nn.Module:
    """The experiment's quick network, trained in float32."""
    stream = streams.generator(0, "precision", name)
    model = networks.build(CONFIG, stream)
    training.fit(
        model, split.train.images, split.train.labels, loss=functional.cross_entropy, lr=CONFIG.lr,
        weight_decay=CONFIG.weight_decay, epochs=epochs, batch_size=CONFIG.batch_size,
        schedule=CONFIG.schedule, generator=stream,
    )  # fmt: skip
    return model


def measures(source: Model, reference: Model, x: Tensor) -> dict[str, float]:
    """Defs. 2 and 3, alpha of section 4.1, and the reference's loss under the source's PGD (App. G.1)."""
    found = transferability.measure(source, reference, x)
    start = pgd(source, x, CONFIG.epsilon, CONFIG.steps, random_start=False, clip=(0.0, 1.0))
    with torch.no_grad():
        labels, outputs = reference(x).argmax(1), reference(start)
    loss = float(functional.cross_entropy(outputs.double(), labels))
    return {"tau1": found.tau1, "tau2": found.tau2, "alpha": found.alpha, "PGD loss": loss}


def cast(source: nn.Module, reference: nn.Module, x: Tensor, name: str) -> tuple[Model, Model, Tensor]:
    """Two networks and the images in a precision of PRECISIONS."""
    dtype, wrap = PRECISIONS[name]
    first, second = (wrap(deepcopy(model).to(dtype)) for model in (source, reference))
    return first, second, x.to(dtype)


def autocast(model: nn.Module) -> Model:
    """The model as mixed precision computes it: weights in float32, products in bfloat16."""

    def call(model: nn.Module, x: Tensor) -> Tensor:
        with torch.autocast(x.device.type, torch.bfloat16):
            return model(x)

    return partial(call, model)


def plain(model: nn.Module) -> Model:
    return model


PRECISIONS: dict[str, tuple[torch.dtype, Callable[[nn.Module], Model]]] = {
    "float64": (torch.float64, plain),
    "float32": (torch.float32, plain),
    "bfloat16": (torch.float32, autocast),
}
