"""Every experiment of the project: the same records here and in other processes, to the last bit."""

import random

import pytest
from tiny import tiny

from lib.base import fingerprint
from lib.engine import audit, runs
from lib.engine.places.processes import Processes


def untimed(value):
    """A record without what it says of time."""
    if isinstance(value, dict):
        return {key: untimed(item) for key, item in value.items() if key != "seconds"}
    return [untimed(item) for item in value] if isinstance(value, list) else value


def smallest(module):
    """The smallest of a few configs that runs, and its run here."""
    for floor in (1, 8, 16, 32):
        config = tiny(module, random.Random(0), floor)
        try:
            return config, runs.run(module, config)
        except FileNotFoundError as error:
            pytest.skip(str(error))
        except ValueError as error:
            problem = error
    raise problem


@pytest.mark.torture
@pytest.mark.parametrize("name", fingerprint.experiments())
def test_records_here_and_in_processes(name, tmp_path, monkeypatch):
    module, few = audit.experiment(name), 3
    monkeypatch.setattr(module, "jobs", lambda config, jobs=module.jobs: jobs(config)[:few])
    config, here = smallest(module)
    monkeypatch.setenv("TRANSFER_RUNS", str(tmp_path / "elsewhere"))
    there = runs.run(module, config, place=Processes(2))
    assert untimed(there.records) == untimed(here.records)
    assert len(there.records) == min(few, len(here.records)) > 0
