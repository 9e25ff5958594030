"""Cores and memory as a container limits them; threads that wait sleep, unless the user says otherwise."""

import os
import subprocess
import sys

import pytest

from lib.base import machine


@pytest.fixture
def groups(tmp_path, monkeypatch):
    monkeypatch.setattr(machine, "_GROUPS", tmp_path)
    monkeypatch.setattr(os, "sched_getaffinity", lambda process: set(range(8)), raising=False)
    monkeypatch.setattr(machine, "_available", lambda: 10 * 2**30)
    return tmp_path


@pytest.mark.parametrize(
    ("quota", "wanted"),
    [("250000 100000", 2), ("50000 100000", 1), ("max 100000", 8), ("damaged", 8), ("", 8)],
)
def test_cores_of_a_container(groups, quota, wanted):
    (groups / "cpu.max").write_text(quota)
    assert machine.cores() == wanted


def test_cores_of_a_container_of_the_first_version(groups):
    assert machine.cores() == 8
    (groups / "cpu").mkdir()
    (groups / "cpu/cpu.cfs_period_us").write_text("100000\n")
    (groups / "cpu/cpu.cfs_quota_us").write_text("-1\n")
    assert machine.cores() == 8
    (groups / "cpu/cpu.cfs_quota_us").write_text("300000\n")
    assert machine.cores() == 3


def test_memory_of_a_container(groups):
    assert machine.memory() == 10 * 2**30
    (groups / "memory.max").write_text("max\n")
    (groups / "memory.current").write_text("1000\n")
    assert machine.memory() == 10 * 2**30
    (groups / "memory.max").write_text("5000\n")
    assert machine.memory() == 4000
    (groups / "memory.current").write_text("6000\n")
    assert machine.memory() == 0


@pytest.mark.parametrize(("given", "wanted"), [(None, "passive"), ("active", "active")])
def test_threads_wait_passively_unless_the_user_says_otherwise(given, wanted):
    environment = {name: value for name, value in os.environ.items() if name != "OMP_WAIT_POLICY"}
    environment |= {"OMP_WAIT_POLICY": given} if given else {}
    code = "import os, sys, lib; print(os.environ['OMP_WAIT_POLICY'], 'torch' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], env=environment, capture_output=True, text=True)
    assert done.stdout.split() == [wanted, "False"]
