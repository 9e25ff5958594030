import pytest
import torch
from cases import generator, normal
from sklearn.linear_model import LogisticRegression

from lib.measures.probe import affine_refit, linear_probe


def test_an_affine_map_is_found_exactly():
    features, weight, bias = normal(30, 4), normal(2, 4, seed=1), normal(2, seed=2)
    found = affine_refit(features, features @ weight.mT + bias)
    torch.testing.assert_close(found.weight, weight)
    torch.testing.assert_close(found.bias, bias)
    assert found.loss < 1e-24


@pytest.mark.parametrize("ridge", [0.0, 0.3])
def test_no_step_away_lowers_the_objective(ridge):
    features, targets = normal(40, 3), normal(40, 2, seed=1)
    found = affine_refit(features, targets, ridge=ridge)

    def objective(weight, bias):
        return (features @ weight.mT + bias - targets).square().sum(-1).mean() + ridge * weight.square().sum()

    parameters = [found.weight.requires_grad_(), found.bias.requires_grad_()]
    gradients = torch.autograd.grad(objective(*parameters), parameters)
    assert max(g.abs().max() for g in gradients) < 1e-12
    penalty = ridge * found.weight.square().sum()
    assert found.loss == pytest.approx((objective(*parameters) - penalty).item())


def test_dependent_features_give_the_least_norm():
    features = normal(30, 2)
    found = affine_refit(torch.cat([features, features], 1), features[:, :1])
    torch.testing.assert_close(found.weight, torch.tensor([[0.5, 0, 0.5, 0]]).double(), atol=1e-12, rtol=0)
    constant = affine_refit(torch.ones(5, 2), normal(5, 1))
    assert (constant.weight == 0).all()


def sets(seed=0, sizes=(300, 100, 200), noise=2.0):
    weight = normal(6, 3, seed=seed + 50)
    made = []
    for i, size in enumerate(sizes):
        features = normal(size, 6, seed=seed + i) * torch.tensor([1, 10, 0.1, 1, 1, 1]) + 3
        labels = ((features - 3) @ weight + noise * normal(size, 3, seed=seed + 20 + i)).argmax(-1)
        made.append((features, labels))
    return made


@pytest.mark.parametrize("strength", [1e-3, 1e-1])
def test_the_probe_is_scikit_learns(strength):
    train, valid, test = sets()
    found = linear_probe(train, valid, test, classes=3, strengths=[strength])
    centre, scale = train[0].mean(0), train[0].std(0, correction=0)
    peer = LogisticRegression(C=1 / (strength * len(train[0])), tol=1e-10, max_iter=10000)
    peer.fit(((train[0] - centre) / scale).numpy(), train[1].numpy())
    weight = torch.from_numpy(peer.coef_) / scale
    # in the softmax only differences between classes count
    torch.testing.assert_close(
        found.weight - found.weight.mean(0), weight - weight.mean(0), atol=1e-6, rtol=1e-5
    )
    assert found.accuracy == pytest.approx(peer.score(((test[0] - centre) / scale).numpy(), test[1].numpy()))
    assert found.converged


def test_the_validation_set_chooses_and_the_test_set_does_not():
    train, valid, test = sets(sizes=(25, 200, 200), noise=8.0)
    strengths = (1e-4, 1e-2, 1.0)
    found = linear_probe(train, valid, test, classes=3, strengths=strengths)
    alone = {s: linear_probe(train, valid, valid, classes=3, strengths=[s]).loss for s in strengths}
    assert found.strength == min(alone, key=alone.get)
    assert found.strength != 1e-4  # noisy labels, few samples: the weakest penalty overfits
    tempted = linear_probe(train, valid, train, classes=3, strengths=strengths)
    assert torch.equal(tempted.weight, found.weight)  # the training set would choose the weakest penalty


def test_separable_classes_converge_too():
    features = torch.cat([normal(20, 2) + 8, normal(20, 2, seed=1) - 8]).float()
    labels = torch.arange(40) // 20
    found = linear_probe((features, labels), (features, labels), (features, labels), classes=2)
    assert found.accuracy == 1
    assert found.converged


def test_the_loss_is_that_of_the_weights():
    train, valid, test = sets()
    found = linear_probe(train, valid, test, classes=3)
    logits = test[0] @ found.weight.mT + found.bias
    assert found.loss == pytest.approx(torch.nn.functional.cross_entropy(logits, test[1]).item())
    assert found.accuracy == (logits.argmax(-1) == test[1]).double().mean()


def test_a_constant_feature_and_an_absent_class_are_no_trouble():
    features = torch.cat([normal(30, 2), torch.ones(30, 1)], 1)
    labels = torch.randint(0, 2, (30,), generator=generator(0))
    found = linear_probe(*[(features, labels)] * 3, classes=4)
    assert torch.isfinite(found.weight).all()
    assert found.converged


GOOD, LABELS = normal(4, 2), torch.tensor([0, 1, 0, 1])


@pytest.mark.parametrize(
    ("features", "targets", "message"),
    [
        (GOOD, GOOD[:2], "4 features but 2 targets"),
        (GOOD[0], GOOD, "non-empty matrix"),
        (GOOD[:0], GOOD[:0], "non-empty matrix"),
        (GOOD / 0, GOOD, "features holds NaN"),
        (GOOD, GOOD * torch.nan, "targets holds NaN"),
    ],
)
def test_bad_refits(features, targets, message):
    with pytest.raises(ValueError, match=message):
        affine_refit(features, targets)


def test_bad_arguments():
    with pytest.raises(TypeError, match="int64"):
        affine_refit(LABELS[:, None], GOOD)
    with pytest.raises(ValueError, match=r"ridge = -1"):
        affine_refit(GOOD, GOOD, ridge=-1)
    for strengths in ([], [0.0], [-1.0], [float("nan")]):
        with pytest.raises(ValueError, match="strengths"):
            linear_probe(*[(GOOD, LABELS)] * 3, classes=2, strengths=strengths)


@pytest.mark.parametrize(
    ("labels", "message"),
    [
        (torch.tensor([0, 1, 0, 2]), "from 0 to 2"),
        (torch.tensor([0, 1, 0, -1]), "from -1 to 1"),
        (LABELS.double(), "4 integers"),
        (LABELS[:3], "4 integers"),
    ],
)
def test_bad_labels(labels, message):
    with pytest.raises(ValueError, match=message):
        linear_probe((GOOD, LABELS), (GOOD, labels), (GOOD, LABELS), classes=2)


@pytest.mark.parametrize("size", [1e-200, 1e200])
def test_numbers_whose_squares_leave_float64_are_refused(size):
    for features, targets in ((size * normal(9, 2), normal(9, 1)), (normal(9, 2), size * normal(9, 1))):
        with pytest.raises(ValueError, match="scale it first"):
            affine_refit(features, targets)


def test_a_probe_refuses_labels_and_features_that_do_not_fit():
    features, labels = normal(6, 2), torch.tensor([0, 1, 2] * 2)
    given = (features, labels)
    with pytest.raises(TypeError, match="valid labels are a list"):
        linear_probe(given, (features, labels.tolist()), given, classes=3)
    with pytest.raises(ValueError, match=r"\[2, 3\] columns"):
        linear_probe(given, given, (normal(6, 3), labels), classes=3)
