import pytest

from lib.theory import ledger
from lib.theory.ledger import Row


def _row(*checks, verdict="observed"):
    return Row("a claim", "App. A", "as printed", "as found", verdict, checks)


def test_table_shows_the_verdicts_it_decided():
    table = ledger.table([_row(lambda: True, lambda: True), _row(lambda: True, verdict="refuted")])
    assert [row[4].split(":")[0] for row in table.rows] == ["observed", "refuted"]
    assert [row[5] for row in table.rows] == [2, 1]
    assert "as found" in str(table)


def test_only_what_the_paper_prints_can_be_refuted():
    """A hypothesis of this book that fails did not hold; the word of a claim of the paper stays."""
    ours = Row("a guess", ledger.OURS, "no control", "otherwise", "refuted", (lambda: True,))
    assert ours.decide() == ledger.FAILED
    assert _row(lambda: True, verdict="refuted").decide() == ledger.HOW["refuted"]
    held = Row("a guess", ledger.OURS, "no control", "so it is", "observed", (lambda: True,))
    assert held.decide() == ledger.HOW["observed"]


@pytest.mark.parametrize("outcome", [False, None, 1, "yes"])
def test_a_check_that_does_not_return_true_raises(outcome):
    with pytest.raises(ValueError, match="check 2 of 2 for 'a claim'"):
        _row(lambda: True, lambda: outcome).decide()


def test_checks_run_when_the_table_is_made():
    ran = []
    row = _row(lambda: ran.append(1) is None)
    assert not ran
    ledger.table([row])
    assert ran == [1]


def test_a_row_needs_a_check_and_a_known_verdict():
    with pytest.raises(ValueError, match="has no check"):
        _row()
    with pytest.raises(
        ValueError, match="'likely' of 'a claim' is not one of proved, refuted, observed, not shown"
    ):
        _row(lambda: True, verdict="likely")
