"""The matrices of a task run, sources by targets, and what is compared of them: App. G.4, Figures 4 and 5."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

import torch
from torch import Tensor

from lib.base import streams
from lib.data import registry, rooms
from lib.data.task_labels import TASKS
from lib.engine.results import Record, Result, at
from lib.statistics import Permutation, clustering

Kind = Literal["pearson", "spearman", "columns"]
NAMES = [task.name for task in TASKS]
CATEGORIES = [task.category for task in TASKS]
PUBLISHED = "affinity_16k"  # the table of first-order transfers that has all fifteen tasks
REPEATS = 2_000  # of Mantel's permutations
LISTINGS = 50  # random orders of the tasks, for the one method that minds
IMAGES = {"attacks": "attacked", "knowledge": "images"}  # part of a record -> how many images its wins are of


def radii(result: Result) -> list[str]:
    """The radii of the attacks, as they are named in the records."""
    return [f"{epsilon:g}" for epsilon in result.config.epsilons]


def listings() -> list[Tensor]:
    """Random orders in which the tasks could be listed, the same for whoever asks."""
    stream = streams.generator(0, "listings")
    return [torch.randperm(len(NAMES), generator=stream) for _ in range(LISTINGS)]


def adversarial(result: Result, epsilon: str, *, seed: int | None = None) -> Tensor:
    """The adversarial transferability matrix (sources, targets): App. G.4, the wins of one or all seeds."""
    return clustering.affinity_of_wins(won(of_seed(result, seed), "attacks", epsilon, "wins", "1"))


def direct(result: Result, *, seed: int | None = None) -> Tensor:
    """The same procedure on the readouts: a win is a smaller loss. (sources, targets), larger is better."""
    return clustering.affinity_of_wins(won(of_seed(result, seed), "knowledge", "wins"))


def authors(result: Result, epsilon: str, order: Tensor | None = None) -> Tensor:
    """The matrix as the authors' script makes it, the tasks listed in `order` and put back afterwards.

    A margin of 1.001, a solver for symmetric matrices, exp(-20 softmax): see `clustering`. No sensible
    method depends on the order in which tasks are listed; theirs reads one triangle only, and does.
    """
    order = torch.arange(len(NAMES)) if order is None else order
    wins = shares(result, epsilon, "1.001")[order][:, order][:, :, order]
    back = order.argsort()
    return clustering.affinity_of_wins(wins, solver="eigh", scale="authors")[back][:, back]


def shares(result: Result, epsilon: str, margin: str = "1") -> Tensor:
    """The tournaments (targets, 15, 15): clipped shares of images won, over all records."""
    return won(result.records, "attacks", epsilon, "wins", margin)


def panels(result: Result) -> dict[str, Tensor]:
    """The matrices of a run by name, every radius and the readouts; no readouts for the task bank."""
    found = {f"adversarial, ε = {e}": adversarial(result, e) for e in radii(result)}
    return found | ({"readouts": direct(result)} if result.records[0]["knowledge"] else {})


def published() -> Tensor | None:
    """Taskonomy's affinities (sources, targets), the paper's ground truth, larger is better; or None."""
    return rooms.first_order(PUBLISHED) if registry.present("taskonomy_affinity") else None


def beside(result: Result) -> dict[str, Tensor]:
    """The published matrix, if it is here, and then those of a run."""
    found = published()
    return ({} if found is None else {"Taskonomy": found}) | panels(result)


def losses(result: Result, epsilon: str) -> Tensor:
    """Mean losses under attack over clean ones, (competitors, targets); the last two are the controls."""
    attacks = [r["attacks"] for r in result.records]
    rows = [torch.tensor(a[epsilon]["loss"], dtype=torch.float64) / torch.tensor(a["clean"]) for a in attacks]
    return torch.stack(rows).mean(0)


def beats_noise(result: Result, epsilon: str) -> Tensor:
    """(targets,): on which share of the images the attack through another task hurts more than noise."""
    wins = [torch.tensor(r["attacks"][epsilon]["wins"]["1"]) for r in result.records]
    over_noise = torch.stack(wins)[..., : len(NAMES), -1].sum(0).double()
    shares: Tensor = over_noise / sum(r["attacked"] for r in result.records)
    others = 1 - torch.eye(len(NAMES), dtype=torch.float64)
    return (shares * others).sum(1) / others.sum(1)


def comparable(matrix: Tensor) -> Tensor:
    """Logarithms, with every target's own source set to its strongest other one: the rows of a tree.

    A tournament's winner takes nearly all of the eigenvector, and a network attacked through itself wins on
    its own target. As they come, the rows of two tasks differ by these two entries and little else.
    """
    logs = matrix.log()
    others = logs.clone().fill_diagonal_(float("-inf")).amax(0)
    return torch.where(torch.eye(len(logs), dtype=torch.bool), others, logs)


def entropy_null(weighted: bool, repeats: int = 2_000) -> clustering.Band:
    """What random partitions of the fifteen tasks give for 1 to 15 clusters."""
    cuts = clustering.random_cuts(len(NAMES), generator=streams.generator(0, "null"), repeats=repeats)
    return clustering.band(clustering.entropy_curve(cuts, CATEGORIES, weighted))


def without_means(matrix: Tensor) -> Tensor:
    """What is left of log affinities after every source's and target's mean: who suits whom.

    The diagonal plays no part: the means are over the other entries, by least squares (alternating).
    """
    left = matrix.log()
    off = (~torch.eye(len(left), dtype=torch.bool)).double()
    for _ in range(200):
        left = left - (left * off).sum(1, keepdim=True) / off.sum(1, keepdim=True)
        left = left - (left * off).sum(0) / off.sum(0)
    return left


def mantel(
    first: Tensor, second: Tensor, *, kind: Kind = "columns", keep: Sequence[int] | None = None
) -> Permutation:
    """Mantel's test of two matrices, ranks within each target, off the diagonal; of the tasks `keep`."""
    if keep is not None:
        first, second = (m[list(keep)][:, list(keep)] for m in (first, second))
    stream = streams.generator(0, "mantel")
    return clustering.mantel(first, second, generator=stream, repeats=REPEATS, kind=kind)


def relations(result: Result) -> dict[str, Permutation]:
    """{radius: Mantel's test} of attacks and readouts, on what is left `without_means`."""
    taught = without_means(direct(result))
    left = {e: without_means(adversarial(result, e)) for e in radii(result)}
    return {e: mantel(hurt, taught, kind="spearman") for e, hurt in left.items()}


def won(records: Sequence[Record], *wins: str, size: int = len(NAMES), target: int | None = None) -> Tensor:
    """(targets, size, size): the shares of images won, over all records, clipped; or one target's, (1, ...).

    `wins` is where the counts stand in a record; beyond the fifteen sources stands the untrained one.
    """
    chosen = slice(None) if target is None else slice(target, target + 1)
    counts = [torch.tensor(at(*wins)(r)[chosen], dtype=torch.float64) for r in records]
    shares: Tensor = torch.stack(counts).sum(0) / sum(r[IMAGES[wins[0]]] for r in records)
    return shares[:, :size, :size].clamp(*clustering.CLIP)


def of_seed(result: Result, seed: int | None) -> list[Record]:
    """The records of one seed, a fold each; None: of all seeds."""
    return [r for r in result.records if seed in (None, r["seed"])]
