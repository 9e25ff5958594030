"""The verdict: its statistics against slow ones, its rule, and what happens when a run is not there."""

import json
import math
import shutil
from dataclasses import replace
from types import SimpleNamespace

import pytest
import torch

from lib import statistics
from lib.__main__ import main
from lib.base import fingerprint, paper, streams
from lib.engine import results
from lib.experiments.common.observations import Readings
from lib.experiments.synthetic import tracking
from lib.statistics import Group, grid
from lib.theory.symbolic.step import Step
from lib.verdict import (
    claims,
    costs,
    evidence,
    report,
    robustness,
    rule,
    sections,
    settings,
    summary,
    synthetic,
    theory,
    trees,
)
from lib.verdict.rule import Evidence, Hits
from lib.verdict.settings import OWN


def draw(seed=0):
    return torch.Generator().manual_seed(seed)


def noise(*shape, seed=0):
    return torch.randn(*shape, generator=draw(seed), dtype=torch.float64)


def group(x, y, targets=1):
    per = x.shape[1] // targets
    seeds = tuple(range(per)) * targets
    return Group(x, y, seeds, tuple(f"target {c // per}" for c in range(x.shape[1])))


def planted(strength, sources=8, targets=2, seeds=3, seed=0):
    """x and y share `strength` of a common order, source by source."""
    common = noise(sources, 1, seed=seed).repeat(1, targets * seeds)
    x = common + 0.3 * noise(sources, targets * seeds, seed=seed + 1)
    y = strength * common + 0.3 * noise(sources, targets * seeds, seed=seed + 2)
    return [group(x, y, targets)]


class TestOrder:
    def test_tau_is_that_of_statistics_with_ties(self):
        x, y = ((noise(7, 5, seed=s) * 2).round() for s in (1, 2))
        found = grid.taus([group(x, y)])
        wanted = [statistics.kendall(x[:, c], y[:, c]).tau for c in range(5)]
        assert found.tolist() == pytest.approx(wanted, abs=1e-12)

    def test_a_unit_that_does_not_count_is_as_if_it_were_not_there(self):
        x, y = noise(6, 3, seed=1), noise(6, 3, seed=2)
        holes = x.clone()
        holes[2], y[2] = torch.nan, torch.nan
        kept_rows = [0, 1, 3, 4, 5]
        found = grid.taus([group(holes, y)])
        assert found.tolist() == grid.taus([group(x[kept_rows], y[kept_rows])]).tolist()

    def test_the_null_leaves_out_what_does_not_count_in_that_order(self):
        """A task is no source for itself: each permuted y brings its own gap along."""
        x, y, diagonal = noise(5, 5, seed=1), noise(5, 5, seed=2), range(5)
        x[diagonal, diagonal] = y[diagonal, diagonal] = torch.nan
        orders = statistics.other_orders(5, 0, draw())
        wanted, right = [], []
        for one in orders:
            there = [~(x[:, c].isnan() | y[one, c].isnan()) for c in range(5)]
            taus = [statistics.kendall(x[k, c], y[one][k, c]).tau for c, k in enumerate(there)]
            wanted.append(sum(taus) / 5)
            picks = [int(x[:, c].nan_to_num(-9).argmax()) for c in range(5)]
            best = [y[one, c].nan_to_num(-9).max() for c in range(5)]
            found = [bool(y[one][pick, c] == best[c]) for c, pick in enumerate(picks) if there[c][pick]]
            right.append(sum(found) / len(found))
        cells = [group(x, y)]
        assert grid.null(cells, generator=draw()).tolist() == pytest.approx(wanted)
        hits = evidence.hits(cells, generator=draw())
        own = hits.cells[0] / 5
        assert hits.p == pytest.approx((1 + sum(r >= own - 1e-9 for r in right)) / 120)

    def test_a_constant_side_orders_nothing(self):
        assert grid.taus([group(torch.ones(4, 2).double(), noise(4, 2))]).tolist() == [0, 0]

    def test_p_is_the_exact_one(self):
        x, y = noise(5, 1, seed=3), noise(5, 1, seed=4)
        found = evidence.evidence([group(x, y)], generator=draw(), repeats=20_000)
        exact = statistics.kendall(x[:, 0], y[:, 0])
        assert found.tau == pytest.approx(exact.tau)
        assert found.p == pytest.approx(exact.p_one_sided, abs=0.015)
        other = statistics.kendall(x[:, 0], -y[:, 0])
        assert found.p_opposite == pytest.approx(other.p_one_sided, abs=0.015)

    def test_sources_are_permuted_with_all_their_targets_and_seeds(self):
        """Six cells of one order are no more evidence than one: p stays at 1/120."""
        x = torch.arange(5).double()[:, None].repeat(1, 6)
        found = evidence.evidence([group(x, x, targets=2)], generator=draw(), repeats=20_000)
        assert found.p == pytest.approx(1 / 120, abs=0.003)
        own = statistics.stratified_permutation([(x, x)], generator=draw(), repeats=20_000)
        assert found.p == pytest.approx(own.p_one_sided, abs=0.003)

    def test_the_interval_is_over_seeds_and_not_over_cells(self):
        cells = planted(0.4, targets=3, seeds=4)
        each = grid.taus(cells).reshape(3, 4).mean(0)
        assert grid.by_seed(cells).tolist() == pytest.approx(each.tolist())
        spread = evidence.evidence(cells, generator=draw()).interval
        assert spread.value == pytest.approx(statistics.seed_interval(each).value)
        assert spread.low == pytest.approx(max(-1, statistics.seed_interval(each).low))
        one = evidence.evidence(planted(0.4, targets=3, seeds=1), generator=draw())
        assert one.interval is None

    def test_hits_count_where_both_have_the_same_first(self):
        x = torch.tensor([[1.0, 1, 1, 1], [2, 2, 2, 2], [3, 3, 3, 3]])
        y = torch.tensor([[5.0, 5, 1, 9], [6, 6, 2, 1], [7, 1, 3, 2]])
        found = evidence.hits([group(x, y, targets=2)], generator=draw(), repeats=5_000)
        assert found.cells == (2, 4)  # first and third condition
        assert found.targets == (0, 2)  # means: 5 6 4 and 5 1.5 2.5
        assert found.p == pytest.approx(1 / 3, abs=0.03)  # sources 0 and 1 in its place would have one hit

    def test_regret_is_0_for_the_best_and_about_1_for_a_blind_choice(self):
        y = noise(6, 400, seed=5)
        assert grid.regret([group(y, y)]) == 0
        assert grid.regret([group(noise(6, 400, seed=6), y)]) == pytest.approx(1, abs=0.15)
        assert grid.regret([group(-y, y)]) > 1.5
        assert grid.regret([group(y, torch.ones_like(y))]) == 0

    def test_differences_are_paired(self):
        strong, weak = planted(1.0, sources=12), planted(0.0, sources=12, seed=9)
        weak = [replace(weak[0], y=strong[0].y)]
        gap = grid.bootstrap([strong, weak], lambda t: t[0] - t[1], generator=draw(), repeats=400)
        assert gap.low > 0
        same = grid.bootstrap([strong, strong], lambda t: t[0] - t[1], generator=draw(), repeats=100)
        assert (same.low, same.value, same.high) == (0, 0, 0)
        alone = grid.bootstrap([strong], lambda t: t[0], generator=draw(), repeats=400)
        assert alone.value == pytest.approx(float(grid.taus(strong).mean()))
        assert alone.low < alone.value < alone.high

    def test_measures_of_other_sources_cannot_be_paired(self):
        with pytest.raises(ValueError, match="same sources"):
            grid.bootstrap([planted(1.0), planted(1.0, sources=5)], lambda t: t[0], generator=draw())


def found_with(tau, p, low=None, opposite=0.99):
    spread = None if low is None else statistics.Interval(low, tau, tau + abs(tau - low))
    return Evidence(tau, p, opposite, spread, 5, 2, 3)


class TestRule:
    @pytest.mark.parametrize(
        ("found", "wanted"),
        [
            (None, "not shown"),
            (found_with(0.6, 0.01, 0.2), "holds"),
            (found_with(0.6, 0.05, 0.2), "holds"),
            (found_with(0.6, 0.06, 0.2), "holds weakly"),
            (found_with(0.6, 0.01, -0.2), "holds weakly"),
            (found_with(0.6, 0.01), "holds weakly"),
            (found_with(0.6, 0.06, -0.2), "not shown"),
            (found_with(-0.6, 0.99, -0.9, opposite=0.02), "false as printed"),
            (found_with(-0.6, 0.99, -0.9, opposite=0.2), "not shown"),
        ],
    )
    def test_a_correlation_needs_both_kinds_of_chance_excluded(self, found, wanted):
        assert rule.correlation(found) == wanted

    def test_strong_needs_a_half(self):
        assert rule.strong(found_with(0.5, 0.01, 0.2)) == "holds"
        assert rule.strong(found_with(0.49, 0.01, 0.2)) == "holds weakly"
        assert rule.strong(found_with(0.9, 0.2, -0.2)) == "not shown"

    def test_a_sweep_needs_the_link_at_fixed_t(self):
        rising, flat = statistics.Interval(0.9, 1, 1), statistics.Interval(-0.1, 0.1, 0.3)
        falling = statistics.Interval(-1, -0.9, -0.8)
        good, none = found_with(0.4, 0.01, 0.2), found_with(0.1, 0.3, -0.2)
        assert rule.sweep(rising, good) == "holds"
        assert rule.sweep(rising, none) == "holds weakly"
        assert rule.sweep(flat, good) == "not shown"
        assert rule.sweep(falling, good) == "false as printed"
        assert rule.sweep(None, None) == "not shown"

    def test_the_best_source_must_be_found_on_every_target(self):
        assert rule.choice(Hits((3, 3), (9, 9), 0.01)) == "holds"
        assert rule.choice(Hits((2, 3), (6, 9), 0.05)) == "holds weakly"
        assert rule.choice(Hits((3, 3), (9, 9), 0.06)) == "not shown"

    def test_shares_theories_possibilities_and_trees(self):
        assert [rule.share(x) for x in (None, 0.4, 0.5, 0.9)] == [
            "not shown", "not shown", "holds weakly", "holds",
        ]  # fmt: skip
        assert rule.theory(True) == "holds"
        assert rule.theory(True, everywhere=False) == "holds weakly"
        assert rule.theory(False) == "false as printed"
        assert [rule.possible(x) for x in (True, False, None)] == ["holds", "not shown", "not shown"]
        tree = trees.Found(0.5, 0.0, 0.01, (0.04, 0.2))
        assert trees.decide(tree) == "holds weakly"
        assert trees.decide(replace(tree, seeds=(0.04, 0.05))) == "holds"
        assert trees.decide(replace(tree, p=0.3)) == "not shown"

    def test_the_rule_that_is_printed_names_every_decision(self):
        import lib.verdict

        assert all(f"'{d}'" in lib.verdict.__doc__ for d in ("holds", "holds weakly", "not shown"))


def run_of(cells, is_test=True, seconds=None):
    """A made-up recorded run: one record a source, target and seed."""
    g = cells[0]
    found = [
        {"target": target, "source": s, "seed": seed, "x": float(g.x[s, c]), "y": float(g.y[s, c]),
         "is_test": is_test if isinstance(is_test, bool) else is_test(target), "seconds": seconds or {}}
        for c, (target, seed) in enumerate(zip(g.targets, g.seeds))
        for s in range(len(g.x))
    ]  # fmt: skip
    return results.Result("images", SimpleNamespace(preset="reduced"), found, {}, "")


MADE = Readings(
    measures={"x": lambda r: r["x"], "−x": lambda r: -r["x"]},
    rivals={"LogME": lambda r: r["y"], "k-NN": lambda r: r["rivals"]["knn"], "LEEP": lambda r: 1.0},
    knowledge={"y": lambda r: r["y"]},
    headline=("x", "y"),
)
ABSENT = results.Absent("images", "reduced")


def made(run=ABSENT, key="images", **more):
    return settings.Setting(key, replace(MADE, section="4.2", scenario=key, **more), run)


def four(**runs):
    """Four made-up settings in place of the real ones; those not named are not recorded."""
    return {key: made(runs.get(key, ABSENT), key) for key in settings.FOUR}


class TestSettings:
    def test_a_planted_link_holds_and_a_reversed_one_is_false(self):
        one = made(run_of(planted(1.0)))
        assert rule.correlation(one.found) == "holds"
        assert (one.found.sources, one.found.targets, one.found.seeds) == (8, 2, 3)
        wanted = grid.taus(planted(1.0)).tolist()
        assert grid.taus(one.grid(OWN, "y")).tolist() == pytest.approx(wanted)
        assert rule.correlation(one.evidence("−x")) == "false as printed"

    def test_noise_is_seldom_shown(self):
        decisions = [rule.correlation(made(run_of(planted(0.0, seed=10 * s))).found) for s in range(20)]
        assert decisions.count("not shown") >= 14
        assert decisions.count("holds") <= 2

    def test_targets_that_are_no_test_are_left_out(self):
        one = made(run_of(planted(1.0), is_test=lambda target: target != "target 1"))
        assert one.found.targets == 1
        assert made(run_of(planted(1.0), is_test=False)).found is None

    def test_what_was_not_recorded_is_none_and_no_error(self):
        assert made(run_of(planted(1.0))).grid("k-NN", "y") is None
        assert made(run_of(planted(1.0))).grid("no such measure", "y") is None
        assert made().found is None
        assert made().grid(OWN, "y") is None
        with pytest.raises(ValueError, match="images is not recorded"):
            _ = made().result

    def test_settings_count_alike_when_they_are_pooled(self):
        """One setting with 12 cells for the claim, three with 2 cells against it."""
        runs = {key: run_of([replace(g := planted(1.0, targets=1, seeds=2, seed=i)[0], x=-g.x)])
                for i, key in enumerate(settings.FOUR)}  # fmt: skip
        every = four(**runs | {"images": run_of(planted(1.0, targets=3, seeds=4))})
        each = [float(grid.taus(one.grid(OWN, "y")).mean()) for one in every.values()]
        found = settings.together(settings.four(every))
        assert found.tau == pytest.approx(sum(each) / 4)
        assert found.tau < 0
        assert found.p > 0.5
        against = four(**dict.fromkeys(settings.FOUR, runs["text"]))
        assert rule.correlation(settings.together(settings.four(against))) == "false as printed"
        assert found.interval.value == pytest.approx(found.tau)
        assert found.targets == 4

    def test_leaving_one_out_shows_on_which_setting_the_answer_hangs(self):
        runs = {key: run_of(planted(1.0, seed=9 * i)) for i, key in enumerate(settings.FOUR)}
        runs["tasks"] = run_of([replace(g := planted(1.0, seed=40)[0], x=-g.x)])
        decided = {row[0]: row[-1] for row in report.left_out_table(four(**runs)).rows}
        assert decided["without tasks"] == "holds"
        assert decided["without images"] != "holds"

    def test_the_first_seeds_alone_may_answer_otherwise(self):
        """Two seeds with a link, two without: the table shows both answers."""
        linked, reversed_ = planted(1.0, targets=1, seeds=2)[0], planted(1.0, targets=1, seeds=2, seed=1)[0]
        later = replace(reversed_, x=-reversed_.x, seeds=tuple(seed + 2 for seed in reversed_.seeds))
        both = [row for cells in (linked, later) for row in run_of([cells]).records]
        run = replace(run_of([linked]), records=both)
        every = {key: made(run, key, first_seeds=2) for key in settings.FOUR}
        images, *_, pooled_row = report.first_go_table(every).rows
        assert images[1] == 2
        assert images[4] == 4
        assert images[3].startswith("holds")
        assert images[6] == "not shown"
        assert pooled_row[3] != pooled_row[6]
        assert report.first_go_table(four()).rows[0][1:4] == [None, "not recorded", "not shown"]

    def test_the_pooled_test_finds_what_is_too_weak_in_each(self):
        every = four(**{key: run_of(planted(0.25, sources=6, targets=1, seeds=2, seed=50 + 3 * i))
                        for i, key in enumerate(settings.FOUR)})  # fmt: skip
        pooled = settings.together(settings.four(every))
        assert pooled.p < min(one.found.p for one in every.values())
        assert settings.together(settings.four(four())) is None

    def test_a_renamed_experiment_keeps_its_random_numbers(self):
        """The synthetic runs were recorded as "rbf": the verdict's p-values are those of that name."""
        draws = [torch.rand(3, generator=g) for g in (
            settings.load()["synthetic"].stream("verdict", "best"),
            streams.generator(0, "verdict", "rbf", "best"),
        )]  # fmt: skip
        assert torch.equal(*draws)


class TestWeights:
    def test_the_printed_text_table_weighs_nothing(self):
        assert claims.column(paper.TEXT, "adversarial_loss").endswith("n = 3, τ_b 1.00, exact p 0.167")
        assert claims.column(paper.TEXT, "tau1").endswith("τ_b -0.33, exact p 0.833")

    def test_table_1_over_its_five_chosen_attributes(self):
        assert claims.column(paper.ATTRIBUTES, "adversarial_loss").endswith("n = 5, τ_b 0.80, exact p 0.042")
        assert claims.curve("Figure 3", 5).endswith("p 0.008")
        assert "yes, as one blind choice in 5" in claims.extremes(paper.ATTRIBUTES, "adversarial_loss")
        assert "no, as one" in claims.extremes(paper.TEXT, "tau1")


class TestTheory:
    def test_statements_hold_and_the_printed_proof_of_theorem_2_does_not(self):
        decided = {row.claim: row.decision for row in theory.rows()}
        assert decided["Theorem 2: many outputs"] == "holds"
        assert decided["the proof of Theorem 2: the third term of (14)"] == "false as printed"
        assert decided["A is the best linear map"] == "false as printed"
        assert decided["Proposition 2: the loss lies between two bounds"] == "holds weakly"
        assert decided["high τ₁, τ₂: an affine map brings the models together"] == "holds weakly"
        assert list(decided.values()).count("false as printed") == 6

    def test_a_step_that_fails_takes_its_statement_with_it(self, monkeypatch):
        holds = Step.holds
        monkeypatch.setattr(Step, "holds", lambda s: s.name != "the constant 2" and holds(s))
        decided = {row.claim: row.decision for row in theory.rows()}
        assert decided["Theorem 2: many outputs"] == "false as printed"
        assert decided["Theorem 1: one output"] == "holds"

    def test_proposition_2_holds_weakly_because_an_instance_without_smoothness_breaks_it(self, monkeypatch):
        claim = "Proposition 2: the loss lies between two bounds"
        holds = Step.holds
        monkeypatch.setattr(Step, "holds", lambda s: "smoothness: REFUTED" not in s.name and holds(s))
        (row,) = [row for row in theory.rows() if row.claim == claim]
        assert row.decision == "holds"
        assert "bounded gradient" not in row.ours
        monkeypatch.setattr(Step, "holds", lambda s: s.name != "regrouping" and holds(s))
        assert {row.claim: row.decision for row in theory.rows()}[claim] == "false as printed"


class TestGuides:
    def test_a_rival_that_knows_is_ahead_of_a_measure_that_does_not(self):
        cells = planted(0.0, sources=12, targets=1, seeds=3, seed=7)
        found = robustness.scores(four(images=run_of(cells)))
        assert {score.predictor for score in found} == {OWN, "LogME"}  # LEEP is constant, k-NN absent
        (best,) = robustness.best(found)
        assert best.other.predictor == "LogME"
        assert best.other.tau.value == pytest.approx(1)
        assert best.difference.low > 0
        assert "in 1 of 1 settings. The 95 % interval of the difference excludes 0 in 1;" in summary.guide(
            [best]
        )

    def test_a_flip_is_a_flip(self, monkeypatch):
        monkeypatch.setattr(robustness, "EXTRA", {})
        found = robustness.changes(four(images=run_of(planted(1.0))))
        assert {c.what for c in found} == {"target 0", "target 1"}
        assert not any(c.flips for c in found)
        assert replace(found[0], before="not shown").flips

    def test_costs_are_medians_of_what_was_timed(self, monkeypatch):
        monkeypatch.setattr(costs, "PASSES", {})
        run = run_of(planted(1.0), seconds={"tau": 2.0})
        run.records[0]["seconds"] = {"tau": 100.0}
        assert [(c.part, c.seconds) for c in costs.costs(four(images=run))] == [("tau", 2.0)]

    def test_prices_are_in_units_of_knowledge_transfer(self, monkeypatch):
        monkeypatch.setattr(costs, "PASSES", {})
        assert costs.dearer(four()) == "No recorded run timed both the attacks and knowledge transfer."
        runs = four(
            images=run_of(planted(1.0), seconds={"attack": 6.0, "knowledge": 2.0, "rivals": 1.0}),
            text=run_of(planted(1.0), seconds={"attack": 1.0, "knowledge": 2.0}),
            tasks=run_of(planted(1.0), seconds={"attack": 1.0}),
        )
        assert report.price_table(runs).rows == [
            ["images", None, 3.0, 0.5, None], ["text", None, 0.5, None, None],
        ]  # fmt: skip
        assert costs.dearer(runs).startswith("In 1 of the 2 settings")
        assert costs.dearer(runs).endswith("of knowledge transfer: images (× 3.0).")

    def test_a_shared_name_says_what_it_stands_for(self):
        assert robustness.label("LogME") == "LogME"
        assert robustness.label(OWN) == "adversarial loss (tasks: adversarial affinity)"
        interval = statistics.Interval(0, 0, 0)
        own = {key: robustness.Score(made(key=key), OWN, interval, interval) for key in settings.FOUR}
        assert own["tasks"].title == "adversarial affinity"
        assert own["text"].title == OWN

    def test_both_directions(self):
        (found,) = robustness.both(four(images=run_of(planted(1.0))))
        assert found.found.tau > 0.5
        assert found.forward < 0.5
        assert robustness.gradients(ABSENT) == []


@pytest.fixture(scope="module")
def recorded():
    return settings.load()


@pytest.fixture(scope="module")
def every(recorded):
    return report.rows(recorded)


class TestRows:
    def test_every_claim_of_the_paper_is_decided(self, every):
        quotes = {row.quote for row in every}
        assert [claim.key for claim in paper.CLAIMS.values() if claim.quote not in quotes] == []

    def test_every_row_names_a_chapter(self, every):
        for row in every:
            page = fingerprint.ROOT / "book" / f"{row.page}.md"
            assert page.exists() or row.ours == "not recorded", row

    def test_rows_have_a_decision_and_evidence(self, every):
        for row in every:
            assert row.decision in ("holds", "holds weakly", "not shown", "false as printed")
            assert row.evidence
            assert row.ours

    def test_links_lead_to_pages(self, every):
        shown = report.table(every, "theory")._repr_html_()
        assert '<a href="theorem_2.html">theorem_2</a>' in shown
        assert "[theorem_2](theorem_2)" not in shown


def rows_of(one):
    return synthetic.rows(one.run) if one.key == "synthetic" else sections.section(one)


def without(folder, *names):
    """A copy of the recorded runs without some."""
    shutil.copytree(results.FOLDER, folder)
    for name in names:
        for known in results.names_of(name):
            path = folder / f"{known}-reduced.json"
            path.unlink(missing_ok=True)
    return settings.load(folder)


class TestSection:
    def test_a_chapter_shows_the_rows_of_its_section(self, recorded, every):
        if not recorded["attributes"]:
            pytest.skip("attributes-reduced is not recorded")
        run = recorded["attributes"].run
        own = [row for row in every if row.part == "4.3 attributes"]
        assert [row[:3] for row in report.section(run).rows] == [[r.claim, r.where, r.ours] for r in own]
        assert {row[0]: row[-1] for row in report.section(run).rows}["Young is first in both"] == "not shown"


class TestMissing:
    @pytest.mark.parametrize("key", [*settings.FOUR, "synthetic"])
    def test_a_deleted_run_turns_its_rows_into_not_shown(self, tmp_path, recorded, every, key):
        left = without(tmp_path / "results", key)
        assert {name for name, run in left.items() if run} == {n for n, r in recorded.items() if r} - {key}
        found = rows_of(left[key])
        needs_none = ("counted", "5 seeds")  # a caption, and the data set as printed
        gone = [row for row in found if row.sample not in needs_none]
        assert gone
        assert {row.decision for row in gone} == {"not shown"}
        assert {row.ours for row in gone} == {"not recorded"}
        assert len(found) == sum(row.part == left[key].part for row in every)

    def test_without_any_run_every_table_still_stands(self, tmp_path):
        from lib.verdict import figures

        left = settings.load(tmp_path)
        scores = robustness.scores(left)
        assert scores == []
        tables = [
            report.settings_table(left),
            report.rival_table(scores),
            report.best_table(robustness.best(scores)),
            report.cost_table(left),
            report.price_table(left),
            report.sensitivity_table(left),
            report.reverse_table(left),
            report.gradient_table(results.one("synthetic", name="icml", folder=tmp_path)),
        ]
        for table in tables:
            assert table._repr_html_()
        figures.forest(left, "none")
        figures.predictors(scores, "none")
        assert summary.answer(left).startswith("It is not shown")
        assert {row.decision for row in sections.general(left)} == {"not shown"}


@pytest.fixture(scope="module")
def texts():
    """`summary._text`, computed once for each set of runs."""
    return {}


@pytest.fixture(autouse=True)
def _once(monkeypatch, texts):
    whole = summary._text

    def text(runs):
        key = tuple(name for name, run in runs.items() if run)
        if key not in texts:
            texts[key] = whole(runs)
        return texts[key]

    monkeypatch.setattr(summary, "_text", text)


class TestSummary:
    def test_readme_and_landing_page_are_current(self, recorded):
        behind = [path.name for path in summary.stale(recorded)]
        assert not behind, f"{', '.join(behind)}: not what results/ says; mend it with {summary.COMMAND}"

    def test_a_deleted_run_makes_them_stale_and_write_mends_them(self, tmp_path, recorded):
        places = {}
        for path, pages in summary.PLACES.items():
            places[tmp_path / path.name] = pages
            shutil.copy(path, tmp_path / path.name)
        summary.write(recorded, places)
        assert summary.stale(recorded, places) == []
        left = without(tmp_path / "results", *settings.FOUR)
        assert summary.stale(left, places) == list(places)
        assert summary.write(left, places) == list(places)
        assert summary.stale(left, places) == []
        text = (tmp_path / "README.md").read_text()
        assert "| section 4.2, data, images | not shown | not recorded |" in text
        lines_of_proofs = next(line for line in text.splitlines() if "lines of their proofs" in line)
        assert "[theorem_2](book/theorem_2.md), [theorem_3](book/theorem_3.md)" in lines_of_proofs
        assert "(theorem_2.md)" in (tmp_path / "intro.md").read_text()
        original = next(path for path in summary.PLACES if path.name == "README.md").read_text()
        assert text.partition(summary.BEGIN)[0] == original.partition(summary.BEGIN)[0]
        assert text.partition(summary.END)[2] == original.partition(summary.END)[2]

    def test_a_file_without_the_markers_says_which(self, tmp_path, recorded):
        (tmp_path / "bare.md").write_text("nothing here")
        with pytest.raises(ValueError, match=r"verdict: written by `python -m lib verdict --write`"):
            summary.stale(recorded, {tmp_path / "bare.md": ""})

    def test_the_command_writes_and_reports(self, tmp_path, monkeypatch, capsys):
        place = tmp_path / "README.md"
        place.write_text(f"before\n{summary.BEGIN}\n{summary.END}\nafter\n")
        monkeypatch.setattr(summary.write, "__defaults__", ({place: "book/"},))
        monkeypatch.setattr(summary.stale, "__defaults__", ({place: "book/"},))
        monkeypatch.setattr(fingerprint, "ROOT", tmp_path)
        assert main(["verdict"]) == 1
        assert summary.COMMAND in capsys.readouterr().out
        assert main(["verdict", "--write"]) == 0
        assert "written: README.md" in capsys.readouterr().out
        assert main(["verdict"]) == 0
        assert place.read_text().startswith("before\n")
        assert place.read_text().endswith("after\n")


def test_numbers_of_the_synthetic_rows_are_those_of_the_chapter(recorded):
    """tau-b along t as the chapter's own table has it."""
    run = recorded["synthetic"].run
    if not run:
        pytest.skip("rbf-reduced.json is not here")
    records, pair = tracking.tested(run), ("tau2", "−transferred_loss")
    tau2 = [item for item in tracking.tracking(records) if (item.link.first, item.link.turned) == pair]
    mean = sum(item.along.value for item in tau2) / len(tau2)
    (row,) = [row for row in synthetic.rows(run) if row.claim == "τ₂ goes with the transferred loss"]
    assert row.ours.startswith(f"along t {mean:.2f} [")
    fixed = sum(item.fixed.value for item in tau2) / len(tau2)
    assert float(grid.taus(recorded["synthetic"].grid(*pair)).mean()) == pytest.approx(fixed)


def test_json_of_records_is_what_the_toy_assumes():
    """The keys that the settings read from a recorded run are in it."""
    run = results.one("images")
    if not run:
        pytest.skip("images-reduced is not recorded")
    record = json.loads(run.path.read_text())["records"][0]
    assert {"target", "source", "seed", "is_test", "seconds"} <= record.keys()
    assert math.isfinite(record["tau1"])
