import dataclasses

import pytest
import sympy as sp

from lib.theory import proofs
from lib.theory.symbolic import broken_step, norms, theorem_2
from lib.theory.symbolic.step import Identity, Mutant, Step

x = sp.Symbol("x")
WRONG = Step("wrong", "x = x + 1", "here", lambda k=1: Identity(x, x + k), (Mutant({"k": 2}),))
TOOTHLESS = Step("toothless", "x = x", "here", lambda k=1: Identity(x, x), (Mutant({"k": 2}),))


def test_counts_add_up():
    table = proofs.summary({"a": theorem_2.STEPS, "b": broken_step.STEPS})
    a, b, total = table.rows
    assert a[1] + a[3] == len(theorem_2.STEPS)
    assert b[3] >= 1  # the printed inequality (13) <= (14) among them
    for row, steps in ((a, theorem_2.STEPS), (b, broken_step.STEPS)):
        assert row[2] + row[4] == sum(len(step.mutants) for step in steps)
    assert b[4] >= b[3]
    assert total[1:] == [x + y for x, y in zip(a[1:], b[1:], strict=True)]


def test_a_step_that_does_not_hold_is_named():
    step = theorem_2.STEPS[0]
    wrong = dataclasses.replace(step, claim=lambda: step.claim(**step.mutants[0].constants))
    with pytest.raises(ValueError, match=step.name):
        proofs.summary({"a": (wrong,)})


def test_steps_hold_needs_truth_and_teeth():
    assert proofs.hold(norms.STEPS)() is True
    assert proofs.hold([*norms.STEPS, WRONG])() is False
    assert proofs.hold([TOOTHLESS])() is False
    assert proofs.hold([])() is False


def test_proof_table_says_no_loudly():
    table = proofs.table([norms.STEPS[0], WRONG, TOOTHLESS], caption="three")
    assert [row[2] for row in table.rows] == ["yes", "NO", "yes"]
    assert [row[3] for row in table.rows] == ["1 of 1", "1 of 1", "NOT ALL"]
    assert table.rows[0][4].startswith("$")
