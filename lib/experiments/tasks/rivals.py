"""The estimators that need no attack, for maps: one cell of each image is a sample, its content a class."""

from __future__ import annotations

import torch
from sklearn.cluster import KMeans
from torch import Tensor
from torch.nn import functional

from lib.data.task_labels import VOID
from lib.experiments.tasks import losses
from lib.measures import estimators
from lib.models.encoder_decoder import STRIDE

ESTIMATORS = ("logme", "leep", "nce", "h_score", "h_score_regularised", "trans_rate", "knn")
KINDS = 8  # classes that the cells of a map are sorted into
FEWEST = 5  # samples of a class; rarer ones are left out


def samples(task: str, labels: Tensor, classes: int, cell: Tensor, seed: int) -> tuple[Tensor, Tensor]:
    """(positions, classes) of the images that have a class for this task.

    An image's own class; for a segmentation the class with the most pixels of the image's `cell` (N,); for a
    map the cell's mean, sorted into KINDS by k-means. Classes with fewer than FEWEST samples are left out.
    """
    kind = losses.BY_NAME[task].kind
    if kind == "classification":
        found = labels
    elif kind == "segmentation":
        shares = torch.stack([(labels == k).float() for k in range(classes)], 1)
        at = _at(functional.avg_pool2d(shares, STRIDE), cell)
        found = torch.where(at.sum(1) > 0, at.argmax(1), VOID)
    else:
        found = _sorted(_at(functional.avg_pool2d(labels, STRIDE), cell), seed)
    known, inverse, counts = found.unique(return_inverse=True, return_counts=True)
    kept = (counts[inverse] >= FEWEST) & (known[inverse] != VOID)
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
        return dict.fromkeys(ESTIMATORS)
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


def _sorted(values: Tensor, seed: int) -> Tensor:
    distinct = len(values.unique(dim=0))
    sorter = KMeans(min(KINDS, distinct), n_init=4, random_state=seed)
    return torch.from_numpy(sorter.fit_predict(values.double().numpy())).long()
