"""What is made of the records of a text run: orders, tables, figures, the ledger of the recorded run."""

import contextlib
import dataclasses
from types import SimpleNamespace

import pytest
import torch
from tinytext import JOB, TINY, imitation, made

from lib import statistics
from lib.base import paper
from lib.engine import results, runs
from lib.experiments.text import claims, figures, networks, settings, tables
from lib.experiments.text import record as text
from lib.experiments.text.readings import READINGS, title


@pytest.fixture(scope="module", autouse=True)
def world(tmp_path_factory):
    with imitation(tmp_path_factory):
        yield


@pytest.fixture(scope="module")
def record(world):
    return made(JOB)


def made_up(record, seeds=2):
    """Three sources and a control: the adversarial loss orders them well, tau1 backwards."""
    rows = []
    for rank, name in enumerate([*TINY.sources, settings.UNTRAINED]):
        for seed in range(seeds):
            knowledge = record["knowledge"] | {"tuned_accuracy": 0.9 - 0.1 * rank + 0.001 * seed}
            losses = record["attacks"] | {
                "textfooler": {"loss": 2.0 - rank, "loss_right": 1.0, "accuracy": 0.5}
            }
            same = None if name == settings.UNTRAINED else float(rank == 0)
            nothing = {"source_accuracy": None, "domain_distance": None}
            more = {"baselines": nothing} if same is None else {}
            rows.append(
                record
                | {"source": name, "seed": seed, "same_task": same, "tau1": 0.3 + 0.1 * rank, "tau2": 0.01}
                | {"knowledge": knowledge, "attacks": losses}
                | more
            )  # fmt: skip
    config = SimpleNamespace(**dataclasses.asdict(TINY) | {"seeds": seeds})
    return runs.Result("text", config, rows, {}, "made up")


def test_links_are_kendall_over_the_sources(record):
    seen = READINGS.of(made_up(record))
    found = seen.link(*READINGS.headline)
    assert (found.means.tau, found.means.n) == (1.0, 3)
    assert found.means.p_one_sided == pytest.approx(1 / 6)
    assert found.order.value == pytest.approx(1.0)
    assert seen.link("τ₁", "fine-tuned accuracy").means.tau == -1.0
    assert seen.link("τ₂", "fine-tuned accuracy").each == [0.0, 0.0]
    assert (seen.choice(*READINGS.headline).right, seen.choice("τ₁", "probe accuracy").seeds) == (2, 2)
    assert seen.choice("τ₁", "fine-tuned accuracy").regret == pytest.approx(0.2)


def test_the_summary_keeps_the_common_protocol(record):
    seen = READINGS.of(made_up(record))
    assert seen.targets == ["imdb_part"]
    assert seen.sources == list(TINY.sources)
    for name in (*READINGS.predictors, *READINGS.knowledge):
        found = seen.values(name, "imdb_part")
        assert found.shape == (3, 2)
        assert found.dtype == torch.float64
    assert title("liar") == "Fake, LIAR"
    assert title("vader films") == "films"


def test_the_paper_s_three_points_prove_little(record):
    """One-sided exact p of a perfect order of three is 1/6; tau1 is ordered against knowledge."""
    shown = str(tables.order_table(made_up(record)))
    perfect = statistics.kendall(paper.TEXT.columns["tau2"], paper.TEXT.columns["knowledge"])
    assert perfect.p_one_sided == pytest.approx(1 / 6)
    assert "| paper | τ₁ | 3 | -0.333 |" in shown
    assert "| paper | τ₂ | 3 | 1.00 | 0.167 |" in shown


def test_tables_and_figures_show_every_source(record):
    made = made_up(record)
    for table in (tables.source_table, tables.attack_table, tables.paper_table):
        shown = str(table(made))
        assert all(title(name) in shown for name in TINY.sources)
    assert "0716" in str(tables.paper_table(made))
    assert str(tables.joint_table(made)).count("(p ") == 5 * len(READINGS.predictors)
    assert "one model was not trained, contrasts" in str(tables.explanation_table(made))
    stamped = tables.neighbour_table([("good", ["bad", "fine"], ["bad"])], made.caption)
    assert stamped.note.endswith(made.caption)
    assert "2 of 2" in str(tables.choice_table(made))
    assert "not a test" in str(tables.frame_table(made_up(record | {"is_test": False})))
    assert len(tables.reading_table(made).rows) == 2 + len(tables.READ)
    assert tables.link_table(made).rows[0][4] == pytest.approx(1.0)
    for figure in (figures.raw(made), figures.beside(made), figures.links(made), figures.collapse(made),
                   figures.sizes(made)):  # fmt: skip
        assert "made up" in figure.texts[-1].get_text()
    stars = figures.beside(made).axes[1].lines[-1]
    assert stars.get_xdata().tolist() == [1.34e-3, 8e-4, 3e-6]


def test_an_attacked_text_is_shown_escaped_with_its_changes():
    if any(each.digest() is None for each in text.datasets(TINY)):
        pytest.skip("the data sets of the recorded run are not here")
    found = figures.attacked(TINY, "made up")
    assert [one.attacker for one in found.attacks] == [*TINY.sources, figures.ITSELF]
    originals = {"".join(piece for piece, _ in one.pieces) for one in found.attacks}
    assert len(originals) == 1
    assert originals <= set(networks.attacked_part(TINY).texts)
    harmful = figures.Shown(
        "liar", [("<script>", None), ("good", "b&d")], (("x", 0.5),) * 2, (("y", 0.5),) * 2
    )
    page = figures.Example("imdb_part", "<b>", [harmful], "made up & more")._repr_html_()
    assert "<script>" not in page
    assert "&lt;script&gt;<del>good</del> <ins><b>b&amp;d</b></ins>" in page
    assert "rated &lt;b&gt;" in page
    assert "made up &amp; more" in page


def test_a_source_that_answers_otherwise_is_marked():
    shown = figures.Shown(
        "liar", [("good", "bad")], (("real", 0.75), ("fake", 0.5)), (("y", 0.5), ("y", 0.4))
    )
    page = figures.Example("imdb_part", "positive", [shown], "made up")
    assert "real 0.75 → <b>fake 0.50</b>" in page._repr_html_()
    assert "[good → bad]" in str(page)


def test_the_recorded_run_says_what_the_chapter_says():
    """The rows of the page are decided by the recorded numbers, and refuse other numbers."""
    recorded = results.one("text")
    if not recorded:
        pytest.skip("text-reduced is not recorded")
    assert len(recorded.records) == recorded.config.seeds * 7 == 35
    assert all(r["is_test"] for r in recorded.records)
    for row in claims.rows(recorded):
        row.decide()
    for record in recorded.records:
        record["knowledge"]["tuned_accuracy"] *= -1
        record["attacks"]["chance"]["loss"] = 0.0
        record["readings"]["probabilities"]["tau2"] = 0.1
        record["tau1"], record["by_scale"]["0.001"][0] = 0.5, 1e-3
    left = []
    for place, row in enumerate(claims.rows(recorded)):
        with contextlib.suppress(ValueError):
            row.decide()
            left.append(place)
    # the paper's three points, no order among four sources, and a rival that is better, hold for both numbers
    assert left == [0, 3, 6]
