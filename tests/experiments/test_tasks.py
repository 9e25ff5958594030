"""The task experiment: labels, losses, readouts, the shared attack, and what a record holds."""

import dataclasses
import json

import pytest
import torch
from torch.nn import functional

from lib.base import streams
from lib.data import registry
from lib.data.task_labels import TASKS, VOID
from lib.engine import parameters, runs
from lib.experiments.common.pixels import noise as noise_of
from lib.experiments.tasks import attacking, learning, losses, networks, scenes, settings
from lib.experiments.tasks import record as tasks
from lib.measures import probe, transferability
from lib.models import taskbank

TINY = dataclasses.replace(
    tasks.PRESETS["quick"],
    images=24,
    height=16,
    width=24,
    channels=4,
    epochs=1,
    steps=2,
    attack_images=6,
    tangent_images=3,
    null_repeats=2,
    rival_images=12,
    readout_strengths=(0.1,),
    device="cpu",
)
NAMES = networks.NAMES


@pytest.fixture(scope="module", autouse=True)
def store(tmp_path_factory):
    patch = pytest.MonkeyPatch()
    patch.setenv("TRANSFER_RUNS", str(tmp_path_factory.mktemp("runs")))
    yield
    patch.undo()


@pytest.fixture(scope="module")
def record():
    return runs.fresh(tasks, TINY, {"seed": 0, "fold": 0})


@pytest.fixture(scope="module")
def models():
    return {name: networks.network(TINY, name, 0, 0) for name in [*NAMES, settings.UNTRAINED]}


@pytest.fixture(scope="module")
def tested():
    """The attacked images and their labels."""
    data = scenes.load(TINY)
    index = scenes.halves(data, 0)[1][: TINY.attack_images]
    return networks.pixels(TINY, index), {name: data.labels[name][index] for name in NAMES}


# --- labels -------------------------------------------------------------------------------------------------


def test_every_task_has_labels_and_every_image_is_tested_once():
    data = scenes.load(TINY)
    assert list(data.labels) == NAMES
    for fold in range(TINY.folds):
        train, test = scenes.halves(data, fold)
        assert not set(train.tolist()) & set(test.tolist())
    everywhere = torch.cat([scenes.halves(data, fold)[1] for fold in range(TINY.folds)])
    assert sorted(everywhere.tolist()) == list(range(TINY.images))
    for task in TASKS:
        if task.kind != "regression":
            known = data.labels[task.name][data.labels[task.name] != VOID]
            assert known.max() < len(data.classes[task.name])


def test_every_class_of_nyuv2_is_one_of_thirteen():
    members = [c for group in scenes.THIRTEEN.values() for c in group]
    assert sorted(members) == list(range(39))
    frame = torch.tensor([[0, 19, 24], [39, VOID, 13]], dtype=torch.uint8)
    names = list(scenes.THIRTEEN)
    found = [names[k] if k != VOID else None for k in scenes.thirteen(frame).flatten().tolist()]
    assert found == ["wall", "floor", "television", None, None, "table"]


@pytest.mark.parametrize(
    ("classes", "room"),
    [
        ([32], "bathroom"),
        ([3, 5], "bedroom"),  # a bed decides before a sofa
        ([3, 35], "bathroom"),
        ([23, 5], "kitchen"),
        ([11, 2], "kitchen"),
        ([11, 5], "living room"),  # a counter alone is no kitchen
        ([6, 4], "dining room"),
        ([6], "other"),
        ([14], "library"),
        ([29], "office"),
    ],
)
def test_a_scene_is_the_first_rule_that_fits(classes, room):
    frame = torch.zeros(2, 20, 20, dtype=torch.uint8)
    for row, c in enumerate(classes):
        frame[0, row] = c
        frame[1, row, :4] = c  # four pixels of 400 are too few
    found = scenes.scene(frame)
    assert [scenes.SCENE_NAMES[k] for k in found.tolist()] == [room, "other"]


# --- losses -------------------------------------------------------------------------------------------------


def test_losses_are_per_image_and_skip_void():
    maps = torch.rand(3, 2, 4, 4)
    expected = [(maps[i] - 1).pow(2).mean().item() for i in range(3)]
    assert losses.per_image("Depth", maps, torch.ones_like(maps)).tolist() == pytest.approx(expected)
    logits, classes = torch.randn(2, 5, 3, 3), torch.randint(5, (2, 3, 3))
    classes[0, :2], classes[1] = VOID, VOID
    known = functional.cross_entropy(logits[0, :, 2].T, classes[0, 2]).item()
    found = losses.per_image("Segmentation-Semantic", logits, classes).tolist()
    assert found == pytest.approx([known, 0.0])


@pytest.mark.parametrize("name", NAMES)
def test_the_constant_is_the_best_one_and_a_constant_a_pixel_is_better(name):
    data = scenes.load(TINY)
    labels, count = data.labels[name], len(data.classes.get(name, ()))
    found = losses.constants(name, labels, count)
    least = losses.constant_loss(name, found.value, labels).mean().item()
    stream = torch.Generator().manual_seed(0)
    for _ in range(5):
        other = found.value + 0.3 * torch.randn(found.value.shape, generator=stream)
        assert losses.constant_loss(name, other, labels).mean() > least
    assert losses.constant_loss(name, found.pixelwise, labels).mean() <= least + 1e-6


def test_an_attack_takes_the_network_s_own_output_for_the_truth():
    logits = torch.tensor([[0.1, 2.0, -1.0]])
    assert losses.virtual_target("Scene-Classification", logits).tolist() == [1]
    maps = torch.rand(1, 1, 4, 4)
    assert losses.virtual_target("Reshade", maps) is maps


# --- readouts -----------------------------------------------------------------------------------------------


def test_ridge_is_the_closed_form_of_the_knowledge_module():
    stream = torch.Generator().manual_seed(0)
    x = torch.randn(40, 5, generator=stream, dtype=torch.float64)
    y = torch.randn(40, 3, generator=stream, dtype=torch.float64)
    (weights,) = learning.ridge(torch.cat([x, torch.ones(40, 1)], 1), y, (0.3,))
    other = probe.affine_refit(x, y, ridge=0.3)
    torch.testing.assert_close(weights, torch.cat([other.weight, other.bias[:, None]], 1).T)


def test_softmax_regression_agrees_with_the_linear_probe():
    stream = torch.Generator().manual_seed(0)
    x = torch.randn(60, 4, generator=stream, dtype=torch.float64)
    x = (x - x.mean(0)) / x.std(0, correction=0)
    y = (x @ torch.randn(4, 3, generator=stream, dtype=torch.float64)).argmax(1)
    goal = functional.one_hot(y).double()
    found = learning.softmax_regression(
        torch.cat([x, torch.ones(60, 1)], 1), goal, 0.1, torch.zeros(5, 3, dtype=torch.float64)
    )
    other = probe.linear_probe((x, y), (x, y), (x, y), classes=3, strengths=(0.1,))
    torch.testing.assert_close(found[:-1], other.weight.T, atol=1e-4, rtol=1e-4)


def parts(data, features):
    index = torch.arange(TINY.images).split(8)
    return [features[i] for i in index], [{name: data.labels[name][i] for name in NAMES} for i in index]


def test_features_that_hold_the_pixels_are_read_out_perfectly():
    data = scenes.load(TINY)
    pixels = functional.pixel_unshuffle(data.labels["Depth"], 8)
    classes = {name: len(names) for name, names in data.classes.items()}
    found = dict(zip(NAMES, learning.readouts(*parts(data, pixels), classes, (1e-6,))))
    scale = losses.constant_loss(
        "Depth", data.labels["Depth"].mean((0, 2, 3))[:, None, None], data.labels["Depth"]
    )
    assert found["Depth"].mean() < 0.05 * scale.mean()
    assert found["Edge-2D"].mean() > 0.005


def test_a_cell_s_distribution_is_scored_on_all_its_pixels():
    """The loss from shares of classes is the cross-entropy of the logits repeated over the cell."""
    data = scenes.load(TINY)
    features = torch.randn(TINY.images, 3, 2, 3, generator=torch.Generator().manual_seed(0))
    groups, labels = parts(data, features)
    name, count = "Segmentation-Semantic", len(data.classes["Segmentation-Semantic"])
    cells = [learning._wide(learning._rows(part)) for part in groups]
    labels[2][name][0, :5] = VOID
    shares = [learning._shares(part[name], count) for part in labels]
    found = learning._segmented(cells, shares, (0.1,))
    goals = [learning._rows(part).double() for part in shares]
    logits = learning._softmax(cells, goals, (0.1,)).reshape(8, 2, 3, count).permute(0, 3, 1, 2)
    wide = functional.interpolate(logits, scale_factor=8, mode="nearest")
    torch.testing.assert_close(found.float(), losses.per_image(name, wide, labels[2][name]))


# --- attacks ------------------------------------------------------------------------------------------------


def naive(sources, models, labels, x, epsilon):
    """Every pair by itself: attack the source again, look at one target."""
    table = []
    for source, model in sources.items():
        row = []
        for target in NAMES:
            moved = attacking.attack(TINY, source, model, x, epsilon, streams.generator(0, "attack"))
            with torch.no_grad():
                row.append(losses.per_image(target, models[target](moved), labels[target]))
        table.append(torch.stack(row))
    return torch.stack(table)


def test_sharing_the_attack_changes_no_number(models, tested):
    x, labels = tested
    chosen = ("Depth", "Segmentation-Semantic", "Scene-Classification", settings.UNTRAINED)
    sources, targets = {name: models[name] for name in chosen}, {name: models[name] for name in NAMES}
    shared = attacking.cross_losses(TINY, sources, targets, labels, x, 0.06, 0)
    torch.testing.assert_close(shared[:-1], naive(sources, models, labels, x, 0.06))
    noise = noise_of(0.06, streams.generator(0, "attack"))(x)
    torch.testing.assert_close(shared[-1], attacking.seen(targets, labels, noise))


def test_an_attack_stays_in_its_ball_and_hurts_its_own_network_most(models, tested):
    x, _ = tested
    for name in ("Autoencoder", "Segmentation-Semantic"):
        moved = attacking.attack(TINY, name, models[name], x, 0.06, streams.generator(0, "attack"))
        assert (moved - x).abs().max() <= 0.06 + 1e-6
        assert moved.min() >= 0
        assert moved.max() <= 1
        with torch.no_grad():
            goal = losses.virtual_target(name, models[name](x))
            corner = noise_of(0.06, streams.generator(0, "attack"))(x)
            hurt, shaken = (losses.per_image(name, models[name](z), goal).mean() for z in (moved, corner))
        assert hurt > shaken
    inside = ((x > 0.06) & (x < 0.94))[0]
    assert torch.allclose((corner - x)[0][inside].abs(), torch.tensor(0.06), atol=1e-6)


def test_wins_are_counted_image_by_image():
    found = torch.tensor([[[1.0, 2.0, 3.0]], [[1.0, 1.0, 4.0]]])  # two sources, one target, three images
    assert attacking.wins(found).tolist() == [[[0, 1], [1, 0]]]
    assert attacking.wins(found, 2.5).tolist() == [[[0, 0], [0, 0]]]


def test_jacobians_of_a_pair_are_the_definitions_of_the_coarse_maps(record, models, tested):
    x = tested[0][: TINY.tangent_images]
    source, target = (attacking.coarse(name, models[name]) for name in ("Depth", "Scene-Classification"))
    found = transferability.measure(source, target, x)
    s, t = NAMES.index("Depth"), NAMES.index("Scene-Classification")
    assert record["tangent"]["tau1"][s][t] == pytest.approx(found.tau1, rel=1e-4)
    assert record["tangent"]["alpha_squared"][s][t] == pytest.approx(found.alpha_squared, rel=1e-4)
    maps = models["Surface-Normal"](x)
    corner = attacking.coarse("Surface-Normal", models["Surface-Normal"])(x)[:, 0]
    torch.testing.assert_close(corner, maps[:, 0, :8, :12].mean((1, 2)))


# --- the record ---------------------------------------------------------------------------------------------


def test_a_record_is_plain_and_the_same_each_time_on_any_number_of_threads(
    record, two_threads, monkeypatch, tmp_path
):
    assert json.loads(json.dumps(record)) == record
    monkeypatch.setenv("TRANSFER_RUNS", str(tmp_path))  # nothing is read from the store
    again = runs.fresh(tasks, dataclasses.replace(TINY, tangent_images=0), {"seed": 0, "fold": 0})
    assert again.pop("tangent") == {}
    del again["seconds"]
    assert again == {key: record[key] for key in again}


def test_a_record_has_every_pair(record, models, tested):
    x, labels = tested
    for epsilon in ("0.03", "0.06"):
        assert torch.tensor(record["attacks"][epsilon]["loss"]).shape == (17, 15)
        for wins in record["attacks"][epsilon]["wins"].values():
            wins = torch.tensor(wins)
            assert wins.shape == (15, 17, 17)
            assert (wins + wins.mT).max() <= TINY.attack_images
            assert wins.diagonal(dim1=1, dim2=2).max() == 0
    assert torch.tensor(record["knowledge"]["loss"]).shape == (16, 15)
    assert torch.tensor(record["tangent"]["tau2"]).shape == (16, 15)
    assert len(record["rivals"]["knn"]) == 16
    assert record["rivals"]["leep"][0] == [None] * 15  # a map gives no probabilities
    with torch.no_grad():
        outputs = models["Depth"](x)
    clean = losses.per_image("Depth", outputs, labels["Depth"]).mean().item()
    assert record["attacks"]["clean"][NAMES.index("Depth")] == pytest.approx(clean, rel=1e-5)
    assert record["attacks"]["0.06"]["loss"][-1] != record["attacks"]["0.03"]["loss"][-1]


def test_a_task_that_beats_no_constant_is_not_learnt(record):
    for own in record["own"].values():
        assert own["relative"] == pytest.approx(own["loss"] / own["constant"])
        assert own["learnt"] == (own["relative"] < 1 - TINY.margin)
    assert not all(own["learnt"] for own in record["own"].values())  # one epoch on twelve rooms


def test_estimators_see_one_cell_an_image():
    labels = torch.arange(20.0)[:, None, None, None].expand(20, 1, 16, 24)
    positions, kinds = learning.samples(
        "Depth", labels.contiguous(), 0, torch.zeros(20, dtype=torch.int64), 0
    )
    assert len(kinds.unique()) <= learning.KINDS
    assert all(int((kinds == k).sum()) >= learning.FEWEST for k in kinds.unique())
    semantic = torch.full((12, 16, 24), 3)
    semantic[6:, :8, :8] = 5
    semantic[0] = VOID
    positions, kinds = learning.samples(
        "Segmentation-Semantic", semantic, 6, torch.zeros(12, dtype=torch.int64), 0
    )
    assert positions.tolist() == list(range(1, 12))
    assert kinds.tolist() == [3] * 5 + [5] * 6
    one_kind = learning.scores("Depth", torch.rand(5, 2, 2, 3), None, torch.zeros(5, dtype=torch.int64),
                             torch.arange(5), torch.zeros(5, dtype=torch.int64))  # fmt: skip
    assert set(one_kind.values()) == {None}


# --- the task bank ------------------------------------------------------------------------------------------


class Stand:
    """A bank of tiny networks with the outputs of the real one's."""

    def __init__(self):
        self.models = {}

    def load(self, task, folder=None):
        network = taskbank.BANK[task]
        if task not in self.models:
            torch.manual_seed(len(self.models))
            dense = network.kind != "head"
            self.models[task] = networks.EncoderDecoder(min(network.channels, 5), width=2, dense=dense).eval()
        return self.models[task]


def test_the_paper_preset_needs_the_bank_and_adds_its_parts_up(monkeypatch):
    stand = Stand()
    monkeypatch.setattr(tasks.taskbank, "load", stand.load)
    frames = torch.randint(256, (9, 3, 12, 16), dtype=torch.uint8, generator=torch.Generator().manual_seed(0))
    monkeypatch.setattr(tasks.rooms, "nyuv2", lambda: type("Frames", (), {"rgb": frames}))
    config = dataclasses.replace(
        tasks.PRESETS["paper"], height=16, width=16, attack_images=6, batch_size=4, steps=2, device="cpu"
    )
    assert tasks.datasets(config) == registry.needed("nyuv2", "taskbank")
    record = tasks.run_job(config, {"seed": 0, "fold": 0})
    assert json.loads(json.dumps(record)) == record
    assert record["attacked"] == 6
    sizes, found = (4, 2), []
    order = torch.linspace(0, 8, 6).round().long()
    for number, index in enumerate(order.split(4)):
        x = tasks.enlarged(frames[index], (16, 16))
        with torch.no_grad():
            labels = {n: losses.virtual_target(n, stand.load(n)(x)) for n in NAMES}
        found.append(attacking.attacks(config, stand.models, labels, x, 0, number))
    loss = sum(size * torch.tensor(f["0.06"]["loss"]) for size, f in zip(sizes, found)) / 6
    torch.testing.assert_close(torch.tensor(record["attacks"]["0.06"]["loss"]), loss)
    wins = sum(torch.tensor(f["0.06"]["wins"]["1"]) for f in found)
    assert record["attacks"]["0.06"]["wins"]["1"] == wins.tolist()
    assert record["attacks"]["clean"][0] == 0  # a map against itself


# --- settings -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("preset", list(tasks.PRESETS))
def test_presets_are_complete(preset):
    config = tasks.PRESETS[preset]
    assert len(tasks.jobs(config)) == config.seeds * config.folds
    assert config.preset == preset
    assert config.epsilons == (0.03, 0.06)
    assert config.steps == 10
    assert parameters.build(tasks, {"preset": preset, "seeds": None}) == config


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"seeds": 0}, "seeds=0"),
        ({"folds": 1}, "folds=1"),
        ({"data": "bank"}, "folds=2"),
        ({"data": "kitchens"}, "kitchens"),
        ({"height": 20}, "height=20"),
        ({"data": "nyuv2", "height": 16, "width": 24}, "3 : 4"),
        ({"epsilons": ()}, "epsilons"),
        ({"epsilons": (0.0,)}, "epsilons"),
        ({"readout_strengths": (0.0,)}, "readout_strengths"),
        ({"margin": 1.0}, "margin=1.0"),
        ({"tangent_images": 7}, "tangent_images=7"),
    ],
)
def test_impossible_settings_are_named(changes, message):
    with pytest.raises(ValueError, match=message):
        dataclasses.replace(TINY, **changes)
