"""What has been checked so far, for the landing page: every proof step, decided anew."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from lib.base.tables import Table
from lib.theory.symbolic import (
    broken_step,
    constants,
    norms,
    proposition_1,
    proposition_2,
    theorem_1,
    theorem_2,
    theorem_3,
    theorem_r,
)
from lib.theory.symbolic.step import Refutation, Step

PROOFS: Mapping[str, tuple[Step, ...]] = {
    "Appendix A: the norm of a matrix function": norms.STEPS,
    "Proposition 1": proposition_1.STEPS,
    "Proposition 2": proposition_2.STEPS,
    "Theorem 1": theorem_1.STEPS,
    "Theorem 2, as printed": (*theorem_2.STEPS, *broken_step.STEPS),
    "Theorem 2, our proof (Theorem R)": theorem_r.STEPS,
    "Theorem 2, the constants that are possible": constants.STEPS,
    "Lemma 1 and Theorem 3": theorem_3.STEPS,
}


def proofs(statements: Mapping[str, Iterable[Step]] = PROOFS) -> Table:
    """A row a statement: steps that hold, readings refuted by an exact instance, and wrong versions of each.

    Raises:
        ValueError: a step that no longer holds, or a wrong version of it that passes; names it.
    """
    rows = [_row(name, tuple(steps)) for name, steps in statements.items()]
    total = ["together", *(sum(row[j] for row in rows) for j in range(1, 5))]
    columns = ["statement", "steps proved", "wrong versions caught", "readings refuted", "wrong ones caught"]
    return Table(columns, [*rows, total], caption="Proof steps, checked by exact algebra")


def _row(name: str, steps: tuple[Step, ...]) -> list:
    parts: tuple[list[Step], list[Step]] = [], []  # proved, refuted
    for step in steps:
        if not (step.holds() and step.caught()):
            raise ValueError(f"{name}, step {step.name!r} ({step.source}) is not supported by its check")
        parts[isinstance(step.claim(), Refutation)].append(step)
    return [name, *(count for part in parts for count in (len(part), mutants(part)))]


def mutants(steps: Iterable[Step]) -> int:
    """How many wrong versions these steps come in."""
    return sum(len(step.mutants) for step in steps)
