"""What a source's representation teaches another task, and what the estimators say of it without an attack.

Taskonomy trains a small network from a source's representation to each target; ours is the smallest, a linear
readout, so that all 15 x 15 have a solution in closed form. A cell of the representation predicts the 8 x 8
pixels that it stands for: ridge regression for maps (every target at once), softmax regression on the shares
of the classes in the cell for the segmentation, and on the mean over cells for an image's class. Penalties
are chosen on a fifth of the training images. For the estimators one cell of each image is a sample, its
content a class.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import torch
from sklearn.cluster import KMeans
from threadpoolctl import threadpool_limits
from torch import Tensor
from torch.nn import functional

from lib.base import streams
from lib.data.task_labels import TASKS, VOID
from lib.experiments.tasks import attacking, losses, scenes
from lib.experiments.tasks.networks import NAMES, task_of
from lib.experiments.tasks.settings import Config
from lib.measures import estimators
from lib.models import training
from lib.models.encoder_decoder import STRIDE, EncoderDecoder

ITERATIONS = 60  # of L-BFGS a penalty; each penalty starts from the stronger one's solution
KINDS = 8  # classes that the cells of a map are sorted into
FEWEST = 5  # samples of a class; rarer ones are left out
Sources = Mapping[str, EncoderDecoder]


def taught(config: Config, sources: Sources, fold: int) -> dict[str, Any]:
    """A linear readout of every frozen encoder for every task: mean losses, and wins of the smaller loss."""
    data = scenes.load(config)
    train, test = scenes.halves(data, fold)
    valid = train[: len(train) // 5]
    parts = train[len(valid) :], valid, test
    labels = [{name: data.labels[name][part] for name in NAMES} for part in parts]
    classes = {name: len(names) for name, names in data.classes.items()}
    found = []
    for model in sources.values():
        features = [_seen(config, model.features, part) for part in parts]
        found.append(readouts(features, labels, classes, config.readout_strengths))
    every = torch.stack(found)
    return {"loss": every.double().mean(2).tolist(), "wins": attacking.wins(-every).tolist()}


def guessed(config: Config, sources: Sources, fold: int, seed: int) -> dict[str, list[list[float | None]]]:
    """The estimators of every source and target on training images: name -> (sources, targets)."""
    data = scenes.load(config)
    chosen = scenes.halves(data, fold)[0][: config.rival_images]
    shape = config.height // STRIDE, config.width // STRIDE
    cell = torch.randint(shape[0] * shape[1], (len(chosen),), generator=streams.generator(seed, "cell"))
    wanted = [samples(t, data.labels[t][chosen], len(data.classes.get(t, ())), cell, seed) for t in NAMES]
    table: dict[str, list[list[float | None]]] = {}
    for source, model in sources.items():
        features, outputs = (_seen(config, f, chosen) for f in (model.features, model))
        known = probabilities(task_of(source), outputs, shape)
        row = [scores(name, features, known, cell, *some) for name, some in zip(NAMES, wanted)]
        for key in row[0]:
            table.setdefault(key, []).append([one[key] for one in row])
    return table


def _seen(config: Config, f: Any, index: Tensor) -> Tensor:
    return training.predict(f, scenes.load(config).rgb[index], device=config.device or "cpu")


def readouts(
    features: Sequence[Tensor], labels: Sequence[dict[str, Tensor]], classes: dict[str, int],
    strengths: Sequence[float],
) -> Tensor:  # fmt: skip
    """Each target's loss on each test image, (targets, N).

    From the features (N, D, h, w) and the labels of three groups of images: train, valid, test.
    """
    centre = features[0].mean((0, 2, 3), keepdim=True)
    scale = features[0].std((0, 2, 3), keepdim=True).clamp(min=1e-6)
    scaled = [(part - centre) / scale for part in features]
    cells, means = [_wide(_rows(part)) for part in scaled], [_wide(part.mean((2, 3))) for part in scaled]
    found = _maps(cells, labels, strengths)
    for task in TASKS:
        wanted, count = [part[task.name] for part in labels], classes.get(task.name, 0)
        if task.kind == "segmentation":
            found[task.name] = _segmented(cells, [_shares(part, count) for part in wanted], strengths)
        elif task.kind == "classification":
            goals = [functional.one_hot(part, count).double() for part in wanted]
            found[task.name] = losses.per_image(task.name, _softmax(means, goals, strengths), wanted[2])
    return torch.stack([found[task.name] for task in TASKS])


def _maps(
    cells: Sequence[Tensor], labels: Sequence[dict[str, Tensor]], strengths: Sequence[float]
) -> dict[str, Tensor]:
    """Ridge regression to the pixels of every map at once; each target chooses its own penalty."""
    tasks = [task for task in TASKS if task.kind == "regression"]
    widths = [task.channels * STRIDE**2 for task in tasks]
    goals = []
    for part in labels:
        pixels = [_rows(functional.pixel_unshuffle(part[task.name], STRIDE)) for task in tasks]
        goals.append(torch.cat(pixels, 1))
    weights = ridge(cells[0], goals[0], strengths)
    errors = [(cells[1] @ weight - goals[1]).square().mean(0).split(widths, 0) for weight in weights]
    chosen = [min(range(len(weights)), key=lambda k: float(errors[k][t].mean())) for t in range(len(tasks))]
    columns = torch.cat([weights[k].split(widths, 1)[t] for t, k in enumerate(chosen)], 1)
    missed = (cells[2] @ columns - goals[2]).reshape(len(labels[2][tasks[0].name]), -1, sum(widths))
    return {task.name: part.square().mean((1, 2)) for task, part in zip(tasks, missed.split(widths, 2))}


def ridge(inputs: Tensor, goals: Tensor, strengths: Sequence[float]) -> list[Tensor]:
    """min |X W - Y|^2 / N + strength |W|^2 without the last row of W, the bias, for every strength."""
    gram = (inputs.mT @ inputs / len(inputs)).double()
    right = (inputs.mT @ goals / len(inputs)).double()
    penalty = torch.ones(len(gram), dtype=torch.float64, device=gram.device)
    penalty[-1] = 0
    return [torch.linalg.solve(gram + s * penalty.diag(), right).to(inputs) for s in strengths]


def _segmented(cells: Sequence[Tensor], shares: Sequence[Tensor], strengths: Sequence[float]) -> Tensor:
    """Each pixel has its cell's distribution: the loss needs only the shares of the classes in a cell."""
    goals = [_rows(part) for part in shares]
    logits = _softmax(cells, [part.double() for part in goals], strengths)
    loss = -(goals[2] * logits.log_softmax(1)).sum(1).reshape(len(shares[2]), -1).sum(1)
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


def _rows(maps: Tensor) -> Tensor:
    """(N, C, h, w) -> (N h w, C)."""
    return maps.permute(0, 2, 3, 1).flatten(0, 2)


def _wide(rows: Tensor) -> Tensor:
    """With a column of ones, for the bias."""
    return torch.cat([rows, rows.new_ones(len(rows), 1)], 1)


def samples(task: str, labels: Tensor, classes: int, cell: Tensor, seed: int) -> tuple[Tensor, Tensor]:
    """(positions, classes) of the images that have a class for this task.

    An image's own class; for a segmentation the class with the most pixels of the image's `cell` (N,); for a
    map the cell's mean, sorted into KINDS by k-means. Classes with fewer than FEWEST samples are left out.
    """
    kind = losses.BY_NAME[task].kind
    if kind == "classification":
        found = labels
    elif kind == "segmentation":
        at = _at(_shares(labels, classes), cell)
        found = torch.where(at.sum(1) > 0, at.argmax(1), VOID)
    else:
        means = _at(functional.avg_pool2d(labels, STRIDE), cell)
        sorter = KMeans(min(KINDS, len(means.unique(dim=0))), n_init=4, random_state=seed)
        with threadpool_limits(1):  # its threads are not torch's, and would round by their number
            found = torch.from_numpy(sorter.fit_predict(means.double().numpy())).long()
    _, inverse, counts = found.unique(return_inverse=True, return_counts=True)
    kept = (counts[inverse] >= FEWEST) & (found != VOID)
    return kept.nonzero()[:, 0], found[kept]


def scores(
    task: str, features: Tensor, probabilities: Tensor | None, cell: Tensor, positions: Tensor, kinds: Tensor
) -> dict[str, float | None]:
    """Every estimator for one source and target; features (N, D, h, w), probabilities (N, Z, h, w) or None.

    All None where the samples are of one class only.
    """
    whole = losses.BY_NAME[task].kind == "classification"

    def rows(maps: Tensor) -> Tensor:
        return (maps.mean((2, 3)) if whole else _at(maps, cell))[positions]

    if len(kinds.unique()) < 2:
        return dict.fromkeys(estimators.TITLES)
    known = None if probabilities is None else rows(probabilities)
    return estimators.scores(rows(features), kinds, known)


def probabilities(task: str, outputs: Tensor, shape: tuple[int, int]) -> Tensor | None:
    """A source's class probabilities in each cell (N, Z, h, w); None for a source of maps."""
    kind = losses.BY_NAME[task].kind
    if kind == "regression":
        return None
    shares = outputs.softmax(1)
    if kind == "segmentation":
        return functional.adaptive_avg_pool2d(shares, shape)
    return shares[:, :, None, None].expand(*shares.shape, *shape)


def _at(maps: Tensor, cell: Tensor) -> Tensor:
    """The chosen cell of each image: (N, C, h, w) and (N,) -> (N, C)."""
    return maps.flatten(2)[torch.arange(len(maps)), :, cell]
