"""The tables of the task chapter."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import combinations
from typing import Any

import torch
from torch import Tensor

from lib import statistics
from lib.base import compute
from lib.base.tables import Table
from lib.data.task_labels import TASKS
from lib.engine import results
from lib.experiments.tasks import matrices, published, summary
from lib.experiments.tasks.summary import CATEGORIES, KNOWLEDGE, MEASURES, NAMES, RIVALS
from lib.measures import estimators
from lib.statistics import clustering

FEWEST = 4  # tasks that a test of two matrices needs


def own_table(result: Any) -> Table:
    """What each network has learnt: its loss beside the best constant's, and whether that counts."""
    if not result.records[0]["own"]:
        return _nothing("the networks come trained", result)
    rows = []
    for task in TASKS:
        found = [r["own"][task.name] for r in result.records]
        mean = {key: _mean(found, key) for key in ("loss", "constant", "pixelwise", "accuracy", "relative")}
        learnt = sum(one["learnt"] for one in found)
        verdict = "yes" if learnt == len(found) else f"not learnt in {len(found) - learnt} of {len(found)}"
        rows.append([summary.title(task.name), task.category, *mean.values(), verdict])
    columns = [
        "task",
        "category",
        "loss",
        "constant",
        "a constant a pixel",
        "accuracy",
        "loss / constant",
        "learnt",
    ]
    bar = 1 - result.config.margin
    note = f"Means over the records; learnt: below {bar:.2f} of the constant. {result.caption}"
    return Table(
        columns,
        rows,
        caption=results.titled(result, "The fifteen networks on images that they have not seen"),
        note=note,
    )


def strength_table(result: Any) -> Table:
    """How much the attacks hurt: own network, the mean of the other fourteen sources, and the controls."""
    rows: list[list[Any]] = [[summary.title(name)] for name in NAMES]
    for epsilon in matrices.radii(result):
        rise, beaten = matrices.losses(result, epsilon), matrices.beats_noise(result, epsilon)
        for t, row in enumerate(rows):
            others = [s for s in range(len(NAMES)) if s != t]
            row += [float(rise[t, t]), float(rise[others, t].mean()), *rise[len(NAMES) :, t].tolist()]
            row.append(f"{100 * float(beaten[t]):.0f} %")
    heads = ["own", "others", *result.records[0]["competitors"][len(NAMES) :], "others beat noise"]
    columns = ["target", *[f"{head}, ε = {e}" for e in matrices.radii(result) for head in heads]]
    note = f"Loss under attack over the clean loss; how often others hurt more than noise. {result.caption}"
    return Table(columns, rows, caption=results.titled(result, "What the attacks do"), note=note, digits=3)


def link_table(result: Any, knowledge: str = "readout affinity") -> Table:
    """Every measure and rival against knowledge transfer: target by target, and all in one test."""
    if not result.records[0]["knowledge"]:
        return _nothing("nothing was read out of these networks", result)
    learnt = [NAMES.index(name) for name in summary.targets(result)]
    if len(learnt) < FEWEST:
        return _nothing(f"only {len(learnt)} networks have learnt their task", result)
    cubes = summary.cubes(result, {**MEASURES, **RIVALS, **KNOWLEDGE})
    reference = cubes[knowledge]
    rows = []
    for name in (name for name in cubes if name not in KNOWLEDGE):
        found = summary.link(result, cubes[name], reference)
        fewer = summary.link(result, cubes[name], reference, learnt=True)
        adjusted = statistics.holm([one.p_one_sided for one in found.values()])
        clear = f"{sum(p < 0.05 for p in adjusted)} of {len(found)}"
        test = matrices.mantel(cubes[name].mean(2), reference.mean(2), keep=learnt)
        taus = summary.mean_tau(found), summary.mean_tau(fewer)
        rows.append(
            [name, estimators.kind(name, MEASURES), taus[0], clear, taus[1], test.value, test.p_one_sided]
        )
    rows.sort(key=lambda row: -row[2])
    columns = [
        "predictor",
        "kind",
        "mean τ_b, 14 sources",
        "p < .05 (Holm)",
        "τ_b, learnt sources",
        "Mantel r",
        "p",
    ]
    note = (
        f"{len(learnt)} learnt targets; τ_b: mean over targets and seeds. Mantel: learnt tasks only, means "
        f"over seeds, ranks within targets; one-sided p. {result.caption}"
    )
    return Table(
        columns,
        rows,
        caption=results.titled(result, f"Which measure follows the {knowledge}"),
        note=note,
        digits=2,
    )


def target_table(result: Any, measure: str, knowledge: str = "readout affinity") -> Table:
    """One measure, target by target: tau-b over the fourteen other sources, its p, and the picks."""
    rows: list[list[Any]] = []
    if not result.records[0]["knowledge"]:
        return _nothing("nothing was read out of these networks", result)
    cubes = summary.cubes(result, {"x": MEASURES[measure], "y": KNOWLEDGE[knowledge]})
    for name, one in summary.link(result, cubes["x"], cubes["y"]).items():
        x = summary.values(result, name, MEASURES[measure]).mean(1)
        y = summary.values(result, name, KNOWLEDGE[knowledge]).mean(1)
        others = [summary.title(other) for other in summary.source_names(result, name)]
        place = int((y > y[x.argmax()]).sum()) + 1
        picks = [others[int(x.argmax())], others[int(y.argmax())], place]
        rows.append([summary.title(name), one.value, one.p_one_sided, *picks])
    columns = [
        "target",
        "τ_b",
        "p (one-sided)",
        "strongest attacker",
        "best teacher",
        "the attacker's rank as teacher",
    ]
    note = (
        f"14 sources. τ_b: mean over seeds; p: {one.repeats:,} random orders of the sources. Picks: by means "
        f"over seeds. {result.caption}"
    )
    return Table(
        columns, rows, caption=results.titled(result, f"{measure} against {knowledge}"), note=note, digits=2
    )


def agreement_table(result: Any) -> Table:
    """Mantel's test of every two matrices: on ranks within targets, and on what the means leave.

    The last rows repeat it for parts: one seed alone, learnt tasks alone, every category left out once.
    """
    found = published.beside(matrices.panels(result))
    rows = [_agreement(f"{a} ~ {b}", found[a], found[b]) for a, b in combinations(found, 2)]
    if "readouts" in found:
        first = f"adversarial, ε = {matrices.radii(result)[0]}"
        pair, name = (found[first], found["readouts"]), f"{first} ~ readouts"
        learnt = [NAMES.index(task) for task in summary.targets(result)]
        rows.append(_agreement(f"{name}, learnt tasks", *pair, learnt))
        for left_out in dict.fromkeys(CATEGORIES):
            keep = [k for k, category in enumerate(CATEGORIES) if category != left_out]
            rows.append(_agreement(f"{name}, without {left_out}", *pair, keep))
        for seed in summary.seeds(result):
            one = matrices.adversarial(result, matrices.radii(result)[0], seed=seed)
            rows.append(_agreement(f"{name}, seed {seed}", one, matrices.direct(result, seed=seed)))
    columns = ["matrices", "r of ranks within targets", "p", "r without the means", "p, without"]
    note = f"Mantel's test, one-sided; fifteen tasks but where it says otherwise. {result.caption}"
    return Table(columns, rows, caption=results.titled(result, "Do two matrices agree?"), note=note, digits=2)


def _agreement(name: str, first: Tensor, second: Tensor, keep: Sequence[int] | None = None) -> list[Any]:
    index = torch.arange(len(first)) if keep is None else torch.tensor(list(keep))
    if len(index) < FEWEST:
        return [name, None, None, None, None]
    a, b = (matrix[index][:, index] for matrix in (first, second))
    plain = matrices.mantel(a, b)
    left = matrices.mantel(matrices.without_means(a), matrices.without_means(b), kind="spearman")
    return [name, plain.value, plain.p_one_sided, left.value, left.p_one_sided]


def tree_table(result: Any, clusters: int = 3) -> Table:
    """Every matrix's tree cut in three: purity, and whether it is like the readouts' tree."""
    found = published.beside(matrices.panels(result))
    rows = {name: [matrices.comparable(matrix)] for name, matrix in found.items()}
    rows |= {f"{name}, literally": [matrix] for name, matrix in found.items()}
    orders = matrices.listings()
    for epsilon in matrices.radii(result):
        name = f"adversarial, ε = {epsilon}, authors' code"
        rows[name] = [matrices.authors(result, epsilon)]
        rows[f"{name}, tasks listed at random"] = [matrices.authors(result, epsilon, o) for o in orders]
    readouts = found.get("readouts")
    other = None if readouts is None else clustering.tree(matrices.comparable(readouts))
    lines = [_tree_row(name, variants, other, clusters) for name, variants in rows.items()]
    columns = [
        "matrix", "Rand, categories", "Rand, readouts", "entropy", "p of the curve",
        "entropy by size", "p of its curve", "clusters of one",
    ]  # fmt: skip
    how = f"Rand: adjusted; entropy in nats; p against shuffled columns; at random: means of {len(orders)}"
    note = f"{clusters} clusters; {how}. {result.caption}"
    return Table(
        columns, lines, caption=results.titled(result, "Trees and the three categories"), note=note, digits=2
    )


def _nothing(why: str, result: Any) -> Table:
    return Table(["not measured"], [[why]], note=result.caption)


def _tree_row(name: str, variants: Sequence[Tensor], other: Any, clusters: int) -> list[Any]:
    """Means over variants of one matrix; p for a single one only."""
    cuts = [clustering.cuts(clustering.tree(rows)) for rows in variants]
    labels = [one[clusters - 1] for one in cuts]
    found: list[Any] = [name, _mean_of(clustering.adjusted_rand(one, CATEGORIES) for one in labels)]
    known = None if other is None else clustering.cut(other, clusters)
    found += [None if known is None else _mean_of(clustering.adjusted_rand(one, known) for one in labels)]
    for weighted in (False, True):
        curves = [clustering.entropy_curve(one, CATEGORIES, weighted) for one in cuts]
        found += [_mean_of(float(curve[clusters - 1]) for curve in curves)]
        found += [_curve_p(variants[0], curves[0], weighted) if len(variants) == 1 else None]
    return [*found, _mean_of(float((one.bincount() == 1).sum()) for one in labels)]


def _curve_p(rows: Tensor, curve: Tensor, weighted: bool) -> float:
    null = clustering.permuted_cuts(rows, generator=compute.generator(0, "trees"), repeats=300)
    return clustering.curve_p(curve, clustering.entropy_curve(null, CATEGORIES, weighted))


def _mean_of(values: Iterable[float]) -> float:
    found = list(values)
    return sum(found) / len(found)


def cost_table(result: Any) -> Table:
    """Seconds of each part of a record."""
    parts = result.records[0]["seconds"]
    rows = [[key, sum(r["seconds"][key] for r in result.records) / len(result.records)] for key in parts]
    return Table(
        ["part", "seconds a record"],
        rows,
        caption=results.titled(result, "What it costs"),
        note=result.caption,
        digits=2,
    )


def names_table() -> Table:
    """The paper's tasks, their categories and their names in the published tables."""
    rows = [[summary.title(t.name), t.category, t.published, t.kind] for t in TASKS]
    return Table(["task", "category", "in the published tables", "output"], rows, caption="Fifteen tasks")


def _mean(found: Sequence[dict[str, Any]], key: str) -> float | None:
    values = [one[key] for one in found]
    return None if None in values else sum(values) / len(values)


def solver_table(result: Any, draws: int = 20) -> Table:
    """What the authors' eigen-solver does: to planted weights, and to wins (targets, S, S) as measured.

    Planted: fifteen weights, 1,000 images, losses whose odds of winning are the weights' ratio. Spearman's
    rho of the recovered with the true weights; and of the two solvers with one another on the measured wins.
    """
    rows: list[list[Any]] = []
    for solver in ("eig", "eigh"):
        rho = [_recovered(solver, draw) for draw in range(draws)]
        rows.append([f"planted weights, {solver}", _median(rho), min(rho), max(rho)])
    for epsilon in matrices.radii(result):
        wins = matrices.shares(result, epsilon)
        both = [clustering.principal(clustering.ratio(wins), solver) for solver in ("eig", "eigh")]
        rho = [_spearman(a, b) for a, b in zip(*both)]
        rows.append([f"wins at ε = {epsilon}, eigh against eig", _median(rho), min(rho), max(rho)])
    columns = ["what", "median rho", "least", "most"]
    return Table(
        columns,
        rows,
        caption=results.titled(result, "A symmetric solver on a matrix that is not"),
        note=result.caption,
        digits=2,
    )


def _recovered(solver: Any, draw: int) -> float:
    stream = compute.generator(draw, "planted")
    weights = torch.rand(len(NAMES), generator=stream, dtype=torch.float64) * 2 + 0.1
    luck = -torch.rand(len(NAMES), 1000, generator=stream, dtype=torch.float64).log()
    wins = clustering.tournament(weights[:, None] / luck)
    return _spearman(clustering.principal(clustering.ratio(wins), solver), weights)


def _spearman(first: Tensor, second: Tensor) -> float:
    ranks = torch.stack([values.argsort().argsort().double() for values in (first, second)])
    return float(torch.corrcoef(ranks)[0, 1])


def _median(values: Sequence[float]) -> float:
    return float(torch.tensor(values).median())
