"""The part of a record that holds attacks on pixels in [0, 1]: what a reference makes of attacked images."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

import torch
from torch import Tensor, nn

from lib.attacks.projected import pgd
from lib.attacks.tangent import virtual

PIXELS = (0.0, 1.0)
Attack = Callable[[Tensor], Tensor]
Outcome = dict[str, float]


def climbing(model: nn.Module, epsilon: float, steps: int, stream: torch.Generator) -> Attack:
    """The virtual PGD attack (App. G.1), no labels: `stream` draws the random start."""
    return lambda part: pgd(model, part, epsilon, steps, clip=PIXELS, generator=stream)


def euclidean(model: nn.Module, epsilon: float) -> Attack:
    """A step of length |epsilon| along Definition 1's attack; a negative one takes its other sign."""
    return lambda part: (part + epsilon * virtual(model, part, 1.0)).clamp(*PIXELS)


def noise(epsilon: float, stream: torch.Generator) -> Attack:
    """A random corner of the ball: what a change of that size does by itself."""

    def move(part: Tensor) -> Tensor:
        signs = torch.randint(0, 2, part.shape, generator=stream).to(part) * 2 - 1
        return (part + epsilon * signs).clamp(*PIXELS)

    return move


def unmoved(part: Tensor) -> Tensor:
    """The clean images."""
    return part


def in_parts(move: Attack, x: Tensor, size: int) -> Tensor:
    """`move` on `size` images at a time."""
    return torch.cat([move(part) for part in torch.split(x, size)])


def record(
    moves: Mapping[str, Attack | Sequence[Attack]], x: Tensor, judge: Callable[[Tensor], Outcome], size: int
) -> dict[str, Outcome]:
    """{name: what `judge` says of the images moved}, the mean over the attacks where there are several.

    `judge` is the reference: attacked images -> {"loss": ..., "accuracy": ..., ...}.
    """
    found = {}
    for name, some in moves.items():
        each = [judge(in_parts(move, x, size)) for move in ([some] if callable(some) else some)]
        found[name] = {key: sum(one[key] for one in each) / len(each) for key in each[0]}
    return found
