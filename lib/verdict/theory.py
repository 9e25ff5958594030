"""The rows of the theory: each decided by exact algebra, step by step, while the page is made."""

from __future__ import annotations

from collections.abc import Sequence

import torch

from lib.experiments.pairs import maps
from lib.measures import probe, transferability
from lib.theory import proofs
from lib.theory.symbolic.step import Step
from lib.verdict import claims, rule
from lib.verdict.claims import READING, Row

_PRINTED, _OWN = "Theorem 2, as printed", "Theorem 2, our proof (Theorem R)"
_POSSIBLE, _THREE = "Theorem 2, the constants that are possible", "Lemma 1 and Theorem 3"
_NORM = "Appendix A: the norm of a matrix function"


def rows() -> list[Row]:
    """Every statement of sections 3, A to F, and the lines of its proofs that are false."""
    return [
        _proved(_NORM, "‖·‖ of a matrix function is a norm", "Appendix A, p. 14", "definitions"),
        _proved("Proposition 1", "τ₁ and τ₂ lie in [0, 1]", "proposition_1", "propositions"),
        _best_map(),
        _one_measure(),
        _proved("Theorem 1", "Theorem 1: one output", "theorem_1", "theorem_1"),
        _theorem_2(),
        _refuted(_PRINTED, ("X3, second bound: REFUTED", "(13) to (14): REFUTED"),
                 "the proof of Theorem 2: the third term of (14)", "Appendix D, (13) to (14), p. 20",
                 "theorem_2"),
        _refuted(_PRINTED, ("along the attack, '=': REFUTED",),
                 "the proof of Theorem 2: an equality after (16)", "Appendix D, after (16), p. 20",
                 "theorem_2"),
        _refuted(_POSSIBLE, ("Frobenius reading: REFUTED",),
                 "Theorem 2 with its norm read as Frobenius", "Section 3.2, p. 5", "theorem_2"),
        _reduces(),
        _proved(_THREE, "Theorem 3: the loss is bounded", "theorem_3", "theorem_3",
                more="half of β suffices; for |x| ≤ R the bound grows with R²"),
        _refuted(_THREE, ("mean value theorem: REFUTED",),
                 "the proof of Theorem 3: a mean value theorem for vectors", "Appendix E, Lemma 1, p. 22",
                 "theorem_3"),
        _incomparable(),
        _proposition_2(),
        _refuted("Proposition 2", ("λ the largest singular value: REFUTED",),
                 "Proposition 2 with λ the maximal singular value", "Appendix F, p. 24", "propositions"),
        _alpha(),
    ]  # fmt: skip


def _steps(statement: str, *names: str) -> list[Step]:
    found = {step.name: step for step in proofs.PROOFS[statement]}
    return [found[name] for name in names]


def _hold(statement: str, *names: str) -> bool:
    return proofs.hold(_steps(statement, *names))()


def _counted(steps: Sequence[Step]) -> str:
    proved = f"{len(steps)} step{'s' if len(steps) > 1 else ''} proved"
    return f"{proved}, {proofs.mutants(steps)} wrong versions caught"


def _row(claim: str, where: str, evidence: str, ours: str, decision: rule.Decision, page: str) -> Row:
    return claims.asked("theory", page, claim, where, evidence).decided(ours, "exact", decision)


def _proved(statement: str, claim: str, where: str, page: str, more: str = "") -> Row:
    steps = proofs.proved(proofs.PROOFS[statement])
    ours = f"{_counted(steps)}; {more}" if more else _counted(steps)
    return _row(claim, where, "a proof", ours, rule.theory(proofs.hold(steps)()), page)


def _refuted(statement: str, names: Sequence[str], claim: str, where: str, page: str) -> Row:
    broken = _hold(statement, *names)
    ours = "an exact instance breaks it" if broken else "stands"
    evidence = "a line of a proof" if claim.startswith("the proof of") else READING
    return _row(claim, where, evidence, ours, rule.theory(not broken), page)


def _best_map() -> Row:
    refuted = _hold("Proposition 1", "closed form", "projection acts", "clipping is closer")
    ours = "not where the projection acts (ψ < 1): it rescales, and other maps fit better"
    return _row("A is the best linear map", "best_map", "none", ours, rule.theory(not refuted), "definitions")


def _one_measure() -> Row:
    source, target, x = maps.same_angle()
    found = transferability.measure(source, target, x)
    y = target(x)
    left = probe.affine_refit(source(x), y).loss / float((y - y.mean(0)).square().sum(1).mean())
    ours = f"x₁ and x₁²: τ₁ = {found.tau1:.0f}, and the best affine map leaves {left:.0%} of the variance"
    decision = rule.possible(found.tau1 > 1 - 1e-12 and left > 1 - 1e-12)
    claim, printed = "τ₁ = 1 is not sufficient", "an example is promised"
    return _row(claim, "tau1_not_sufficient", printed, ours, decision, "definitions")


def _theorem_2() -> Row:
    own = proofs.PROOFS[_OWN]
    kept = _steps(_PRINTED, "fitting error", "along the attack", "regrouping", "the norm of A")
    parts = f"{_counted(own)}; the printed one's part: {_counted(kept)}"
    ours = f"another proof, constant 2 in place of 5: {parts}"
    claim, printed = "Theorem 2: many outputs", "a proof, with a step that is false"
    return _row(claim, "theorem_2", printed, ours, rule.theory(proofs.hold([*own, *kept])()), "theorem_2")


def _proposition_2() -> Row:
    """Proved for a beta-smooth f_T; without that, which the paper does not ask, an instance breaks it."""
    breaks = _hold("Proposition 2", "no common smoothness: REFUTED")
    kept = proofs.proved(proofs.PROOFS["Proposition 2"])
    less = (
        "; the paper asks for a bounded gradient only, and then the error need not be cubic" if breaks else ""
    )
    ours = f"where f_T is β-smooth and λ the ratio of Definition 4: {_counted(kept)}{less}"
    decision = rule.theory(proofs.hold(kept)(), everywhere=not breaks)
    claim = "Proposition 2: the loss lies between two bounds"
    return _row(claim, "proposition_2", "a proof", ours, decision, "propositions")


def _reduces() -> Row:
    fails = _hold(_POSSIBLE, "τ₁ = τ₂ = 1 is enough: REFUTED")
    decision = rule.theory(_hold("Theorem 1", "equality"), everywhere=not fails)
    ours = "with one output, by Theorem 1; with several, τ₁ = τ₂ = 1 can leave a difference"
    claim = "high τ₁, τ₂: an affine map brings the models together"
    return _row(claim, "affine_reduces", "Theorems 1 and 2", ours, decision, "theorem_2")


def _incomparable() -> Row:
    """f_T against 2 f_T: every factor is a power of 2, so that the comparison is exact."""
    draw = torch.Generator().manual_seed(0)
    stacks = [torch.randint(-4, 5, (6, 2, 3), generator=draw).double() for _ in range(2)]
    one, two = (transferability.measure_jacobians(stacks[0], factor * stacks[1]) for factor in (1, 2))
    loss = [float(found.deviation_target.square().sum(1).mean()) for found in (one, two)]
    same = (one.tau1, one.tau2) == (two.tau1, two.tau2)
    more, what = f"{loss[1] / loss[0]:.0f} times as large", "are the same" if same else "change"
    ours = f"f_T doubled: the loss under attack is {more}, τ₁ and τ₂ {what}"
    claim = "losses of different targets are not comparable, τ₁ and τ₂ are"
    decision = rule.possible(same and loss[0] != loss[1])
    return _row(claim, "incomparable_loss", "an argument", ours, decision, "definitions")


def _alpha() -> Row:
    decision = rule.theory(_hold(_PRINTED, "along the attack"))
    ours = "|J_T δ| ≤ σ_T |δ|; α² is the ratio of losses that the text means, α is its root"
    return _row("α lies in [0, 1]", "alpha_range", "none", ours, decision, "synthetic")
