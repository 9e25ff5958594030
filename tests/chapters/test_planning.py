"""The cluster plan: operations against hand counts, schedules of small cases, halving against its model."""

import math
from pathlib import Path
from types import SimpleNamespace

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from lib.chapters.planning import costs, halving, report, schedule, times
from lib.chapters.planning.schedule import Job
from lib.engine import audit
from lib.engine.results import Result

MODULES = [audit.experiment(name) for name in costs.STAGES]


def test_operations_of_a_network_are_those_of_its_layers():
    """ResNet-18's first convolution: 2 x 64 x 3 x 9 x 32 x 32; a training pass is three forward passes, less
    the gradient of the first convolution's input, which nobody needs."""
    first = 2 * 64 * 3 * 9 * 32 * 32
    forward, attack, train = (costs.operations(costs.IMAGE, kind) for kind in ("forward", "attack", "train"))
    assert train == 3 * forward - first
    assert attack == 2 * forward
    assert 1.1e9 < forward < 1.12e9  # 0.56 x 10^9 multiply-adds, as it is often given
    assert costs.parameters(costs.TEXT) == pytest.approx(108.9e6, rel=1e-3)  # bert-base without its pooler
    with pytest.raises(ValueError, match="network 'VGG' is none of"):
        costs.operations("VGG", "train")


@pytest.mark.parametrize("module", MODULES, ids=lambda module: module.NAME)
def test_every_hour_of_an_experiment_is_in_its_queue(module):
    stages = costs.STAGES[module.NAME](module.PRESETS["paper"])
    jobs, shared = costs.queue(module, 5.0)
    assert len(jobs) == len(module.jobs(module.PRESETS["paper"]))
    alone = schedule.play(jobs, shared, 1)
    assert alone.makespan == pytest.approx(sum(stage.hours(5.0) for stage in stages))
    assert alone.waiting == 0
    twice = costs.queue(module, 10.0)
    assert schedule.play(*twice, 1).makespan == pytest.approx(alone.makespan / 2)


def test_the_number_of_networks():
    trained = {m.NAME: sum(hours > 0 for hours in costs.queue(m, 1.0)[1].values()) for m in MODULES}
    assert trained["images"] == 5 + 2
    assert trained["attributes"] == 40 + 3 + 1
    assert trained["tasks"] == 0


def test_schedules_of_small_cases():
    assert schedule.play([Job((), 1.0)] * 4, {}, 2) == schedule.Schedule(2.0, 0.0, 2.0)
    assert schedule.play([], {}, 3).makespan == 0
    shared = {"reference": 3.0}
    both = schedule.play([Job(("reference",), 1.0)] * 2, shared, 2)
    assert both == schedule.Schedule(4.0, 3.0, 4.0), "the second waits three hours for the first's network"
    own = {"reference": 3.0, "a": 1.0, "b": 1.0}
    assert schedule.play([Job(("a", "reference"), 1.0), Job(("b", "reference"), 1.0)], own, 2).makespan == 5
    with pytest.raises(ValueError, match="no duration is given for x"):
        schedule.play([Job(("x",), 1.0)], {}, 1)
    with pytest.raises(ValueError, match="workers = 0"):
        schedule.play([], {}, 0)


@given(
    st.lists(st.tuples(st.sampled_from(["", "a", "b"]), st.floats(0, 5)), min_size=1, max_size=12),
    st.integers(1, 6),
)
def test_no_schedule_beats_the_bound_or_loses_work(drawn, workers):
    jobs, shared = [Job((name,) if name else (), then) for name, then in drawn], {"a": 2.0, "b": 0.5}
    found = schedule.play(jobs, shared, workers)
    work = sum(job.then for job in jobs) + sum(shared[name] for name in {n for j in jobs for n in j.needs})
    assert found.bound <= found.makespan + 1e-9
    assert found.makespan <= work + 1e-9
    if workers == 1:
        assert found.makespan == pytest.approx(work)


def test_rounds_and_their_cost():
    assert halving.rounds(8, 0.5, 2) == [(8, 0.25), (4, 0.5), (2, 1.0)]
    assert halving.cost(halving.rounds(8, 0.5, 2)) == pytest.approx((8 * 0.25 + 4 * 0.25 + 2 * 0.5) / 8)
    assert halving.cost([(100, 1.0)]) == 1
    assert [count for count, _ in halving.rounds(5, 0.75, 1)] == [5, 4, 3, 2, 1]
    assert [count for count, _ in halving.rounds(100, 0.98, 98)] == [100, 98]
    with pytest.raises(ValueError, match="keep = 1"):
        halving.rounds(8, 1, 2)
    with pytest.raises(ValueError, match="last = 0"):
        halving.rounds(8, 0.5, 0)


def play(plan, noise, repeats=400):
    return halving.play(plan, noise, repeats=repeats, generator=torch.Generator().manual_seed(1))


def test_without_noise_the_best_is_always_kept_and_with_much_it_is_a_lottery():
    plan = halving.rounds(64, 0.5, 4)
    assert (play(plan, 0.0).best, play(plan, 0.0).shortfall) == (1.0, 0.0)
    lottery = play(plan, 1e6, repeats=2000).best
    assert abs(lottery - 1 / 64) < 4 * math.sqrt(1 / 64 / 2000)
    assert play(plan, 0.1).best > play(plan, 0.5).best > play(plan, 2.0).best
    with pytest.raises(ValueError, match="noise = -1"):
        play(plan, -1)


def test_two_candidates_measured_once_are_told_apart_as_often_as_the_angle_says():
    """The better of two is chosen with probability 1 - atan(noise) / pi: a correlation of two normals."""
    for noise in (0.3, 1.0, 3.0):
        wanted = 1 - math.atan(noise) / math.pi
        assert play([(2, 1.0)], noise, repeats=4000).best == pytest.approx(wanted, abs=0.03)


def test_noise_shrinks_with_the_root_of_the_samples():
    """Two candidates measured on a quarter of the samples: twice the noise of a full measurement."""
    wanted = 1 - math.atan(0.5 / 0.25**0.5) / math.pi
    assert play([(2, 0.25)], 0.5, repeats=4000).best == pytest.approx(wanted, abs=0.03)


def test_the_noise_of_records():
    records = [{"source": s, "m": v} for s, values in {"a": (0, 2), "b": (4, 6)}.items() for v in values]
    assert halving.noise_of(records, "m") == pytest.approx(math.sqrt(2) / math.sqrt(8))
    with pytest.raises(ValueError, match="two or more sources"):
        halving.noise_of(records[:2], "m")
    with pytest.raises(ValueError, match="all alike"):
        halving.noise_of([{"source": s, "m": v} for s in "ab" for v in (0, 2)], "m")


def test_tables_add_up_and_say_that_they_are_computed():
    table = report.hours(MODULES, 5.0)
    assert table.rows[-1][-1] == pytest.approx(sum(row[-1] for row in table.rows[:-1]))
    assert "Computed from counted operations, not measured" in table.note
    plan = halving.rounds(10_000, 0.5, 20)
    ways = {row[0]: row for row in report.candidates(10_000, MODULES[0].PRESETS["paper"], 5.0, plan).rows}
    both, once = ways["tau of each, both Jacobians anew"], ways["tau, the target's Jacobians once"]
    assert both[1] / once[1] == pytest.approx(2, rel=1e-3)
    assert ways["and successive halving over the samples"][1] < once[1] / 50
    assert [row[0] for row in report.storage(MODULES).rows] == list(costs.STAGES)
    found = report.makespans(MODULES, [1, 8], 5.0)
    assert found[0][1].makespan > found[1][1].makespan


def test_tables_of_a_plan_hold_what_was_planned():
    found = [(2, schedule.play([Job((), 1.0)] * 3, {}, 2)), (8, schedule.play([Job((), 1.0)] * 3, {}, 8))]
    table = report.until_done(found, "a stamp")
    assert table.rows == [[2, 2.0, 1.5, 0.0], [8, 1.0, 1.0, 0.0]]
    assert table.note == "a stamp"
    assert report.rounds([(8, 0.25), (4, 0.5), (2, 1.0)]).rows == [[1, 8, 25], [2, 4, 50], [3, 2, 100]]
    halved, whole = halving.Kept(0.5, 0.2, 0.1), halving.Kept(0.75, 0.1, 1.0)
    assert report.risks([0.3], [halved], [whole], 50, "").rows == [[0.3, 50, 75, 0.2, 0.1, pytest.approx(10)]]
    with pytest.raises(ValueError, match="zip"):
        report.risks([0.3, 1.0], [halved], [whole], 50, "")


def test_times_of_recorded_runs():
    def run(name, seconds, count):
        where = {"device": "cpu", "threads": 1}
        provenance = {"seconds": seconds, "environment": where, "started": "2026-01-02T03:04:05Z"}
        return Result("toy", SimpleNamespace(preset="reduced"), [{}] * count, provenance, "", Path(name))

    table = times.table([run("toy-reduced.json", 7200.0, 4), run("toy-reduced-b.json", 1800.0, 2)])
    assert table.rows[0] == ["toy-reduced", 4, 2.0, 1800.0, "cpu, threads: 1", "2026-01-02"]
    assert table.rows[-1][:3] == ["together", 6, 2.5]
    assert times.table([]).rows == []
