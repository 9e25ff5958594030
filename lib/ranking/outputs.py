"""What a model returns: checked, and brought into the shape that can be measured."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import torch
from torch import Tensor, nn

from lib.measures.jacobian import Model


class Then(nn.Module):
    """`after(model(x))`. Unlike a lambda it shows the model's layers, so that its features are found."""

    def __init__(self, model: Model, after: Callable[[Any], Tensor]) -> None:
        super().__init__()
        self.model, self.after = model, after
        self.train(getattr(model, "training", False))

    def forward(self, x: Tensor) -> Tensor:
        """The outputs (N, m) of inputs x (N, *shape)."""
        return self.after(self.model(x))


_THEN = "pass lib.ranking.outputs.Then(model"


def checked(y: Any, count: int, name: str) -> Tensor:
    """Model output as (count, m); raise with the remedy where it is not."""
    if not isinstance(y, Tensor):
        keys = f" with the keys {', '.join(map(str, y))}" if isinstance(y, Mapping) else ""
        wanted = "'logits'" if isinstance(y, Mapping) else "0"
        raise TypeError(
            f"{name} returns a {type(y).__name__}{keys}, not a tensor: {_THEN}, lambda y: y[{wanted}]), "
            "with the entry that you want"
        )
    if y.dim() != 2 or len(y) != count:
        raise ValueError(
            f"{name} maps {count} samples to shape {tuple(y.shape)}, not ({count}, outputs): {_THEN}, "
            "lambda y: y.flatten(1)), or with a mean over positions"
        )
    if not y.is_floating_point():
        raise TypeError(f"{name} returns {y.dtype}: pass its logits, before the arg-max")
    if not torch.isfinite(y).all():
        raise ValueError(f"{name} returns NaN or infinity: check its weights and its normalisation")
    return y
