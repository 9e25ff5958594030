import dataclasses

import pytest

from lib.theory import overview
from lib.theory.symbolic import broken_step, theorem_2


def test_counts_add_up():
    table = overview.proofs({"a": theorem_2.STEPS, "b": broken_step.STEPS})
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
        overview.proofs({"a": (wrong,)})
