"""ArcFace and focal loss beside a slow float64 implementation and two public ones."""

import math

import pytest
import torch
from torch import nn
from torch.nn.functional import cross_entropy, normalize
from torchvision.ops import sigmoid_focal_loss

from lib.models import training
from lib.models.arcface import ArcFace, focal_loss

FEATURES, CLASSES, N = 6, 5, 40


def seeded(seed=0):
    return torch.Generator().manual_seed(seed)


def head(seed=0, **options):
    with training.seeded(seeded(seed)):
        return ArcFace(FEATURES, CLASSES, **options).double()


def batch(seed=1):
    embedding = torch.randn(N, FEATURES, generator=seeded(seed), dtype=torch.float64)
    return embedding.requires_grad_(), torch.arange(N) % CLASSES


def slow_logits(embedding, weight, labels, scale, margin):
    """A pair at a time, by the angle itself."""
    rows = []
    for x, y in zip(embedding.tolist(), labels.tolist()):
        row = []
        for j, w in enumerate(weight.tolist()):
            dot = sum(a * b for a, b in zip(x, w))
            cosine = dot / math.sqrt(sum(a * a for a in x)) / math.sqrt(sum(b * b for b in w))
            theta = math.acos(max(-1.0, min(1.0, cosine)))
            if j == y:
                past = theta + margin > math.pi
                cosine = math.cos(theta) - margin * math.sin(margin) if past else math.cos(theta + margin)
            row.append(scale * cosine)
        rows.append(row)
    return torch.tensor(rows, dtype=torch.float64)


@pytest.mark.parametrize("margin", [0.0, 0.5, 1.2, 2.0])
def test_logits_are_those_of_the_angles(margin):
    model, (x, y) = head(scale=30.0, margin=margin), batch()
    wanted = slow_logits(x.detach(), model.weight.detach(), y, 30.0, margin)
    torch.testing.assert_close(model(x, y), wanted, atol=1e-9, rtol=0)
    none = slow_logits(x.detach(), model.weight.detach(), y, 30.0, 0.0)
    torch.testing.assert_close(model(x), none, atol=1e-9, rtol=0)
    if margin == 2.0:  # the case must occur, or the continuation is not tested
        own = (none / 30).gather(1, y[:, None])
        assert (own < -math.cos(margin)).any()
        assert (own > -math.cos(margin)).any()


def test_loss_and_gradients_are_those_of_pytorch_metric_learning():
    losses = pytest.importorskip("pytorch_metric_learning.losses")
    x, y = batch()
    for margin in (0.5, 2.0):
        model = head(margin=margin)
        peer = losses.ArcFaceLoss(CLASSES, FEATURES, margin=math.degrees(margin), scale=64)
        peer.W.data = model.weight.data.T.clone()
        ours, theirs = cross_entropy(model(x, y), y), peer(x, y)
        torch.testing.assert_close(ours, theirs, atol=1e-9, rtol=1e-9)
        mine = torch.autograd.grad(ours, (x, model.weight))
        other = torch.autograd.grad(theirs, (x, peer.W))
        torch.testing.assert_close(mine[0], other[0], atol=1e-8, rtol=1e-7)
        torch.testing.assert_close(mine[1], other[1].T, atol=1e-8, rtol=1e-7)


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
@pytest.mark.parametrize("sign", [1, -1])
def test_embeddings_on_their_class_or_opposite_have_finite_gradients(dtype, sign):
    model = head().to(dtype)
    labels = torch.arange(CLASSES)
    for factor in (1.0, 3.7, 1e-4):
        x = (sign * factor * model.weight.detach()).requires_grad_()
        logits = model(x, labels)
        focal_loss(logits, labels).backward()
        assert torch.isfinite(x.grad).all()
        assert torch.isfinite(model.weight.grad).all()
        wanted = 64 * (math.cos(0.5) if sign == 1 else -1 - 0.5 * math.sin(0.5))
        torch.testing.assert_close(
            logits.diagonal(),
            torch.full((CLASSES,), wanted, dtype=dtype),
            atol=5e-2 if dtype == torch.float32 else 1e-5,  # round-off of 1 - cos^2, under a root, times 64
            rtol=0,
        )


@pytest.mark.parametrize("sign", [1, -1])
def test_an_angle_of_exactly_zero_or_pi_has_a_finite_gradient(sign):
    model = ArcFace(2, 2, margin=0.5)
    model.weight.data = torch.eye(2)
    x = torch.tensor([[sign * 2.0, 0.0]], requires_grad=True)
    logits = model(x, torch.tensor([0]))
    assert logits[0, 0].item() / 64 == pytest.approx(math.cos(0.5) if sign == 1 else -1 - 0.5 * math.sin(0.5))
    logits.sum().backward()
    assert torch.isfinite(x.grad).all()
    assert torch.isfinite(model.weight.grad).all()


def test_the_own_logit_falls_as_the_angle_grows():
    model = ArcFace(2, 1, scale=1.0, margin=0.5).double()
    model.weight.data = torch.tensor([[1.0, 0.0]], dtype=torch.float64)
    theta = torch.linspace(0, math.pi, 400, dtype=torch.float64)
    own = model(torch.stack([theta.cos(), theta.sin()], 1), torch.zeros(400, dtype=torch.int64))[:, 0]
    assert (own.diff() < 0).all()


def test_a_zero_embedding_is_at_right_angles_to_all():
    logits = head(margin=0.5)(torch.zeros(1, FEATURES, dtype=torch.float64), torch.tensor([2]))
    wanted = torch.zeros(1, CLASSES, dtype=torch.float64)
    wanted[0, 2] = -64 * math.sin(0.5)
    torch.testing.assert_close(logits, wanted)


def test_training_draws_the_embeddings_of_a_person_together():
    """The two together train a linear embedding: three people, eight noisy images of each."""
    people = torch.randn(3, 10, generator=seeded(3))
    x = people.repeat(8, 1) + 0.5 * torch.randn(24, 10, generator=seeded())
    y = torch.arange(3).repeat(8)
    with training.seeded(seeded(1)):
        embed, model = nn.Linear(10, 4), ArcFace(4, 3, scale=16.0)
    step = torch.optim.Adam([*embed.parameters(), *model.parameters()], 0.05)
    for _ in range(60):
        step.zero_grad()
        focal_loss(model(embed(x), y), y).backward()
        step.step()
    own = normalize(embed(x), dim=1) @ normalize(model.weight, dim=1).T
    assert (own.argmax(1) == y).all()
    assert own.gather(1, y[:, None]).mean() > 0.8


def slow_focal(logits, labels, gamma):
    total = 0.0
    for row, y in zip(logits.tolist(), labels.tolist()):
        p = math.exp(row[y]) / sum(math.exp(value) for value in row)
        total -= (1 - p) ** gamma * math.log(p)
    return total / len(labels)


@pytest.mark.parametrize("gamma", [0.0, 0.5, 2.0, 5.0])
def test_focal_loss_is_its_formula(gamma):
    logits, labels = 2 * torch.randn(N, 4, generator=seeded(), dtype=torch.float64), torch.arange(N) % 4
    assert focal_loss(logits, labels, gamma).item() == pytest.approx(
        slow_focal(logits, labels, gamma), abs=1e-12
    )
    if gamma == 0:
        torch.testing.assert_close(focal_loss(logits, labels, gamma), cross_entropy(logits, labels))


@pytest.mark.parametrize("gamma", [0.0, 1.0, 2.0])
def test_two_classes_are_torchvision_s_sigmoid_focal_loss(gamma):
    z = (3 * torch.randn(N, generator=seeded(), dtype=torch.float64)).requires_grad_()
    labels = torch.arange(N) % 2
    ours = focal_loss(torch.stack([torch.zeros_like(z), z], 1), labels, gamma)
    peer = sigmoid_focal_loss(z, labels.double(), alpha=-1, gamma=gamma, reduction="mean")
    torch.testing.assert_close(ours, peer)
    torch.testing.assert_close(torch.autograd.grad(ours, z), torch.autograd.grad(peer, z))


@pytest.mark.parametrize("gamma", [0.5, 2.0])
def test_focal_loss_is_finite_where_the_softmax_is_certain(gamma):
    logits = torch.tensor([[200.0, 0.0], [0.0, 200.0]], requires_grad=True)
    loss = focal_loss(logits, torch.tensor([0, 0]), gamma)
    loss.backward()
    assert loss.item() == pytest.approx(100.0)
    assert torch.isfinite(logits.grad).all()


@pytest.mark.parametrize(
    "options",
    [
        {"features": 0},
        {"classes": 0},
        {"scale": 0.0},
        {"scale": math.inf},
        {"margin": -0.1},
        {"margin": math.pi},
    ],
)
def test_impossible_heads_are_refused(options):
    with pytest.raises(ValueError, match=next(iter(options))):
        ArcFace(**{"features": 2, "classes": 2, **options})


@pytest.mark.parametrize(
    "labels", [torch.zeros(3), torch.zeros(2, dtype=torch.int64), torch.tensor([0, 1, 5])]
)
def test_wrong_labels_are_refused(labels):
    x = torch.ones(3, FEATURES, dtype=torch.float64)
    with pytest.raises(ValueError, match="labels"):
        head()(x, labels)
    with pytest.raises(ValueError, match="labels"):
        focal_loss(torch.zeros(3, CLASSES), labels)


def test_a_negative_gamma_is_refused():
    with pytest.raises(ValueError, match="gamma"):
        focal_loss(torch.zeros(1, 2), torch.zeros(1, dtype=torch.int64), -1.0)
