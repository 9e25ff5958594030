"""What the task-bank networks were trained to put out: Taskonomy's annotations in the networks' scale.

Constants from the published training settings (StanfordVL/taskonomy, taskbank/experiments/final/*/config.py).
Regression targets are float32 with NaN where a pixel has no label; class targets are int64 with VOID there.
Tested with crafted samples; no published annotation was read here.
"""

from __future__ import annotations

import math

import torch
from scipy.ndimage import gaussian_filter
from torch import Tensor
from torch.nn import functional

from lib.data.task_labels import VOID
from lib.models.taskbank import BANK

FAR = 64_500  # depth at or beyond this is a hole in the mesh: 2^16 - 1 less a margin for interpolation
CURVATURE_MEAN, CURVATURE_STD = (123.572, 120.1), (31.922, 21.658)
BYTE, WORD = 255.0, 65_535.0
SCALE = {  # the annotation's value at +1; 0 is at -1; then: clipped or not
    "Autoencoder": (BYTE, True),
    "Reshade": (BYTE, True),
    "Surface-Normal": (BYTE, True),
    "Edge-2D": (0.08 * WORD, True),
    "Keypoint-2D": (0.005 * WORD, True),
    "Keypoint-3D": (WORD, True),
    "Edge-3D": (0.00625 * WORD, False),  # blurred instead
}


def target(task: str, annotation: Tensor) -> Tensor:
    """A published annotation as the network's target.

    ``annotation`` holds the stored integers (N, channels, H, W), or (N, classes) probabilities for the two
    classification tasks, which are passed on. Images go from 0..255 to [-1, 1]; heat maps (uint16) are
    cut at a small share of their range first; 3-D edges are blurred (sigma 4) and not cut; depth and distance
    are log(1 + v) / log 2^16 for v in 1/512 m; curvature is standardised; class 0 ("uncertain") is VOID.

    Raises ValueError for the unsupervised segmentations: their networks embed pixels, and are compared with
    their own output on the clean image (:func:`own_label`).
    """
    network = BANK.get(task)
    if network is None or network.loss == "embedding":
        known = [name for name, known in BANK.items() if known.loss != "embedding"]
        raise ValueError(f"{task!r} has no target image; those that have: {', '.join(known)}")
    if network.kind == "head":
        return annotation.float()
    values = annotation.double()
    if task == "Segmentation-Semantic":
        return torch.where(values > 0, values - 1, VOID).long()[:, 0]
    if task == "Curvature":
        mean, std = (
            torch.tensor(v, dtype=torch.float64).view(2, 1, 1) for v in (CURVATURE_MEAN, CURVATURE_STD)
        )
        return ((values[:, :2] - mean) / std).float()
    if task in ("Depth", "Euclidean-Distance"):
        scaled = (1 + values).log() / (16 * math.log(2))
        return torch.where(values < FAR, scaled, math.nan).float()
    top, clipped = SCALE[task]
    scaled = 2 * values / top - 1
    if clipped:
        return scaled.clamp(-1, 1).float()
    return torch.from_numpy(gaussian_filter(scaled.numpy(), sigma=(0, 0, 4, 4))).float()


def own_label(task: str, output: Tensor) -> Tensor:
    """The network's own answer on the clean image as a reference: the virtual attack's label (Def. 1, G.1).

    The output itself, or for classes its probabilities.
    """
    return output.softmax(1) if BANK[task].loss == "cross_entropy" else output


def losses(task: str, output: Tensor, reference: Tensor) -> Tensor:
    """Each image's loss (N,), as the network was trained, without its adversarial term (weight .004).

    ``reference`` is a :func:`target` or an :func:`own_label`. L1 or L2 (curvature) over labelled pixels;
    cross-entropy with classes or probabilities; for the two embeddings the L1 distance to the clean one,
    which is ours: Taskonomy's loss samples pairs of pixels. An image without a labelled pixel gives NaN.

    Raises ValueError for shapes that do not fit.
    """
    kind = BANK[task].loss
    if kind == "cross_entropy" and reference.dtype == torch.int64:
        each = functional.cross_entropy(output, reference, ignore_index=VOID, reduction="none")
        return _mean(torch.where(reference == VOID, math.nan, each))
    if output.shape != reference.shape:
        raise ValueError(f"output {tuple(output.shape)} and reference {tuple(reference.shape)} must agree")
    if kind == "cross_entropy":
        return _mean(-(reference * output.log_softmax(1)).sum(1))
    gap = output - reference
    return _mean(gap.square() if kind == "l2" else gap.abs())


def _mean(values: Tensor) -> Tensor:
    return values.reshape(len(values), -1).nanmean(1)
