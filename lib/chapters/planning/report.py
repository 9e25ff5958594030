"""The plan as tables: jobs, hours, storage, and what ten thousand candidates would cost."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from lib.base.tables import Table
from lib.chapters.planning import costs, halving, schedule
from lib.chapters.planning.costs import IMAGE, STL_FOUR, operations, parameters

COMPUTED = "Computed from counted operations, not measured"
FEATURES, CLASSES, PIXELS = 512, 4, 3 * 32 * 32  # of the image experiment's ResNet-18


def note(teraflops: float) -> str:
    """What stands under every number that rests on the rate."""
    return f"{COMPUTED}; a device is taken to sustain {teraflops:g} x 10^12 operations a second."


def hours(modules: Sequence[Any], teraflops: float) -> Table:
    """Every stage of every experiment at its `paper` preset: passes, operations, device hours."""
    rows: list[list[Any]] = []
    for stage in stages(modules):
        row = [stage.experiment, stage.what, stage.network, stage.passes, stage.total / 1e15]
        rows.append([*row, stage.hours(teraflops)])
    rows.append(["together", "", "", None, *(sum(row[k] for row in rows) for k in (4, 5))])
    columns = ["experiment", "stage", "network", "passes", "10^15 operations", "hours"]
    return Table(columns, rows, caption="Operations of the paper's settings", note=note(teraflops))


def stages(modules: Sequence[Any]) -> list[costs.Stage]:
    """The stages of the experiments at their `paper` presets."""
    return [stage for module in modules for stage in costs.STAGES[module.NAME](module.PRESETS["paper"])]


def storage(modules: Sequence[Any]) -> Table:
    """Jobs, the networks that are kept, and the data's published sizes where it is known."""
    rows: list[list[Any]] = []
    for module in modules:
        sets = module.datasets(module.PRESETS["paper"])
        jobs, shared = costs.queue(module, 1.0)
        trained = sum(value > 0 for value in shared.values())
        items = ", ".join(f"{each.name} ({each.items:,})" for each in sets)
        rows.append([module.NAME, len(jobs), trained, costs.gigabytes(module), items])
    columns = ["experiment", "jobs", "networks trained", "GB of networks", "data (items)"]
    return Table(columns, rows, caption="Jobs and storage of the paper's settings")


def makespans(
    modules: Sequence[Any], workers: Sequence[int], teraflops: float
) -> list[tuple[int, schedule.Schedule]]:
    """(workers, schedule) of all experiments in one queue, the longest experiments first."""
    queues = [costs.queue(module, teraflops) for module in modules]
    queues.sort(key=lambda queue: -sum(queue[1].values()))
    jobs = [job for queue in queues for job in queue[0]]
    shared = {name: value for queue in queues for name, value in queue[1].items()}
    return [(count, schedule.play(jobs, shared, count)) for count in workers]


def until_done(found: Sequence[tuple[int, schedule.Schedule]], note: str) -> Table:
    """The schedules of `makespans` as a table."""
    rows = [[count, each.makespan, each.bound, each.waiting] for count, each in found]
    columns = ["workers", "hours until all is done", "least possible hours", "hours of waiting, all workers"]
    return Table(columns, rows, caption="How long on how many devices", note=note)


def rounds(plan: Sequence[tuple[int, float]]) -> Table:
    """The rounds of successive halving: how many candidates are left, and the share of the samples so far."""
    rows = [[i, count, 100 * share] for i, (count, share) in enumerate(plan, 1)]
    return Table(["round", "candidates", "% of the samples"], rows, caption="Rounds of successive halving")


def risks(
    noises: Sequence[float],
    halved: Sequence[halving.Kept],
    whole: Sequence[halving.Kept],
    repeats: int,
    note: str,
) -> Table:
    """What early stopping loses at each noise, beside measuring all; `repeats` draws (see `halving.play`)."""
    rows = [
        [noise, 100 * a.best, 100 * b.best, a.shortfall, b.shortfall, 100 * a.cost / b.cost]
        for noise, a, b in zip(noises, halved, whole, strict=True)
    ]
    columns = ["noise over spread", "best chosen by halving, %", "by measuring all, %"]
    columns += ["shortfall of halving", "of measuring all", "cost of halving, % of all"]
    most = 196 / (4 * repeats) ** 0.5
    note = f"{note} · percentages are known to within {most:.0f} points (95 %, {repeats} draws)"
    return Table(columns, rows, caption="What early stopping risks", note=note)


def candidates(count: int, config: Any, teraflops: float, plan: Sequence[tuple[int, float]]) -> Table:
    """Ways to look for the best of `count` source models of the image experiment's size (`config`: its paper
    preset), from the dearest to the cheapest.
    """
    rate, samples = teraflops * 1e12 * 3600, config.attack_images
    jacobian = CLASSES * samples * operations(IMAGE, "attack") / rate
    forward = samples * operations(IMAGE, "forward") / rate
    tune = config.tune_epochs * STL_FOUR * operations(IMAGE, "train") / rate
    models = count * 4 * parameters(IMAGE) / 1e9
    rows: list[list[Any]] = [
        ["fine-tune each on the target's data", count * tune, models],
        ["tau of each, both Jacobians anew", count * 2 * jacobian, 0.0],
        [
            "tau, the target's Jacobians once",
            count * jacobian + jacobian,
            _numbers(CLASSES * PIXELS, samples),
        ],
        [
            "and successive halving over the samples",
            halving.cost(plan) * count * jacobian + jacobian,
            _numbers(CLASSES * PIXELS, samples),
        ],
        ["features of each once, for any estimator", count * forward, count * _numbers(FEATURES, samples)],
        [
            "and successive halving over the samples, by the estimator",
            halving.cost(plan) * count * forward,
            halving.cost(plan) * count * _numbers(FEATURES, samples),
        ],
    ]
    rows = [[what, value, rows[0][1] / value, stored] for what, value, stored in rows]
    caption = f"{count:,} candidates, {samples:,} samples, {CLASSES} outputs"
    columns = ["way", "device hours", "times cheaper", "GB stored"]
    return Table(columns, rows, caption=caption, note=note(teraflops))


def _numbers(each: int, samples: int) -> float:
    return 4 * each * samples / 1e9
