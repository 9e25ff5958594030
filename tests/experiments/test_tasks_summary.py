"""What the summary of the task experiment makes of records with a planted structure."""

import copy
from types import SimpleNamespace

import pytest
import torch
from expected_entropy import expected_entropy

from lib import statistics
from lib.engine import runs
from lib.experiments.tasks import attacking, claims, figures, matrices, readings, tables
from lib.experiments.tasks.matrices import CATEGORIES, NAMES
from lib.experiments.tasks.readings import READINGS
from lib.statistics import clustering
from lib.theory import ledger
from lib.verdict import settings
from lib.verdict.settings import OWN

LEEP = matrices.at("rivals", "leep")  # None for every source of maps
SAME = torch.tensor([[float(a == b) for b in CATEGORIES] for a in CATEGORIES], dtype=torch.float64)


def planted(strengths, images, stream):
    """Losses (sources, targets, images): source i beats j on target t with odds s[i, t] : s[j, t]."""
    luck = -torch.rand(*strengths.shape, images, generator=stream, dtype=torch.float64).log()
    return strengths[..., None] / luck


def extended(strengths, rows):
    """With weak controls as further rows."""
    return torch.cat([strengths, torch.full((rows, 15), 0.05, dtype=torch.float64)])


def made_up(adversarial, direct, *, seeds=2, folds=2, images=300):
    """A run whose tournaments have the given strengths (sources, targets)."""
    records, stream = [], torch.Generator().manual_seed(0)
    own = [0.3 + 0.01 * k for k in range(15)]
    constant = {"constant": 1.0, "pixelwise": 0.9, "accuracy": None, "learnt": True}
    for seed in range(seeds):
        for fold in range(folds):
            found = {
                e: planted(extended(adversarial, 2), images, stream).clamp(max=1e6) for e in ("0.03", "0.06")
            }
            taught = planted(extended(direct, 1), images, stream)
            gain = (extended(direct, 1) / 10).tolist()
            table = [[0.1 * s + 0.01 * t for t in range(15)] for s in range(16)]
            records.append({
                "seed": seed,
                "fold": fold,
                "images": images,
                "attacked": images,
                "sources": [*NAMES, "untrained"],
                "competitors": [*NAMES, "untrained", "noise"],
                "own": {name: {"loss": loss, "relative": loss, **constant} for name, loss in zip(NAMES, own)},
                "attacks": {"clean": [1.0 + t for t in range(15)]}
                | {
                    e: {
                        "loss": (extended(adversarial, 2) + 1).tolist(),
                        "wins": {m: attacking.wins(losses, float(m)).tolist() for m in ("1", "1.001")},
                    }
                    for e, losses in found.items()
                },
                "tangent": {"tau1": table, "tau2": table, "alpha_squared": table},
                "knowledge": {
                    "loss": [[1 - g for g in row] for row in gain], "wins": attacking.wins(taught).tolist()
                },
                "rivals": {"logme": gain, "leep": [[None] * 15] * 16, "h_score": gain, "knn": gain,
                           "h_score_regularised": gain, "trans_rate": gain},
                "seconds": {"train": 1.0, "attack": 2.0},
            })  # fmt: skip
    config = SimpleNamespace(preset="quick", seeds=seeds, folds=folds, epsilons=(0.03, 0.06), margin=0.05)
    return runs.Result("tasks", config, records, {}, "made up")


@pytest.fixture(scope="module")
def ranked():
    """Every source has a strength of its own on every target, and teaches as well as it attacks."""
    strengths = torch.rand(15, 15, generator=torch.Generator().manual_seed(1), dtype=torch.float64) * 3 + 0.2
    return made_up(strengths, strengths), strengths


def test_three_planted_groups_are_recovered():
    result = made_up(1 + 3 * SAME, 1 + 0 * SAME)
    for name, matrix in matrices.panels(result).items():
        found = clustering.cut(clustering.tree(matrices.comparable(matrix)), 3)
        rand = clustering.adjusted_rand(found, CATEGORIES)
        assert (rand == 1) == ("adversarial" in name)


def test_planted_strengths_are_recovered_in_order(ranked):
    result, strengths = ranked
    for e in matrices.radii(result):
        ranks = [m.argsort(0).argsort(0).double() for m in (matrices.adversarial(result, e), strengths)]
        rho = [float(torch.corrcoef(torch.stack(pair))[0, 1]) for pair in zip(*(r.mT for r in ranks))]
        assert min(rho) > 0.9  # near ties may swap
    worst = matrices.without_means(matrices.adversarial(result, "0.03"))
    off = ~torch.eye(15, dtype=torch.bool)
    assert (worst * off).sum(0).abs().max() < 1e-6
    assert (worst * off).sum(1).abs().max() < 1e-6


def test_a_measure_that_follows_knowledge_does_so_on_every_target(ranked):
    result, strengths = ranked
    measure, knowledge = READINGS.headline
    seen = READINGS.of(result)
    found = readings.link(seen, measure, knowledge)
    assert list(found) == NAMES
    assert min(one.value for one in found.values()) > 0.75
    sides = [seen.values(name, NAMES[0]) for name in (measure, knowledge)]
    assert sides[0].shape == (14, 2)
    within = [statistics.kendall(*(side[:, seed] for side in sides)).tau for seed in (0, 1)]
    assert found[NAMES[0]].value == pytest.approx(sum(within) / 2)
    fewer = copy.deepcopy(result)
    fewer.records[0]["own"]["Reshade"]["learnt"] = False
    kept = [k for k, name in enumerate(NAMES[1:]) if name != "Reshade"]
    within = [statistics.kendall(*(side[kept, seed] for side in sides)).tau for seed in (0, 1)]
    one = readings.link(READINGS.of(fewer), measure, knowledge, learnt=True)[NAMES[0]]
    assert one.value == pytest.approx(sum(within) / 2)
    against = readings.link(
        READINGS.of(made_up(strengths, 1 / strengths)), "adversarial loss, ε = .03", knowledge
    )
    assert max(one.value for one in against.values()) < -0.75


def test_values_leave_out_the_target_s_own_source_and_the_control(ranked):
    result, _ = ranked
    seen = READINGS.of(result)
    assert sorted(seen.sources) == sorted(NAMES)
    assert seen.records("Depth", "Depth") == []
    assert seen.controls() == ["untrained"]
    expected = [0.1 * s + 0.01 * NAMES.index("Depth") for s in range(15) if NAMES[s] != "Depth"]
    others = [name for name in NAMES if name != "Depth"]
    found = seen.values("τ₁", "Depth", others)
    assert found.shape == (14, 2)
    torch.testing.assert_close(found[:, 0], torch.tensor(expected, dtype=torch.float64))
    assert seen.values("same category", "Depth").sum(0).tolist() == [6.0, 6.0]


def test_folds_of_a_seed_are_one_test(ranked):
    result, _ = ranked
    other = copy.deepcopy(result.records)
    for record in other:
        record["knowledge"]["loss"][3][8] = 0.2 if record["fold"] else 0.6
    changed = runs.Result("tasks", result.config, other, {}, "made up")
    pair = readings.pairs(changed, NAMES[8], 1)[NAMES[3]]
    assert pair["taught"]["loss"] == pytest.approx(0.4)
    assert pair["taught"]["gain"] == pytest.approx(0.6)
    half = runs.Result("tasks", result.config, other[:3], {}, "made up")
    assert readings.seeds(half) == [0]  # seed 1 lacks a fold


def test_a_task_that_was_not_learnt_is_no_target(ranked):
    result, _ = ranked
    other = copy.deepcopy(result.records)
    other[2]["own"]["Reshade"]["learnt"] = False
    changed = runs.Result("tasks", result.config, other, {}, "made up")
    assert readings.targets(changed) == [name for name in NAMES if name != "Reshade"]
    assert "not learnt in 1 of 4" in str(tables.own_table(changed))


def test_a_run_in_which_nothing_was_learnt_says_so(ranked):
    """A reader who sets epochs=1 gets a page, not an error."""
    result, _ = ranked
    other = copy.deepcopy(result.records)
    for one in other[0]["own"].values():
        one["learnt"] = False
    changed = runs.Result("tasks", result.config, other, {}, "made up")
    assert "only 0 networks have learnt their task" in str(tables.link_table(changed))
    assert tables.agreement_table(changed).rows
    figures.agreement(changed).canvas.draw()


def test_main_effects_leave_nothing():
    source, target = torch.rand(2, 15, generator=torch.Generator().manual_seed(0), dtype=torch.float64) + 0.1
    matrix = source[:, None] * target
    matrix.fill_diagonal_(0.9)
    left = matrices.without_means(matrix)
    assert left[~torch.eye(15, dtype=torch.bool)].abs().max() < 1e-9


def test_only_the_authors_matrix_depends_on_the_listing(ranked):
    result, _ = ranked
    order = torch.randperm(15, generator=torch.Generator().manual_seed(3))
    listed = matrices.authors(result, "0.03")
    assert torch.equal(listed, matrices.authors(result, "0.03", torch.arange(15)))
    assert (listed - matrices.authors(result, "0.03", order)).abs().max() > 1e-3
    thousandth = matrices.shares(result, "0.03", "1.001")[order][:, order][:, :, order]
    theirs = clustering.affinity_of_wins(thousandth, solver="eigh", scale="authors")
    torch.testing.assert_close(matrices.authors(result, "0.03", order)[order][:, order], theirs)
    mixed = matrices.shares(result, "0.03")[order][:, order][:, :, order]
    back = order.argsort()
    torch.testing.assert_close(
        clustering.affinity_of_wins(mixed)[back][:, back], matrices.adversarial(result, "0.03")
    )


def test_the_null_is_the_closed_form_at_both_ends():
    null = matrices.entropy_null(False, repeats=50)
    proportions = torch.tensor([5, 7, 3], dtype=torch.float64) / 15
    assert float(null.mean[0]) == pytest.approx(float(torch.special.entr(proportions).sum()))
    assert float(null.mean[-1]) == 0
    expected = expected_entropy(CATEGORIES, 6)
    assert float(matrices.entropy_null(False).mean[5]) == pytest.approx(expected, abs=0.02)


def test_tables_and_figures_show_every_task(ranked, monkeypatch):
    result, _ = ranked
    monkeypatch.setattr(matrices, "published", lambda: None)
    monkeypatch.setattr(matrices, "REPEATS", 30)
    monkeypatch.setattr(matrices, "LISTINGS", 2)
    shown = [
        tables.own_table(result),
        tables.strength_table(result),
        tables.target_table(result, readings.AFFINITY),
        tables.names_table(),
    ]
    for table in shown:
        assert all(readings.title(name) in str(table) for name in NAMES)
    link = str(tables.link_table(result))
    assert all(name in link for name in READINGS.predictors)
    assert "15 of 15" in link
    lacking = copy.deepcopy(result)
    lacking.records[0]["rivals"]["logme"][3][4] = None
    assert "LogME" not in [row[0] for row in tables.link_table(lacking).rows]
    assert len(tables.agreement_table(result).rows) == 3 + 1 + 3 + 2
    assert "tasks listed at random" in str(tables.tree_table(result))
    assert "planted" in str(tables.solver_table(result, draws=3))
    assert len(tables.cost_table(result).rows) == 2
    assert len(figures.trees(result).axes) == 2
    figures.ranks(result).canvas.draw()
    marks = figures.agreement(result).axes[0].lines
    assert max(marks[0].get_xdata()) > 0.75
    curves = figures.entropies(result, weighted=True).axes[0].lines
    assert {float(line.get_ydata()[-1]) for line in curves} == {0.0}


def test_without_readouts_the_adversarial_half_stands_alone(ranked):
    result, _ = ranked
    bank = [r | {"own": {}, "knowledge": {}, "rivals": {}, "tangent": {}} for r in result.records]
    alone = runs.Result("tasks", result.config, bank, {}, "made up")
    assert list(matrices.panels(alone)) == ["adversarial, ε = 0.03", "adversarial, ε = 0.06"]
    for table in (tables.own_table, tables.link_table):
        assert "not measured" in str(table(alone))
    assert READINGS.of(alone).values("adversarial loss, ε = .06", "Depth").shape == (14, 2)
    figures.ranks(alone).canvas.draw()


@pytest.mark.parametrize("name", [OWN, "LogME", "τ₁"])
def test_the_chapter_and_the_verdict_have_one_number(name):
    found = runs.recorded("tasks", "reduced")
    if not found:
        pytest.skip("not recorded")
    setting = settings.load()["tasks"]
    own = readings.AFFINITY if name == OWN else name
    mean = readings.mean_tau(readings.link(READINGS.of(found[0]), own, readings.READOUT))
    assert mean == pytest.approx(setting.evidence(name).tau)


def test_the_recorded_run_says_what_the_chapter_says():
    """The rows of the page are decided by the recorded numbers, and refuse other numbers."""
    found = runs.recorded("tasks", "reduced")
    if not found:
        pytest.skip("not recorded")
    rows = claims.rows(found[0])
    assert [row.verdict for row in rows].count("refuted") == 3
    assert not any(
        row.decide() == ledger.HOW["refuted"] for row in rows
    )  # all of them are hypotheses of ours
    for row in rows:
        row.decide()
    assert "for none of 10 targets" in rows[3].found
    for record in found[0].records:  # attacks that follow transfer, and hurt more than noise
        share = record["attacked"] / record["images"]
        for attack in (record["attacks"][e] for e in ("0.03", "0.06")):
            wins = torch.zeros(15, 17, 17)
            wins[:, :16, :16] = torch.tensor(record["knowledge"]["wins"]) * share
            wins[:, :16, 16] = record["attacked"]
            attack["wins"] = {"1": wins.tolist(), "1.001": wins.tolist()}
    ranking, noise = (claims.rows(found[0])[k] for k in (3, 5))
    for row in (ranking, noise):
        with pytest.raises(ValueError, match="not supported"):
            row.decide()
