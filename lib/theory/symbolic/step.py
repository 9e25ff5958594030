"""A proof step: its statement, its source, a check that decides it, and wrong versions that must not pass.

Three kinds of claim, none of them decided by sampling:

* `Identity`: both sides agree after exact simplification.
* `Inequality`: goal >= 0, by a certificate: the goal equals a sum of products whose factors are each
  manifestly nonnegative (squares, nonnegative symbols) or assumed so. A wrong version is shown false at a
  rational point.
* `Refutation`: a printed inequality whose gap, bound minus quantity, is negative on an exact instance.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, Protocol, TypeVar

import sympy as sp

Factors = tuple[sp.Expr, ...]
_Claimed = TypeVar("_Claimed", bound="Callable[..., Claim]")


class Claim(Protocol):
    """What a step asserts: `proved` by exact algebra, or `false` for certain, at a point if one is needed."""

    def proved(self) -> bool:
        """Whether exact algebra establishes the claim."""
        ...

    def false(self, at: Mapping[sp.Symbol, Any] | None = None) -> bool:
        """Whether the claim fails for certain."""
        ...


def _tidy(expression: sp.Expr) -> sp.Expr:
    """The expression factored; simplified too where factoring alone does not show that it is 0."""
    factored = sp.factor(sp.expand(expression))
    return factored if factored == 0 else sp.factor(sp.simplify(factored))


@dataclass(frozen=True)
class Identity:
    """left == right, by simplification of the difference to 0."""

    left: sp.Expr
    right: sp.Expr

    def residual(self) -> sp.Expr:
        """left - right, simplified: 0 exactly when the identity is proved."""
        return _tidy(sp.sympify(self.left) - self.right)

    def proved(self) -> bool:
        """Whether the residual is identically 0."""
        return bool(self.residual() == 0)

    def false(self, at: Mapping[sp.Symbol, Any] | None = None) -> bool:
        """Whether the residual is different from 0 at one rational point (the i-th symbol at (i + 2) / 7)."""
        residual = self.residual()
        symbols = sorted(residual.free_symbols, key=str)
        point = {s: sp.Rational(i + 2, 7) for i, s in enumerate(symbols)}
        return bool(residual.subs(point).evalf(30) != 0)


@dataclass(frozen=True)
class Inequality:
    """goal >= 0 whenever all of `given` are >= 0; `because` lists the terms that sum to the goal."""

    goal: sp.Expr
    because: tuple[Factors, ...]
    given: Factors = ()

    def residual(self) -> sp.Expr:
        """The goal less the certificate's terms: must be identically 0."""
        return _tidy(self.goal - sum(sp.Mul(*factors) for factors in self.because))

    def proved(self) -> bool:
        """Whether the certificate adds up and each of its factors is nonnegative by form or by assumption."""
        factors = [f for term in self.because for f in term]
        return self.residual() == 0 and all(f in self.given or sp.sympify(f).is_nonnegative for f in factors)

    def false(self, at: Mapping[sp.Symbol, Any] | None = None) -> bool:
        """Whether the goal is negative at a point `at` that satisfies every assumption."""
        point = at or {}
        value = sp.sympify(self.goal).subs(point)
        return bool(value < 0) and all(bool(sp.sympify(g).subs(point) >= 0) for g in self.given)


@dataclass(frozen=True)
class Refutation:
    """A printed `quantity <= bound` that fails: quantity > bound, exactly, on an instance or a family."""

    quantity: sp.Expr
    bound: sp.Expr

    def proved(self) -> bool:
        """Whether the instance breaks the printed inequality."""
        return bool(self._excess().is_positive)

    def false(self, at: Mapping[sp.Symbol, Any] | None = None) -> bool:
        """Whether the instance satisfies the printed inequality, and so refutes nothing."""
        return bool(self._excess().is_nonpositive)

    def _excess(self) -> sp.Expr:
        return _tidy(sp.sympify(self.quantity) - self.bound)


@dataclass(frozen=True)
class Mutant:
    """A wrong version of a step: changed constants, and for an inequality a point where it is false."""

    constants: Mapping[str, Any]
    point: Mapping[sp.Symbol, Any] = field(default_factory=dict)


def wrong(at: Mapping[sp.Symbol, Any] | None = None, **constants: Any) -> Mutant:
    """A wrong version of a step, for `Steps.step`: other constants, and the point `at` which it is false."""
    return Mutant(constants, at or {})


@dataclass(frozen=True)
class Step:
    """One step of a proof.

    `claim` takes the step's constants as keywords (their defaults are the true ones) and returns the claim.
    `statement` is LaTeX without dollars; `source`: where the paper prints it, or which repair it belongs to.
    """

    name: str
    statement: str
    source: str
    claim: Callable[..., Claim]
    mutants: tuple[Mutant, ...]

    def holds(self) -> bool:
        """Whether the step, as stated, is proved."""
        return self._holds

    def caught(self) -> bool:
        """Whether every wrong version is unproved and false: the check can fail, and does where it should."""
        return self._caught

    @cached_property
    def _holds(self) -> bool:
        return self.claim().proved()

    @cached_property
    def _caught(self) -> bool:
        claims = [(self.claim(**m.constants), m.point) for m in self.mutants]
        return bool(claims) and all(not c.proved() and c.false(point) for c, point in claims)


class Steps(list[Step]):
    """The steps of one statement, in the order of its proof."""

    def step(self, name: str, source: str, *mutants: Mutant) -> Callable[[_Claimed], _Claimed]:
        """Decorate the function that returns a claim: the next step, with its docstring for statement."""

        def add(claim: _Claimed) -> _Claimed:
            statement = " ".join((claim.__doc__ or "").split())
            self.append(Step(name, statement, source, claim, mutants))
            return claim

        return add
