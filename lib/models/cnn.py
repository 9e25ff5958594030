"""A small convolutional network for the 8 x 8 digits of the `quick` preset."""

from typing import cast

from torch import Tensor, nn
from torch.nn import functional


class DigitNet(nn.Module):
    """Two convolutions and two linear layers: (N, 1, 8, 8) pixels in [0, 1] -> (N, classes) logits.

    `features(x)` (N, 2 * width) feed the linear `head`, as in `ResNet`.
    """

    def __init__(self, classes: int, *, width: int = 16) -> None:
        super().__init__()
        if classes < 1 or width < 1:
            raise ValueError(f"classes={classes}, width={width} must be at least 1")
        self.first = nn.Conv2d(1, width, 3, padding=1)
        self.second = nn.Conv2d(width, 2 * width, 3, padding=1)
        self.hidden = nn.Linear(2 * width * 4, 2 * width)
        self.head = nn.Linear(2 * width, classes)

    def features(self, x: Tensor) -> Tensor:
        """The hidden layer, (N, 2 * width)."""
        maps = functional.max_pool2d(functional.relu(self.first(x - 0.5)), 2)
        maps = functional.max_pool2d(functional.relu(self.second(maps)), 2)
        return functional.relu(self.hidden(maps.flatten(1)))

    def forward(self, x: Tensor) -> Tensor:
        """Logits (N, classes)."""
        return cast(Tensor, self.head(self.features(x)))
