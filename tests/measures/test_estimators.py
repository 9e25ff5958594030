"""Each estimator beside its definition written out, its closed forms, its limits and what leaves it alone."""

import itertools
import math

import pytest
import torch
from scipy import optimize
from sklearn.covariance import LedoitWolf
from torch.nn.functional import one_hot

from lib.measures import estimators


def normal(*shape, seed=0):
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


def problem(count=60, size=8, classes=3, signal=1.0, seed=0):
    """Labels that no class lacks, and features that know something of them."""
    order = torch.randperm(count, generator=torch.Generator().manual_seed(seed))
    labels = (torch.arange(count) % classes)[order]
    return normal(count, size, seed=seed) + signal * normal(classes, size, seed=seed + 1)[labels], labels


def uneven(count=50):
    features, _ = problem(count)
    labels = torch.tensor([0] * 5 + [1] * 12 + [2] * (count - 17))
    features[:, 0] += labels
    return features, labels


def probabilities(features, kinds=5):
    return (features @ normal(features.shape[1], kinds, seed=9)).softmax(1)


PROBLEMS = {
    "even": problem(),
    "uneven": uneven(),
    "more features than samples": problem(20, 40),
    "two classes": problem(30, 4, 2),
    "stretched": (lambda x, y: (x * torch.arange(1.0, 9), y))(*problem()),
    "weak": problem(80, 6, 4, signal=0.2),
    "dependent features": (lambda x, y: (torch.cat([x, x @ normal(8, 3)], 1), y))(*problem()),
}
everywhere = pytest.mark.parametrize(("features", "labels"), PROBLEMS.values(), ids=PROBLEMS)


# LogME


def evidence(features, y, alpha, beta):
    """log N(y; 0, I / beta + F F' / alpha), the marginal likelihood of the regression."""
    cov = torch.eye(len(y), dtype=y.dtype) / beta + features @ features.mT / alpha
    return float(torch.distributions.MultivariateNormal(0 * y, cov, validate_args=False).log_prob(y))


def direct(features, labels):
    """The evidence maximised over log alpha and log beta from a grid of starts."""
    values = []
    for y in one_hot(labels).double().T:
        starts = itertools.product((-3.0, 6.0), (0.0, 3.0))
        found = [
            optimize.minimize(
                lambda p, y=y: -evidence(features, y, math.exp(p[0]), math.exp(p[1])),
                start,
                method="Nelder-Mead",
                bounds=[(-20, 30), (-5, 15)],
                options={"xatol": 1e-7, "fatol": 1e-10, "maxiter": 4000},
            ).fun
            for start in starts
        ]
        values.append(-min(found) / len(y))
    return sum(values) / len(values)


def fixed_point(features, labels, steps):
    """The iteration of You et al. 2021, Algorithm 1, for each class, and its evidence formula."""
    count, size = features.shape
    total = 0.0
    for y in one_hot(labels).double().T:
        alpha = beta = 1.0
        gram = features.mT @ features
        for _ in range(steps):
            A = alpha * torch.eye(size, dtype=torch.float64) + beta * gram
            m = beta * torch.linalg.solve(A, features.mT @ y)
            gamma = float((beta * torch.linalg.eigvalsh(gram) / torch.linalg.eigvalsh(A)).sum())
            miss = float((features @ m - y).square().sum())
            alpha, beta = gamma / float(m @ m), (count - gamma) / miss
        A = alpha * torch.eye(size, dtype=torch.float64) + beta * gram
        m = beta * torch.linalg.solve(A, features.mT @ y)
        value = count / 2 * math.log(beta) + size / 2 * math.log(alpha) - count / 2 * math.log(2 * math.pi)
        value -= beta / 2 * float((features @ m - y).square().sum()) + alpha / 2 * float(m @ m)
        total += (value - 0.5 * float(torch.logdet(A))) / count
    return total / (int(labels.max()) + 1)


@pytest.mark.parametrize("name", ["even", "uneven", "two classes", "more features than samples"])
def test_logme_is_the_largest_evidence_that_scipy_finds(name):
    features, labels = PROBLEMS[name]
    ours, theirs = estimators.logme(features, labels), direct(features, labels)
    assert ours >= theirs - 1e-9
    assert ours == pytest.approx(theirs, abs=1e-6)


def test_logme_is_found_where_the_papers_iteration_runs_away():
    features, labels = PROBLEMS["weak"]  # a class of which the features know nothing: alpha grows for ever
    early, late = (fixed_point(features, labels, steps) for steps in (30, 300))
    assert early < late <= estimators.logme(features, labels) + 1e-12
    assert late == pytest.approx(estimators.logme(features, labels), abs=1e-3)


@pytest.mark.parametrize("name", ["even", "uneven", "two classes"])
def test_logme_is_where_the_papers_iteration_goes(name):
    features, labels = PROBLEMS[name]
    assert estimators.logme(features, labels) == pytest.approx(fixed_point(features, labels, 2000), abs=1e-7)


def test_logme_without_information_is_the_evidence_of_noise():
    labels = torch.tensor([0, 0, 0, 1, 1, 2, 2, 2, 2, 2])
    noise = [-0.5 * (math.log(2 * math.pi * n / 10) + 1) for n in (3, 2, 5)]
    assert estimators.logme(torch.zeros(10, 4), labels) == pytest.approx(sum(noise) / 3)


def test_logme_of_features_that_are_the_labels_is_finite_and_the_highest():
    _, labels = problem()
    perfect = estimators.logme(one_hot(labels).double(), labels)
    assert perfect < -0.5 * math.log(2 * math.pi * estimators.NOISE)  # the floor of the noise bounds it
    assert perfect > 9 > max(estimators.logme(x, y) for x, y in PROBLEMS.values())


# LEEP and NCE


@everywhere
def test_leep_is_its_definition(features, labels):
    theta = probabilities(features)
    count, kinds = theta.shape
    joint = torch.zeros(int(labels.max()) + 1, kinds, dtype=torch.float64)
    for row, label in zip(theta, labels):
        joint[label] += row / count
    total = 0.0
    for row, label in zip(theta, labels):
        total += math.log(sum(float(joint[label, z] / joint[:, z].sum() * row[z]) for z in range(kinds)))
    assert estimators.leep(theta, labels) == pytest.approx(total / count, rel=1e-12)


def entropy(*columns):
    """H of the empirical joint distribution, in nats."""
    pairs = list(zip(*[column.tolist() for column in columns]))
    shares = [pairs.count(pair) / len(pairs) for pair in set(pairs)]
    return -sum(p * math.log(p) for p in shares)


@everywhere
def test_nce_is_the_negative_conditional_entropy(features, labels):
    groups = features.abs().argmax(1)
    wanted = entropy(groups) - entropy(groups, labels)
    assert estimators.nce(groups, labels) == pytest.approx(wanted, abs=1e-12)


def test_leep_of_a_one_hot_source_is_nce_of_its_labels():
    features, labels = problem()
    groups = features.argmax(1)
    wanted = estimators.nce(groups, labels)
    assert estimators.leep(one_hot(groups, 11).double(), labels) == pytest.approx(wanted, abs=1e-12)
    assert wanted < -0.1


def test_leep_and_nce_of_a_source_that_knows_the_labels_are_zero():
    _, labels = problem(classes=4)
    renamed = 3 - labels
    assert estimators.leep(one_hot(renamed).double(), labels) == pytest.approx(0, abs=1e-12)
    assert estimators.nce(renamed, labels) == pytest.approx(0, abs=1e-12)
    assert estimators.nce(torch.arange(len(labels)), labels) == 0  # finer classes lose nothing


def test_leep_and_nce_of_a_source_that_knows_nothing_are_the_entropy():
    labels = uneven()[1]
    assert estimators.leep(torch.full((50, 4), 0.25), labels) == pytest.approx(-entropy(labels))
    assert estimators.nce(torch.zeros(50, dtype=torch.int64), labels) == pytest.approx(-entropy(labels))


# H-score


def traces(features, labels, shrinkage=0.0):
    """tr(cov_a(f)^+ (1 - a) cov(E[f|y])) from the two covariance matrices."""
    centred = features - features.mean(0)
    means = torch.stack([centred[labels == label].mean(0) for label in labels])
    cov, between = (v.mT @ v / len(v) for v in (centred, means))
    size = len(cov)
    cov = (1 - shrinkage) * cov + shrinkage * cov.trace() / size * torch.eye(size, dtype=cov.dtype)
    return float((torch.linalg.pinv(cov, hermitian=True, rtol=1e-12) @ between).trace()) * (1 - shrinkage)


@everywhere
def test_h_score_is_its_definition(features, labels):
    assert estimators.h_score(features, labels) == pytest.approx(traces(features, labels), rel=1e-9)


@everywhere
def test_regularised_h_score_shrinks_as_ledoit_and_wolf(features, labels):
    shrinkage = float(LedoitWolf().fit(features.numpy()).shrinkage_)
    wanted = traces(features, labels, shrinkage)
    assert estimators.h_score(features, labels, regularised=True) == pytest.approx(wanted, rel=1e-9)


def test_the_shrinkages_tested_are_neither_all_none_nor_all_of_it():
    found = [float(LedoitWolf().fit(x.numpy()).shrinkage_) for x, _ in PROBLEMS.values()]
    assert min(found) < 0.2
    assert max(found) == 1
    assert sum(0.05 < value < 0.95 for value in found) >= 3


def test_h_score_ranges_from_zero_to_one_less_than_the_classes():
    _, labels = problem(classes=4)
    assert estimators.h_score(one_hot(labels).double(), labels) == pytest.approx(3)
    assert estimators.h_score(torch.ones(60, 3), labels) == 0
    features = problem(classes=4)[0].double()
    assert estimators.h_score(1e-200 * features, labels) == pytest.approx(
        estimators.h_score(features, labels)
    )
    assert estimators.h_score(torch.ones(60, 3), labels, regularised=True) == 0
    single = problem(size=1)  # one feature has nothing to be shrunk towards
    assert estimators.h_score(*single, regularised=True) == pytest.approx(estimators.h_score(*single))
    whole = problem(20, 40)  # as many features as samples: the plain score is blind, the shrunken is not
    assert estimators.h_score(*whole) == pytest.approx(2)
    assert estimators.h_score(*whole, regularised=True) < 1.9


def test_h_score_is_unchanged_by_any_invertible_affine_map():
    features, labels = problem()
    moved = features @ (normal(8, 8, seed=5) + 2 * torch.eye(8)) + normal(8, seed=6)
    assert estimators.h_score(moved, labels) == pytest.approx(estimators.h_score(features, labels), rel=1e-9)


# TransRate


@everywhere
def test_trans_rate_is_its_definition(features, labels):
    def rate(z):
        return 0.5 * float(torch.logdet(torch.eye(z.shape[1]) + z.mT @ z / (len(z) * 1e-4)))

    centred = features - features.mean(0)
    parts = [centred[labels == k] for k in labels.unique()]
    wanted = rate(centred) - sum(len(part) / len(labels) * rate(part) for part in parts)
    assert estimators.trans_rate(features, labels) == pytest.approx(wanted, rel=1e-9)


def test_trans_rate_of_four_points_on_two_axes():
    features = torch.tensor([[1.0, 0], [-1, 0], [0, 1], [0, -1]]).repeat(3, 1)
    for epsilon in (1e-4, 1.0):
        whole, within = math.log(1 + 1 / (2 * epsilon)), 0.5 * math.log(1 + 1 / epsilon)
        found = estimators.trans_rate(features, torch.arange(4).repeat(3), epsilon)
        assert found == pytest.approx(whole - within, rel=1e-9)


def test_trans_rate_vanishes_with_coarse_coding_and_for_constant_features():
    features, labels = problem()
    assert estimators.trans_rate(features, labels, epsilon=1e9) == pytest.approx(0, abs=1e-6)
    assert estimators.trans_rate(torch.ones(60, 3), labels) == 0
    with pytest.raises(ValueError, match="epsilon = 0"):
        estimators.trans_rate(features, labels, epsilon=0)


# k nearest neighbours


def voting(features, labels, k):
    """Leave-one-out k-NN, a sample at a time; ties go to the nearest of the tied."""
    hits = 0
    for i, point in enumerate(features):
        others = [j for j in range(len(features)) if j != i]
        others.sort(key=lambda j: float((features[j] - point).square().sum()))
        near = [int(labels[j]) for j in others[:k]]
        most = max(near.count(label) for label in near)
        hits += next(label for label in near if near.count(label) == most) == int(labels[i])
    return hits / len(features)


@everywhere
@pytest.mark.parametrize("k", [1, 2, 5])
def test_knn_is_its_definition(features, labels, k):
    assert estimators.knn(features, labels, k) == pytest.approx(voting(features, labels, k))


def test_knn_leaves_the_sample_itself_out():
    spread, labels = torch.arange(10.0).unsqueeze(1), torch.arange(10) % 2
    assert estimators.knn(spread, labels, 1) == 0  # on a line of alternating classes every neighbour is wrong
    assert estimators.knn(spread.repeat(2, 1), labels.repeat(2), 1) == 1  # a twin is right


def test_knn_finds_separate_clusters_and_takes_what_neighbours_there_are():
    _, labels = problem()
    assert estimators.knn(one_hot(labels) * 9 + 0.1 * normal(60, 3), labels) == 1
    few = torch.tensor([[0.0], [0.1], [5.0], [5.2]])
    assert estimators.knn(few, torch.tensor([0, 0, 1, 1])) == 0  # k = 3: two of three are of the other class
    with pytest.raises(ValueError, match="k = 0"):
        estimators.knn(few, torch.tensor([0, 0, 1, 1]), 0)


def test_knn_is_the_same_in_parts(monkeypatch):
    whole = estimators.knn(*problem())
    monkeypatch.setattr(estimators, "_ROWS", 7)
    assert estimators.knn(*problem()) == whole


# All together


NAMES = {"logme", "leep", "nce", "h_score", "h_score_regularised", "trans_rate", "knn"}
SCALE_FREE = NAMES - {"trans_rate"}
SHIFT_FREE = NAMES - {"logme"}


def same(first, second, names=NAMES):
    assert {n: first[n] for n in names} == pytest.approx({n: second[n] for n in names}, rel=1e-7, abs=1e-9)


def test_scores_names_them_all_and_leaves_out_what_needs_probabilities():
    features, labels = problem()
    theta = probabilities(features)
    found = estimators.scores(features, labels, theta)
    assert set(found) == NAMES
    assert all(isinstance(value, float) for value in found.values())
    assert found["nce"] == estimators.nce(theta.argmax(1), labels)
    assert found["h_score"] != found["h_score_regularised"]
    without = estimators.scores(features, labels)
    assert {name for name, value in without.items() if value is None} == {"leep", "nce"}


@everywhere
def test_names_and_order_of_classes_and_samples_do_not_matter(features, labels):
    theta = probabilities(features)
    wanted = estimators.scores(features, labels, theta)
    same(estimators.scores(features, 7 - 3 * labels, theta), wanted)
    order = torch.randperm(len(labels), generator=torch.Generator().manual_seed(3))
    same(estimators.scores(features[order], labels[order], theta[order]), wanted)
    same(estimators.scores(features, labels, theta.flip(1)), wanted)


@everywhere
def test_rotation_scale_and_shift_where_they_should_not_matter(features, labels):
    theta = probabilities(features)
    wanted = estimators.scores(features, labels, theta)
    turn = torch.linalg.qr(normal(features.shape[1], features.shape[1], seed=4))[0]
    same(estimators.scores(features @ turn, labels, theta), wanted)
    same(estimators.scores(37 * features, labels, theta), wanted, SCALE_FREE)
    same(estimators.scores(features + 2, labels, theta), wanted, SHIFT_FREE)


def test_better_features_score_higher_everywhere():
    weak, strong = (problem(90, signal=signal) for signal in (0.1, 3.0))
    low, high = (estimators.scores(x, y, (3 * x[:, :3]).softmax(1)) for x, y in (weak, strong))
    assert all(low[name] < high[name] for name in NAMES)


def test_inputs_stay_as_they_are_and_16_bits_do():
    features, labels = problem()
    before = features.clone()
    estimators.scores(features.requires_grad_(), labels)
    assert torch.equal(features, before)
    half = estimators.h_score(features.detach().half(), labels)
    assert half == pytest.approx(estimators.h_score(features, labels), rel=1e-2)


FEATURES = [estimators.logme, estimators.h_score, estimators.trans_rate, estimators.knn]
NAN = torch.tensor([[0.0, math.nan]] * 4)
ONES = torch.tensor([0, 1, 0, 1])


@pytest.mark.parametrize("score", [*FEATURES, estimators.leep])
@pytest.mark.parametrize(
    ("values", "labels", "kind", "message"),
    [
        (torch.ones(4), ONES, ValueError, r"shape \(4,\): pass a non-empty matrix"),
        (torch.ones(4, 2, 2), ONES, ValueError, r"flatten\(1\)"),
        (torch.ones(0, 2), ONES, ValueError, "shape"),
        (torch.ones(4, 2), ONES[:3], ValueError, "3 labels for 4 rows"),
        (torch.ones(4, 2), torch.zeros(4, dtype=torch.int64), ValueError, "one class only"),
        (torch.ones(1, 2), ONES[:1], ValueError, "one class only"),
        (NAN, ONES, ValueError, "NaN"),
        (1e80 * torch.ones(4, 2).double(), ONES, ValueError, "1e75"),
        (torch.ones(4, 2, dtype=torch.int64), ONES, TypeError, "floating"),
        (torch.ones(4, 2), ONES.double(), TypeError, "integers"),
        (torch.ones(4, 2), [0, 1, 0, 1], TypeError, "list"),
        (torch.ones(4, 2), ONES.unsqueeze(1), ValueError, r"\(N,\)"),
    ],
)
def test_refuses(score, values, labels, kind, message):
    with pytest.raises(kind, match=message):
        score(values, labels)


def test_refuses_probabilities_that_are_none_and_source_labels_that_do_not_fit():
    with pytest.raises(ValueError, match="softmax"):
        estimators.leep(torch.ones(4, 2), ONES)
    with pytest.raises(ValueError, match="softmax"):
        estimators.leep(torch.tensor([[1.5, -0.5]] * 4), ONES)
    with pytest.raises(ValueError, match="3 source_labels"):
        estimators.nce(ONES[:3], ONES)
    with pytest.raises(ValueError, match="one class only"):
        estimators.nce(ONES, torch.zeros(4, dtype=torch.int64))


def test_the_kind_of_a_predictor():
    measures = {"adversarial loss": None}
    kinds = [estimators.kind(name, measures) for name in ("adversarial loss", "LogME", "class balance")]
    assert kinds == ["measure", "rival", "baseline"]
