import dataclasses
import itertools
import math

import pytest
import torch

from lib.base import fingerprint, paper
from lib.engine import parameters, runs
from lib.experiments.synthetic import claims, figures, measures, networks, pairing, tables, tracking
from lib.experiments.synthetic import record as rbf
from lib.measures import jacobian, transferability

# the store warns when a file of lib is edited while the tests run; that is no fault of the experiment
pytestmark = pytest.mark.filterwarnings("ignore:.*changed after this process")


@pytest.fixture(scope="module")
def small(tmp_path_factory):
    """The quick preset, made small: two seeds, one width, four points, few iterations, far fewer samples."""
    patch = pytest.MonkeyPatch()
    patch.setenv("TRANSFER_RUNS", str(tmp_path_factory.mktemp("runs")))
    problem = dataclasses.replace(
        networks.PROBLEMS["default"], inputs=8, outputs=3, functions=20, samples=300
    )
    patch.setitem(networks.PROBLEMS, "default", problem)
    yield parameters.build(
        rbf,
        {
            "seeds": 2,
            "widths": [12],
            "points": 4,
            "directions": 2,
            "train_steps": 120,
            "nulls": 5,
            "floor": 0.5,
        },
    )
    patch.undo()


@pytest.fixture(scope="module")
def result(small):
    return runs.run(rbf, small, progress=False)


def test_a_record_is_repeated_bit_for_bit(small, result):
    job = rbf.jobs(small)[3]
    again = rbf.run_job(small, job)
    assert again == result.records[3]
    assert {name: again[name] for name in job} == job


def test_the_source_at_t_0_is_the_target(result):
    for row in result.records:
        first = {name: values[0] for name, values in row.items() if isinstance(values, list)}
        assert first["t"] == 0
        for name in ("tau1", "tau2", "alpha", "tau2_split"):
            assert first[name] == pytest.approx(1, abs=1e-9)
        assert first["gradient_difference"] == pytest.approx(0, abs=1e-20)
        assert first["theorem_g_loss"] == pytest.approx(row["reference_loss"])
        assert first["theorem_3_no_beta"] == pytest.approx(row["reference_loss"])
        assert first["adversarial_ratio"] == pytest.approx(1)


def test_what_theory_orders_is_ordered_at_every_point(result):
    for row in result.records:
        columns = {
            name: torch.tensor(v, dtype=torch.float64) for name, v in row.items() if isinstance(v, list)
        }
        chain = [
            "gradient_difference",
            "theorem_2_pointwise",
            "theorem_2_minkowski",
            "theorem_2_constant_two",
        ]
        chain += ["theorem_2_paper"]
        losses = [
            "transferred_loss",
            "affine_loss",
            "theorem_g_loss",
            "theorem_3_half_beta",
            "theorem_3_paper",
        ]
        ends = ["proposition_2_lower", "alpha_squared", "proposition_2_upper"]
        betas = ["beta_sampled", "beta", "beta_product"]
        for low, high in (
            pair for names in (chain, losses, ends, betas) for pair in itertools.pairwise(names)
        ):
            assert bool((columns[low] <= columns[high] * (1 + 1e-9) + 1e-12).all()), (low, high)


def test_measures_agree_with_their_definitions(small):
    """tau1, alpha, the losses and beta's share, each once more by hand from the networks."""
    problem, device = networks.PROBLEMS["default"], torch.device("cpu")
    target = networks.network("default", 0, 12, small.train_steps, device)
    x, y = networks.sample(problem, 0)
    direction = networks.draw_direction(target, "all", torch.Generator().manual_seed(1))
    source = networks.moved(target, direction, 0.5)
    scene = measures.scene(problem, 0, target, 1e-4, device)
    found = measures.measure(scene, source, torch.Generator().manual_seed(0), nulls=3)
    jac_s, jac_t = jacobian.jacobians(source, x), jacobian.jacobians(target, x)
    v_s, v_t = (torch.linalg.svd(jac)[2][:, 0] for jac in (jac_s, jac_t))
    assert found["tau1"] == pytest.approx(float((v_s * v_t).sum(1).square().mean()))
    moved = (jac_t @ v_s.unsqueeze(-1)).squeeze(-1).square().sum(1).mean()
    own = (jac_t @ v_t.unsqueeze(-1)).squeeze(-1).square().sum(1).mean()
    assert found["alpha_squared"] == pytest.approx(float(moved / own))
    # small epsilon; f_T's own error bends the loss a little (Prop. 2 takes it to be zero)
    assert found["adversarial_excess_ratio"] == pytest.approx(float(moved / own), rel=0.01)
    norms = [torch.linalg.matrix_norm(jac, 2).square().mean().sqrt() for jac in (jac_t, jac_s)]
    assert found["norm_ratio"] == pytest.approx(float(norms[0] / norms[1]))
    wide = torch.cat([torch.sigmoid(source.hidden(x)), torch.ones(len(x), 1)], 1).detach()
    residual = wide @ torch.linalg.lstsq(wide, y).solution - y
    assert found["transferred_loss"] == pytest.approx(float(residual.square().sum(1).mean()))
    alignment = transferability.measure_jacobians(jac_s, jac_t).alignment
    zero = torch.zeros(1, problem.inputs, dtype=torch.float64)
    with torch.no_grad():
        shift = target(zero) - source(zero) @ alignment.T
        loss = (source(x) @ alignment.T + shift - y).square().sum(1).mean()
    assert found["theorem_g_loss"] == pytest.approx(float(loss))


def test_recompute_finds_the_stored_numbers(result):
    for row in result.records:
        for name, values in rbf.recompute(row).items():
            assert values == pytest.approx(row[name], rel=1e-12)


def test_one_direction_serves_the_whole_sweep_and_moves_what_it_should():
    target = networks.mlp.MLP(4, 5, 3, generator=torch.Generator().manual_seed(0))
    drawn = {
        moves: networks.draw_direction(target, moves, torch.Generator().manual_seed(1))
        for moves in networks.STAYS
    }
    for moves, stays in networks.STAYS.items():
        for name, v in drawn[moves].items():
            assert torch.equal(v, torch.zeros_like(v) if name in stays else drawn["all"][name])
    half, whole = (networks.moved(target, drawn["all"], t) for t in (0.5, 1.0))
    for name, start in target.state_dict().items():
        torch.testing.assert_close(2 * (half.state_dict()[name] - start), whole.state_dict()[name] - start)


def test_the_literal_reading_leaves_nothing_to_learn():
    literal = networks.PROBLEMS["literal"]
    for seed in range(5):
        _, phi = networks.basis(literal, seed)
        _, y = networks.sample(literal, seed)
        assert float(phi.max()) < 1e-2
        assert float(networks.squared(y)) < 1e-4
    _, y = networks.sample(dataclasses.replace(literal, wide=True, bias=True), 0)
    assert float(networks.squared(y - y.mean(0))) > 0.1


def test_samples_follow_section_4_1():
    problem = networks.Problem(30, 10, 100, 1200, 3, wide=True, bias=True)
    x, phi = networks.basis(problem, 1)
    fresh, _ = networks.basis(problem, 1, fresh=True)
    assert (x.shape, phi.shape) == ((1200, 30), (1200, 100))
    assert not torch.equal(x, fresh)
    many, _ = networks.basis(dataclasses.replace(problem, centres=200, samples=20_000), 1)
    assert float(many.var(0).mean()) == pytest.approx(1 + 1 / 12, abs=0.02)  # I plus the centres' U(-.5, .5)
    assert float(phi.min()) >= 0
    assert float(phi.max()) <= 1


def test_jobs_cross_the_widths_in_the_icml_variant_only():
    config = dataclasses.replace(rbf.PRESETS["quick"], seeds=1, directions=1)
    widths = [(job["width"], job["source_width"]) for job in rbf.jobs(config)]
    assert widths == [(50, 50), (100, 100)]
    crossed = [
        (job["width"], job["source_width"]) for job in rbf.jobs(dataclasses.replace(config, variant="icml"))
    ]
    assert crossed == [(50, 50), (100, 100), (50, 100), (100, 50)]


def made_up(link, fixed_sign, seeds=6, directions=4):
    """Everything rises with t; at fixed t the link's two quantities go together, or not, or against."""
    generator = torch.Generator().manual_seed(0)
    rows = []
    for seed in range(seeds):
        for direction in range(directions):
            own, other = torch.rand(2, generator=generator).tolist()
            t = [0.0, 0.5, 1.0]
            rise = [value + 0.1 * own * value for value in t]
            second = [v + 0.1 * value * (fixed_sign * own if fixed_sign else other) for v, value in zip(t, t)]
            row = {"seed": seed, "direction": direction, "width": 5, "source_width": 5, "t": t}
            row |= {name: rise for item in tracking.LINKS for name in (item.first, item.second)}
            rows.append(row | {link.first: rise, link.second: [link.sign * value for value in second]})
    return rows


@pytest.mark.parametrize("link", [tracking.LINKS[0], tracking.LINKS[4]])  # one that falls, one that rises
@pytest.mark.parametrize(
    ("fixed_sign", "finding"),
    [(1, "holds, also at fixed t"), (0, "with t; not seen at fixed t"), (-1, "opposite at fixed t")],
)
def test_the_rule_tells_a_link_from_a_shared_driver(link, fixed_sign, finding):
    found = [item for item in tracking.tracking(made_up(link, fixed_sign)) if item.link == link]
    assert [item.finding for item in found] == [finding]
    assert found[0].along.value == 1
    assert found[0].other_seeds.null == 1  # t alone gives the perfect order


def test_the_rule_sees_a_contradiction():
    rows = made_up(tracking.LINKS[4], 1)
    for row in rows:
        row["theorem_3_paper"] = [-value for value in row["theorem_3_paper"]]
    found = {item.link: item.finding for item in tracking.tracking(rows)}
    assert found[tracking.LINKS[4]] == "contradicted"


def test_every_link_is_a_sentence_of_the_paper():
    assert all(link.claim in paper.CLAIMS for link in tracking.LINKS)


def test_untrained_targets_are_no_test(result):
    strict = dataclasses.replace(result, config=dataclasses.replace(result.config, floor=1e-6))
    for table in (tables.links(strict), tables.verdicts(strict)):
        assert "Not a test" in table.note
        assert all(cell is None for row in table.rows for cell in row[2:])
    assert len(tables.links(result).rows) == len(tracking.LINKS)
    assert "test" not in tables.links(result).note


def test_tables_and_figures_come_from_records_alone(result):
    for table in (tables.references, tables.links, tables.verdicts, tables.ratios):
        assert len(table(result).rows) >= 1
    assert "n, inputs" in str(tables.problem())
    assert len(tables.movements({"all": result}, 1.0).rows) == 1
    for figure in (figures.paper_form, figures.small_multiples):
        fig = figure(result)
        fig.draw_without_rendering()
        assert any(result.caption[:20] in text.get_text() for text in fig.texts)
    figures.fixed_t(result, at=(1.0,)).draw_without_rendering()
    with pytest.raises(ValueError, match="not measured"):
        figures.fixed_t(result, at=(0.123,))


def test_bands_hold_the_middle_of_the_first_directions(result):
    low, middle, high = tracking.band(result.records, "tau1", (12, 12))
    by_hand = sorted(row["tau1"][2] for row in result.records if row["direction"] == 0)
    assert middle[2] == pytest.approx(sum(by_hand) / 2)
    assert low[2] == pytest.approx(0.9 * by_hand[0] + 0.1 * by_hand[1])
    assert high[2] == pytest.approx(0.1 * by_hand[0] + 0.9 * by_hand[1])


def test_r2_is_tau2_before_the_projection(result):
    found = pairing.pairings(result)
    assert len(found) == 2  # two seeds, one width
    for item, row in zip(found, [row for row in result.records if row["direction"] == 0], strict=True):
        assert item.tau2 == pytest.approx(row["tau2"][-1])
        assert item.psi == pytest.approx(row["projection_scale"][-1])
        assert item.tau2 == pytest.approx(item.psi * (2 - item.psi) * item.explained)
        assert item.explained_null >= item.tau2_null - 0.05  # other shuffles, no projection
    assert pairing.above_null(found, projected=True) <= 2


def test_the_null_with_kept_signs_keeps_what_is_common_and_no_more():
    draw = torch.Generator().manual_seed(0)
    source = torch.randn(400, 3, generator=draw, dtype=torch.float64)
    target = source @ torch.randn(3, 2, generator=draw, dtype=torch.float64)
    assert pairing.explained(source, target) == pytest.approx(1)
    assert pairing.explained(torch.cat([source, source], 1), target) == pytest.approx(1)  # rank 3 of 6
    common = torch.ones(400, 1, dtype=torch.float64) * torch.tensor([1.0, 2.0, 0.5], dtype=torch.float64)
    signs = torch.randint(0, 2, (400, 1), generator=draw) * 2.0 - 1
    assert pairing.explained_null(signs * common, -signs * common, generator=draw) == pytest.approx(1)
    noise = torch.randn(400, 2, generator=draw, dtype=torch.float64)
    assert float(pairing.explained_null(source, noise, generator=draw).mean()) < 0.05


def test_controls_count_what_the_records_say(result):
    table = tables.over_t({"default": result})
    half = sorted(row["tau1"][1] for row in result.records)
    assert table.rows[1][1] == pytest.approx((half[1] + half[2]) / 2)
    assert table.rows[0][3] < table.rows[-1][3]  # the refit loss rises with t
    below = sum(row["transferred_loss"][-1] < row["blank_loss"] for row in result.records)
    assert tables.untrained(result).rows[0][3] == f"{below} of 4"


def decided(row):
    """The verdict of a claim whose checks have passed."""
    row.decide()
    return row.verdict


def test_claims_of_the_literal_run_follow_its_curves(result):
    for sign, verdict in ((1, "observed"), (-1, "refuted")):
        rows = [
            row | {"tau1": [1.0, 0.1, 0.05], "transferred_loss": [5.0, 5.0 + sign, 5.0 + 2 * sign]}
            for row in result.records
        ]
        row = claims.rows(result, dataclasses.replace(result, records=rows))[-1]
        assert decided(row) == verdict
    assert "95% or more" in row.found


@pytest.mark.parametrize(("sign", "verdict"), [(1, "observed"), (-1, "not shown")])
def test_claims_of_the_recorded_run_follow_its_records(result, sign, verdict):
    link = tracking.LINKS[4]
    rows = [row | {"blank_loss": 2.0} for row in made_up(link, sign)]
    assert tracking.over_seeds(tracking.at_fixed_t(rows, link.first, link.turned)).value == sign
    beyond, trend = claims.recorded(dataclasses.replace(result, records=rows))
    assert decided(beyond) == "observed"
    assert decided(trend) == verdict
    assert ("it falls" in trend.found) == (sign < 0)
    rows[0]["blank_loss"] = 0.5
    assert decided(claims.recorded(dataclasses.replace(result, records=rows))[0]) == "refuted"


def test_the_claim_about_pairs_needs_every_network():
    one = pairing.Pairing(50, 0.5, 0.6, 0.7, 0.8, 0.75)
    assert decided(claims.paired([one])) == "observed"
    assert decided(claims.paired([one, dataclasses.replace(one, explained=0.74)])) == "refuted"


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"seeds": 0}, "seeds=0"),
        ({"points": 1}, "points=1"),
        ({"widths": []}, "widths"),
        ({"epsilon": 0.0}, "epsilon"),
        ({"floor": 1.5}, "floor"),
        ({"variant": "other"}, "variant"),
        ({"moves": "nothing"}, "moves"),
    ],
)
def test_bad_settings_are_named(change, message):
    with pytest.raises(ValueError, match=message):
        parameters.build(rbf, change)


def test_presets_have_at_least_five_seeds_and_both_widths():
    assert "synthetic" in fingerprint.experiments()
    for config in rbf.PRESETS.values():
        assert config.seeds >= 5
        assert config.widths == (50, 100)
        assert math.isclose(config.floor, 0.1)
