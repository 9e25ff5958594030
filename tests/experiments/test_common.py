"""What all experiments share: the grid of observations, the records of tau and of pixel attacks."""

import dataclasses
import math

import pytest
import torch
from torch import nn

from lib import statistics
from lib.base import streams
from lib.engine import runs
from lib.engine.results import at
from lib.experiments.common import pixels, stored, tables, tangent
from lib.experiments.common.observations import Readings, interval
from lib.measures import transferability
from lib.statistics.link import Link

READINGS = Readings(
    measures={"loss": at("loss")},
    rivals={"free": lambda r: -r["loss"]},
    knowledge={"accuracy": at("accuracy")},
    headline=("loss", "accuracy"),
    control=lambda name: name.startswith("none"),
)


def seen(readings=READINGS, targets=("far", "near"), seeds=(1, 0), leave_out=()):
    """Three sources and a control; the loss orders them well on the second target, backwards on the first."""
    rows = []
    for number, target in enumerate(targets):
        for rank, source in enumerate(("a", "b", "c", "none 1")):
            for seed in seeds:
                if (target, source) not in leave_out:
                    accuracy = rank + 10 * number + 0.1 * seed
                    rows.append({"target": target, "source": source, "seed": seed, "accuracy": accuracy,
                                 "loss": (1.0 if number else -1.0) * rank})  # fmt: skip
    return readings.of(runs.Result("toy", None, rows, {}, "made up"))


def test_values_are_sources_by_seeds_in_the_run_s_order():
    grid = seen()
    assert (grid.targets, grid.sources, grid.controls("none")) == (
        ["far", "near"],
        ["a", "b", "c"],
        ["none 1"],
    )
    assert grid.values("accuracy", "near").tolist() == [[10.0, 10.1], [11.0, 11.1], [12.0, 12.1]]
    assert grid.values("accuracy", "near", ["none 1"]).tolist() == [[13.0, 13.1]]
    assert grid.means("free", "near").tolist() == [0.0, -1.0, -2.0]
    assert grid.mean("accuracy", "b", "far") == pytest.approx(1.05)
    assert grid.mean(lambda r: None, "b", "far") is None


def test_a_source_without_a_record_on_a_target_does_not_count_there():
    readings = dataclasses.replace(READINGS, order=("a", "b"))
    grid = seen(readings, leave_out={("far", "a")})
    assert grid.values("loss", "far").shape == (2, 2)
    group = grid.group("loss", "accuracy")
    assert group.x.isnan().tolist() == [[True, True, False, False]] + [[False] * 4] * 2
    assert (group.seeds, group.targets) == ((0, 1, 0, 1), ("far", "far", "near", "near"))


def test_what_is_not_there_is_named():
    with pytest.raises(KeyError, match="'lost' is no reading of this experiment: use one of loss, free"):
        seen().values("lost", "far")
    with pytest.raises(ValueError, match="2 targets: name one of far, near"):
        seen().values("loss")
    assert seen(targets=("far",)).values("loss").shape == (3, 2)


def test_a_link_is_of_one_target_or_of_all():
    grid = seen()
    assert grid.link("loss", "accuracy", "near").means.tau == 1.0
    assert grid.link("loss", "accuracy", "far").each == [-1.0, -1.0]
    both = grid.link("loss", "accuracy")
    assert both.each == [-1.0, -1.0, 1.0, 1.0]
    assert both.order.value == 0.0
    assert grid.link("loss", "accuracy", "near").order.p_one_sided == pytest.approx(1 / 6)
    assert seen(seeds=(0,)).link("loss", "accuracy", "near").interval is None
    assert tables.link_cells(both)[3] == "-1.00 to 1.00"


def test_a_choice_among_equals_is_the_first_or_a_blind_one():
    x = torch.tensor([[1.0], [1.0], [0.0]]).double()
    y = torch.tensor([[0.2], [0.6], [0.7]]).double()
    link = Link(statistics.Group(x, y, (0,), ("one",)), streams.generator(0))
    assert link.choice().regret == pytest.approx(0.5)
    assert link.choice("shared").regret == pytest.approx(0.3)
    assert link.choice().random == pytest.approx(0.2)
    assert seen().choice("loss", "accuracy", "near").right == 2
    assert tables.choice_cells(link.choice())[0] == "0 of 1"


def test_links_of_the_same_units_are_resampled_together():
    grid = seen()
    good, bad = (grid.link("loss", "accuracy", target) for target in ("near", "far"))
    lead = good.resampled(streams.generator(0), bad)
    assert lead.value == 2.0
    assert good.resampled(streams.generator(0)).value == 1.0
    assert good.among(torch.tensor([True, False, True])).each == [1.0, 1.0]


def test_the_interval_of_one_seed_is_its_value():
    assert interval([0.3]) == (0.3, 0.3, 0.3)
    low, middle, high = interval([0.2, 0.4])
    assert low < middle < high
    assert middle == pytest.approx(0.3)


@pytest.mark.parametrize("experiment", list(tangent.NULLS))
def test_the_record_of_tau_holds_definitions_and_chance(experiment):
    stacks = torch.randn(2, 30, 3, 8, generator=streams.generator(0), dtype=torch.float64)
    found = transferability.measure_jacobians(*stacks)
    record = tangent.record(found, experiment, 0, 20, chance=1 / 8)
    assert (record["tau1"], record["tau2"], record["tau1_chance"]) == (found.tau1, found.tau2, 1 / 8)
    assert record["alpha"] == pytest.approx(math.sqrt(record["alpha_squared"]))
    error = found.tau1_per_sample.std() / 30**0.5
    assert record["tau1_error"] == pytest.approx(float(error))
    pair = found.deviation_source, found.deviation_target
    for key, signs, names in zip(
        ("tau2_null", "tau2_kept_null"), ("random", "kept"), tangent.NULLS[experiment]
    ):
        stream = streams.generator(0, *names)
        null = transferability.tau2_null(*pair, generator=stream, repeats=20, signs=signs)
        assert record[key] == [float(null.mean()), float(null.quantile(0.95))]
    assert record["tau2_split_half"] == transferability.split_half(
        *pair, generator=streams.generator(0, "half")
    )


def test_attacks_stay_in_the_range_of_pixels_and_are_judged_by_the_reference():
    model = nn.Sequential(nn.Flatten(), nn.Linear(4, 3)).eval()
    x = torch.rand(5, 1, 2, 2, generator=streams.generator(0))
    moves = {
        "clean": pixels.unmoved,
        "noise": pixels.noise(0.2, streams.generator(1)),
        "pgd": pixels.climbing(model, 0.2, 3, streams.generator(2)),
        "both": [pixels.euclidean(model, sign * 0.2) for sign in (-1, 1)],
    }

    def judge(moved):
        assert moved.min() >= 0
        assert moved.max() <= 1
        return {"change": float((moved - x).abs().max())}

    found = pixels.record(moves, x, judge, size=2)
    assert found["clean"] == {"change": 0.0}
    assert 0 < found["noise"]["change"] <= 0.2 + 1e-6
    assert 0 < found["pgd"]["change"] <= 0.2 + 1e-6
    there, back = (float((pixels.in_parts(move, x, 5) - x).abs().max()) for move in moves["both"])
    assert found["both"]["change"] == pytest.approx((there + back) / 2)


def test_a_stored_network_comes_back_ready_to_be_asked():
    model = nn.Linear(2, 1)
    again = stored.loaded(nn.Linear(2, 1), stored.state(model), "cpu")
    assert not again.training
    assert torch.equal(again.weight, model.weight)
