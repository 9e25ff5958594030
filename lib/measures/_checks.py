"""What every measure asks of its inputs, in one wording."""

from __future__ import annotations

import torch
from torch import Tensor


def finite(values: Tensor) -> bool:
    """The sum is finite only if every number is, and much cheaper to ask; it may overflow, so look again."""
    return bool(torch.isfinite(values.sum()) or torch.isfinite(values).all())


def kind(values: object) -> str:
    """The dtype of a tensor, or the type of what is none."""
    return str(getattr(values, "dtype", type(values).__name__))


def floating(values: Tensor, name: str, wanted: str, *, dims: int, more: bool = False) -> None:
    """Raise TypeError unless `values` is a floating tensor, and ValueError unless it has numbers, in `dims`
    dimensions or, if told so, in more. `wanted` says what to pass.
    """
    if not isinstance(values, Tensor) or not values.is_floating_point():
        raise TypeError(f"{name} is {kind(values)}: pass floating numbers, {wanted}")
    if values.numel() == 0 or not (values.dim() == dims or (more and values.dim() > dims)):
        raise ValueError(f"{name} has shape {tuple(values.shape)}: pass {wanted}")


def stack(J: Tensor, name: str) -> None:
    """Raise unless J is a non-empty, floating stack (N, outputs, n)."""
    floating(J, name, "a non-empty stack (N, outputs, n)", dims=3)


def matrix(values: Tensor, name: str) -> Tensor:
    """A float64 copy without its graph, of a non-empty, finite, floating matrix; else raise."""
    floating(values, name, "a non-empty matrix, one row a sample: values.flatten(1)", dims=2)
    if not finite(values):
        raise ValueError(f"{name} holds NaN or infinity: clean it, or the model, first")
    return values.detach().double()
