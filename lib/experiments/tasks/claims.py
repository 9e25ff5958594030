"""What Section 4.4 says of tasks, and what a recorded run says."""

from __future__ import annotations

from collections.abc import Callable
from statistics import fmean

import torch

from lib import statistics
from lib.engine.results import Result
from lib.experiments.common.observations import Observations
from lib.experiments.tasks import matrices, readings
from lib.experiments.tasks.matrices import CATEGORIES, NAMES
from lib.experiments.tasks.readings import READINGS
from lib.statistics import clustering
from lib.theory.ledger import OURS, Row

MEASURES = READINGS.measures
ATTACKS = tuple(name for name in MEASURES if name.startswith("adversarial"))
AFFINITIES = tuple(name for name in ATTACKS if "affinity" in name)
CLUSTERS = 3


def rows(result: Result) -> list[Row]:
    """Decided by a run with readouts."""
    seen = READINGS.of(result)
    return [
        _learnt(result), _relations(result), _same_tree(result),
        _ranking(seen), _rivals(seen), _noise(result), _listing(result),
    ]  # fmt: skip


def _learnt(result: Result) -> Row:
    count = len(readings.targets(result))
    return Row(
        "small networks learn enough of every task for a test", OURS, "trained networks of the task bank",
        f"{count} of {len(NAMES)} learnt in every fold and seed; the others are no targets below", "refuted",
        (lambda: 8 <= count < len(NAMES),),
    )  # fmt: skip


def _relations(result: Result) -> Row:
    """Who suits whom: both matrices without the means of sources and of targets."""
    found = matrices.relations(result)
    listed = "; ".join(f"r = {f.value:.2f} (p {f.p_one_sided:.4f}) at ε = {e}" for e, f in found.items())
    return Row(
        "tasks that hurt each other more than usual help each other more than usual", "4.4, Figure 4",
        "'strong positive correlation'", f"source and target means removed, {listed}", "observed",
        tuple(_is(f.value > 0.3 and f.p_one_sided < 0.01) for f in found.values()),
    )  # fmt: skip


def _same_tree(result: Result) -> Row:
    taught = _cut(matrices.comparable(matrices.direct(result)))
    alike = {}
    for e in matrices.radii(result):
        attacked = _cut(matrices.comparable(matrices.adversarial(result, e)))
        alike[e] = clustering.adjusted_rand(attacked, taught)
    named = clustering.adjusted_rand(taught, CATEGORIES)
    listed = ", ".join(f"{rand:.2f} (ε = {e})" for e, rand in alike.items())
    return Row(
        "attacks and transfer sort the tasks into the same groups, which are not the three categories",
        "4.4, Figure 4", "the categories are the ground truth",
        f"{CLUSTERS} clusters, adjusted Rand index: attacks and readouts {listed}; "
        f"readouts and categories {named:.2f}", "observed",
        (*(_is(rand > 0.9) for rand in alike.values()), lambda: named < 0.5),
    )  # fmt: skip


def _ranking(seen: Observations) -> Row:
    """Which source for this target? The question of someone who has a task and fourteen networks."""
    found = [readings.link(seen, name) for name in AFFINITIES]
    taus = [readings.mean_tau(one) for one in found]
    fewer = [readings.mean_tau(readings.link(seen, name, learnt=True)) for name in AFFINITIES]
    clear = [sum(p < 0.05 for p in statistics.holm([k.p_one_sided for k in one.values()])) for one in found]
    most = f"at most {max(clear)}" if max(clear) else "none"
    return Row(
        "for a given target, the source that attacks it best teaches it best", OURS,
        "not said, but what a user needs",
        f"mean τ_b {min(taus):.2f} to {max(taus):.2f} over 14 sources "
        f"({min(fewer):.2f} to {max(fewer):.2f} over those that learnt their own task); "
        f"clear (p < .05, Holm) for {most} of {len(found[0])} targets", "refuted",
        tuple(_is(tau < 0.2 and n < 3) for tau, n in zip(taus, clear)),
    )  # fmt: skip


def _rivals(seen: Observations) -> Row:
    estimators = ("LogME", "H-score")
    taus = {name: readings.mean_tau(readings.link(seen, name)) for name in (*estimators, *MEASURES)}
    pgd, best = (max(chosen, key=lambda name: taus[name]) for chosen in (ATTACKS, MEASURES))
    return Row(
        "an estimator that makes no attack ranks the sources better than any measure of adversarial transfer",
        OURS, "no rival",
        f"mean τ_b {taus['LogME']:.2f} for LogME, {taus['H-score']:.2f} for the H-score; {taus[pgd]:.2f} for "
        f"the best of the PGD attacks ({pgd}), {taus[best]:.2f} for the best of all measures ({best})",
        "observed", tuple(_is(taus[name] > taus[best] + 0.1) for name in estimators),
    )  # fmt: skip


def _noise(result: Result) -> Row:
    found = {e: float(matrices.beats_noise(result, e).mean()) for e in matrices.radii(result)}
    listed = ", ".join(f"{100 * share:.0f} % of the images at ε = {e}" for e, share in found.items())
    return Row(
        "an attack through one task's network hurts another task's more than noise does", OURS, "no control",
        f"it does on {listed}; half would be no effect", "refuted",
        tuple(_is(share < 0.6) for share in found.values()),
    )  # fmt: skip


def _listing(result: Result) -> Row:
    """The authors' script on the same wins: tasks listed by category, and in random order."""

    def purity(epsilon: str, order: torch.Tensor | None = None) -> float:
        return clustering.adjusted_rand(_cut(matrices.authors(result, epsilon, order)), CATEGORIES)

    orders, radii = matrices.listings(), matrices.radii(result)
    listed, mixed = [purity(e) for e in radii], [fmean(purity(e, order) for order in orders) for e in radii]
    return Row(
        "the clusters of the authors' script come from the attacks", "4.4, Figures 4 and 5",
        "'three intuitive categories are formed'",
        f"adjusted Rand index with the categories {min(listed):.2f} to {max(listed):.2f} if tasks are listed "
        f"by category, {min(mixed):.2f} to {max(mixed):.2f} on average if the same are listed at random",
        "not shown", tuple(_is(a > b + 0.2) for a, b in zip(listed, mixed)),
    )  # fmt: skip


def _cut(rows: torch.Tensor) -> torch.Tensor:
    return clustering.cut(clustering.tree(rows), CLUSTERS)


def _is(found: bool) -> Callable[[], bool]:
    return lambda: found
