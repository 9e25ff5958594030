"""Residual networks for faces: pixels -> embedding -> logits (App. G.3; exp2/backbone of the authors' code).

As there, the stem quarters the image, and a linear layer with batch normalisation makes the embedding from
all positions of the last maps: where a thing is in the face is not averaged away.
"""

from collections.abc import Sequence
from typing import cast

from torch import Tensor, nn
from torch.nn.functional import normalize

from lib.models.resnet import convolution, stages


class FaceNet(nn.Module):
    """Pixels in [0, 1], (N, 3, size, size) -> (N, classes) logits.

    A convolution and a max-pooling, each of stride 2; stages as in `ResNet`, each but the first halving the
    maps; then `features(x)` (N, embedding), a linear layer and batch normalisation, feed the linear `head`.
    `FaceNet(2, size=112)` is the authors' ResNet-18 with two logits, but for its dropout and its second
    normalisation. Raises ValueError for sizes below 1, and images of fewer than 16 pixels a side.
    """

    def __init__(
        self,
        classes: int,
        *,
        size: int,
        width: int = 64,
        blocks: Sequence[int] = (2, 2, 2, 2),
        embedding: int = 512,
    ) -> None:
        super().__init__()
        if min(classes, width, embedding, len(blocks), *blocks) < 1 or size < 16:
            raise ValueError(
                f"classes={classes}, width={width}, blocks={tuple(blocks)}, embedding={embedding} must be at "
                f"least 1, and size={size} at least 16"
            )
        kernel = 7 if size > 64 else 3
        self.stem = nn.Sequential(*convolution(3, width, kernel, 2), nn.ReLU(), nn.MaxPool2d(3, 2, 1))
        self.stages = stages(width, blocks)
        halved = 2 ** (len(blocks) - 1)  # by the stages; the stem leaves a quarter of each side
        inputs = width * halved * (-(-size // (4 * halved))) ** 2
        self.embedding = nn.Sequential(nn.Linear(inputs, embedding), nn.BatchNorm1d(embedding))
        self.head = nn.Linear(embedding, classes)

    def features(self, x: Tensor) -> Tensor:
        """The embedding (N, D): what is left when the last layer is stripped off (App. G.3)."""
        return cast(Tensor, self.embedding(self.stages(self.stem(2 * x - 1)).flatten(1)))

    def direction(self, x: Tensor) -> Tensor:
        """The embedding scaled to length 1, (N, D): all that a cosine similarity, or ArcFace, sees of it."""
        return normalize(self.features(x), dim=1)

    def forward(self, x: Tensor) -> Tensor:
        """Logits (N, classes)."""
        return cast(Tensor, self.head(self.features(x)))
