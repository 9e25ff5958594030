"""Remembered digests: found again while everything is as it was, and only then."""

import json
import os

import pytest

from lib.chapters import digests, execution


@pytest.fixture
def counted(small, monkeypatch, tmp_path_factory):
    """The chapter `one`; how often its digest was computed."""
    monkeypatch.setattr(execution, "BUILD", tmp_path_factory.mktemp("build"))  # not in the book's folder
    small("import os\nprint(os.environ.get('THE_READERS_OWN'))")
    computed, digest = [], execution.digest
    monkeypatch.setattr(execution, "digest", lambda name: computed.append(name) or digest(name))
    return computed


def current():
    return digests.current(["one"])["one"]


def test_a_digest_is_computed_once(counted):
    assert current() == current() == execution.digest("one")
    assert counted == ["one", "one"], "once by us, once by this test"


def test_a_change_under_an_older_time_is_noticed(counted, small, tmp_path):
    before = current()
    path = tmp_path / "one.md"
    path.write_text(path.read_text().replace("print", "repr"))
    os.utime(path, (1e9, 1e9))
    assert current() != before


@pytest.mark.parametrize("what", ["environment", "a file beside", "packages", "python"])
def test_what_a_digest_could_depend_on_is_looked_at_again(counted, tmp_path, monkeypatch, what):
    current()
    if what == "environment":
        monkeypatch.setenv("NOBODY_READS_THIS", "1")
        current()
        assert counted == ["one"]
        monkeypatch.setenv("THE_READERS_OWN", "1")
    elif what == "a file beside":
        (tmp_path / "beside.py").write_text("x = 1\n")
    elif what == "packages":
        monkeypatch.setattr(digests, "distributions", lambda: ["torch-99.dist-info"])
    else:
        monkeypatch.setattr(digests.sys, "version", "4.0")
    current()
    assert counted == ["one", "one"]


@pytest.mark.parametrize(
    "content", ["[]", "null", '{"digests": {"one": ["a", "b"]}, "sha256": "c"}', "{", "\0"]
)
def test_a_damaged_memory_counts_as_none(counted, content):
    before = current()
    (execution.BUILD / ".digests.json").write_text(content)
    assert current() == before
    assert counted == ["one", "one"]
    assert json.loads((execution.BUILD / ".digests.json").read_text())["digests"]["one"][1] == before


def test_a_chapter_without_a_digest_says_why(counted, small, tmp_path):
    path = tmp_path / "one.md"
    path.write_text(path.read_text().replace("import os", "import = 1"))
    assert isinstance(current(), SyntaxError)
