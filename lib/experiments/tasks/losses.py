"""Each task's loss, image by image, and the best constant prediction that a network must beat.

Maps are judged by their squared error, not by the absolute one that Taskonomy uses for most. Half of the
maps are sparse: a map of edges is zero nearly everywhere, and under the absolute error zero is the best guess
wherever an edge is less likely than not, so that a small network learns nothing from it. And with squares the
readouts of `readout.py` have a closed form in the same loss.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn import functional

from lib.data.task_labels import TASKS, VOID, Task

BY_NAME: dict[str, Task] = {task.name: task for task in TASKS}


def has_classes(task: str) -> bool:
    """Whether a task's labels are classes, of pixels or of images, and not the values of a map."""
    return BY_NAME[task].kind != "regression"


def per_image(task: str, outputs: Tensor, labels: Tensor) -> Tensor:
    """The task's loss of each image, (N,): mean squared error over channels and pixels, or cross-entropy.

    outputs (N, C, H, W) or (N, C); pixels that are VOID do not count, and an image of nothing else has 0.
    """
    if not has_classes(task):
        return (outputs - labels).square().flatten(1).mean(1)
    each = functional.cross_entropy(outputs, labels, reduction="none", ignore_index=VOID)
    if each.ndim == 1:
        return each
    return each.flatten(1).sum(1) / (labels != VOID).flatten(1).sum(1).clamp(min=1)


def virtual_target(task: str, outputs: Tensor) -> Tensor:
    """What a virtual attack takes for the truth: a network's own maps, or its own most likely classes."""
    return outputs.argmax(1) if has_classes(task) else outputs


def accuracy(outputs: Tensor, labels: Tensor) -> float:
    """Share of images, or of pixels that are not VOID, whose most likely class is right."""
    return float((outputs.argmax(1) == labels)[labels != VOID].double().mean())


@dataclass(frozen=True)
class Constants:
    """The best predictions that do not look at the image, found on training images.

    `value` has a network's output's shape without its first axis, and one number a channel: the mean, or the
    logarithms of the class frequencies. `pixelwise` may differ from pixel to pixel: a stronger rival.
    `spread` (channels) is the deviation from the mean, 1 for classes.
    """

    value: Tensor
    pixelwise: Tensor
    spread: Tensor


def constants(task: str, labels: Tensor, classes: int = 0) -> Constants:
    """Channel means for maps, logarithms of (count + 1/2) as shares for `classes` classes."""
    if not has_classes(task):
        mean = labels.mean((0, 2, 3))
        spread = labels.std((0, 2, 3), correction=0).clamp(min=1e-6)
        return Constants(mean[:, None, None], labels.mean(0), spread)
    counts = torch.stack([(labels == k).float().sum(0) for k in range(classes)])  # (classes, ...)
    every = counts.reshape(classes, -1).sum(1).reshape(classes, *[1] * (counts.ndim - 1))
    return Constants(_log_shares(every), _log_shares(counts), torch.ones(classes))


def constant_loss(task: str, constant: Tensor, labels: Tensor) -> Tensor:
    """The loss of a constant on each image, (N,)."""
    if not has_classes(task):
        return per_image(task, constant.expand_as(labels), labels)
    return per_image(task, constant.expand(len(labels), len(constant), *labels.shape[1:]), labels)


def _log_shares(counts: Tensor) -> Tensor:
    return ((counts + 0.5) / (counts + 0.5).sum(0, keepdim=True)).log()
