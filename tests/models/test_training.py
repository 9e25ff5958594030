"""The one training loop against the same loop written out, and its promises about seeds, casts and limits."""

import math
import os
import subprocess
import sys

import pytest
import torch
from torch import nn
from torch.nn import functional

from lib.models import training


def seeded(seed=0):
    return torch.Generator().manual_seed(seed)


def problem(count=50, features=6):
    g = seeded(1)
    x = torch.randn(count, features, generator=g)
    return x, (x[:, 0] > x[:, 1]).long()


def network(dropout=0.0):
    with training.seeded(seeded(2)):
        return nn.Sequential(nn.Linear(6, 8), nn.Tanh(), nn.Dropout(dropout), nn.Linear(8, 2))


def parameters(model):
    return torch.cat([p.detach().flatten() for p in model.parameters()])


def quick(model, x, y, **changes):
    options = {
        "loss": functional.cross_entropy,
        "lr": 0.1,
        "epochs": 3,
        "batch_size": 16,
        "generator": seeded(3),
    }
    return training.fit(model, x, y, **options | changes)


OPTIMIZERS = {
    "sgd": lambda p: torch.optim.SGD(p, 0.1, momentum=0.7, weight_decay=0.01),
    "adam": lambda p: torch.optim.Adam(p, 0.1, weight_decay=0.01),
    "adamw": lambda p: torch.optim.AdamW(p, 0.1, weight_decay=0.01),
    "adadelta": lambda p: torch.optim.Adadelta(p, 0.1, weight_decay=0.01),
}


@pytest.mark.parametrize("name", OPTIMIZERS)
def test_fit_is_the_plain_loop(name):
    x, y = problem()
    model, plain = network(), network()
    history = quick(model, x, y, optimizer=name, momentum=0.7, weight_decay=0.01)
    g, optimizer, expected = seeded(3), OPTIMIZERS[name](plain.parameters()), []
    torch.randint(2**62, (), generator=g)  # the seed of dropout
    for _ in range(3):
        total = 0.0
        for index in torch.randperm(50, generator=g).tensor_split(4):
            value = functional.cross_entropy(plain(x[index]), y[index])
            optimizer.zero_grad()
            value.backward()
            optimizer.step()
            total += value.item() * len(index)
        expected.append(total / 50)
    torch.testing.assert_close(parameters(model), parameters(plain), rtol=0, atol=0)
    assert history == pytest.approx(expected, rel=1e-6)


@pytest.mark.parametrize(
    ("name", "factor"),
    [
        ("constant", lambda s: 1.0),
        ("cosine", lambda s: (1 + math.cos(math.pi * s)) / 2),
        ("onecycle", lambda s: s / 0.25 if s < 0.25 else (1 - s) / 0.75),
    ],
)
def test_schedule_scales_each_update(name, factor):
    """With the loss w the gradient is 1, so each update shows its learning rate."""
    model = nn.Linear(1, 1, bias=False)
    nn.init.zeros_(model.weight)
    seen = []

    def loss(outputs, _):
        seen.append(model.weight.item())
        return outputs.mean()

    training.fit(
        model, torch.ones(8, 1), torch.zeros(8), loss=loss, lr=0.5, momentum=0.0, epochs=4, batch_size=2,
        schedule=name, generator=seeded(),
    )  # fmt: skip
    steps = -torch.tensor([*seen, model.weight.item()]).diff()
    expected = torch.tensor([0.5 * factor((k + 0.5) / 16) for k in range(16)])
    torch.testing.assert_close(steps, expected)
    assert (steps > 0).all()


def test_bytes_become_floats_between_zero_and_one():
    x = torch.randint(0, 256, (40, 6), generator=seeded(), dtype=torch.uint8)
    y = problem(40)[1]
    from_bytes, from_floats = network(), network()
    quick(from_bytes, x, y)
    quick(from_floats, x.float() / 255, y)
    torch.testing.assert_close(parameters(from_bytes), parameters(from_floats), rtol=0, atol=0)
    assert training.take(y.to(torch.uint8), torch.arange(3), scale=False).dtype == torch.uint8


def test_batches_are_even_and_cover_each_epoch():
    """65 samples in batches of 64 are 33 and 32, never 64 and 1, which batch normalisation could not take."""
    x, sizes, seen = torch.arange(65.0)[:, None], [], []

    def note(batch, generator):
        sizes.append(len(batch))
        seen.extend(batch[:, 0].tolist())
        return batch

    model = nn.Sequential(nn.Linear(1, 2), nn.BatchNorm1d(2))
    quick(model, x, torch.zeros(65, dtype=torch.long), batch_size=64, epochs=2, augment=note)
    assert sizes == [33, 32, 33, 32]
    assert sorted(seen[:65]) == sorted(seen[65:]) == x[:, 0].tolist()
    assert seen[:65] != seen[65:]


def test_dropout_follows_the_generator_and_the_global_one_is_left_alone():
    x, y = problem()
    before = torch.random.get_rng_state()
    runs = []
    for noise in (0, 7):
        model = network(dropout=0.5)
        torch.manual_seed(noise)
        state = torch.random.get_rng_state()
        quick(model, x, y)
        assert torch.equal(torch.random.get_rng_state(), state)
        runs.append(parameters(model))
    torch.random.set_rng_state(before)
    assert torch.equal(*runs)
    other = network(dropout=0.5)
    quick(other, x, y, generator=seeded(4))
    assert not torch.equal(runs[0], parameters(other))


def test_the_model_ends_evaluated_and_frozen_layers_stay():
    x, y = problem()
    model = network()
    model[0].requires_grad_(False)
    first, last = model[0].weight.clone(), model[3].weight.clone()
    quick(model, x, y)
    assert not any(part.training for part in model.modules())
    assert torch.equal(model[0].weight, first)
    assert not torch.equal(model[3].weight, last)


def test_training_learns_and_reports_each_epoch():
    x, y = problem(200)
    told = []
    history = quick(network(), x, y, epochs=20, schedule="cosine", progress=lambda *event: told.append(event))
    assert told == list(enumerate(history))
    assert history[-1] < 0.2 < history[0]


def test_channels_last_and_autocast_change_the_numbers_only_a_little():
    g = seeded()
    x, y = torch.rand(32, 3, 8, 8, generator=g), torch.randint(2, (32,), generator=g)

    def image_network():
        with training.seeded(seeded(5)):
            return nn.Sequential(nn.Conv2d(3, 4, 3), nn.ReLU(), nn.Flatten(), nn.Linear(144, 2))

    plain, last, half = image_network(), image_network(), image_network()
    history = [
        quick(plain, x, y, epochs=2)[-1],
        quick(last, x, y, epochs=2, channels_last=True)[-1],
        quick(half, x, y, epochs=2, autocast=True)[-1],
    ]
    assert last[0].weight.is_contiguous(memory_format=torch.channels_last)
    torch.testing.assert_close(parameters(plain), parameters(last), rtol=1e-4, atol=1e-5)
    assert history[1] == pytest.approx(history[0], rel=1e-4)
    assert history[2] == pytest.approx(history[0], rel=0.02)
    assert half[0].weight.dtype == torch.float32


NARROW = """
import torch
from torch import nn
from lib.models import training

def trained(dtype, channels_last):
    generator = torch.Generator().manual_seed(0)
    with training.seeded(generator):
        model = nn.Sequential(nn.Conv2d(4, 8, 1, 2), nn.Flatten(), nn.Linear(8 * 4 * 6, 2))
        x = torch.rand(24, 4, 8, 12)
    options = dict(lr=0.1, epochs=20, batch_size=12, generator=generator, channels_last=channels_last)
    loss = nn.functional.cross_entropy
    training.fit(model.to(dtype), x.to(dtype), torch.arange(24) % 2, loss=loss, **options)
    return model[0].weight.double()

found, slow = trained(torch.float, True), trained(torch.double, False)
torch.testing.assert_close(found, slow, rtol=1e-3, atol=1e-4)
"""


def test_narrow_shortcuts_are_trained_well_on_processors_without_avx512():
    """oneDNN's own switch makes this processor such a one; with channels last the weights are wrong there."""
    environment = os.environ | {"ONEDNN_MAX_CPU_ISA": "AVX2"}
    done = subprocess.run([sys.executable, "-c", NARROW], env=environment, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize(
    ("layer", "last"),
    [
        (nn.Conv2d(7, 8, 1, 2), False),
        (nn.Conv2d(8, 8, 1, 2), True),
        (nn.Conv2d(16, 16, 1, 2, groups=4), False),
        (nn.Conv2d(3, 8, 1), True),
        (nn.Conv2d(3, 8, 3, 2), True),
    ],
)
def test_the_layout_is_channels_last_where_that_is_safe(layer, last):
    found = training.fast_layout(nn.Sequential(nn.Sequential(layer), nn.ReLU()))
    assert (found is torch.channels_last) == last


def test_crop_and_flip_is_the_naive_crop():
    g = seeded()
    x = torch.rand(16, 3, 6, 5, generator=g)
    found = training.crop_and_flip(x, seeded(8), padding=2)
    g = seeded(8)
    row, column = torch.randint(5, (2, 16, 1), generator=g)
    mirror = torch.rand(16, 1, generator=g) < 0.5
    for image, out, r, c, m in zip(x, found, row, column, mirror):
        cut = functional.pad(image, [2] * 4)[:, r : r + 6, c : c + 5]
        assert torch.equal(out, cut.flip(-1) if m else cut)
    assert mirror.any()
    assert not mirror.all()


def test_predict_is_the_model_in_parts():
    model, x = network().eval(), problem()[0]
    with torch.no_grad():
        torch.testing.assert_close(training.predict(model, x, batch_size=7), model(x))


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"optimizer": "sgdd"}, "sgdd.*sgd, adam"),
        ({"schedule": "step"}, "step.*cosine"),
        ({"lr": 0.0}, "lr=0.0"),
        ({"lr": math.nan}, "lr=nan"),
        ({"epochs": 0}, "epochs=0"),
        ({"batch_size": 0}, "batch_size=0"),
    ],
)
def test_bad_settings_are_named(changes, message):
    with pytest.raises(ValueError, match=message):
        quick(network(), *problem(), **changes)


def test_bad_data_and_models_are_named():
    x, y = problem()
    with pytest.raises(ValueError, match="50 inputs for 49 targets"):
        quick(network(), x, y[1:])
    with pytest.raises(ValueError, match="requires grad"):
        quick(network().requires_grad_(False), x, y)
    with pytest.raises(FloatingPointError, match="lower lr"):
        quick(network(), x, y, loss=lambda outputs, _: outputs.mean() * math.nan)
