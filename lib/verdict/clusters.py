"""The rows of section 4.4 about trees: do tasks cluster by attack as they are said to, beyond chance?"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from lib.base import compute, paper
from lib.experiments.tasks import matrices, summary
from lib.statistics import clustering
from lib.verdict import order, rule
from lib.verdict.rows import NOTHING, Row, at, unrecorded

PART, PAGE = "4.4 tasks", "tasks"
REPEATS = 500
THREE = 2  # the index of the cut into three
Score = Callable[[Tensor, Tensor], Tensor]


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


def rows(run: Any) -> list[Row]:
    """The tree at three categories, its entropy, and its likeness to the tree of knowledge transfer."""
    four, five = f"Figure 4: two trees, {NOTHING}", "Figure 5: one curve that ends at 0 by construction"
    drawn = [_trees(run, seed) for seed in (None, *summary.seeds(run))] if run else []
    return [
        _row(run, drawn, "tasks_categories", "tasks form the categories 2D, 3D, semantic", four,
             f"adjusted Rand index at three clusters{_sizes(drawn)} (1: the categories; 'holds' asks for "
             "more than chance)", _rand),
        _row(run, drawn, "tasks_entropy", "low entropy of the categories", five,
             "mean entropy, nats, negative", _entropy),
        _row(run, drawn, "tasks_similar", "the tree is like that of knowledge transfer", five,
             "mean entropy against it, nats, negative", _likeness),
    ]  # fmt: skip


def decide(found: Found | None) -> rule.Decision:
    """(1) other matrices: p <= .05 for all seeds together; (2) other seeds: p <= .05 in each by itself."""
    if found is None:
        return "not shown"
    passed = (found.p <= rule.LEVEL) + all(p <= rule.LEVEL for p in found.seeds)
    return rule.by_count(passed)


def test(drawn: Sequence[Trees], score: Score) -> Found:
    """A score of trees: the first is of all seeds together, the others are of one seed each."""
    found = []
    for trees in drawn:
        value, null = float(score(trees.cuts, trees.taught)[0]), score(trees.null, trees.taught)
        found.append((value, float(null.mean()), order.p_value(null, value)))
    return Found(*found[0], tuple(p for _, _, p in found[1:]))


def relations(run: Any) -> list[tuple[str, float, float]]:
    """(radius, r, p) of Mantel's test on what is left without the means of sources and targets.

    Not part of the rule: the chapter on tasks found it after the results were known.
    """
    taught = matrices.without_means(matrices.direct(run))
    found = []
    for radius in matrices.radii(run):
        hurt = matrices.without_means(matrices.adversarial(run, radius))
        test = matrices.mantel(hurt, taught, kind="spearman")
        found.append((radius, test.value, test.p_one_sided))
    return found


def _row(
    run: Any, drawn: Sequence[Trees], key: str, claim: str, printed: str, what: str, score: Score
) -> Row:
    source = paper.claim(key)
    if not run:
        return unrecorded(PART, claim, at(source), printed, PAGE, source.quote)
    found = test(drawn, score)
    size = f"{len(summary.NAMES)} tasks × {len(found.seeds)} seeds, {run.config.preset}"
    return Row(PART, claim, at(source), printed, f"{what}: {found}", size, decide(found), PAGE, source.quote,
               test=True)  # fmt: skip


def _sizes(drawn: Sequence[Trees]) -> str:
    """How many tasks each of the three clusters has: one large and two small ones are no three categories."""
    if not drawn:
        return ""
    counts = drawn[0].cuts[0, THREE].unique(return_counts=True)[1].sort(descending=True).values
    return f" of {', '.join(map(str, counts.tolist()))} tasks"


def _trees(run: Any, seed: int | None) -> Trees:
    """Trees of one seed, or of all, at the first radius; a tree's rows are as in the chapter on tasks."""
    rows = matrices.comparable(matrices.adversarial(run, matrices.radii(run)[0], seed=seed))
    taught = matrices.comparable(matrices.direct(run, seed=seed))
    stream = compute.generator(0, "verdict trees", str(seed))
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
