"""Progress: one line, and never a changed item."""

from types import SimpleNamespace

import pytest

from lib.base import progress


@pytest.fixture
def shown(monkeypatch):
    """The states of the one display of a pretended notebook."""
    states = []

    def display(content, raw, display_id):
        assert raw
        assert display_id
        states.append(content["text/plain"])
        return SimpleNamespace(update=lambda content, raw: states.append(content["text/plain"]))

    monkeypatch.setattr(progress, "_notebook_display", lambda: display)
    monkeypatch.delenv("TRANSFER_PROGRESS", raising=False)
    return states


def test_switched_off_it_is_the_iterable(capsys):
    assert list(progress.track(range(5), "x")) == [0, 1, 2, 3, 4]
    assert capsys.readouterr() == ("", "")


def test_a_notebook_keeps_one_line_that_does_not_vary(shown):
    assert list(progress.track([3, 4], "jobs")) == [3, 4]
    assert (shown[0], shown[-1]) == ("jobs: 0 of 2", "jobs: 2 of 2")
    list(progress.track(iter("abc"), "letters"))
    assert shown[-1] == "letters: 3"
    list(progress.track([], "none"))
    assert shown[-1] == "none: 0 of 0"


def test_updates_are_few(shown):
    list(progress.track(range(10_000), "many"))
    assert len(shown) < 100


def test_a_terminal_gets_tqdm(monkeypatch, capsys):
    monkeypatch.delenv("TRANSFER_PROGRESS", raising=False)
    assert list(progress.track(range(3), "x", total=3)) == [0, 1, 2]
    assert capsys.readouterr().out == ""  # and standard output stays clean


def test_outside_a_kernel_there_is_no_display():
    assert progress._notebook_display() is None
