"""PGD against a loop over single samples, a closed form and torchattacks; its promises."""

import warnings

import pytest
import torch
from torch import nn
from torch.nn import functional

from lib.attacks.projected import clamp, pgd, project, start, step
from lib.models import training
from lib.models.resnet import ResNet


def seeded(seed=0):
    return torch.Generator().manual_seed(seed)


@pytest.fixture(scope="module")
def model():
    with training.seeded(seeded(1)):
        return ResNet(4, width=4, blocks=(1, 1), stem_stride=2).eval()


@pytest.fixture(scope="module")
def x():
    return torch.rand(6, 3, 8, 8, generator=seeded(2))


LABELS = torch.tensor([0, 1, 2, 3, 0, 1])


def naive(f, x, epsilon, steps, label, size):
    """One image, no random start, nothing shared with the tested code."""
    low, high = (x - epsilon).clamp(min=0), (x + epsilon).clamp(max=1)
    moved = x.clone()
    for _ in range(steps):
        moved = moved.detach().requires_grad_()
        (slope,) = torch.autograd.grad(functional.cross_entropy(f(moved[None]), label[None]), moved)
        moved = torch.minimum(torch.maximum(moved.detach() + size * slope.sign(), low), high)
    return moved


def test_pgd_is_the_loop_over_single_samples(model, x):
    found = pgd(model, x, 0.1, 5, labels=LABELS, step_size=0.03, random_start=False, clip=(0, 1))
    expected = torch.stack([naive(model, image, 0.1, 5, label, 0.03) for image, label in zip(x, LABELS)])
    torch.testing.assert_close(found, expected, rtol=0, atol=1e-6)


def test_labels_default_to_the_source_s_own_arg_max(model, x):
    own = model(x).argmax(1)
    options = {"random_start": False, "clip": (0, 1)}
    virtual = pgd(model, x, 0.1, 3, **options)
    assert torch.equal(virtual, pgd(model, x, 0.1, 3, labels=own, **options))
    assert not torch.equal(virtual, pgd(model, x, 0.1, 3, labels=(own + 1) % 4, **options))


def test_step_size_defaults_to_two_and_a_half_epsilon_over_steps(model, x):
    options = {"labels": LABELS, "random_start": False}
    assert torch.equal(pgd(model, x, 0.1, 5, **options), pgd(model, x, 0.1, 5, step_size=0.05, **options))
    assert torch.equal(pgd(model, x, 0.1, 1, **options), pgd(model, x, 0.1, 1, step_size=9.0, **options))


def test_a_linear_source_is_attacked_in_closed_form():
    """Two classes: the loss rises along sign(w_other - w_label), up to the corner of the ball."""
    linear = nn.Linear(5, 2).double()
    x = torch.randn(7, 5, generator=seeded(), dtype=torch.float64)
    labels = torch.tensor([0, 1, 0, 1, 0, 1, 1])
    found = pgd(linear.eval(), x, 0.2, 10, labels=labels, generator=seeded())
    towards = (linear.weight[1 - labels] - linear.weight[labels]).sign()
    torch.testing.assert_close(found, (x + 0.2 * towards).detach())


@pytest.mark.parametrize("epsilon", [0.0, torch.zeros(6)])
def test_epsilon_zero_returns_x_exactly(model, x, epsilon):
    found = pgd(model, x, epsilon, 10, clip=(0, 1))
    assert torch.equal(found, x)
    assert found.data_ptr() != x.data_ptr()


def test_each_sample_has_its_own_epsilon_and_step(model, x):
    epsilon = torch.tensor([0.0, 0.02, 0.05, 0.1, 0.2, 0.3])
    found = pgd(model, x, epsilon, 4, generator=seeded(3))
    size = (found - x).abs().amax((1, 2, 3))
    assert torch.equal(found[0], x[0])
    torch.testing.assert_close(size, epsilon, rtol=0, atol=1e-6)
    alone = pgd(model, x[3:4], 0.1, 4, random_start=False)
    together = pgd(model, x, epsilon, 4, step_size=2.5 * epsilon / 4, random_start=False)
    torch.testing.assert_close(together[3:4], alone, rtol=0, atol=1e-6)


@pytest.mark.parametrize("epsilon", [0.03, 0.5])
def test_the_ball_and_the_pixels_are_never_left(model, x, epsilon):
    found = pgd(model, x, epsilon, 7, step_size=epsilon, clip=(0, 1), generator=seeded())
    assert (found - x).abs().max() <= epsilon + 1e-6
    assert found.min() >= 0
    assert found.max() <= 1
    assert (pgd(model, x, epsilon, 7, step_size=epsilon, generator=seeded()) > 1).any()


def test_the_loss_rises_with_the_steps(model, x):
    losses = [
        functional.cross_entropy(
            model(pgd(model, x, 0.2, steps, labels=LABELS, random_start=False)), LABELS
        ).item()
        for steps in (1, 4, 16)
    ]
    assert functional.cross_entropy(model(x), LABELS).item() < losses[0] < losses[2]


def test_a_loss_and_its_labels_may_be_chosen(model, x):
    """The soft reading of App. G.1: cross-entropy against the source's own output at x."""
    soft = model(x).softmax(1).detach()
    found = pgd(model, x, 0.1, 3, labels=soft, loss=functional.cross_entropy, generator=seeded())
    assert functional.cross_entropy(model(found), soft) > functional.cross_entropy(model(x), soft)


def test_randomness_comes_from_the_generator(model, x):
    state = torch.random.get_rng_state()
    first, again, other = (pgd(model, x, 0.1, 1, step_size=0.0, generator=seeded(s)) for s in (5, 5, 6))
    assert torch.equal(first, again)
    assert not torch.equal(first, other)
    assert torch.equal(torch.random.get_rng_state(), state)


@pytest.mark.parametrize("random_start", [True, False])
def test_model_and_images_stay_as_they_are(model, x, random_start):
    before = x.clone()
    found = pgd(model, x, 0.1, 2, random_start=random_start, generator=seeded())
    assert torch.equal(x, before)
    assert not x.requires_grad
    assert not found.requires_grad
    assert all(p.grad is None for p in model.parameters())


def test_start_is_uniform_in_the_ball():
    x = torch.full((2, 20_000), 3.0)
    radius = torch.tensor([[0.5], [2.0]])
    moved = start(x, radius, seeded()) - x
    assert (moved.abs() <= radius).all()
    torch.testing.assert_close(moved.std(1), radius[:, 0] / 3**0.5, rtol=0.02, atol=0)
    torch.testing.assert_close(moved.mean(1), torch.zeros(2), rtol=0, atol=0.03)


def test_step_project_and_clamp():
    x = torch.tensor([0.1, 0.5, 0.9])
    assert torch.equal(step(x, torch.tensor([-3.0, 0.0, 1e-20]), 0.5), torch.tensor([-0.4, 0.5, 1.4]))
    centre = torch.tensor([0.0, 0.0, 1.0])
    torch.testing.assert_close(project(x, centre, torch.tensor(0.2)), torch.tensor([0.1, 0.2, 0.9]))
    torch.testing.assert_close(project(-x, centre, torch.tensor(0.2)), torch.tensor([-0.1, -0.2, 0.8]))
    assert torch.equal(clamp(3 * x - 1, (0, 1)), torch.tensor([0.0, 0.5, 1.0]))
    assert clamp(x, None) is x


@pytest.mark.parametrize(
    ("error", "message", "changes"),
    [
        (ValueError, "finite and not negative", {"epsilon": -0.1}),
        (ValueError, "finite and not negative", {"step_size": -0.1}),
        (ValueError, "steps=0", {"steps": 0}),
        (ValueError, "one for each of 6 samples", {"epsilon": torch.ones(5)}),
        (ValueError, "outside clip", {"clip": (0, 0.5)}),
        (TypeError, "scale the images", {"x": torch.zeros(6, 3, 8, 8, dtype=torch.uint8)}),
    ],
)
def test_bad_input_is_named(model, x, error, message, changes):
    options = {"x": x, "epsilon": 0.1, "steps": 2} | changes
    with pytest.raises(error, match=message):
        pgd(model, options.pop("x"), options.pop("epsilon"), options.pop("steps"), **options)


@pytest.mark.parametrize("value", [float("nan"), float("inf")])
@pytest.mark.parametrize("name", ["epsilon", "step_size"])
def test_a_radius_or_step_that_is_no_number_is_refused(model, x, name, value):
    with pytest.raises(ValueError, match="finite and not negative"):
        pgd(model, x, **({"epsilon": 0.1, "steps": 2} | {name: value}))


def test_outputs_that_are_no_scores_are_refused(model, x):
    """Of none of these would an attack be left: sign(NaN) is 0, and so is the loss of a single class."""
    with pytest.raises(ValueError, match="gradient of the loss holds NaN"):
        pgd(lambda z: model(z) * float("nan"), x, 0.1, 2)
    with pytest.raises(ValueError, match="x holds NaN"):
        pgd(model, x / 0, 0.1, 2)
    for wrong in (
        lambda z: (model(z),),
        lambda z: model(z)[:, 0],
        lambda z: model(z)[:2],
        lambda z: model(z)[:, :1],
    ):
        with pytest.raises(ValueError, match="scores \\(N, classes\\)"):
            pgd(wrong, x, 0.1, 2)


def test_it_attacks_where_gradients_are_switched_off(model, x):
    wanted = pgd(model, x, 0.1, 2, random_start=False)
    with torch.no_grad():
        assert torch.equal(pgd(model, x, 0.1, 2, random_start=False), wanted)
    with torch.inference_mode():
        assert torch.equal(pgd(model, x.clone(), 0.1, 2, random_start=False), wanted)


def test_training_mode_is_refused(x):
    with pytest.raises(ValueError, match=r"eval\(\)"):
        pgd(ResNet(4, width=4, blocks=(1,)), x, 0.1, 2)


def test_a_part_in_training_mode_is_refused(x):
    model = torch.nn.Sequential(torch.nn.Flatten(), torch.nn.LazyLinear(3), torch.nn.Dropout()).eval()
    model(x)
    model[2].train()
    for f in (model, model.forward):
        with pytest.raises(ValueError, match="training mode"):
            pgd(f, x, 0.1, 2)


@pytest.mark.parametrize(("epsilon", "steps"), [(0.1, 10), (0.03, 3)])
def test_torchattacks_finds_the_same_perturbation(model, x, epsilon, steps):
    """`pip install --no-deps torchattacks==3.5.1`: same model, images, labels, start and steps."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        torchattacks = pytest.importorskip("torchattacks")
    peer = torchattacks.PGD(model, eps=epsilon, alpha=epsilon / 4, steps=steps, random_start=False)
    found = pgd(
        model, x, epsilon, steps, labels=LABELS, step_size=epsilon / 4, random_start=False, clip=(0, 1)
    )
    torch.testing.assert_close(found - x, peer(x, LABELS) - x, rtol=0, atol=1e-6)
