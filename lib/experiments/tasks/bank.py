"""The `paper` preset: the task bank's own networks (App. G.4). Complete, and not run here: no weights.

The networks come trained, and NYUv2 has no labels in their conventions. Their losses under attack are
therefore taken against their own clean outputs, in the metric of each task. What they transfer is known from
Taskonomy's published affinities, so nothing is read out.
"""

from __future__ import annotations

from time import perf_counter
from typing import Any

import torch
from torch import Tensor
from torch.nn import functional

from lib.base import compute
from lib.data import rooms
from lib.experiments.tasks import losses, measures
from lib.experiments.tasks.networks import NAMES
from lib.experiments.tasks.settings import NOISE, Config
from lib.models import taskbank


def record(config: Config, seed: int, fold: int) -> dict[str, Any]:
    """The record of the fifteen networks on frames of NYUv2, part by part: wins and losses add up."""
    begun, device = perf_counter(), compute.resolve_device(config.device)
    models = {name: taskbank.load(name).to(device) for name in NAMES}
    frames = rooms.nyuv2().rgb
    order = torch.linspace(0, len(frames) - 1, min(config.attack_images, len(frames))).round().long()
    total: dict[str, Any] = {}
    for number, index in enumerate(order.split(config.batch_size)):
        x = _enlarged(frames[index], (config.height, config.width)).to(device)
        with torch.no_grad():
            labels = {name: losses.virtual_target(name, model(x)).cpu() for name, model in models.items()}
        part = measures.attacks(config, models, labels, x, seed, number)
        total = _added(total, part, len(index))
    return {
        "seed": seed,
        "fold": fold,
        "images": len(order),
        "attacked": len(order),
        "tasks": NAMES,
        "sources": NAMES,
        "competitors": [*NAMES, NOISE],
        "own": {},
        "attacks": _divided(total, len(order)),
        "tangent": {},
        "knowledge": {},
        "rivals": {},
        "seconds": {"attack": perf_counter() - begun},
    }


def _enlarged(rgb: Tensor, size: tuple[int, int]) -> Tensor:
    """uint8 (N, 3, H, W) -> float32 in [0, 1] of another size and, as the networks want it, square."""
    return functional.interpolate(rgb.float() / 255, size, mode="bilinear", align_corners=False)


def _added(total: Any, part: Any, images: int) -> Any:
    """Totals after one more part: counts are added, means weigh as many images as they are of."""
    if isinstance(part, dict):
        return {key: _added(total.get(key, {}), value, images) for key, value in part.items()}
    values = torch.tensor(part)
    values = values * images if values.is_floating_point() else values
    return values if isinstance(total, dict) else total + values


def _divided(total: Any, images: int) -> Any:
    if isinstance(total, dict):
        return {key: _divided(value, images) for key, value in total.items()}
    return (total.double() / images).tolist() if total.is_floating_point() else total.tolist()
