"""The chapters "Theorem 1" to "Theorem 3": both sides, on pairs of networks and on exact instances."""

from __future__ import annotations

import statistics
from collections.abc import Sequence
from typing import Any

import sympy as sp
import torch
from torch import Tensor

from lib.engine.results import Record
from lib.experiments.pairs.networks import Pair
from lib.experiments.pairs.record import gap, transfer
from lib.measures import transferability
from lib.theory import bounds, counterexamples
from lib.theory.counterexamples import Case
from lib.theory.symbolic import broken_step, instances
from lib.theory.symbolic.exact import Instance


def scalar(pair: Pair) -> dict[str, float | None]:
    """Theorem 1 (App. C) on a pair with one output each.

    `best_slope` minimises E|grad f_T - a grad f_S|^2 over all scalars a, by least squares on the stacked
    gradients, without any attack; `size` is E|grad f_T|^2.
    """
    source, target = pair.jacobians()
    found, bound = transferability.measure_jacobians(source, target), bounds.theorem_1(source, target)
    best = torch.linalg.lstsq(source.reshape(-1, 1), target.reshape(-1, 1)).solution.item()
    measured = {"tau1": found.tau1, "tau2": found.tau2, "alignment": found.alignment.item()}
    size = target.square().sum((1, 2)).mean().item()
    return {**measured, "best_slope": best, "size": size, "lhs": bound.lhs, **bound.rhs}


def triangle(pair: Pair, index: int) -> dict[str, float]:
    """The two gradients of a scalar pair at one point, in the plane they span (App. C, eq. 5).

    The first axis lies along grad f_S: `source` is |grad f_S|, (`along`, `across`) is grad f_T, `fitted` is
    A |grad f_S|.
    """
    source, target = pair.jacobians()
    own, other = source[index, 0], target[index, 0]
    length, along = own.norm().item(), (own @ other / own.norm()).item()
    across = (other.norm().square() - along**2).clamp(min=0).sqrt().item()
    slope = transferability.measure_jacobians(source, target).alignment.item()
    return {"source": length, "along": along, "across": across, "fitted": slope * length}


def slopes(pair: Pair, count: int = 101) -> dict[str, Any]:
    """E|grad f_T - a grad f_S|^2 for slopes a from A - |A| - 1 to A + |A| + 1, with A itself."""
    source, target = pair.jacobians()
    best = transferability.measure_jacobians(source, target).alignment.item()
    grid = torch.linspace(best - abs(best) - 1, best + abs(best) + 1, count, dtype=torch.float64)
    loss = [(target - a * source).square().sum((1, 2)).mean().item() for a in grid]
    return {"slope": grid.tolist(), "loss": loss, "alignment": best}


def third_term(case: Case, toward: Tensor, count: int = 91) -> dict[str, Any]:
    """X3 at one point for u turning from v_T to `toward`, with the paper's two bounds on it (App. D).

    `toward` (n,) is a unit vector orthogonal to v_S and v_T. X3 = |J_T u2 - A J_S u|, u2 = u - <u, v_T> v_T.
    """
    found = transferability.measure_jacobians(case.source, case.target, case.weights)
    source, target = case.source[0], case.target[0]
    top = torch.linalg.svd(target)[2][0]
    angles = torch.linspace(0, torch.pi / 2, count, dtype=torch.float64)
    u = angles.cos()[:, None] * top + angles.sin()[:, None] * toward
    rest = u - (u @ top)[:, None] * top
    value = (rest @ target.mT - u @ (found.alignment @ source).mT).norm(dim=1)
    norm = torch.linalg.matrix_norm(found.alignment, 2)
    share_t = found.lambda_target[0] * found.sigma_target[0]
    share_s = found.lambda_source[0] * norm * found.sigma_source[0]
    claimed = (found.lambda_target[0] + found.lambda_source[0]) * norm * found.sigma_source[0]
    bounded = {"first_bound": (share_t + share_s).item(), "second_bound": claimed.item()}
    return {"degrees": angles.rad2deg().tolist(), "third": value.tolist(), **bounded}


def family(etas: Sequence[float]) -> dict[str, list[float]]:
    """(13), (14) and both sides of Theorem 2 on `instances.rare_point(eta)`, exact, then rounded."""
    rows = []
    for eta in etas:
        case = instances.rare_point(sp.Rational(str(eta)))
        bracket = case.main_term + case.ratio_term
        sides = case.lhs, 5 * bracket, 2 * bracket
        rows.append([eta, broken_step.line_13(case), broken_step.line_14(case), *sides])
    names = ("eta", "line_13", "line_14", "lhs", "rhs", "rhs_two")
    return {name: [float(value) for value in column] for name, column in zip(names, zip(*rows))}


def bends(pair: Pair) -> dict[str, list[float]]:
    """Per point: |x|, and |v(x) - v(0) - J_v(x) x| / beta_1, which Lemma 1 bounds by |x|^2."""
    v = gap(pair)
    return {"length": pair.x.norm(dim=1).tolist(), "rest": (v.rest(pair.x) / v.bend).tolist()}


def half_beta(radii: Sequence[float]) -> dict[str, list[float]]:
    """`bends` of the example that attains one half, at each radius; the quotient is what the lemma bounds."""
    found = [bends(Pair(*counterexamples.half_beta(radius), beta=1.0)) for radius in radii]
    return {name: [one[name][0] for one in found] for name in ("length", "rest")}


def radii(pair: Pair, values: Sequence[float]) -> list[dict[str, Any]]:
    """`transfer` on the same points shrunk or stretched so that the longest has each of these lengths."""
    return [transfer(pair.within(radius)) for radius in values]


def exact_row(one: Instance) -> list[float]:
    """tau1, tau2, LHS, E sigma_T^2 and 2 (M + Y^2) of an exact instance."""
    bound = 2 * (one.main_term + one.ratio_term)
    return [float(value) for value in (one.tau1, one.tau2, one.lhs, one.mean(one.sigma2_target), bound)]


def ordered(records: Sequence[Record]) -> bool:
    """Whether on every record LHS <= pointwise <= minkowski <= constant_two <= paper <= lipschitz."""
    forms = ("pointwise", "minkowski", "constant_two", "paper", "lipschitz")
    rows = [[record["lhs"], *(record["rhs"][form] for form in forms)] for record in records]
    return all(row == sorted(row) for row in rows)


def medians(records: Sequence[Record], perturbation: float) -> dict[str, float]:
    """Medians over the pairs at one t: tau1, tau2 and its companions, each bound over the left-hand side."""
    plain = ("tau1", "tau2", "tau2_null", "tau2_split_half")
    own = [row for row in records if row["perturbation"] == perturbation]
    sides = [{form: side / row["lhs"] for form, side in row["rhs"].items()} for row in own]
    return _medians([{name: row[name] for name in plain} | one for row, one in zip(own, sides)])


def transfer_medians(records: Sequence[Record]) -> dict[float, dict[str, float]]:
    """{t: medians over the pairs} of what Theorem 3 is about, under the names that the page explains."""
    ts = sorted({record["perturbation"] for record in records})
    return {t: _medians([_of_transfer(one) for one in records if one["perturbation"] == t]) for t in ts}


def _medians(rows: Sequence[dict[str, float]]) -> dict[str, float]:
    return {name: statistics.median(row[name] for row in rows) for name in rows[0]}


def _of_transfer(record: Record) -> dict[str, float]:
    found = record["transfer"]
    return {
        "loss of g ∘ f_S": found["loss"],
        "loss of the best affine map": found["refit_loss"],
        "loss of the best constant": found["constant_loss"],
        "β, certified": found["beta"],
        "β, sharpest bend found": record["beta_sampled"],
        "radius R": found["radius"],
        "remainder / (β₁|x|²), largest": found["bend"],
        "gradient term of the bound": found["gradient_term"],
        "bound as printed, for |x| ≤ R": found["rhs"]["paper"],
        "bound with half of β": found["rhs"]["half_beta"],
    }
