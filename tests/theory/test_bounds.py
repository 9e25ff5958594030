import math
from itertools import pairwise

import pytest
import reference
import torch
from cases import generator, normal, perturbed
from hypothesis import example, given, settings
from hypothesis import strategies as st

from lib.measures.transferability import measure_jacobians
from lib.theory import bounds


def stack(*matrices):
    return torch.tensor(matrices, dtype=torch.float64)


def holds(lhs, rhs, scale):
    """lhs <= rhs, up to the round-off of 1 - tau1 under a root."""
    return lhs <= rhs * (1 + 1e-9) + 1e-7 * scale


def check_all(source, target, weights=None):
    """Every bound that applies to the stacks; returns how near the nearest came."""
    scale = target.square().sum((-1, -2)).max().item()
    two = bounds.theorem_2(source, target, weights)
    for name, value in two.rhs.items():
        assert holds(two.lhs, value, scale), (name, two, source, target, weights)
    order = [two.rhs[name] for name in ("pointwise", "minkowski", "constant_two", "paper")]
    assert all(holds(low, high, scale) for low, high in pairwise(order)), (two, source, target, weights)
    interval = bounds.proposition_2(source, target, weights)
    assert holds(interval.lower, interval.value, scale), interval
    assert holds(interval.value, interval.upper, scale), interval
    if source.shape[1] == target.shape[1] == 1:
        one = bounds.theorem_1(source, target, weights)
        assert one.lhs == pytest.approx(one.rhs["exact"], rel=1e-9, abs=1e-9 * scale)
        assert holds(one.lhs, one.rhs["lipschitz"], scale)
    return two.lhs / two.rhs["constant_two"] if two.rhs["constant_two"] > 0 else 0.0


def random_stacks(seed):
    """A pair of stacks and weights: sizes, ranks, ties, zeros and relations at random."""
    draw = generator(seed)

    def integer(low, high):
        return int(torch.randint(low, high + 1, (1,), generator=draw))

    N, m, d, n = integer(1, 5), integer(1, 4), integer(1, 4), integer(1, 5)
    source = torch.randn(N, m, n, generator=draw, dtype=torch.float64)
    target = torch.randn(N, d, n, generator=draw, dtype=torch.float64)
    kind = seed % 6
    if kind == 1:  # related
        target = torch.randn(d, m, generator=draw, dtype=torch.float64) @ source + 0.1 * target
    elif kind == 2:  # signs and zeros: ties and zero Jacobians
        source, target = source.sign() * (source.abs() > 0.7), target.sign() * (target.abs() > 0.7)
    elif kind == 3:  # nearly rank one
        source = source[:, :, :1] * source[:, :1] + 1e-4 * source
        target = target[:, :, :1] * source[:, :1] + 1e-2 * target
    elif kind == 4:  # samples of very different size
        size = 10.0 ** torch.randint(-3, 4, (N, 1, 1), generator=draw)
        source, target = source * size, target / size
    elif kind == 5:  # diagonal
        eye = torch.eye(max(m, d, n), dtype=torch.float64)
        source, target = source * eye[:m, :n], target * eye[:d, :n]
    weights = torch.rand(N, generator=draw, dtype=torch.float64) + (1e-6 if seed % 2 else 1)
    if N > 1 and seed % 5 == 0:
        weights[integer(0, N - 1)] = 0
    return source, target, weights


@pytest.mark.parametrize("block", range(6))
def test_every_bound_holds_on_random_stacks(block):
    for seed in range(400 * block, 400 * (block + 1)):
        check_all(*random_stacks(seed))


# Instances on which a bound is tight, or a printed step fails (chapter "Theorem 2").
def _near_two(eta):
    weights = torch.tensor([1 - eta, eta], dtype=torch.float64)
    return stack([[1, 0]], [[1, 0]]), stack([[1, 0], [0, 0]], [[2, 0], [0, 2 - 1e-9]]), weights


def _near_two_by_source(eta, ratio):
    weights = torch.tensor([1 - eta, eta], dtype=torch.float64)
    return stack([[0, 0], [1, 0]], [[1, 0], [0, ratio]]), stack([[-1, 0]], [[0, 1]]), weights


def _lipschitz_worst():
    p, psi, ratio = 0.722343, 0.384384, 0.529237
    w = math.sqrt(p * (1 - psi**2) / (1 - p)) / psi
    weights = torch.tensor([p, 1 - p], dtype=torch.float64)
    return stack([[0, 0], [1, 0]], [[w, 0], [0, w * ratio]]), stack([[-1, 0]], [[0, 1]]), weights


def _minkowski_tight(ratio):
    return (
        stack([[1, 0], [0, ratio]], [[ratio, 0], [0, 1]]),
        stack([[1, 0], [0, -ratio]], [[-ratio, 0], [0, 1]]),
        None,
    )


TIGHT = {
    "constant two, 1e-3": _near_two(1e-3),
    "constant two, 1e-6": _near_two(1e-6),
    "constant two by the source": _near_two_by_source(1e-4, 1 - 1e-6),
    "Lipschitz worst": _lipschitz_worst(),
    "Minkowski tight": _minkowski_tight(0.5),
    "broken step": (stack([[0, 1, 0]]), stack([[3, 0, 0], [0, 1, 0], [0, 0, 1]]), None),
    "two orthogonal views": (stack([[0, 1]]), stack([[0.1, 0], [0, 0.0999]]), None),
}


@pytest.mark.parametrize("name", TIGHT)
def test_every_bound_holds_around_the_tight_instances(name):
    source, target, weights = TIGHT[name]
    for seed in range(150):
        size = 10.0 ** -(seed % 10) if seed else 0.0
        noise = normal(*source.shape, seed=seed), normal(*target.shape, seed=seed + 1000)
        check_all(source + size * noise[0], target + size * noise[1], weights)


@pytest.mark.parametrize(("eta", "ratio"), [(1e-3, 1.99), (1e-6, 1.9999)])
def test_the_constant_two_cannot_be_lower(eta, ratio):
    bound = bounds.theorem_2(*_near_two(eta))
    assert ratio < 2 * bound.lhs / bound.rhs["constant_two"] <= 2


def test_the_minkowski_form_is_attained():
    bound = bounds.theorem_2(*_minkowski_tight(0.5))
    assert bound.lhs == pytest.approx(bound.rhs["minkowski"], rel=1e-12)


def test_the_worst_known_instance_of_the_lipschitz_form():
    bound = bounds.theorem_2(*_lipschitz_worst())
    assert 5 * bound.lhs / bound.rhs["lipschitz"] == pytest.approx(1.3968, abs=1e-4)


# from 1e-280 down, A itself can leave float64, which is refused: see below
entries = st.sampled_from([0.0, 1.0, -1.0, 2.0, 0.5, 1e-3, 1e3]) | st.floats(-10, 10).map(
    lambda v: v * (abs(v) > 1e-280)
)


@st.composite
def adversarial(draw):
    N, m, d, n = (draw(st.integers(1, top)) for top in (4, 3, 3, 4))

    def make(rows):
        values = draw(st.lists(entries, min_size=N * rows * n, max_size=N * rows * n))
        return torch.tensor(values, dtype=torch.float64).reshape(N, rows, n)

    weights = draw(st.lists(st.sampled_from([0.0, 1e-4, 1.0, 3.0]), min_size=N, max_size=N).filter(any))
    return make(m), make(d), torch.tensor(weights, dtype=torch.float64)


# A is fitted on the middle sample alone; on the last one, of weight 0, |A J_S|^2 leaves float64
OUT_OF_RANGE_OUTSIDE = (
    stack([[0]], [[2.7e-220]], [[1]]),
    stack([[0], [0], [0]], [[0], [0], [1]], [[0], [0], [0]]),
    torch.tensor([0, 1, 0], dtype=torch.float64),
)


@given(adversarial())
@example(OUT_OF_RANGE_OUTSIDE)
@settings(max_examples=400, deadline=None)
def test_every_bound_holds_on_adversarial_stacks(drawn):
    check_all(*drawn)


@pytest.mark.parametrize("seed", range(60))
def test_theorem_2_is_the_printed_formula(seed):
    N, m, d, n = 4, 1 + seed % 3, 1 + seed % 4, 3 + seed % 2
    source = normal(N, m, n, seed=seed)
    target = perturbed(source, 0.5, seed=seed)[:, :d] if d <= m else normal(N, d, n, seed=seed + 1)
    weights = torch.tensor([0.0, 1, 2, 3], dtype=torch.float64)
    source[0], target[0] = 100, 100 * torch.eye(target.shape[1], n)  # of weight 0: out of the maxima too
    found, (lhs, rhs) = (
        bounds.theorem_2(source, target, weights),
        reference.theorem_2(source, target, weights),
    )
    assert found.lhs == pytest.approx(lhs, rel=1e-9)
    assert dict(found.rhs) == {name: pytest.approx(value, rel=1e-9) for name, value in rhs.items()}


@pytest.mark.parametrize("seed", range(30))
def test_theorem_1_is_an_equality_with_the_best_scalar(seed):
    source, target = normal(5, 1, 4, seed=seed), normal(5, 1, 4, seed=seed + 50)
    weights = torch.rand(5, generator=generator(seed), dtype=torch.float64)
    if seed % 3 == 0:
        source[0] = 0  # the convention tau1(x) = 0 keeps the equality
    found = bounds.theorem_1(source, target, weights)
    p = weights / weights.sum()
    best = (p[:, None, None] * source * target).sum() / (p[:, None, None] * source.square()).sum()
    distance = (p * (target - best * source).square().sum((-1, -2))).sum().item()
    assert found.lhs == pytest.approx(distance, rel=1e-12)
    assert found.rhs["exact"] == pytest.approx(distance, rel=1e-10)


def test_proposition_2_takes_the_ratio_and_not_the_largest_singular_value():
    source, target, _ = TIGHT["two orthogonal views"]
    interval = bounds.proposition_2(source, target)
    assert interval.value == pytest.approx(0.0999**2)
    with_sigma = 0.1**2 * 0.1**2  # lambda_T read as sigma_max = .1, tau1 = 0
    assert with_sigma < interval.value <= interval.upper


def test_a_source_without_gradient_leaves_the_target_alone():
    target = normal(4, 2, 3)
    bound = bounds.theorem_2(torch.zeros(4, 1, 3).double(), target)
    norms = torch.linalg.matrix_norm(target, ord=2).square().mean().item()
    assert bound.lhs == pytest.approx(norms)
    assert bound.rhs["minkowski"] >= norms * (1 - 1e-12)


def test_theorem_3():
    bound = bounds.theorem_3(0.5, 0.25, 3.0, 0.1)
    assert bound.lhs is None
    assert bound.rhs == {
        "paper": pytest.approx((0.75 + 0.4) ** 2),
        "half_beta": pytest.approx((0.75 + 0.2) ** 2),
    }
    wide = bounds.theorem_3(0.5, 0.25, 3.0, 0.1, radius=2.0)
    assert wide.rhs == {"paper": pytest.approx((1 + 1.6) ** 2), "half_beta": pytest.approx((1 + 0.8) ** 2)}


@pytest.mark.parametrize("seed", range(40))
def test_theorem_3_holds_for_quadratics(seed):
    """f_T, f_S quadratic, y a perturbed f_T, points in the unit ball; beta is exact."""
    d, m, n = 2, 3, 4
    curve_t, curve_s = 0.3 * normal(d, n, n, seed=seed), 0.3 * normal(m, n, n, seed=seed + 1)
    curve_t, curve_s = curve_t + curve_t.mT, curve_s + curve_s.mT
    slope_t, slope_s = normal(d, n, seed=seed + 2), normal(m, n, seed=seed + 3)
    x = (
        torch.nn.functional.normalize(normal(50, n, seed=seed + 4), dim=-1)
        * torch.linspace(0.02, 1, 50)[:, None]
    )

    def value(slope, curve):
        return x @ slope.mT + torch.einsum("kij,ni,nj->nk", curve, x, x) / 2

    def gradient(slope, curve):
        return slope + torch.einsum("kij,nj->nki", curve, x)

    source, target = gradient(slope_s, curve_s), gradient(slope_t, curve_t)
    # |J(x) - J(y)|_2 = |C (x - y)| <= |C as a (k n, n) matrix|_2 |x - y|
    beta = max(torch.linalg.matrix_norm(c.reshape(-1, n), ord=2).item() for c in (curve_t, curve_s))
    align = measure_jacobians(source, target).alignment
    y = value(slope_t, curve_t) + 0.1 * normal(50, d, seed=seed + 5)
    transferred = value(slope_s, curve_s) @ align.mT  # both functions are 0 at 0
    loss = (transferred - y).square().sum(-1).mean().item()
    norm = [torch.linalg.matrix_norm(J, ord=2).square().mean().sqrt().item() for J in (target, source)]
    reference_loss = (value(slope_t, curve_t) - y).square().sum(-1).mean().sqrt().item()
    lhs = bounds.theorem_2(source, target).lhs
    bound = bounds.theorem_3(reference_loss, math.sqrt(lhs), norm[0] / norm[1], beta)
    assert loss <= bound.rhs["half_beta"] <= bound.rhs["paper"]


def test_theorem_3_with_half_beta_is_attained():
    """n = 1, one point x = 1: f_T = x^2 / 2, f_S = 2 x - x^2 / 2, y = f_T (chapter "Theorem 3")."""
    lhs = bounds.theorem_1(stack([[1.0]]), stack([[1.0]])).lhs  # both slopes are 1 at x = 1, so A = 1
    bound = bounds.theorem_3(0.0, math.sqrt(lhs), 1.0, 1.0)
    transferred, y = 2 - 0.5, 0.5
    assert (transferred - y) ** 2 == pytest.approx(bound.rhs["half_beta"])


@pytest.mark.parametrize("name", ["reference_loss", "gradient_distance", "norm_ratio", "beta", "radius"])
@pytest.mark.parametrize("value", [-0.1, math.nan, math.inf])
def test_theorem_3_refuses_what_is_no_norm(name, value):
    given_values = dict.fromkeys(["reference_loss", "gradient_distance", "norm_ratio", "beta", "radius"], 1.0)
    with pytest.raises(ValueError, match=name):
        bounds.theorem_3(**{**given_values, name: value})


def test_theorem_1_refuses_more_outputs():
    with pytest.raises(ValueError, match="use theorem_2"):
        bounds.theorem_1(normal(3, 2, 4), normal(3, 1, 4))


@pytest.mark.parametrize("bound", [bounds.proposition_2, bounds.theorem_1, bounds.theorem_2])
def test_bad_stacks(bound):
    with pytest.raises(ValueError, match="same points"):
        bound(normal(3, 1, 4), normal(2, 1, 4))
    with pytest.raises(ValueError, match="NaN or infinity"):
        bound(normal(3, 1, 4) / 0, normal(3, 1, 4))
    with pytest.raises(ValueError, match="nonnegative"):
        bound(normal(3, 1, 4), normal(3, 1, 4), torch.tensor([1.0, -1, 1]))


@pytest.mark.parametrize("factor", [1e-300, 1e-170, 1e170, 1e290])
def test_theorem_2_does_not_depend_on_the_scale_of_the_source(factor):
    source, target = normal(5, 3, 4), normal(5, 2, 4, seed=1)
    wanted, found = bounds.theorem_2(source, target), bounds.theorem_2(factor * source, target)
    assert found.rhs == pytest.approx(dict(wanted.rhs))
    assert found.lhs == pytest.approx(wanted.lhs)


@pytest.mark.parametrize(("size_s", "size_t"), [(1.0, 1e160), (1e-300, 1e100)])
def test_squares_or_a_map_that_leave_float64_are_refused(size_s, size_t):
    for bound in (bounds.proposition_2, bounds.theorem_1, bounds.theorem_2):
        with pytest.raises(ValueError, match="too large or too unequal"):
            bound(size_s * normal(3, 1, 4), size_t * normal(3, 1, 4))


def test_theorem_3_says_infinite_where_the_square_is():
    assert bounds.theorem_3(1e200, 1, 1, 1).rhs["paper"] == math.inf
