"""The rows of section 4.4 about trees: do tasks cluster by attack as they are said to, beyond chance?"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from lib.base import streams
from lib.engine.results import Result
from lib.experiments.tasks import matrices, readings
from lib.statistics import clustering
from lib.statistics.grid import p_value
from lib.verdict import rule
from lib.verdict.claims import NOTHING, Row, asked
from lib.verdict.settings import Setting

REPEATS = 500
THREE = 2  # the index of the cut into three


@dataclass(frozen=True)
class Found:
    """A score of all seeds together, its p against shuffled matrices, and the p of each seed by itself."""

    value: float
    null: float
    p: float
    seeds: tuple[float, ...]

    def __str__(self) -> str:
        each = ", ".join(rule.short(p) for p in self.seeds)
        return f"{self.value:.2f}, shuffled {self.null:.2f}, p {rule.short(self.p)}; by seed p {each}"


@dataclass(frozen=True)
class Trees:
    """Cuts of one adversarial tree (1, n, n), of shuffled ones (repeats, n, n), of the readouts' (n, n)."""

    cuts: Tensor
    null: Tensor
    taught: Tensor


Score = Callable[[Tensor, Tensor], Tensor]  # of cuts (k, n, n) and the readouts' (n, n): (k,)


def rows(one: Setting) -> list[Row]:
    """The tree at three categories, its entropy, and its likeness to the tree of knowledge transfer."""
    four, five = f"Figure 4: two trees, {NOTHING}", "Figure 5: one curve that ends at 0 by construction"
    questions: list[tuple[str, str, str, str, Score]] = [
        ("tasks form the categories 2D, 3D, semantic", "tasks_categories", four, "", _rand),
        ("low entropy of the categories", "tasks_entropy", five, "mean entropy, nats, negative", _entropy),
        ("the tree is like that of knowledge transfer", "tasks_similar", five,
         "mean entropy against it, nats, negative", _likeness),
    ]  # fmt: skip
    drawn = [_trees(one.result, seed) for seed in (None, *readings.seeds(one.result))] if one else []
    rows = []
    for claim, key, printed, what, score in questions:
        row = asked(one.part, one.key, claim, key, printed)
        if drawn:
            size = f"{len(matrices.NAMES)} tasks × {len(drawn) - 1} seeds, {one.result.config.preset}"
            found = test(drawn, score)
            row = row.decided(f"{what or _sizes(drawn[0])}: {found}", size, decide(found), test=True)
        rows.append(row)
    return rows


def decide(found: Found) -> rule.Decision:
    """(1) other matrices: p <= .05 for all seeds together; (2) other seeds: p <= .05 in each by itself."""
    return rule.by_count((found.p <= rule.LEVEL) + all(p <= rule.LEVEL for p in found.seeds))


def test(drawn: Sequence[Trees], score: Score) -> Found:
    """A score of trees: the first is of all seeds together, the others are of one seed each."""
    found = []
    for trees in drawn:
        value, null = float(score(trees.cuts, trees.taught)[0]), score(trees.null, trees.taught)
        found.append((value, float(null.mean()), p_value(null, value)))
    return Found(*found[0], tuple(p for _, _, p in found[1:]))


def relations(run: Result) -> list[tuple[str, float, float]]:
    """(radius, r, p) of Mantel's test on what is left without the means of sources and targets.

    Not part of the rule: the chapter on tasks found it after the results were known.
    """
    found = matrices.relations(run)
    return [(radius, one.value, one.p_one_sided) for radius, one in found.items()]


def _sizes(all_seeds: Trees) -> str:
    """How many tasks each of the three clusters has: one large and two small ones are no three categories."""
    _, counts = torch.unique(all_seeds.cuts[0, THREE], return_counts=True)
    sizes = ", ".join(map(str, counts.sort(descending=True).values.tolist()))
    asked_for = "(1: the categories; 'holds' asks for more than chance)"
    return f"adjusted Rand index at three clusters of {sizes} tasks {asked_for}"


def _trees(run: Result, seed: int | None) -> Trees:
    """Trees of one seed, or of all, at the first radius; a tree's rows are as in the chapter on tasks."""
    rows = matrices.comparable(matrices.adversarial(run, matrices.radii(run)[0], seed=seed))
    taught = matrices.comparable(matrices.direct(run, seed=seed))
    stream = streams.generator(0, "verdict trees", str(seed))
    null = clustering.permuted_cuts(rows, generator=stream, repeats=REPEATS)
    cuts = [clustering.cuts(clustering.tree(one)) for one in (rows, taught)]
    return Trees(cuts[0].unsqueeze(0), null, cuts[1])


def _rand(cuts: Tensor, taught: Tensor) -> Tensor:
    labels = [clustering.adjusted_rand(cut, matrices.CATEGORIES) for cut in cuts[:, THREE]]
    return torch.tensor(labels, dtype=torch.float64)


def _entropy(cuts: Tensor, taught: Tensor) -> Tensor:
    return -clustering.entropy_curve(cuts, matrices.CATEGORIES)[:, THREE:].mean(1)


def _likeness(cuts: Tensor, taught: Tensor) -> Tensor:
    return -clustering.entropy_curve(cuts, taught)[:, THREE:].mean(1)
