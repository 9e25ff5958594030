"""Costs of the paper's settings: operations against hand counts, jobs and networks against experiments."""

from pathlib import Path
from types import SimpleNamespace

import pytest

from lib.chapters import benchmarks, costs
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


def test_tables_add_up_and_say_that_they_are_computed():
    table = costs.hours(MODULES, 5.0)
    assert table.rows[-1][-1] == pytest.approx(sum(row[-1] for row in table.rows[:-1]))
    assert "Computed from counted operations, not measured" in table.note
    assert costs.hours(MODULES, 10.0).rows[-1][-1] == pytest.approx(table.rows[-1][-1] / 2)
    ways = {row[0]: row for row in costs.candidates(10_000, MODULES[0].PRESETS["paper"], 5.0).rows}
    both, once = ways["tau of each, both Jacobians anew"], ways["tau, the target's Jacobians once"]
    assert both[1] / once[1] == pytest.approx(2, rel=1e-3)


def test_the_number_of_jobs_and_networks():
    found = {row[0]: row[1:4] for row in costs.storage(MODULES).rows}
    assert list(found) == list(costs.STAGES)
    for module in MODULES:
        assert found[module.NAME][0] == len(module.jobs(module.PRESETS["paper"]))
    assert found["images"][1] == 5 + 2
    assert found["text"][1] == 3 * (3 + 1)
    assert found["attributes"][1] == 40 + 3 + 1
    assert found["tasks"][1:] == [0, 0.0]
    assert found["images"][2] == pytest.approx(7 * 4 * 11_170_884 / 1e9)


def test_times_of_recorded_runs():
    def run(name, seconds, count):
        where = {"device": "cpu", "threads": 1}
        provenance = {"seconds": seconds, "environment": where, "started": "2026-01-02T03:04:05Z"}
        return Result("toy", SimpleNamespace(preset="reduced"), [{}] * count, provenance, "", Path(name))

    table = benchmarks.took([run("toy-reduced.json", 7200.0, 4), run("toy-reduced-b.json", 1800.0, 2)])
    assert table.rows[0] == ["toy-reduced", 4, 2.0, 1800.0, "cpu, threads: 1", "2026-01-02"]
    assert table.rows[-1][:3] == ["together", 6, 2.5]
    assert benchmarks.took([]).rows == []
