"""Vectors known only by their inner products: an identity shown here holds in every dimension.

A proof that uses nothing but inner products holds in R^n, and also in the space of random vectors with
E<F, G> as inner product (the paper's <F, G>_D). So no step is checked for one dimension only.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import sympy as sp


@dataclass(frozen=True)
class Vector:
    """A linear combination of named vectors; the coefficients are sympy expressions."""

    parts: Mapping[str, sp.Expr]

    def __add__(self, other: Vector) -> Vector:
        names = {**self.parts, **other.parts}
        return Vector({n: self.parts.get(n, 0) + other.parts.get(n, 0) for n in names})

    def __rmul__(self, scalar: Any) -> Vector:
        return Vector({n: sp.sympify(scalar) * c for n, c in self.parts.items()})

    def __neg__(self) -> Vector:
        return -1 * self

    def __sub__(self, other: Vector) -> Vector:
        return self + (-other)


def vectors(names: str) -> tuple[Vector, ...]:
    """One free vector for each blank-separated name."""
    return tuple(Vector({n: sp.Integer(1)}) for n in names.split())


class Space:
    """Inner products of named vectors: `known` fixes some ("u v" -> 0), the rest are free symbols."""

    def __init__(self, **known: Any) -> None:
        """`known` has one keyword per pair, the names joined by two underscores: u__v=0, v__v=1."""
        self.known = {tuple(sorted(pair.split("__"))): sp.sympify(v) for pair, v in known.items()}

    def _product(self, a: str, b: str) -> sp.Expr:
        pair = tuple(sorted((a, b)))
        if pair in self.known:
            return self.known[pair]
        if a == b:
            return sp.Symbol(f"|{a}|", nonnegative=True) ** 2
        return sp.Symbol(f"<{pair[0]},{pair[1]}>", real=True)

    def dot(self, u: Vector, v: Vector) -> sp.Expr:
        """<u, v>, bilinear and symmetric."""
        return sp.expand(
            sum(a * b * self._product(n, m) for n, a in u.parts.items() for m, b in v.parts.items())
        )

    def square(self, u: Vector) -> sp.Expr:
        """|u|^2 = <u, u>."""
        return self.dot(u, u)
