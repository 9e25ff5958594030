"""The attribute experiment: whose photos, which networks, tangents without a Jacobian, and its records."""

import dataclasses
import json
import math

import pytest
import torch
from torch import nn
from torch.nn import functional

from lib.attacks.projected import pgd
from lib.base import streams
from lib.data import registry
from lib.data.faces import BENCHMARKS, Faces, Pairs
from lib.engine import parameters, runs
from lib.experiments.attributes import attacking, networks, people, settings
from lib.experiments.attributes import record as attributes
from lib.experiments.attributes.figures import example, portraits
from lib.measures import jacobian, transferability
from lib.models.arcface import focal_loss

TINY = dataclasses.replace(
    attributes.PRESETS["quick"], seeds=1, size=16, people=10, least=5, width=4, embedding=8, epochs=1,
    attributes=("Male", "Smiling", "Young"), reference_epochs=2, attack_images=24, familiar_images=8,
    steps=2, pairs=50, rival_images=60, null_repeats=3, device="cpu",
)  # fmt: skip
JOB = {"source": "Smiling", "seed": 0}


@pytest.fixture(scope="module", autouse=True)
def _store(tmp_path_factory):
    """Networks of this module are kept outside the store of any run."""
    patch = pytest.MonkeyPatch()
    patch.setenv("TRANSFER_RUNS", str(tmp_path_factory.mktemp("runs")))
    yield
    patch.undo()


@pytest.fixture(scope="module")
def record():
    return runs.fresh(attributes, TINY, JOB)


@pytest.fixture(scope="module")
def models():
    source, reference = networks.source_model(TINY, JOB["source"], 0), networks.reference_model(TINY, 0)
    shown = attacking.photos(people.album(TINY).attacked, "cpu")
    return source, reference, shown.x, shown.people


def small(seed, outputs, unit=False):
    """A smooth map of 12 inputs in double precision."""
    with torch.random.fork_rng():
        torch.manual_seed(seed)
        model = (
            nn.Sequential(nn.Flatten(), nn.Linear(12, 16), nn.Tanh(), nn.Linear(16, outputs)).double().eval()
        )
    return (lambda x: functional.normalize(model(x), dim=1)) if unit else model


@pytest.mark.parametrize("outputs", [1, 2])
@pytest.mark.parametrize("unit", [False, True])
def test_tangents_without_the_jacobian_are_those_with_it(outputs, unit):
    """The reference has more outputs than the source; nothing but its products is used."""
    source, target = small(0, outputs), small(1, 9, unit)
    x = torch.randn(230, 3, 2, 2, generator=torch.Generator().manual_seed(2), dtype=torch.float64)
    wanted = transferability.measure(source, target, x)
    own = jacobian.top_singular(target, x, k=2, tolerance=1e-10)
    found = attacking.attacks(source, x)
    moved = attacking.pushed(target, x, found.delta)
    values = attacking.measures(found, moved, own.right[:, 0], own.sigma)
    for name in ("tau1", "tau2", "alpha", "alpha_squared", "projection_scale"):
        assert values[name] == pytest.approx(getattr(wanted, name), rel=1e-7), name
    assert values["lambda"][0] == pytest.approx(float(wanted.lambda_source.mean()), rel=1e-7, abs=1e-12)
    assert values["lambda"][1] == pytest.approx(float(wanted.lambda_target.mean()), rel=1e-6)
    assert (values["lambda"][0] == 0) == (outputs == 1)  # one logit has one singular value
    assert values["tau1_error"] == pytest.approx(float(wanted.tau1_per_sample.std()) / 230**0.5)


def pictures(faces):
    return [bytes(image.numpy().tobytes()) for image in faces.images]


def test_nobody_is_attacked_with_a_photo_that_was_learnt_from():
    album = people.album(TINY)
    learnt, attacked = set(pictures(album.learnt)), set(pictures(album.attacked))
    assert not learnt & attacked
    assert set(pictures(album.familiar)) <= learnt
    assert (len(album.attacked), len(album.familiar)) == (24, 8)
    assert len(album.learnt) == 10 * 15  # three in four of twenty photos a person
    assert set(album.attacked.identities.tolist()) <= set(album.learnt.identities.tolist()) == set(range(10))
    assert not (learnt | attacked) & set(pictures(album.strangers))


def test_pairs_are_of_strangers_and_hold_what_they_say():
    album = people.album(TINY)
    pairs = album.pairs[settings.STRANGERS]
    left, right = album.strangers.identities[pairs.index].unbind(1)
    assert torch.equal(left == right, pairs.same)
    assert torch.equal(pairs.images, album.strangers.images)
    assert torch.bincount(pairs.fold).tolist() == [10] * 10


def test_a_rare_attribute_must_drop_out():
    with pytest.raises(ValueError, match=r"least=75 .* Smiling.* drop out"):
        people.album(dataclasses.replace(TINY, least=75))
    flags = torch.tensor([[1, 1, 0]] * 2 + [[1, 0, 0]] * 2).bool()
    faces = Faces(torch.zeros(4, 3, 2, 2), torch.arange(4), flags, ["all", "half", "none"])
    assert people.common(faces, 2) == ["half"]
    assert people.common(faces, 0) == ["all", "half", "none"]
    with pytest.raises(ValueError, match="attack_images=51"):
        people.album(dataclasses.replace(TINY, attack_images=51))


def test_photos_are_shrunk_to_the_mean_of_what_a_pixel_covers():
    images = torch.randint(
        0, 256, (3, 3, 8, 8), generator=torch.Generator().manual_seed(0), dtype=torch.uint8
    )
    wanted = images.double().unflatten(3, (4, 2)).unflatten(2, (4, 2)).mean((3, 5))
    assert (people.shrunk(images, 4).double() - wanted).abs().max() <= 0.5
    assert people.shrunk(images, 8) is images
    with pytest.raises(ValueError, match="size=9"):
        people.shrunk(images, 9)


def test_networks_are_independent_of_one_another():
    """A source is the same bit by bit whether another is trained before it or not."""
    first = networks.train_source(TINY, "Male", 0)
    networks.train_source(TINY, "Young", 0)
    again = networks.train_source(TINY, "Male", 0)
    assert all(torch.equal(first[name], again[name]) for name in first)
    other = networks.train_source(TINY, "Male", 1)
    assert not torch.equal(first["head.weight"], other["head.weight"])


def test_controls_learn_nothing_or_noise():
    photos = people.learnt(TINY)
    labels = networks.targets(photos, "Smiling", 0)
    dealt = networks.targets(photos, "permuted Smiling", 0)
    assert dealt.sum() == labels.sum()
    assert not torch.equal(dealt, labels)
    assert torch.equal(dealt, networks.targets(photos, "permuted Smiling", 0))
    assert not torch.equal(dealt, networks.targets(photos, "permuted Smiling", 1))
    untrained = networks.train_source(TINY, "untrained 1", 0)
    fresh = networks.build(TINY, streams.generator(0, "attributes", "source", "untrained 1")).state_dict()
    assert all(torch.equal(untrained[name], fresh[name]) for name in fresh)
    assert [settings.is_control(n) for n in ("untrained 2", "permuted Male", "Male")] == [True, True, False]


def test_the_reference_learns_who_people_are():
    trained = dataclasses.replace(TINY, reference_epochs=30)
    album = people.album(trained)
    reference, shown = networks.reference_model(trained, 0), attacking.photos(album.attacked, "cpu")
    x, who = shown.x, shown.people
    with torch.no_grad():
        assert (reference(x).argmax(1) == who).double().mean() > 0.4  # ten people
        torch.testing.assert_close(reference.embed(x).norm(dim=1), torch.ones(len(x)))


def test_a_record_is_plain_and_the_same_each_time_on_any_number_of_threads(
    record, two_threads, monkeypatch, tmp_path
):
    assert json.loads(json.dumps(record)) == record
    monkeypatch.setenv("TRANSFER_RUNS", str(tmp_path))  # nothing is read from the store
    again = runs.fresh(attributes, TINY, JOB)
    assert {k: v for k, v in again.items() if k != "seconds"} == {
        k: v for k, v in record.items() if k != "seconds"
    }


def test_a_record_holds_what_its_models_do(record, models):
    """The cross adversarial loss by hand: ArcFace with margin, focal, on the photos' own people."""
    source, reference, x, who = models
    moved = pgd(
        source, x, TINY.epsilon, TINY.steps, clip=(0.0, 1.0), generator=streams.generator(0, "attack")
    )
    with torch.no_grad():
        before, after = reference.network.features(x), reference.network.features(moved)
        loss = focal_loss(reference.head(after, who), who)
        turn = 1 - functional.cosine_similarity(before, after).mean()
        right = (reference(moved).argmax(1) == who).double().mean()
    assert record["attacks"]["pgd"]["loss"] == pytest.approx(loss.item(), rel=1e-5)
    assert record["attacks"]["pgd"]["distance"] == pytest.approx(turn.item(), rel=1e-3, abs=1e-6)
    assert record["attacks"]["pgd"]["accuracy"] == pytest.approx(right.item())
    assert record["attacks"]["clean"]["distance"] == pytest.approx(0, abs=1e-6)
    assert record["attacks"]["white_box"]["loss"] > record["attacks"]["noise"]["loss"]
    assert record["reference_accuracy"] == record["attacks"]["clean"]["accuracy"]
    assert record["is_test"] == (record["reference_accuracy"] >= TINY.floor)


def test_definition_1_s_loss_is_the_mean_over_both_signs(record, models):
    source, reference, x, who = models
    delta = attacking.attacks(source, x).delta
    torch.testing.assert_close(delta.flatten(1).norm(dim=1), torch.ones(len(x)))
    losses = []
    for sign in (-1, 1):
        moved = (x + sign * TINY.epsilon_l2 * delta).clamp(0, 1)
        with torch.no_grad():
            losses.append(focal_loss(reference.head(reference.embed(moved), who), who).item())
    assert record["attacks"]["definition_1"]["loss"] == pytest.approx(sum(losses) / 2, rel=1e-5)
    assert losses[0] != pytest.approx(losses[1], rel=1e-4)


def test_a_record_obeys_the_definitions(record, models):
    source, reference, x, _ = models
    wanted = transferability.measure(source, reference.embed, x)
    assert record["tau1"] == pytest.approx(wanted.tau1, rel=1e-2)
    assert record["tau2"] == pytest.approx(wanted.tau2, rel=1e-3)
    assert record["alpha_squared"] == pytest.approx(wanted.alpha_squared, rel=1e-3)
    assert record["lambda"][0] == pytest.approx(float(wanted.lambda_source.mean()), rel=1e-3)
    assert record["own_attack"]["residual"] <= attacking.TOLERANCE
    single = transferability.measure(lambda part: source(part).diff(dim=1), reference.embed, x)
    assert record["one_logit"]["tau2"] == pytest.approx(single.tau2, rel=1e-3)
    assert record["tau1_chance"] == 1 / (3 * 16 * 16)
    assert set(record["rivals"]) == {
        "logme", "leep", "nce", "h_score", "h_score_regularised", "trans_rate", "knn"
    }  # fmt: skip
    assert record["baselines"]["domain_distance"] is None


def test_verification_trains_nothing_and_compares_directions():
    """Features that are equal for the same person verify perfectly, and their length does not matter."""
    generator = torch.Generator().manual_seed(0)
    who = torch.arange(40).repeat_interleave(2)
    centres = torch.randn(40, 6, generator=generator)
    images = torch.zeros(80, 3, 4, 4)
    images[:, 0, 0, 0] = torch.arange(80)
    index = torch.stack([torch.arange(0, 80, 2), torch.arange(1, 81, 2)], 1)
    index = torch.cat([index, torch.stack([torch.arange(40), torch.arange(40) + 40], 1)])
    same = who[index[:, 0]] == who[index[:, 1]]
    pairs = Pairs(images, index, same, torch.arange(80) % 10)
    stretch = 1 + 5 * torch.rand(80, 1, generator=generator)

    def features(x):
        rows = x[:, 0, 0, 0].long()
        return centres[who[rows]] * stretch[rows]

    found = attributes.verified(features, {"made up": pairs}, "cpu")["made up"]
    assert found == {"accuracy": 1.0, "low": 1.0, "high": 1.0}


def test_how_much_of_an_attribute_lies_between_people():
    generator = torch.Generator().manual_seed(0)
    who = torch.arange(200).repeat_interleave(15)
    person = torch.rand(200, generator=generator) < 0.3
    assert attributes.between(person[who].double(), who) == pytest.approx(1.0)
    moment = (torch.rand(3000, generator=generator) < 0.3).double()
    assert abs(attributes.between(moment, who)) < 0.03
    within = torch.stack([moment[who == k].var() for k in range(200)]).mean()  # as many photos of each
    assert attributes.between(moment, who) == pytest.approx(float(1 - within / moment.var()))


@pytest.mark.parametrize(("preset", "number"), [("quick", 14), ("reduced", 45), ("paper", 46)])
def test_presets_are_complete(preset, number):
    config = attributes.PRESETS[preset]
    assert len(attributes.jobs(config)) == number * config.seeds
    assert parameters.build(attributes, {"preset": preset, "seeds": None}) == config
    order = [job["seed"] for job in attributes.jobs(dataclasses.replace(config, seeds=3))]
    assert order == sorted(order)
    assert all(each.items for each in attributes.datasets(config))


def test_the_paper_s_settings():
    """App. G.3; margin, size of the embedding and radius from the authors' code."""
    config = attributes.PRESETS["paper"]
    assert (config.optimizer, config.lr, config.epochs) == ("adadelta", 1.0, 14)
    assert (config.reference_lr, config.reference_epochs, config.scale, config.margin) == (
        0.1,
        125,
        64.0,
        0.5,
    )
    assert (config.width, config.blocks, config.embedding) == (64, (2, 2, 2, 2), 512)
    assert (len(config.attributes), config.benchmarks, config.attack_images) == (40, BENCHMARKS, 1000)
    assert (config.epsilon, config.steps) == (0.03, 10)
    assert attributes.datasets(config) == registry.needed("celeba", "face_benchmarks")
    assert attributes.datasets(attributes.PRESETS["reduced"]) == registry.needed("celeba_299", "lfw_96")


def test_the_rule_of_the_real_attributes():
    if not registry.present("celeba_299"):
        pytest.skip("celeba_299 is not here: python data_scripts/celeba.py --mirror FOLDER")
    config = dataclasses.replace(attributes.PRESETS["reduced"], benchmarks=(settings.STRANGERS,))
    album = people.album(config)
    assert tuple(people.common(album.learnt, config.least)) == config.attributes
    assert set(settings.CELEBA) - set(config.attributes) == {"Bald"}
    assert tuple(album.learnt.names) == settings.CELEBA


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"seeds": 0}, "seeds=0"),
        ({"epsilon": -0.1}, "epsilon=-0.1"),
        ({"data": "mnist"}, "mnist"),
        ({"optimizer": "lion"}, "lion"),
        ({"people": 0}, "people=0"),
        ({"data": "celeba_299"}, "people=10"),
        ({"pairs": 52}, "multiple of 5"),
        ({"benchmarks": ()}, "benchmarks"),
        ({"benchmarks": ("megaface",)}, "megaface"),
        ({"attributes": ("Tall",)}, "Tall"),
        ({"permuted": ("Bangs",)}, "Bangs"),
        ({"attributes": ()}, "attributes=.* 1 or more"),
    ],
)
def test_impossible_settings_are_named(changes, message):
    with pytest.raises(ValueError, match=message):
        dataclasses.replace(TINY, **changes)


def test_the_example_is_attacked_within_its_radius_and_shows_nobody():
    shown = example(TINY, "Smiling", epsilon=0.1)
    assert (shown.after - shown.before).abs().max() <= 0.1 + 1e-6
    assert len(shown.before) == len(shown.same) == 3
    assert shown.present.tolist() == [True, True, False]
    assert math.isclose(float(shown.same.max()), 1, abs_tol=0.5)
    with pytest.raises(ValueError, match="celeba_299"):
        example(attributes.PRESETS["reduced"], "Smiling")


def test_one_attribute_is_changed_at_a_time():
    images, titles = portraits(("Eyeglasses", "No_Beard", "Male"), size=32)
    assert titles == ["plain", "Eyeglasses", "not No_Beard", "Male"]
    assert len({bytes(i.numpy().tobytes()) for i in images}) >= 3
