"""Recorded runs: written whole, read back equal, verified, and found stale by running a record again."""

import json
import sys
from dataclasses import dataclass
from types import SimpleNamespace

import pytest

from lib.base import fingerprint
from lib.data import registry
from lib.engine import audit, results, runs, store


@dataclass(frozen=True)
class Config:
    preset: str = "quick"
    seeds: int = 2
    device: str = "cpu"
    widths: tuple[int, ...] = (1, 2)


@pytest.fixture
def kept(tmp_path, monkeypatch):
    """A toy experiment that the audit can find, and its recorded run."""
    code = tmp_path / "toy.py"  # what it depends on: nothing else
    code.write_text("")

    def run_job(config, job):
        toy.computed.append(job["seed"])
        raw = [job["seed"] + 1 / 3, 2.0]
        return {**job, "raw": raw, "total": sum(raw) * toy.factor, "seconds": {"train": 1.0 - job["seed"]}}

    toy = SimpleNamespace(
        NAME="toy",
        __file__=str(code),
        PRESETS={"quick": Config()},
        factor=1,
        computed=[],
        datasets=lambda config: registry.needed("digits"),
        jobs=lambda config: [{"seed": seed} for seed in range(config.seeds)],
        run_job=run_job,
        recompute=lambda record: {"total": sum(record["raw"])},
    )
    monkeypatch.setattr(fingerprint, "experiments", lambda source=None: ["toy"])
    monkeypatch.setitem(sys.modules, "lib.experiments.toy.record", toy)
    toy.result = runs.run(toy, toy.PRESETS["quick"])
    toy.path = runs.record(toy.result, folder=tmp_path / "results")
    return toy


def change(path, edit, *, sealed=True):
    """Edit the content of a recorded run; `sealed` fits the checksum to it, as a forger would."""
    content = json.loads(path.read_text())
    edit(content)
    if sealed:
        content["sha256"] = store.digest({key: value for key, value in content.items() if key != "sha256"})
    path.write_text(json.dumps(content))


def test_a_recorded_run_has_the_schema_and_comes_back(kept):
    content = json.loads(kept.path.read_text())
    assert list(content) == [
        "schema", "experiment", "preset", "config", "data", "code", "environment", "started", "seconds",
        "records", "sha256",
    ]  # fmt: skip
    assert content["data"]["digits"]["items"] == 1797
    (back,) = runs.recorded("toy", "quick", folder=kept.path.parent)
    assert back.records == kept.result.records
    assert (back.config.widths, back.path) == ([1, 2], kept.path)
    assert back.caption.startswith("quick: miniature data · digits · seeds 0-1 · cpu · torch 2.")
    assert back.caption.endswith(f"· recorded {content['started'][:10]}")
    assert audit.verify(kept.path, registry.needed) == []


def test_recorded_picks_by_experiment_and_preset(kept):
    folder = kept.path.parent
    named = runs.record(kept.result, "second", folder)
    assert named.name == "toy-quick-second.json"
    assert len(runs.recorded(folder=folder)) == 2
    assert "(second)" in runs.recorded("toy", folder=folder)[0].caption
    assert runs.recorded("toy", "paper", folder) == runs.recorded("synthetic", folder=folder) == []
    with pytest.raises(ValueError, match="name 'a/b' of a recorded run"):
        runs.record(kept.result, "a/b", folder)
    with pytest.raises(ValueError, match=r"toy-quick-second\.json is there already: add --overwrite"):
        runs.record(kept.result, "second", folder, overwrite=False)
    named.write_text("{}")
    with pytest.raises(ValueError, match=r"toy-quick-second\.json is no recorded run"):
        runs.recorded(folder=folder)


@pytest.mark.parametrize(
    ("edit", "problem"),
    [
        (lambda c: c.pop("started"), "started must be str, not None"),
        (lambda c: c.update(seconds="1"), "seconds must be float, not '1'"),
        (lambda c: c["code"].pop("hash"), "code.hash must be str"),
        (lambda c: c["data"]["digits"].update(items="many"), "data.digits.items must be int"),
        (lambda c: c.update(records=[]), "records must be a list of objects"),
        (lambda c: c.update(schema=2), "has schema 2"),
        (lambda c: c.update(started="noon"), "'noon' is not a time"),
        (lambda c: c.update(preset="paper"), "is of preset paper"),
        (lambda c: c["config"].update(depth=1), "has no parameter 'depth'"),
        (lambda c: c["config"].update(seeds="two"), "seeds must be int"),
        (
            lambda c: c["data"].update(none={"sha256": "0" * 64, "items": 1}),
            "no data set is called 'none'",
        ),
        (lambda c: c["data"]["digits"].update(sha256="0" * 64), "was run on another digits"),
        (lambda c: c["data"]["digits"].update(sha256="short"), "is no sha256: 'short'"),
        (lambda c: c["records"].append(c["records"][0]), "record 0 comes 2 times"),
        (lambda c: c["records"][1].update(total=3.4), "record 1: total is 3.4 as recorded, 3.333"),
        (lambda c: c["records"][0].update(total=float("nan")), "NaN is not a finite number"),
        (lambda c: c["records"][0].pop("total"), "record 0 has no 'total'"),
        (lambda c: c.update(experiment="other"), "no experiment is called 'other'"),
    ],
)
def test_verify_finds_what_is_wrong_even_under_a_fitting_checksum(kept, edit, problem):
    change(kept.path, edit, sealed="nan" not in problem.lower())
    found = audit.verify(kept.path, registry.needed)
    assert any(problem in each for each in found), found
    assert all(each.startswith("toy-quick.json: ") for each in found)


def test_verify_finds_an_edited_number_by_the_checksum(kept):
    change(kept.path, lambda c: c["records"][0]["seconds"].update(train=0.5), sealed=False)
    assert audit.verify(kept.path, registry.needed) == [
        "toy-quick.json: its checksum does not fit its content: it was edited after it was recorded"
    ]


def test_a_stale_run_is_found_by_running_its_quickest_record(kept):
    def standing():
        return results.standing(results.load(kept.path))

    assert standing() == "not re-run"
    kept.computed.clear()
    assert audit.rerun(kept.path, registry.needed) is None
    assert kept.computed == [1], "the quickest record, computed afresh"
    assert standing().startswith("agrees (2")
    kept.factor = 1 + 1e-6
    assert audit.rerun(kept.path, registry.needed) is None, "within the tolerance"
    kept.factor = 1.01
    assert "record 1['total'] is 3.33" in audit.rerun(kept.path, registry.needed)
    assert standing().startswith("stale (2")
    assert "stale" in str(results.overview(runs.recorded(folder=kept.path.parent)))
    change(kept.path, lambda c: c["records"][0].update(seed=7))
    assert standing() == "not re-run", "a finding counts for the records it was made of"


def test_a_run_that_cannot_be_repeated_says_so(kept):
    kept.jobs = lambda config: [{"seed": 0}]
    assert audit.rerun(kept.path, registry.needed) == "the config now means 1 records, not 2"
    kept.datasets = lambda config: registry.needed("stl10")
    kept.jobs = lambda config: [{"seed": seed} for seed in range(2)]
    with pytest.raises(FileNotFoundError, match="stl10"):
        audit.rerun(kept.path, registry.needed)
    change(kept.path, lambda c: c.pop("code"))
    with pytest.raises(ValueError, match="code must be dict"):
        audit.rerun(kept.path, registry.needed)


@pytest.mark.parametrize(
    ("stored", "found", "expected"),
    [
        ({"a": 1.0}, {"a": 1.0 + 1e-12}, []),
        ({"a": 1.0}, {"a": 1.1}, ["record['a'] is 1.0 as recorded, 1.1 now"]),
        ({"a": [1, 2]}, {"a": [1]}, ["record['a'] is [1, 2] as recorded, [1] now"]),
        ({"a": True}, {"a": 1}, []),
        ({"a": "x"}, {}, ["record['a'] is 'x' as recorded, None now"]),
        ({"seconds": 1}, {"seconds": 2}, []),
        ({"a": {"b": [0, None]}}, {"a": {"b": [0, 1]}}, ["record['a']['b'][1] is None as recorded, 1 now"]),
    ],
)
def test_differences(stored, found, expected):
    assert list(audit.differences(stored, found, 1e-9)) == expected


def test_every_recorded_run_of_the_project_is_sound():
    assert [problem for path in audit.paths() for problem in audit.verify(path, registry.needed)] == []


def test_verify_finds_a_number_that_is_too_large_for_a_float(kept):
    text = kept.path.read_text()
    kept.path.write_text(text.replace('"total": 2.3333333333333335', '"total": 1e999'))
    assert kept.path.read_text() != text
    assert audit.verify(kept.path, registry.needed) == [
        "toy-quick.json: not readable as JSON: 1e999 is not a finite number"
    ]


def test_a_title_says_whether_a_run_is_recorded(kept):
    assert results.titled(kept.result, "The attacks") == "Quick run · The attacks"

    assert results.titled(results.load(kept.path), "The attacks") == "Recorded run · The attacks"
