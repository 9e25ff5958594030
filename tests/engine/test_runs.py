"""Runs: computed once, resumed after a kill, shared by two processes, never served from damaged files."""

import os
import signal
import time
from collections import Counter
from dataclasses import dataclass
from types import ModuleType

import pytest
import torch

from lib.base import fingerprint
from lib.data import registry
from lib.engine import runs, store


@dataclass(frozen=True)
class Config:
    preset: str = "quick"
    seeds: int = 3
    device: str = "cpu"
    scale: float = 1.0


@pytest.fixture
def toy(tmp_path):
    """An experiment that counts how often it computes."""
    module = ModuleType("toy")
    module.__file__ = str(tmp_path / "toy.py")
    (tmp_path / "toy.py").write_text("from lib.base import streams")  # what it depends on: little
    module.NAME, module.PRESETS, module.JOB_IGNORES = "toy", {"quick": Config()}, ("seeds",)
    module.computed = []

    def run_job(config, job):
        module.computed.append(job["seed"])
        assert config.seeds is None
        return {**job, "value": config.scale / (3 + job["seed"])}

    module.datasets = lambda config: ()
    module.jobs = lambda config: [{"seed": seed} for seed in range(config.seeds)]
    module.run_job = run_job
    return module


def stored():
    return sorted(store.root().glob("toy/*/*.json"))


def test_a_run_is_computed_once_and_read_back_bit_for_bit(toy):
    first, second = runs.run(toy, Config()), runs.run(toy, Config())
    assert toy.computed == [0, 1, 2]
    assert first.records == second.records == [{"seed": s, "value": 1 / (3 + s)} for s in range(3)]
    assert first.provenance == second.provenance


def test_more_seeds_compute_only_the_new_records(toy):
    runs.run(toy, Config())
    assert len(runs.run(toy, Config(seeds=5)).records) == 5
    assert toy.computed == [0, 1, 2, 3, 4]


def test_config_and_code_are_in_the_key(toy, monkeypatch):
    runs.run(toy, Config(seeds=1))
    runs.run(toy, Config(seeds=1, scale=2.0))
    monkeypatch.setattr(fingerprint, "digest", lambda source, **_: "another code")
    assert runs.run(toy, Config(seeds=1)).provenance["code"]["hash"] == "another code"
    assert toy.computed == [0, 0, 0]


@pytest.mark.parametrize("damage", [b"", b"{}", b"\0" * 500])
def test_a_damaged_record_is_computed_again_with_a_warning(toy, damage):
    before = runs.run(toy, Config()).records
    stored()[1].write_bytes(damage)
    with pytest.warns(UserWarning, match="damaged"):
        assert runs.run(toy, Config()).records == before
    assert len(toy.computed) == 4


def test_an_edited_number_is_noticed(toy):
    runs.run(toy, Config(seeds=1))
    path = stored()[0]
    path.write_text(path.read_text().replace("0.333", "0.444"))
    with pytest.warns(UserWarning, match="checksum"):
        assert runs.run(toy, Config(seeds=1)).records[0]["value"] == 1 / 3


def test_a_file_edited_since_the_start_is_not_trusted(toy, monkeypatch):
    runs.run(toy, Config(seeds=1))
    monkeypatch.setitem(fingerprint._AT_START, fingerprint.PACKAGE / "base" / "streams.py", None)
    with pytest.warns(UserWarning, match=r"lib/base/streams\.py.*changed after this process"):
        runs.run(toy, Config(seeds=1))
    assert toy.computed == [0, 0]


@pytest.mark.parametrize(
    ("value", "error", "match"),
    [
        (float("nan"), ValueError, r"record\['deep'\]\[1\] is nan.*use None"),
        (torch.ones(1), TypeError, "is a Tensor: use plain data"),
        ({1: 2}, TypeError, "keys must be str"),
    ],
)
def test_a_record_that_json_cannot_keep_is_refused(toy, value, error, match):
    toy.run_job = lambda config, job: {"deep": [0, value]}
    with pytest.raises(error, match=match):
        runs.run(toy, Config())
    assert stored() == []


def test_absent_data_name_the_remedy(toy):
    toy.datasets = lambda config: registry.needed("stl10")
    with pytest.raises(FileNotFoundError, match=r"toy at preset quick needs .* stl10.*data_scripts"):
        runs.run(toy, Config())


def test_captions_tell_what_was_run(toy):
    assert runs.run(toy, Config()).caption.startswith("quick: generated data · seeds 0-2 · cpu · torch 2.")
    assert ", changed: scale = 2.0 · seed 0 · " in runs.run(toy, Config(seeds=1, scale=2.0)).caption
    toy.datasets = lambda config: registry.needed("digits")
    assert runs.run(toy, Config()).caption.startswith("quick: miniature data · digits · seeds 0-2 · cpu")


RUN = """from dataclasses import replace
from lib.engine import runs
from lib.experiments.toy import record as toy
"""
SLOW = RUN + "print(runs.run(toy, replace(toy.PRESETS['quick'], pause=0.3)).records)"


def lines(project):
    return project.log.read_text().splitlines() if project.log.exists() else []


def test_a_killed_run_goes_on_where_it_was(project):
    process = project.start("-c", SLOW)
    deadline = time.monotonic() + 60
    while len(lines(project)) < 3 and time.monotonic() < deadline:  # base, two seeds: in the middle of it
        time.sleep(0.02)
    os.kill(process.pid, signal.SIGKILL)
    process.communicate()
    begun = Counter(lines(project))
    assert begun["seed 1"] == 1
    assert begun["seed 3"] == 0
    resumed = project.start("-c", SLOW)
    project.environment |= {"TRANSFER_RUNS": str(project.root / "other"), "TOY_LOG": os.devnull}
    uninterrupted = project.python("-c", SLOW)
    assert resumed.communicate(timeout=300)[0] == uninterrupted
    assert Counter(lines(project))["seed 0"] == 1
    assert Counter(lines(project))["seed 3"] == 1


def test_two_processes_share_a_run(project):
    both = [project.start("-c", SLOW) for _ in range(2)]
    outputs = [process.communicate(timeout=300) for process in both]
    assert [process.returncode for process in both] == [0, 0], outputs
    assert outputs[0][0] == outputs[1][0]
    assert Counter(lines(project)) == {"base": 1, **{f"seed {seed}": 1 for seed in range(4)}}
