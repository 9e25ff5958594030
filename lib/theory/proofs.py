"""Every proof step of the paper and of its repairs, by statement, and the tables that decide them anew."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping

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
    "Appendix A: the norm of a matrix function": (*norms.STEPS,),
    "Proposition 1": (*proposition_1.STEPS,),
    "Proposition 2": (*proposition_2.STEPS,),
    "Theorem 1": (*theorem_1.STEPS,),
    "Theorem 2, as printed": (*theorem_2.STEPS, *broken_step.STEPS),
    "Theorem 2, our proof (Theorem R)": (*theorem_r.STEPS,),
    "Theorem 2, the constants that are possible": (*constants.STEPS,),
    "Lemma 1 and Theorem 3": (*theorem_3.STEPS,),
}


def table(steps: Iterable[Step], caption: str = "") -> Table:
    """Each proof step with the outcome of its check, and whether its wrong versions were all caught."""
    rows = []
    for step in steps:
        caught = f"{len(step.mutants)} of {len(step.mutants)}" if step.caught() else "NOT ALL"
        holds, statement = "yes" if step.holds() else "NO", f"${step.statement}$"
        rows.append([step.name, step.source, holds, caught, statement])
    return Table(["step", "source", "holds", "wrong versions caught", "statement"], rows, caption=caption)


def summary(statements: Mapping[str, Iterable[Step]] = PROOFS) -> Table:
    """A row a statement: steps that hold, readings refuted by an exact instance, and wrong versions of each.

    Raises ValueError for a step that no longer holds, or a wrong version of it that passes; names it.
    """
    counts = {name: _counts(name, tuple(steps)) for name, steps in statements.items()}
    counts["together"] = [sum(column) for column in zip(*counts.values())]
    columns = ["statement", "steps proved", "wrong versions caught", "readings refuted", "wrong ones caught"]
    rows = [[name, *numbers] for name, numbers in counts.items()]
    return Table(columns, rows, caption="Proof steps, checked by exact algebra")


def _counts(name: str, steps: tuple[Step, ...]) -> list[int]:
    for step in steps:
        if not hold([step])():
            raise ValueError(f"{name}, step {step.name!r} ({step.source}) is not supported by its check")
    true = proved(steps)
    parts = true, [step for step in steps if step not in true]
    return [count for part in parts for count in (len(part), mutants(part))]


def proved(steps: Iterable[Step]) -> list[Step]:
    """The steps that state what is true: all but those that refute a reading."""
    return [step for step in steps if not isinstance(step.claim(), Refutation)]


def mutants(steps: Iterable[Step]) -> int:
    """How many wrong versions these steps come in."""
    return sum(len(step.mutants) for step in steps)


def hold(steps: Iterable[Step]) -> Callable[[], bool]:
    """A check for a row of a ledger: every step holds, and each one's wrong versions fail."""
    listed = tuple(steps)
    return lambda: bool(listed) and all(step.holds() and step.caught() for step in listed)
