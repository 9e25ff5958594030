"""One encoder for every task, and a decoder or head to suit its output (App. G.4), small enough for a CPU.

The task bank's encoder is a ResNet-50 without pooling, its representation 16 x 16 for 256 x 256 pixels. Ours
has three stages and keeps an eighth of each side. As there, nothing goes around the encoder: what the
decoder knows of the image it reads from the representation.
"""

from __future__ import annotations

from typing import cast

import torch
from torch import Tensor, nn
from torch.nn import functional

from lib.models.resnet import Block, convolution

STRIDE = 8  # pixels a cell of the representation, along each side


class Encoder(nn.Module):
    """(N, 3, H, W) pixels in [0, 1] -> (N, 4 width, H/8, W/8): a stem and two residual blocks."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.stem = nn.Sequential(*convolution(3, width, stride=2), nn.ReLU(inplace=True))
        self.blocks = nn.Sequential(Block(width, 2 * width, 2), Block(2 * width, 4 * width, 2))
        self.channels = 4 * width

    def forward(self, x: Tensor) -> Tensor:
        """The representation."""
        return cast(Tensor, self.blocks(self.stem(2 * x - 1)))


class Decoder(nn.Module):
    """(N, inputs, h, w) -> (N, outputs, 8 h, 8 w): three times a convolution whose channels become pixels."""

    def __init__(self, inputs: int, outputs: int, width: int) -> None:
        super().__init__()
        self.first, self.second = convolution(inputs, 4 * width), convolution(width, 4 * width)
        self.last = nn.Conv2d(width, 4 * outputs, 3, padding=1)

    def forward(self, z: Tensor) -> Tensor:
        """Maps at full resolution."""
        for layer in (self.first, self.second):
            z = functional.relu(functional.pixel_shuffle(layer(z), 2))
        return functional.pixel_shuffle(self.last(z), 2)


class Head(nn.Module):
    """(N, inputs, h, w) -> (N, outputs): the mean over the cells, then a linear layer."""

    def __init__(self, inputs: int, outputs: int) -> None:
        super().__init__()
        self.linear = nn.Linear(inputs, outputs)

    def forward(self, z: Tensor) -> Tensor:
        """Logits."""
        return cast(Tensor, self.linear(z.mean((2, 3))))


class EncoderDecoder(nn.Module):
    """A network for one task: `dense` maps (N, outputs, H, W), or one vector an image (N, outputs).

    Outputs are centre + scale * decoder(encoder(x)), channel by channel, so that a fresh decoder starts near
    the best constant whatever the unit of the labels. Raises ValueError for sizes below 1.
    """

    centre: Tensor
    scale: Tensor

    def __init__(self, outputs: int, *, width: int = 16, dense: bool = True) -> None:
        super().__init__()
        if outputs < 1 or width < 1:
            raise ValueError(f"outputs={outputs}, width={width} must be at least 1")
        self.encoder = Encoder(width)
        channels = self.encoder.channels
        self.decoder = Decoder(channels, outputs, width) if dense else Head(channels, outputs)
        shape = (outputs, 1, 1) if dense else (outputs,)
        self.register_buffer("centre", torch.zeros(shape))
        self.register_buffer("scale", torch.ones(shape))

    def features(self, x: Tensor) -> Tensor:
        """The representation (N, 4 width, H/8, W/8). Raises ValueError for a side that 8 does not divide."""
        if x.shape[2] % STRIDE or x.shape[3] % STRIDE:
            raise ValueError(
                f"images are {x.shape[2]} x {x.shape[3]}: each side must be a multiple of {STRIDE}"
            )
        return cast(Tensor, self.encoder(x))

    def forward(self, x: Tensor) -> Tensor:
        """(N, outputs, H, W), or (N, outputs)."""
        return cast(Tensor, self.centre + self.scale * self.decoder(self.features(x)))
