import importlib
import math

import pytest
import sympy as sp
import torch

from lib.measures import transferability
from lib.theory import bounds
from lib.theory.counterexamples import case
from lib.theory.symbolic import broken_step, exact, instances, proposition_2
from lib.theory.symbolic.step import Identity, Inequality, Mutant, Refutation, Step
from lib.theory.symbolic.vectors import Space, vectors

FILES = ("norms", "proposition_1", "proposition_2", "theorem_1", "theorem_2", "broken_step", "theorem_r",
         "constants", "theorem_3")  # fmt: skip
STEPS = [(name, s) for name in FILES for s in importlib.import_module(f"lib.theory.symbolic.{name}").STEPS]
IDS = [f"{name}: {s.name}" for name, s in STEPS]
EXAMPLES = {
    "broken_step": instances.broken_step(),
    "rare_point": instances.rare_point(gap=sp.Rational(1, 10**9)),
    "scalar_target": instances.scalar_target(),
    "lipschitz_worst": instances.lipschitz_worst(),
    "aligned_yet_apart": instances.aligned_yet_apart(),
    "same_function": instances.same_function(3),
    "projection_active": instances.projection_active(),
    "ties, first": instances.ties(0, gap=sp.Rational(1, 10**9)),
    "ties, second": instances.ties(1, gap=sp.Rational(1, 10**9)),
    "ratio_not_norm": instances.ratio_not_norm(),
}


@pytest.mark.parametrize("step", [s for _, s in STEPS], ids=IDS)
def test_step_holds_and_every_wrong_version_is_caught(step):
    assert step.holds()
    assert step.mutants, "a step without a wrong version cannot fail"
    for mutant in step.mutants:
        claim = step.claim(**mutant.constants)
        assert not claim.proved(), mutant.constants
        assert claim.false(mutant.point), f"{mutant.constants} is unproved, but not shown false"
    assert step.caught()


@pytest.mark.parametrize("step", [s for _, s in STEPS], ids=IDS)
def test_step_says_what_and_where(step):
    assert step.name
    assert step.statement.count("{") == step.statement.count("}")
    assert "$" not in step.statement
    assert step.source


def test_names_are_unique_within_a_statement_up_to_limits():
    for name in FILES:
        names = [s.name for file, s in STEPS if file == name and s.name != "its limit"]
        assert len(names) == len(set(names))


x, y = sp.symbols("x y", real=True)
p, q = sp.symbols("p q", nonnegative=True)


def test_identity():
    assert Identity((x + y) ** 2, x**2 + 2 * x * y + y**2).proved()
    wrong = Identity((x + y) ** 2, x**2 + y**2)
    assert not wrong.proved()
    assert wrong.false()
    assert not Identity(x, x).false()


@pytest.mark.parametrize(
    "claim",
    [
        Inequality(x, ((x,),)),  # a factor of unknown sign
        Inequality(p - q, ((p,), (-1, q))),  # a negative factor
        Inequality(p + q, ((p,),)),  # terms that do not add up
        Inequality(x * y, ((x, y),), given=(x,)),  # only one of two factors assumed
        Inequality(-p, ((-p,),)),
    ],
)
def test_inequality_refuses_a_bad_certificate(claim):
    assert not claim.proved()


def test_inequality_accepts_squares_and_assumptions():
    assert Inequality(x**2 + p * q, ((x**2,), (p, q))).proved()
    assert Inequality(p - q, ((p - q,),), given=(p - q,)).proved()


def test_inequality_is_false_only_where_its_assumptions_hold():
    claim = Inequality(p - 2 * q, ((p - 2 * q,),), given=(p - q,))
    assert claim.false({p: 1, q: 1})
    assert not claim.false({p: 1, q: 3})  # the assumption fails there
    assert not claim.false({p: 3, q: 1})  # the goal holds there


def test_refutation():
    assert Refutation(sp.Integer(2), sp.Integer(1)).proved()
    assert not Refutation(sp.Integer(1), sp.Integer(1)).proved()
    assert Refutation(sp.Integer(1), sp.Integer(1)).false()


def test_a_step_without_wrong_versions_is_not_caught():
    assert not Step("s", "x", "here", lambda: Identity(x, x), ()).caught()
    harmless = Step("s", "x", "here", lambda k=1: Identity(k * x, k * x), (Mutant({"k": 2}),))
    assert harmless.holds()
    assert not harmless.caught()


def test_space_is_bilinear_and_knows_what_it_was_told():
    space, (u, v) = Space(u__v=0, u__u=1), vectors("u v")
    assert space.dot(u, v) == 0
    assert sp.simplify(space.square(2 * u - v) - 4 - space.square(v)) == 0
    assert space.square(v).is_nonnegative


def test_largest_decides_or_refuses():
    k = sp.Symbol("k", positive=True)
    assert exact.largest([k / (1 + k), 1]) == 1
    with pytest.raises(ValueError, match="cannot decide"):
        exact.largest([x, y])


def test_instance_refuses_a_wrong_attack_and_wrong_weights():
    jac = sp.diag(2, 1)
    good, bad = sp.Matrix([1, 0]), sp.Matrix([0, 1])
    with pytest.raises(ValueError, match="not a unit top right singular vector"):
        exact.Instance((sp.Integer(1),), (jac,), (jac,), (bad,), (good,))
    with pytest.raises(ValueError, match="weights sum"):
        exact.Instance((sp.Rational(1, 2),), (jac,), (jac,), (good,), (good,))


@pytest.mark.parametrize("name", EXAMPLES)
def test_exact_and_float_code_agree(name):
    one = EXAMPLES[name]
    tensors = case(one)
    found = transferability.measure_jacobians(tensors.source, tensors.target, tensors.weights)
    bound = bounds.theorem_2(tensors.source, tensors.target, tensors.weights)
    close = lambda a, b: float(a) == pytest.approx(b, rel=1e-10, abs=1e-12)  # noqa: E731
    assert close(one.tau1, found.tau1)
    assert close(one.tau2, found.tau2)
    assert close(one.scale, found.projection_scale)
    assert close(one.lhs, bound.lhs)
    assert close(2 * (one.main_term + one.ratio_term), bound.rhs["constant_two"])
    assert close(5 * one.lipschitz_bracket, bound.rhs["lipschitz"])
    wanted = torch.tensor([[float(e) for e in row] for row in one.alignment.tolist()], dtype=torch.float64)
    torch.testing.assert_close(found.alignment, wanted, rtol=1e-9, atol=1e-9)


def test_known_numbers_exactly():
    half, R = sp.Rational(1, 2), sp.Rational
    assert instances.projection_active().scale == 1 / sp.sqrt(101)
    assert (instances.ties(0).tau1, instances.ties(0).tau2) == (half, R(9, 10))
    assert instances.ties(1).tau1 == 1
    assert float(instances.ties(1).tau2) == pytest.approx(0.977451, abs=5e-7)
    for one in (instances.aligned_yet_apart(), instances.same_function()):
        assert one.tau1 == one.tau2 == 1
    assert instances.aligned_yet_apart().lhs == 1
    assert instances.same_function().lhs == R(1, 4)
    rare = instances.rare_point()
    assert (rare.lhs, 5 * (rare.main_term + rare.ratio_term)) == (R(4000999, 10**9), R(1001, 10**5))
    assert broken_step.line_13(rare) == R(20004995, 10**9)
    assert broken_step.line_14(rare) == R(10005005, 10**9)
    worst = instances.lipschitz_worst()
    assert math.isclose(worst.lhs / worst.lipschitz_bracket, 1.396810, rel_tol=1e-6)


def test_refuted_readings_and_no_others_are_marked():
    for name, step in STEPS:
        assert isinstance(step.claim(), Refutation) == step.name.endswith("REFUTED"), (name, step.name)


@pytest.mark.parametrize("big", [1, 2, 4])
def test_without_a_common_smoothness_the_error_is_not_cubic(big):
    """L_adv - eps^2 at eps = 4^-K by quadrature, over the first 80 points, either sign of the attack."""
    eps, grid = 4.0**-big, 20_001
    claim = proposition_2._steep()
    proved = float(claim.quantity.subs(dict.fromkeys(claim.quantity.free_symbols, 2.0**-big)))
    for sign in (1, -1):
        excess = 0.0
        for k in range(1, 80):
            u = sign * torch.linspace(0, eps, grid, dtype=torch.float64)
            moved = torch.trapezoid(1 + (4.0**k * u.abs()).clamp(max=1), u).item()
            excess += 2.0**-k * (moved**2 - eps**2)
        assert excess > 2.5 * 2**big * eps**3
        assert excess > 0.999 * proved
        assert big > 1 or excess == pytest.approx(proved, rel=1e-3)  # at K = 1 no point is left out


@pytest.mark.parametrize("bad", [0, 1, 2.5, -0.1])
def test_instances_refuse_parameters_outside_0_1(bad):
    with pytest.raises(ValueError, match="strictly between 0 and 1"):
        instances.rare_point(bad)
    with pytest.raises(ValueError, match="strictly between 0 and 1"):
        instances.scalar_target(ratio=bad)


def test_instances_refuse_what_they_cannot_be():
    with pytest.raises(ValueError, match="at least 2"):
        instances.same_function(1)
    with pytest.raises(ValueError, match="axis 0 or 1"):
        instances.ties(2)
