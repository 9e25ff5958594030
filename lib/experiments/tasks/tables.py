"""The tables of the task chapter."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import combinations
from statistics import fmean, median_low
from typing import Any

import torch
from torch import Tensor

from lib import statistics
from lib.base import streams
from lib.base.tables import Table
from lib.data import registry
from lib.data.task_labels import TASKS
from lib.engine.results import Result
from lib.experiments.common.tables import stamped
from lib.experiments.tasks import matrices, readings
from lib.experiments.tasks.matrices import CATEGORIES, NAMES
from lib.experiments.tasks.readings import READINGS, READOUT, title
from lib.measures import estimators
from lib.statistics import clustering

FEWEST = 4  # tasks that a test of two matrices needs
LEARNT = ("loss", "constant", "pixelwise", "accuracy", "relative")


def own_table(result: Result) -> Table:
    """What each network has learnt: its loss beside the best constant's, and whether that counts."""
    if not result.records[0]["own"]:
        return _nothing("the networks come trained", result)
    rows = []
    for task in TASKS:
        found = [r["own"][task.name] for r in result.records]
        failed = sum(not one["learnt"] for one in found)
        verdict = f"not learnt in {failed} of {len(found)}" if failed else "yes"
        rows.append([title(task.name), task.category, *(_mean(found, key) for key in LEARNT), verdict])
    columns = ["task", "category", "loss", "constant", "a constant a pixel", "accuracy", "loss / constant",
               "learnt"]  # fmt: skip
    note = f"Means over the records; learnt: below {1 - result.config.margin:.2f} of the constant."
    heading = "The fifteen networks on images that they have not seen"
    return stamped(result, heading, columns, rows, note)


def strength_table(result: Result) -> Table:
    """How much the attacks hurt: own network, the mean of the other fourteen sources, and the controls."""
    rows: list[list[Any]] = [[title(name)] for name in NAMES]
    for epsilon in matrices.radii(result):
        rise, beaten = matrices.losses(result, epsilon), matrices.beats_noise(result, epsilon)
        for t, row in enumerate(rows):
            others = [s for s in range(len(NAMES)) if s != t]
            row += [float(rise[t, t]), float(rise[others, t].mean()), *rise[len(NAMES) :, t].tolist(),
                    f"{100 * float(beaten[t]):.0f} %"]  # fmt: skip
    heads = ["own", "others", *result.records[0]["competitors"][len(NAMES) :], "others beat noise"]
    columns = ["target", *[f"{head}, ε = {e}" for e in matrices.radii(result) for head in heads]]
    note = "Loss under attack over the clean loss; how often others hurt more than noise."
    return stamped(result, "What the attacks do", columns, rows, note)


def link_table(result: Result, knowledge: str = READOUT) -> Table:
    """Every measure and rival against knowledge transfer: target by target, and all in one test."""
    if not result.records[0]["knowledge"]:
        return _nothing("nothing was read out of these networks", result)
    learnt = [NAMES.index(name) for name in readings.targets(result)]
    if len(learnt) < FEWEST:
        return _nothing(f"only {len(learnt)} networks have learnt their task", result)
    seen = READINGS.of(result)
    rows: list[list[Any]] = []
    for name in READINGS.predictors:
        try:
            found, both = readings.link(seen, name, knowledge), seen.group(name, knowledge)
        except (KeyError, TypeError):  # not recorded: a radius that was not attacked, no tangents
            continue
        fewer = readings.link(seen, name, knowledge, learnt=True)
        adjusted = statistics.holm([one.p_one_sided for one in found.values()])
        clear = f"{sum(p < 0.05 for p in adjusted)} of {len(found)}"
        means = (side.reshape(len(NAMES), len(NAMES), -1).mean(2) for side in (both.x, both.y))
        test = matrices.mantel(*means, keep=learnt)
        kind, taus = estimators.kind(name, READINGS.measures), map(readings.mean_tau, (found, fewer))
        rows.append([name, kind, next(taus), clear, next(taus), test.value, test.p_one_sided])
    rows.sort(key=lambda row: -row[2])
    columns = ["predictor", "kind", "mean τ_b, 14 sources", "p < .05 (Holm)", "τ_b, learnt sources",
               "Mantel r", "p"]  # fmt: skip
    note = (f"{len(learnt)} learnt targets; τ_b: mean over targets and seeds. Mantel: learnt tasks only, "
            "means over seeds, ranks within targets; one-sided p.")  # fmt: skip
    return stamped(result, f"Which measure follows the {knowledge}", columns, rows, note, digits=2)


def target_table(result: Result, measure: str, knowledge: str = READOUT) -> Table:
    """One measure, target by target: tau-b over the fourteen other sources, its p, and the picks."""
    rows: list[list[Any]] = []
    if not result.records[0]["knowledge"]:
        return _nothing("nothing was read out of these networks", result)
    seen = READINGS.of(result)
    for name, one in readings.link(seen, measure, knowledge).items():
        others = [other for other in seen.sources if other != name]
        x, y = (seen.means(side, name) for side in (measure, knowledge))
        picks = [title(others[int(side.argmax())]) for side in (x, y)]
        rows.append([title(name), one.value, one.p_one_sided, *picks, int((y > y[x.argmax()]).sum()) + 1])
    columns = ["target", "τ_b", "p (one-sided)", "strongest attacker", "best teacher",
               "the attacker's rank as teacher"]  # fmt: skip
    note = (f"14 sources. τ_b: mean over seeds; p: {one.repeats:,} random orders of the sources. "
            "Picks: by means over seeds.")  # fmt: skip
    return stamped(result, f"{measure} against {knowledge}", columns, rows, note, digits=2)


def agreement_table(result: Result) -> Table:
    """Mantel's test of every two matrices: on ranks within targets, and on what the means leave.

    The last rows repeat it for parts: one seed alone, learnt tasks alone, every category left out once.
    """
    found = matrices.beside(result)
    rows = [_agreement(f"{a} ~ {b}", found[a], found[b]) for a, b in combinations(found, 2)]
    if "readouts" in found:
        first = f"adversarial, ε = {matrices.radii(result)[0]}"
        pair, name = (found[first], found["readouts"]), f"{first} ~ readouts"
        learnt = [NAMES.index(task) for task in readings.targets(result)]
        rows.append(_agreement(f"{name}, learnt tasks", *pair, learnt))
        for left_out in dict.fromkeys(CATEGORIES):
            keep = [k for k, category in enumerate(CATEGORIES) if category != left_out]
            rows.append(_agreement(f"{name}, without {left_out}", *pair, keep))
        for seed in readings.seeds(result):
            one = matrices.adversarial(result, matrices.radii(result)[0], seed=seed)
            rows.append(_agreement(f"{name}, seed {seed}", one, matrices.direct(result, seed=seed)))
    columns = ["matrices", "r of ranks within targets", "p", "r without the means", "p, without"]
    note = "Mantel's test, one-sided; fifteen tasks but where it says otherwise."
    return stamped(result, "Do two matrices agree?", columns, rows, note, digits=2)


def _agreement(name: str, first: Tensor, second: Tensor, keep: Sequence[int] | None = None) -> list[Any]:
    pair = (first, second) if keep is None else [matrix[keep][:, keep] for matrix in (first, second)]
    if len(pair[0]) < FEWEST:
        return [name, None, None, None, None]
    left = matrices.mantel(*map(matrices.without_means, pair), kind="spearman")
    plain = matrices.mantel(*pair)
    return [name, plain.value, plain.p_one_sided, left.value, left.p_one_sided]


def tree_table(result: Result, clusters: int = 3) -> Table:
    """Every matrix's tree cut in three: purity, and whether it is like the readouts' tree."""
    found = matrices.beside(result)
    rows = {name: [matrices.comparable(matrix)] for name, matrix in found.items()}
    rows |= {f"{name}, literally": [matrix] for name, matrix in found.items()}
    orders = matrices.listings()
    for epsilon in matrices.radii(result):
        name = f"adversarial, ε = {epsilon}, authors' code"
        rows[name] = [matrices.authors(result, epsilon)]
        rows[f"{name}, tasks listed at random"] = [matrices.authors(result, epsilon, o) for o in orders]
    taught = found.get("readouts")
    known = None if taught is None else clustering.cut(clustering.tree(matrices.comparable(taught)), clusters)
    lines = [_tree_row(name, variants, known, clusters) for name, variants in rows.items()]
    columns = ["matrix", "Rand, categories", "Rand, readouts", "entropy", "p of the curve",
               "entropy by size", "p of its curve", "clusters of one"]  # fmt: skip
    note = (f"{clusters} clusters; Rand: adjusted; entropy in nats; p against shuffled columns; at random: "
            f"means of {len(orders)}.")  # fmt: skip
    return stamped(result, "Trees and the three categories", columns, lines, note, digits=2)


def _tree_row(name: str, variants: Sequence[Tensor], known: Tensor | None, clusters: int) -> list[Any]:
    """Means over variants of one matrix; p for a single one only."""
    cuts = [clustering.cuts(clustering.tree(rows)) for rows in variants]
    labels = [one[clusters - 1] for one in cuts]
    found: list[Any] = [name, fmean(clustering.adjusted_rand(one, CATEGORIES) for one in labels)]
    found += [None if known is None else fmean(clustering.adjusted_rand(one, known) for one in labels)]
    for weighted in (False, True):
        curves = [clustering.entropy_curve(one, CATEGORIES, weighted) for one in cuts]
        found += [fmean(float(curve[clusters - 1]) for curve in curves)]
        found += [_curve_p(variants[0], curves[0], weighted) if len(variants) == 1 else None]
    return [*found, fmean(float((one.bincount() == 1).sum()) for one in labels)]


def _curve_p(rows: Tensor, curve: Tensor, weighted: bool) -> float:
    null = clustering.permuted_cuts(rows, generator=streams.generator(0, "trees"), repeats=300)
    return clustering.curve_p(curve, clustering.entropy_curve(null, CATEGORIES, weighted))


def cost_table(result: Result) -> Table:
    """Seconds of each part of a record."""
    parts = result.records[0]["seconds"]
    rows = [[key, _mean([r["seconds"] for r in result.records], key)] for key in parts]
    return stamped(result, "What it costs", ["part", "seconds a record"], rows, digits=2)


def names_table() -> Table:
    """The paper's tasks, their categories and their names in the published tables."""
    rows = [[title(t.name), t.category, t.published, t.kind] for t in TASKS]
    return Table(["task", "category", "in the published tables", "output"], rows, caption="Fifteen tasks")


def _nothing(why: str, result: Result) -> Table:
    return Table(["not measured"], [[why]], note=result.caption)


def _mean(found: Sequence[dict[str, Any]], key: str) -> float | None:
    values = [one[key] for one in found]
    return None if None in values else sum(values) / len(values)


def note() -> Table:
    """Where the published half of a page comes from, or how to get it."""
    entry = registry.get("taskonomy_affinity")
    digest = registry.digest(entry.name)
    here = f"here: {entry.name} {digest[:8]}" if digest else f"not here: {registry.remedy(entry)}"
    rows = [[matrices.PUBLISHED, entry.what, entry.licence, here]]
    return Table(["published table", "what", "licence", "state"], rows)


def solver_table(result: Result, draws: int = 20) -> Table:
    """What the authors' eigen-solver does: to planted weights, and to wins (targets, S, S) as measured.

    Planted: fifteen weights, 1,000 images, losses whose odds of winning are the weights' ratio. Spearman's
    rho of the recovered with the true weights; and of the two solvers with one another on the measured wins.
    """
    found = {f"planted weights, {how}": [_recovered(how, k) for k in range(draws)] for how in ("eig", "eigh")}
    for epsilon in matrices.radii(result):
        ratios = clustering.ratio(matrices.shares(result, epsilon))
        both = clustering.principal(ratios, "eig"), clustering.principal(ratios, "eigh")
        found[f"wins at ε = {epsilon}, eigh against eig"] = [clustering.spearman(a, b) for a, b in zip(*both)]
    rows = [[what, median_low(rho), min(rho), max(rho)] for what, rho in found.items()]
    columns = ["what", "median rho", "least", "most"]
    return stamped(result, "A symmetric solver on a matrix that is not", columns, rows, digits=2)


def _recovered(solver: Any, draw: int) -> float:
    stream = streams.generator(draw, "planted")
    weights = torch.rand(len(NAMES), generator=stream, dtype=torch.float64) * 2 + 0.1
    luck = -torch.rand(len(NAMES), 1000, generator=stream, dtype=torch.float64).log()
    wins = clustering.tournament(weights[:, None] / luck)
    return clustering.spearman(clustering.principal(clustering.ratio(wins), solver), weights)
