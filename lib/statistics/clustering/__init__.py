"""Fifteen rankings, one matrix, one tree, and what its agreement with known categories is worth (App. G.4).

- :mod:`.tournaments`: losses of every task on every source's adversarial images -> affinity matrix
- :mod:`.trees`: matrix -> agglomerative tree -> clusters; two trees or two matrices compared
- :mod:`.entropies`: the entropy of the categories within clusters (Fig. 5) and its nulls

Matrices are (sources, targets), float64. Random numbers come from a generator that the caller passes.
"""

from lib.statistics.clustering.entropies import (
    Band,
    band,
    curve_p,
    entropy,
    entropy_curve,
    permuted_cuts,
    random_cuts,
    random_partitions,
)
from lib.statistics.clustering.tournaments import (
    CLIP,
    affinity,
    affinity_of_wins,
    principal,
    ratio,
    tournament,
)
from lib.statistics.clustering.trees import adjusted_rand, cut, cuts, mantel, spearman, tree

__all__ = [
    "CLIP", "Band", "adjusted_rand", "affinity", "affinity_of_wins", "band", "curve_p", "cut", "cuts",
    "entropy", "entropy_curve", "mantel", "permuted_cuts", "principal", "random_cuts",
    "random_partitions", "ratio", "spearman", "tournament", "tree",
]  # fmt: skip
