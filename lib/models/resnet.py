"""Residual networks for small images (He et al. 2016), as wide and as deep as asked.

`ResNet(classes)` is the paper's ResNet-18 in its usual form for 32 x 32 pixels: a 3 x 3 stem of stride 1 and
no max-pooling. `ResNet(width=24, blocks=(1, 1, 1), stem_stride=2)` is the narrow one of the `reduced` preset.
"""

from collections.abc import Sequence
from typing import cast

import torch
from torch import Tensor, nn
from torch.nn import functional

MEAN, STD = (0.4914, 0.4822, 0.4465), (0.2470, 0.2435, 0.2616)  # CIFAR-10's training pixels, in [0, 1]


class Block(nn.Module):
    """Two 3 x 3 convolutions and a shortcut: relu(x + F(x)), (N, inputs, H, W) -> (N, outputs, H/s, W/s)."""

    def __init__(self, inputs: int, outputs: int, stride: int) -> None:
        super().__init__()
        self.first = convolution(inputs, outputs, stride=stride)
        self.second = convolution(outputs, outputs)
        same = inputs == outputs and stride == 1
        self.shortcut = nn.Identity() if same else convolution(inputs, outputs, 1, stride)

    def forward(self, x: Tensor) -> Tensor:
        """The block's output; the last relu follows the sum."""
        return functional.relu(self.second(functional.relu(self.first(x))) + self.shortcut(x))


class ResNet(nn.Module):
    """A residual classifier of pixels in [0, 1]: (N, 3, H, W) -> (N, classes) logits.

    `width` channels after the stem, doubled by each of the `len(blocks)` stages, `blocks[k]` blocks in stage
    k; every stage but the first halves the image, and `stem_stride=2` halves it once more at the start.
    `features(x)` (N, width * 2^(stages - 1)) feed the linear `head`.
    """

    mean: Tensor
    std: Tensor

    def __init__(
        self, classes: int, *, width: int = 64, blocks: Sequence[int] = (2, 2, 2, 2), stem_stride: int = 1
    ) -> None:
        super().__init__()
        if classes < 1 or width < 1 or not blocks or min(blocks) < 1:
            raise ValueError(
                f"classes={classes}, width={width}, blocks={tuple(blocks)} must all be at least 1"
            )
        self.register_buffer("mean", torch.tensor(MEAN).view(3, 1, 1))
        self.register_buffer("std", torch.tensor(STD).view(3, 1, 1))
        self.stem = convolution(3, width, stride=stem_stride)
        self.stages = stages(width, blocks)
        self.head = nn.Linear(width * 2 ** (len(blocks) - 1), classes)

    def features(self, x: Tensor) -> Tensor:
        """What the last layer sees: the mean over positions of the last stage, (N, D)."""
        maps = self.stages(functional.relu(self.stem((x - self.mean) / self.std)))
        return cast(Tensor, maps.mean(dim=(2, 3)))

    def forward(self, x: Tensor) -> Tensor:
        """Logits (N, classes)."""
        return cast(Tensor, self.head(self.features(x)))


def convolution(inputs: int, outputs: int, kernel: int = 3, stride: int = 1) -> nn.Sequential:
    """A convolution that keeps the middle of the image, and batch normalisation in place of its bias."""
    return nn.Sequential(
        nn.Conv2d(inputs, outputs, kernel, stride, kernel // 2, bias=False), nn.BatchNorm2d(outputs)
    )


def stages(width: int, blocks: Sequence[int]) -> nn.Sequential:
    """`blocks[k]` blocks of width * 2^k channels in stage k; every stage but the first halves the image."""
    made, channels = [], width
    for stage, count in enumerate(blocks):
        for block in range(count):
            made.append(Block(channels, width * 2**stage, 2 if stage and not block else 1))
            channels = width * 2**stage
    return nn.Sequential(*made)
