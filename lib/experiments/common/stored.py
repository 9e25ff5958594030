"""Networks as steps store them: their state, and what puts it on a device again."""

from __future__ import annotations

from typing import TypeVar

from torch import Tensor, nn

Network = TypeVar("Network", bound=nn.Module)
State = dict[str, Tensor]


def state(model: nn.Module) -> State:
    """Weights and buffers on the CPU: what a step that trains gives."""
    return {name: value.detach().cpu().contiguous() for name, value in model.state_dict().items()}


def loaded(model: Network, state: State, device: str | None) -> Network:
    """An untrained network of the same build with the stored state, on a device, ready to be asked."""
    model.load_state_dict(state)
    return model.to(device).eval()
