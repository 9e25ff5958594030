"""PGD against torchattacks, the Definition-1 attack against backward passes, training against a bare loop.

One thread and its own processor time; the two of a pair run in turn, and what counts is the median of their
ratios. torchattacks: `pip install --no-deps torchattacks==3.5.1`.
"""

from __future__ import annotations

import statistics
from collections.abc import Callable
from time import thread_time
from typing import Any

import torch
from torch.nn import functional

from lib.attacks.projected import pgd
from lib.attacks.tangent import virtual
from lib.base.tables import Table
from lib.models import training
from lib.models.resnet import ResNet

EPSILON, STEPS, BATCH, ROUNDS = 0.1, 10, 64, 31


def ratio(
    ours: Callable[[], Any], theirs: Callable[[], Any], rounds: int = ROUNDS
) -> tuple[float, float, float]:
    """(median of theirs / ours, seconds of ours, of theirs) after a warm-up; above 1 ours is faster."""
    ours(), theirs()
    pairs = []
    for turn in range(rounds):
        first, second = (ours, theirs) if turn % 2 else (theirs, ours)
        times = {f: _seconds(f) for f in (first, second)}
        pairs.append((times[ours], times[theirs]))
    mine, other = zip(*pairs)
    return statistics.median(b / a for a, b in pairs), statistics.median(mine), statistics.median(other)


def against_torchattacks(model: torch.nn.Module, x: torch.Tensor, y: torch.Tensor) -> list[Any]:
    """PGD-10, labels given, no random start: at least .97 of torchattacks' images a second."""
    try:
        import torchattacks
    except ImportError:
        return [
            "PGD-10, images a second against torchattacks",
            None,
            ">= 0.97",
            "torchattacks is not installed",
        ]
    peer = torchattacks.PGD(model, eps=EPSILON, alpha=EPSILON / 4, steps=STEPS, random_start=False)
    options = {"labels": y, "step_size": EPSILON / 4, "random_start": False, "clip": (0.0, 1.0)}
    value, mine, other = ratio(lambda: pgd(model, x, EPSILON, STEPS, **options), lambda: peer(x, y))
    note = f"{len(x) / mine:.0f} images/s against {len(x) / other:.0f}"
    return ["PGD-10, images a second against torchattacks", value, ">= 0.97", note]


def against_backward(model: torch.nn.Module, x: torch.Tensor) -> list[Any]:
    """The exact Definition-1 attack of 4 logits costs at most 1.3 times 4 plain backward passes."""

    def four_backwards() -> None:
        leaf = x.detach().clone().requires_grad_()
        outputs = model(leaf)
        for j in range(4):
            torch.autograd.grad(outputs[:, j].sum(), leaf, retain_graph=j < 3)

    value, mine, other = ratio(lambda: virtual(model, x, 1.0), four_backwards)
    note = f"{mine * 1e3:.0f} ms against {other * 1e3:.0f} ms for {len(x)} images"
    return ["Definition-1 attack, cost against 4 backward passes", 1 / value, "<= 1.3", note]


def against_bare_loop(size: int = 1280) -> list[Any]:
    """Training throughput of the narrow ResNet: at least .9 of a loop without the library."""
    generator = torch.Generator().manual_seed(0)
    x, y = torch.rand(size, 3, 32, 32, generator=generator), torch.randint(4, (size,), generator=generator)

    def library() -> None:
        training.fit(
            narrow(),
            x,
            y,
            loss=functional.cross_entropy,
            lr=0.1,
            weight_decay=1e-4,
            epochs=1,
            batch_size=128,
            generator=torch.Generator().manual_seed(0),
            channels_last=True,
        )

    def bare() -> None:
        model = narrow().to(memory_format=torch.channels_last).train()
        optimizer = torch.optim.SGD(model.parameters(), 0.1, momentum=0.9, weight_decay=1e-4)
        for index in torch.randperm(size).split(128):
            batch = x[index].contiguous(memory_format=torch.channels_last)
            optimizer.zero_grad()
            functional.cross_entropy(model(batch), y[index]).backward()
            optimizer.step()

    value, mine, other = ratio(library, bare, rounds=9)
    note = f"{size / mine:.0f} images/s against {size / other:.0f}"
    return ["training, images a second against a bare loop", value, ">= 0.9", note]


def narrow() -> ResNet:
    """The network of the `reduced` preset."""
    return ResNet(4, width=16, blocks=(1, 1, 1), stem_stride=2)


def rows() -> Table:
    """The three comparisons on the narrow ResNet and images of noise."""
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        with training.seeded(torch.Generator().manual_seed(0)):
            model = narrow().eval()
        x = torch.rand(BATCH, 3, 32, 32, generator=torch.Generator().manual_seed(1))
        y = torch.arange(BATCH) % 4
        lines = [against_torchattacks(model, x, y), against_backward(model, x), against_bare_loop()]
    finally:
        torch.set_num_threads(threads)
    note = (
        f"{BATCH} images of 32 x 32; torch {torch.__version__}, processor time of one thread. The ratio "
        "is the median of the rounds' own, the rates are medians apart: their quotient may differ a little."
    )
    return Table(
        ["comparison", "ratio", "asked", "measured"], lines, caption="Attacks and training", note=note
    )


def _seconds(function: Callable[[], Any]) -> float:
    begun = thread_time()
    function()
    return thread_time() - begun
