"""The image experiment: who learns from what, what a record holds, and what the summary makes of records."""

import dataclasses
import json
import math
from types import SimpleNamespace

import pytest
import torch
from torch.nn import functional

from lib.attacks.projected import pgd
from lib.attacks.tangent import virtual
from lib.base import streams
from lib.data import images as data
from lib.data import registry
from lib.engine import parameters, results, runs
from lib.experiments.common import pixels, stored
from lib.experiments.images import claims, figures, networks, settings, tables
from lib.experiments.images import record as images
from lib.experiments.images.readings import READINGS
from lib.measures import estimators, transferability

TINY = dataclasses.replace(
    images.PRESETS["quick"],
    seeds=1,
    targets=("digits low",),
    width=4,
    epochs=2,
    attack_images=40,
    sweep_images=12,
    sweep_epsilons=(0.0, 0.2),
    sweep_steps=(1, 3),
    steps=3,
    tune_epochs=1,
    null_repeats=5,
    device="cpu",
    probe_strengths=(0.1, 1.0),
)
CPU = torch.device("cpu")
JOB = {"target": "digits low", "source": "50% high digits", "seed": 0}


@pytest.fixture(scope="module")
def record(tmp_path_factory):
    """One record, computed once, outside the store of any run."""
    patch = pytest.MonkeyPatch()
    patch.setenv("TRANSFER_RUNS", str(tmp_path_factory.mktemp("runs")))
    yield runs.fresh(images, TINY, JOB)
    patch.undo()


def flattened(part):
    return {bytes(image.numpy().tobytes()) for image in part.images}


def test_sources_and_targets_are_those_of_the_paper_and_the_code():
    """exp1/cmd.sh of 985ab57, by CIFAR-10 class number; the target's groups by name."""
    assert list(data.SOURCES.values()) == [
        (0, 1, 8, 9),
        (2, 1, 8, 9),
        (2, 3, 8, 9),
        (2, 3, 4, 9),
        (2, 3, 4, 5),
    ]
    shares = [settings.shared(images.PRESETS["paper"], name, "stl10 vehicles") for name in data.SOURCES]
    assert shares == [1.0, 0.75, 0.5, 0.25, 0.0]
    assert settings.shared(images.PRESETS["paper"], "25% animals", "stl10 animals") == 0.25
    assert settings.shared(TINY, "100% high digits", "digits high") == 1.0
    assert settings.shared(TINY, settings.UNTRAINED, "digits high") is None
    for name, digits in settings.DIGIT_SOURCES.items():
        high = len(set(digits) & set(settings.DIGIT_TARGETS["high"]))
        assert name == f"{25 * high}% high digits"


def test_source_and_reference_share_no_image():
    source = networks.source_split(TINY, "0% high digits")
    other = networks._half(data.mixture(data.digits(), settings.DIGIT_TARGETS["low"]), 1)
    assert source.classes == other.classes == ["0", "1", "2", "3"]
    assert not flattened(source.train) & flattened(other.train)
    assert not flattened(source.train) & flattened(source.test)
    assert abs(len(source.train) - len(other.train)) <= 4


def test_the_target_s_domain_is_shifted_the_same_way_each_time():
    plain = networks._half(data.mixture(data.digits(), settings.DIGIT_TARGETS["low"]), 1)
    shifted, again = networks.target_split(TINY, "digits low"), networks.target_split(TINY, "digits low")
    for part in ("train", "valid", "test"):
        moved, before = getattr(shifted, part), getattr(plain, part)
        assert torch.equal(moved.images, getattr(again, part).images)
        assert torch.equal(moved.labels, before.labels)
        assert moved.images.dtype == torch.uint8
        change = (moved.images.float() - before.images.float()).abs().mean() / 255
        assert 0.05 < change < 0.3


def test_a_record_is_plain_and_the_same_each_time_on_any_number_of_threads(record, two_threads):
    assert json.loads(json.dumps(record)) == record
    again = runs.fresh(images, TINY, JOB)
    assert {k: v for k, v in again.items() if k != "seconds"} == {
        k: v for k, v in record.items() if k != "seconds"
    }
    other = runs.fresh(images, TINY, JOB | {"seed": 1})
    assert other["tau1"] != record["tau1"]


def test_another_floor_or_probe_trains_nothing_and_attacks_nothing_again(monkeypatch):
    """Training, tau and attacks are steps: what they do not depend on leaves them as they were stored."""

    def never(*_, **__):
        raise AssertionError("computed again")

    first = runs.fresh(images, TINY, JOB)
    for module, name in (
        (stored, "state"),
        (transferability, "measure"),
        (pixels, "record"),
        (pixels, "in_parts"),
    ):
        monkeypatch.setattr(module, name, never)
    changed = dataclasses.replace(TINY, floor=1.01, probe_strengths=(1.0,))
    again = runs.fresh(images, changed, JOB)
    assert (first["is_test"], again["is_test"]) == (first["reference_accuracy"] >= TINY.floor, False)
    assert again["knowledge"]["probe_strength"] == 1.0
    for part in ("attacks", "sweeps", "tau1", "tau2_null"):
        assert again[part] == first[part]
    for part in ("source", "reference", "tau", "attack"):
        assert again["seconds"][part] == first["seconds"][part]
    with pytest.raises(AssertionError, match="computed again"):
        runs.fresh(images, dataclasses.replace(TINY, epsilon=0.2), JOB)


def test_a_record_holds_what_its_models_do(record):
    """The cross adversarial loss, by hand, from the same two networks."""
    source = networks.source_model(TINY, JOB["source"], 0)
    reference = networks.reference_model(TINY, JOB["target"], 0)
    x, y = networks.pixels(networks.target_split(TINY, JOB["target"]).test.take(10), CPU)
    stream = streams.generator(0, "attack")
    moved = pgd(source, x, 0.1, 3, clip=(0.0, 1.0), generator=stream)
    with torch.no_grad():
        before, after = reference(x), reference(moved)
    loss = functional.cross_entropy(after, y)
    right = before.argmax(1) == y
    authors = (functional.cross_entropy(after, y, reduction="none") * right).sum() / len(y)
    assert record["attacks"]["pgd"]["loss"] == pytest.approx(loss.item(), rel=1e-5)
    assert record["attacks"]["pgd"]["loss_authors"] == pytest.approx(authors.item(), rel=1e-5)
    assert record["attacks"]["clean"]["loss"] == pytest.approx(
        functional.cross_entropy(before, y).item(), rel=1e-5
    )
    assert record["attacks"]["clean"]["accuracy"] == pytest.approx(right.double().mean().item())
    assert record["sweeps"]["epsilon"][0] == pytest.approx(
        functional.cross_entropy(before[:12], y[:12]).item(), rel=1e-6
    )


def test_definition_1_s_loss_is_the_mean_over_both_signs(record):
    source = networks.source_model(TINY, JOB["source"], 0)
    reference = networks.reference_model(TINY, JOB["target"], 0)
    x, y = networks.pixels(networks.target_split(TINY, JOB["target"]).test.take(10), CPU)
    delta = virtual(source, x, 1.0)
    with torch.no_grad():
        losses = [functional.cross_entropy(reference((x + s * delta).clamp(0, 1)), y).item() for s in (-1, 1)]
    assert record["attacks"]["definition_1"]["loss"] == pytest.approx(sum(losses) / 2, rel=1e-5)
    assert losses[0] != pytest.approx(losses[1], rel=1e-4)


def test_a_record_obeys_the_definitions(record):
    assert record["alpha"] == pytest.approx(math.sqrt(record["alpha_squared"]))
    assert 0 <= record["tau1"] <= 1
    assert 0 <= record["tau2"] <= 1
    assert record["tau1_chance"] == 1 / 64
    assert record["tau2_null"][0] <= record["tau2_null"][1]
    assert record["shared"] == 0.5
    assert len(record["sweeps"]["steps"]) == 2


def test_a_weak_reference_is_no_test(record):
    assert record["is_test"] == (record["reference_accuracy"] >= TINY.floor)
    strict = runs.fresh(images, dataclasses.replace(TINY, floor=1.01), JOB)
    assert strict["is_test"] is False
    assert "not a test" in str(tables.frame_table(result([strict | {"source": "0% high digits"}])))


def test_white_box_attacks_hurt_more_than_noise(record):
    losses = {name: found["loss"] for name, found in record["attacks"].items()}
    assert losses["white_box"] > losses["noise"]
    assert losses["white_box"] > losses["clean"]


def test_definition_1_is_a_step_of_the_given_length():
    model = networks.build(TINY, torch.Generator().manual_seed(0))
    x = torch.full((3, 1, 8, 8), 0.5)
    there, back = (pixels.euclidean(model, sign * 0.3)(x) - x for sign in (1, -1))
    torch.testing.assert_close(there.flatten(1).norm(dim=1), torch.full((3,), 0.3))
    torch.testing.assert_close(there, -back)


def test_fine_tuning_replaces_the_head_and_moves_the_body():
    model = networks.build(TINY, torch.Generator().manual_seed(0))
    body, head = model.first.weight.clone(), model.head.weight.clone()
    part = networks.target_split(TINY, "digits low").train
    tuned = networks.fine_tuned(TINY, model, part, torch.Generator().manual_seed(1))
    assert not torch.equal(tuned.first.weight, body)
    assert not torch.equal(tuned.head.weight, head)


@pytest.mark.parametrize("preset", list(images.PRESETS))
def test_presets_are_complete(preset):
    config = images.PRESETS[preset]
    jobs = images.jobs(config)
    assert len(jobs) == 6 * len(config.targets) * config.seeds
    assert registry.needed(config.source_data)[0] in images.datasets(config)
    assert config.preset == preset
    assert parameters.build(images, {"preset": preset, "seeds": None}) == config
    for target in config.targets:
        settings.split_target(target)


def test_the_paper_s_network_and_schedule():
    config = images.PRESETS["paper"]
    model = networks.build(config, torch.Generator().manual_seed(0))
    assert (
        sum(p.numel() for p in model.parameters()) == 11_170_884
    )  # ResNet-18 for 32 x 32 images, four classes
    assert (config.epochs, config.lr, config.weight_decay, config.epsilon, config.steps) == (
        300,
        0.1,
        1e-4,
        0.1,
        10,
    )
    assert images.datasets(config) == registry.needed("cifar10", "stl10")


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"seeds": 0}, "seeds=0"),
        ({"epsilon": -0.1}, "epsilon=-0.1"),
        ({"sweep_images": 41}, "sweep_images=41"),
        ({"sweep_steps": (0,)}, "sweep_steps"),
        ({"model": "vgg"}, "vgg"),
        ({"source_data": "mnist"}, "mnist"),
        ({"targets": ("cifar10 vehicles",)}, "does not fit"),
        ({"targets": ("digits odd",)}, "low, high"),
        ({"targets": ("svhn vehicles",)}, "one of digits"),
    ],
)
def test_impossible_settings_are_named(changes, message):
    with pytest.raises(ValueError, match=message):
        dataclasses.replace(TINY, **changes)


def result(records):
    config = SimpleNamespace(
        preset="quick", floor=0.6, sweep_epsilons=(0.0, 0.1), sweep_steps=(1, 2), sweep_images=10, seeds=2
    )
    return runs.Result("images", config, records, {}, "made up")


def made_up(record, seeds=2):
    """Five sources and a control on two targets: tau1 orders them well on one, backwards on the other."""
    rows = []
    for target, sign in (("digits low", 1), ("digits high", -1)):
        for rank, name in enumerate([*settings.DIGIT_SOURCES, settings.UNTRAINED]):
            for seed in range(seeds):
                knowledge = record["knowledge"] | {"probe_accuracy": 0.9 - 0.1 * rank + 0.001 * seed}
                shared = None if name == settings.UNTRAINED else 1 - rank / 4
                rows.append(
                    record
                    | {
                        "target": target,
                        "source": name,
                        "seed": seed,
                        "shared": shared,
                        "knowledge": knowledge,
                    }
                    | {"tau1": 0.5 - sign * 0.05 * rank, "tau2": 0.3}
                )
    return result(rows)


def test_links_are_kendall_over_the_five_sources(record):
    seen = READINGS.of(made_up(record))
    found = seen.link("τ₁", "probe accuracy", "digits low")
    assert (found.means.tau, found.means.n) == (1.0, 5)
    assert found.means.p_one_sided == pytest.approx(1 / 120)
    assert found.order.value == pytest.approx(1.0)
    assert found.order.p_one_sided < 0.03
    assert seen.link("τ₁", "probe accuracy", "digits high").means.tau == -1.0
    assert seen.link("τ₂", "probe accuracy", "digits low").each == [0.0, 0.0]
    assert seen.link("τ₁", "probe accuracy").order.value == pytest.approx(0.0)
    assert seen.link("class overlap", "probe accuracy").order.value == pytest.approx(1.0)


def test_choosing_by_a_measure_has_its_price(record):
    seen = READINGS.of(made_up(record))
    good = seen.choice("τ₁", "probe accuracy", "digits low")
    assert (good.right, good.seeds) == (2, 2)
    assert good.regret == 0
    assert good.random == pytest.approx(0.2)
    bad = seen.choice("τ₁", "probe accuracy", "digits high")
    assert bad.right == 0
    assert bad.regret == pytest.approx(0.4)


def test_the_recorded_run_says_what_the_chapter_says():
    """The rows of the page are decided by the recorded numbers, and refuse other numbers."""
    recorded = results.one("images")
    if not recorded:
        pytest.skip("images-reduced is not recorded")
    assert min(r["reference_accuracy"] for r in recorded.records) >= recorded.config.floor
    assert len({r["seed"] for r in recorded.records}) == 5
    rows = claims.rows(recorded)
    verdicts = [row.verdict for row in rows]
    assert [verdicts.count("not shown"), verdicts.count("refuted")] == [1, 1]
    for row in rows:
        row.decide()
    for record in recorded.records:
        record["tau1"] = 1.0 + (record["shared"] or 0.0)
        record["attacks"]["pgd"]["loss"] = record["knowledge"]["probe_accuracy"]
    for row in claims.rows(recorded)[1:4]:
        with pytest.raises(ValueError, match="not supported"):
            row.decide()


def test_tables_and_figures_show_every_source(record):
    made = made_up(record)
    table = str(tables.source_table(made, "digits low"))
    assert all(name in table for name in [*settings.DIGIT_SOURCES, "untrained"])
    assert str(tables.rival_table(made)).count("class overlap | baseline") == 1
    assert str(tables.joint_table(made)).count("(p ") == 7 * 4
    assert "2 of 2" in str(tables.choice_table(made))
    drawn = [
        figures.figure_3(made),
        figures.raw(made),
        figures.scatter(made),
        figures.sweeps(made),
        figures.links(made),
        figures.swapped_axis(made, "digits high"),
    ]
    labels = [text.get_text() for text in drawn[-1].axes[1].get_xticklabels()]
    assert labels == ["100", "75", "50", "25", "0"]
    heights = drawn[0].axes[0].lines[0].get_ydata()
    assert min(heights) >= 0
    assert max(heights) <= 1


def test_the_example_is_attacked_within_its_radius():
    shown = figures.example(TINY, "digits low", "50% high digits", epsilon=0.2)
    assert (shown.after - shown.before).abs().max() <= 0.2 + 1e-6
    assert shown.source_classes == ["6", "7", "2", "3"]
    assert shown.labels.tolist() == [0, 1, 2]
    for belief in (*shown.source_beliefs, *shown.reference_beliefs):
        torch.testing.assert_close(belief.sum(1), torch.ones(3))
    figure = figures.attacked(shown, "made up")
    assert len(figure.axes) == 15


def test_the_domain_distance_is_that_of_the_mean_features_and_grows_with_the_shift(record):
    reference = networks.reference_model(TINY, JOB["target"], 0)
    split = networks.target_split(TINY, JOB["target"])
    assert images.domain_distance(reference, split.train, split, CPU) == 0.0
    assert images.domain_distance(reference, None, split, CPU) is None
    other = networks.source_split(TINY, "100% high digits").train
    count = min(250, int(split.train.labels.bincount().min()))
    x, _ = networks.pixels(split.train.take(count), CPU)
    z, _ = networks.pixels(other.take(min(250, int(other.labels.bincount().min()))), CPU)
    with torch.no_grad():
        here, there = reference.features(x).double(), reference.features(z).double()
    expected = ((here.mean(0) - there.mean(0)) ** 2).sum() / here.var(0).sum()
    assert images.domain_distance(reference, other, split, CPU) == pytest.approx(float(expected), rel=1e-5)


def test_rivals_are_scored_on_the_target_s_training_images(record):
    source = networks.source_model(TINY, JOB["source"], 0)
    part = networks.target_split(TINY, JOB["target"]).train
    x, y = networks.pixels(part.take(int(part.labels.bincount().min())), CPU)
    with torch.no_grad():
        expected = estimators.scores(source.features(x), y, source(x).softmax(1))
    assert record["rivals"] == pytest.approx(expected, rel=1e-4)
    assert record["baselines"]["source_accuracy"] == record["source_accuracy"]
