"""Knowledge transfer measured directly: a linear readout of each frozen encoder for each task.

Taskonomy trains a small network from a source's representation to each target; ours is the smallest, so that
all 15 x 15 have a solution in closed form. A cell of the representation predicts the 8 x 8 pixels
that it stands for: ridge regression for maps (every target at once), softmax regression on the shares of the
classes in the cell for the segmentation, and on the mean over cells for an image's class. Penalties are
chosen on a fifth of the training images.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor
from torch.nn import functional

from lib.data.task_labels import TASKS
from lib.experiments.tasks import losses
from lib.models.encoder_decoder import STRIDE

ITERATIONS = 60  # of L-BFGS a penalty; each penalty starts from the stronger one's solution


def readouts(
    features: Sequence[Tensor],
    labels: Sequence[dict[str, Tensor]],
    classes: dict[str, int],
    strengths: Sequence[float],
) -> Tensor:
    """Each target's loss on each test image, (targets, N).

    From the features (N, D, h, w) and the labels of three groups of images: train, valid, test.
    """
    centre = features[0].mean((0, 2, 3), keepdim=True)
    scale = features[0].std((0, 2, 3), keepdim=True).clamp(min=1e-6)
    scaled = [(part - centre) / scale for part in features]
    found = _maps(scaled, labels, strengths)
    cells = [_rows(part) for part in scaled]
    means = [_wide(part.mean((2, 3))) for part in scaled]
    for task in TASKS:
        if task.kind == "segmentation":
            found[task.name] = _segmented(task.name, cells, labels, classes[task.name], strengths)
        elif task.kind == "classification":
            goals = [functional.one_hot(part[task.name], classes[task.name]).double() for part in labels]
            logits = _softmax(means, goals, strengths)
            found[task.name] = losses.per_image(task.name, logits, labels[2][task.name])
    return torch.stack([found[task.name] for task in TASKS])


def _maps(
    features: Sequence[Tensor], labels: Sequence[dict[str, Tensor]], strengths: Sequence[float]
) -> dict[str, Tensor]:
    """Ridge regression to the pixels of every map at once; each target chooses its own penalty."""
    tasks = [task for task in TASKS if task.kind == "regression"]
    widths = [task.channels * STRIDE**2 for task in tasks]
    cells = [_rows(part) for part in features]
    goals = [
        torch.cat(
            [_rows(functional.pixel_unshuffle(part[task.name], STRIDE), wide=False) for task in tasks], 1
        )
        for part in labels
    ]
    weights = ridge(cells[0], goals[0], strengths)
    errors = [(cells[1] @ weight - goals[1]).square().mean(0).split(widths, 0) for weight in weights]
    chosen = [min(range(len(weights)), key=lambda k: float(errors[k][t].mean())) for t in range(len(tasks))]
    columns = torch.cat([weights[k].split(widths, 1)[t] for t, k in enumerate(chosen)], 1)
    missed = (cells[2] @ columns - goals[2]).reshape(len(features[2]), -1, sum(widths))
    return {task.name: part.square().mean((1, 2)) for task, part in zip(tasks, missed.split(widths, 2))}


def ridge(inputs: Tensor, goals: Tensor, strengths: Sequence[float]) -> list[Tensor]:
    """min |X W - Y|^2 / N + strength |W|^2 without the last row of W, the bias, for every strength."""
    gram = (inputs.mT @ inputs / len(inputs)).double()
    right = (inputs.mT @ goals / len(inputs)).double()
    penalty = torch.ones(len(gram), dtype=torch.float64, device=gram.device)
    penalty[-1] = 0
    return [torch.linalg.solve(gram + s * penalty.diag(), right).to(inputs) for s in strengths]


def _segmented(
    task: str,
    cells: Sequence[Tensor],
    labels: Sequence[dict[str, Tensor]],
    count: int,
    strengths: Sequence[float],
) -> Tensor:
    """Each pixel has its cell's distribution: the loss needs only the shares of the classes in a cell."""
    shares = [_shares(part[task], count) for part in labels]
    logits = _softmax(cells, [_rows(s, wide=False).double() for s in shares], strengths)
    loss = -(_rows(shares[2], wide=False) * logits.log_softmax(1)).sum(1).reshape(len(shares[2]), -1).sum(1)
    return loss / shares[2].flatten(1).sum(1).clamp(min=1e-9)


def _shares(labels: Tensor, count: int) -> Tensor:
    """(N, classes, h, w): the share of a cell's pixels that are of each class; VOID ones are of none."""
    one = torch.stack([(labels == k).float() for k in range(count)], 1)
    return functional.avg_pool2d(one, STRIDE)


def _softmax(inputs: Sequence[Tensor], goals: Sequence[Tensor], strengths: Sequence[float]) -> Tensor:
    """Test logits of the softmax regression whose penalty serves the validation part best."""
    solution = torch.zeros(inputs[0].shape[1], goals[0].shape[1], dtype=torch.float64)
    fits = []
    for strength in sorted(strengths, reverse=True):
        solution = softmax_regression(inputs[0].double(), goals[0], strength, solution)
        valid = -(goals[1] * (inputs[1].double() @ solution).log_softmax(1)).sum()
        fits.append((float(valid), solution))
    return (inputs[2].double() @ min(fits, key=lambda fit: fit[0])[1]).float()


def softmax_regression(inputs: Tensor, goals: Tensor, strength: float, start: Tensor) -> Tensor:
    """min -sum goals log softmax(X W) / sum goals + strength / 2 |W|^2, the last row of W being the bias.

    goals (N, classes) are shares, a row may sum to less than 1: it weighs less. L-BFGS from `start`.
    """
    shrink = torch.full_like(start, strength)
    shrink[-1] = 0
    total, mass = goals.sum(), goals.sum(1, keepdim=True)
    solution = start.clone().requires_grad_(True)
    solver = torch.optim.LBFGS([solution], max_iter=ITERATIONS, line_search_fn="strong_wolfe")

    def closure() -> float:
        with torch.no_grad():
            log_p = (inputs @ solution).log_softmax(1)
            solution.grad = inputs.mT @ (mass * log_p.exp() - goals) / total + shrink * solution
            return -float((goals * log_p).sum() / total) + float((shrink * solution.square()).sum()) / 2

    solver.step(closure)
    return solution.detach()


def _rows(maps: Tensor, wide: bool = True) -> Tensor:
    """(N, C, h, w) -> (N h w, C), with a column of ones for the bias if `wide`."""
    rows = maps.permute(0, 2, 3, 1).flatten(0, 2)
    return _wide(rows) if wide else rows


def _wide(rows: Tensor) -> Tensor:
    return torch.cat([rows, rows.new_ones(len(rows), 1)], 1)
