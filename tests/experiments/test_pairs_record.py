import dataclasses
import json

import pytest
import torch

from lib.engine import parameters
from lib.engine.results import Result
from lib.experiments.pairs import figures, theorems
from lib.experiments.pairs import record as theory
from lib.experiments.pairs.networks import networks
from lib.measures import jacobian
from lib.theory import counterexamples
from lib.theory.symbolic import instances

SMALL = dataclasses.replace(theory.PRESETS["quick"], seeds=2, samples=40, perturbations=(0.1, 1.0))


@pytest.fixture(scope="module")
def records():
    return [theory.run_job(SMALL, job) for job in theory.jobs(SMALL)]


def test_presets_are_named_and_grow():
    assert list(theory.PRESETS) == ["quick", "reduced", "paper"]
    assert all(config.preset == name for name, config in theory.PRESETS.items())
    for field in ("samples", "inputs", "hidden", "steps"):
        quick, reduced, paper = (getattr(theory.PRESETS[name], field) for name in theory.PRESETS)
        assert quick < reduced <= paper


@pytest.mark.parametrize(
    "change",
    [{"samples": 0}, {"seeds": 0}, {"epsilon": 0.0}, {"learning_rate": float("inf")}, {"perturbations": ()},
     {"perturbations": (0.0, 0.1)}, {"restarts": 0}],
)  # fmt: skip
def test_config_refuses_impossible_values(change):
    with pytest.raises(ValueError, match=next(iter(change))):
        dataclasses.replace(SMALL, **change)


def test_parameters_configure_reads_the_chapter():
    config = parameters.configure(
        theory, {"preset": "quick", "seeds": 3, "device": None, "perturbations": [0.5]}
    )
    assert (config.seeds, config.perturbations, config.samples) == (3, (0.5,), 400)


def test_records_are_plain_data_and_repeat(records):
    assert json.loads(json.dumps(records)) == records
    assert theory.run_job(SMALL, theory.jobs(SMALL)[0]) == records[0]
    assert theory.datasets(SMALL) == ()


def test_every_bound_holds_on_every_record(records):
    for record in records:
        rhs, transfer = record["rhs"], record["transfer"]
        assert record["lhs"] <= rhs["pointwise"] <= rhs["minkowski"] <= rhs["constant_two"] <= rhs["paper"]
        assert rhs["paper"] <= rhs["lipschitz"]
        assert transfer["loss"] <= transfer["rhs"]["half_beta"] <= transfer["rhs"]["paper"]
        assert 0 < transfer["bend"] <= 0.5
        assert transfer["refit_loss"] <= min(transfer["loss"], transfer["constant_loss"])
        assert record["beta_sampled"] <= transfer["beta"]


def test_ordered_notices_a_bound_out_of_order(records):
    assert theorems.ordered(records)
    spoiled = records[0] | {"lhs": 2 * records[0]["rhs"]["pointwise"]}
    assert not theorems.ordered([*records, spoiled])


def test_exact_row():
    assert theorems.exact_row(instances.same_function()) == [1, 1, 0.25, 1, 2]


def test_networks_share_all_but_the_step_along_v():
    near, far = (networks(SMALL, 0, t) for t in (0.5, 1.0))
    torch.testing.assert_close(near.x, far.x)
    torch.testing.assert_close(near.target.hidden.weight, far.target.hidden.weight)
    step = near.source.hidden.weight - near.target.hidden.weight
    torch.testing.assert_close(far.source.hidden.weight - far.target.hidden.weight, 2 * step)
    assert 0 < step.abs().max() <= 0.25
    same = networks(SMALL, 0, 0.0)
    d = SMALL.target_outputs
    torch.testing.assert_close(same.source(same.x)[:, :d], same.target(same.x))


def test_networks_refuse_impossible_pairs():
    with pytest.raises(ValueError, match="give at least"):
        networks(SMALL, 0, -1.0)
    with pytest.raises(ValueError, match="give at least"):
        networks(SMALL, 0, 1.0, outputs=(0, 1))


def test_theorem_1_is_an_equality_and_its_slope_the_best():
    for seed in range(5):
        found = theorems.scalar(networks(SMALL, seed, 1.0, outputs=(1, 1)))
        assert found["lhs"] == pytest.approx(found["exact"], rel=1e-12)
        assert found["alignment"] == pytest.approx(found["best_slope"], rel=1e-12)
        assert found["lhs"] <= found["lipschitz"]


def test_the_parabola_bottoms_out_at_the_alignment():
    pair = networks(SMALL, 0, 1.0, outputs=(1, 1))
    curve = theorems.slopes(pair, 101)
    assert curve["slope"][50] == pytest.approx(curve["alignment"])
    assert min(curve["loss"]) == curve["loss"][50] == pytest.approx(theorems.scalar(pair)["lhs"])


def test_the_triangle_has_the_lengths_of_the_gradients():
    pair = networks(SMALL, 0, 1.0, outputs=(1, 1))
    at, (source, target) = theorems.triangle(pair, 3), pair.jacobians()
    assert at["along"] ** 2 + at["across"] ** 2 == pytest.approx(target[3].square().sum().item())
    assert at["source"] == pytest.approx(source[3].norm().item())


def test_third_term_crosses_the_false_bound_only():
    turn = theorems.third_term(
        counterexamples.case(instances.broken_step()), torch.tensor([0, 0, 1.0], dtype=torch.float64)
    )
    assert max(turn["third"]) == pytest.approx(turn["first_bound"]) == pytest.approx(1)
    assert turn["second_bound"] == pytest.approx(1 / 3)


def test_family_breaks_the_step_but_not_the_theorem():
    found = theorems.family([0.01, 0.5])
    for high, low, lhs, rhs, two in zip(*(found[k] for k in ("line_13", "line_14", "lhs", "rhs", "rhs_two"))):
        assert high > low
        assert lhs <= two <= rhs


def test_remainders_stay_below_half_and_the_example_attains_it():
    cloud = theorems.bends(networks(SMALL, 0, 1.0))
    assert all(rest <= length**2 / 2 for length, rest in zip(cloud["length"], cloud["rest"]))
    example = theorems.half_beta([0.1, 1, 3])
    assert [r / length**2 for length, r in zip(example["length"], example["rest"])] == pytest.approx(
        [0.5] * 3
    )


def test_within_scales_the_points():
    pair = networks(SMALL, 0, 1.0).within(0.3)
    assert pair.x.norm(dim=1).max().item() == pytest.approx(0.3)
    assert theory.transfer(pair)["radius"] == pytest.approx(0.3)


def test_transfer_measures_g_as_theorem_3_builds_it():
    pair = networks(SMALL, 1, 1.0)
    found = theory.transfer(pair)
    from lib.measures import transferability  # the map, rebuilt from its definition

    weight = transferability.measure(pair.source, pair.target, pair.x).alignment
    zero = torch.zeros_like(pair.x[:1])
    g = lambda z: (z - pair.source(zero)) @ weight.T + pair.target(zero)  # noqa: E731
    loss = (g(pair.source(pair.x)) - pair.target(pair.x)).square().sum(1).mean().item()
    assert found["loss"] == pytest.approx(loss, rel=1e-12)
    jac = jacobian.jacobians(lambda x: pair.target(x) - g(pair.source(x)), pair.x)
    distance = torch.linalg.matrix_norm(jac, 2).square().mean().item()
    assert found["gradient_term"] == pytest.approx(found["radius"] ** 2 * distance, rel=1e-9)


def test_figures_draw_and_carry_their_stamp(records, tmp_path):
    result = Result("theory", SMALL, records, {}, "quick: generated data")
    pair = networks(SMALL, 0, 1.0, outputs=(1, 1))
    curve = theorems.slopes(pair) | {"exact": theorems.scalar(pair)["exact"]}
    search = counterexamples.search("full", generator=torch.Generator().manual_seed(0), restarts=3, steps=4)
    turn = theorems.third_term(counterexamples.case(instances.broken_step()), torch.eye(3).double()[2])
    drawn = [
        figures.gradients(theorems.triangle(pair, 0), curve, "a stamp"),
        figures.failing_step(turn, theorems.family([0.1, 0.5]), "a stamp"),
        figures.climbs({"full": search}, {"full": 2}, "a stamp"),
        figures.tightness(result),
        figures.bends({"networks": theorems.bends(pair)}, "a stamp"),
        figures.radii(theorems.radii(networks(SMALL, 0, 1.0), [0.1, 1]), "a stamp"),
    ]
    for i, fig in enumerate(drawn):
        texts = [text.get_text() for text in fig.texts]
        assert any("stamp" in text or "quick" in text for text in texts)
        assert all(ax.get_xlabel() or ax.get_xticklabels() for ax in fig.axes)
        fig.savefig(tmp_path / f"{i}.png")


def test_medians_are_of_one_perturbation(records):
    found = theorems.medians(records, 0.1)
    wanted = sorted(r["tau1"] for r in records if r["perturbation"] == 0.1)
    assert found["tau1"] == pytest.approx(sum(wanted) / 2)
    table = theorems.transfer_medians(records)
    assert list(table) == [0.1, 1.0]
    assert table[1.0]["radius R"] == pytest.approx(records[1]["transfer"]["radius"], rel=0.5)
