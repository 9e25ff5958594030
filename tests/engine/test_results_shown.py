"""Recorded runs on a page: found, or noted as missing, never a failure."""

import json

import pytest

from lib.engine import results

PROVENANCE = {"data": {}, "environment": {"device": "cpu", "torch": "2"}, "started": "2026-01-01T00:00:00Z"}
PROVENANCE |= {"code": {"version": "1", "hash": ""}, "seconds": 1.0}


@pytest.fixture
def run(tmp_path):
    """A run of one record, in a folder of its own."""
    fields = {"preset": "reduced", "seeds": 1}
    path = tmp_path / "toy-reduced-wide.json"
    path.write_text(json.dumps({"experiment": "toy", "config": fields, "records": [{"a": 1}], **PROVENANCE}))
    return results.one("toy", "reduced", "wide", folder=tmp_path)


def test_one_finds_a_run_by_its_name(run):
    assert run
    assert (run.path.name, run.records) == ("toy-reduced-wide.json", [{"a": 1}])


def test_a_missing_run_is_false_and_its_note_names_the_command(tmp_path):
    absent = results.one("images", "paper", "wide", folder=tmp_path)
    assert not absent
    assert "python -m lib run images --preset paper --record wide" in str(absent.note)


def test_a_broken_file_is_not_taken_for_a_missing_one(tmp_path):
    (tmp_path / "images-reduced.json").write_text("{}")
    with pytest.raises(ValueError, match="is no recorded run"):
        results.one("images", folder=tmp_path)


def test_shown_calls_the_function_only_when_every_run_is_there(run, tmp_path):
    absent = results.one("images", folder=tmp_path)
    assert results.shown(lambda result, key, *, scale: (result, key, scale), run, "k", scale=2) == (
        run,
        "k",
        2,
    )
    for call in [(absent, "k"), ({"all": run, "other": absent}, "k")]:
        assert results.shown(lambda *_: pytest.fail("called"), *call) == absent.note
    assert results.shown(lambda **_: pytest.fail("called"), result=absent) == absent.note
