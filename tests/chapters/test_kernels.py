"""Kernels: how many side by side, what each may use, and that none is left."""

import os
import subprocess
import sys
import threading
import time

import pytest

from lib.base import machine, project
from lib.chapters import kernels


@pytest.mark.parametrize(
    ("cores", "free", "count"),
    [(4, None, 4), (4, 64, 4), (4, 4, 2), (4, 1, 1), (1, 64, 1)],
    ids=["memory not known", "cores", "memory", "too little memory", "one core"],
)
def test_chapters_side_by_side_by_cores_and_memory(monkeypatch, cores, free, count):
    monkeypatch.delenv("TRANSFER_JOBS", raising=False)
    monkeypatch.setattr(machine, "cores", lambda: cores)
    monkeypatch.setattr(machine, "memory", lambda: free and free * 2**30)
    assert kernels.jobs() == count
    monkeypatch.setenv("TRANSFER_JOBS", "7")
    assert (kernels.jobs(), kernels.jobs(3)) == (7, 3)
    for wrong in ("0", "-1", "many", ""):
        monkeypatch.setenv("TRANSFER_JOBS", wrong)
        with pytest.raises(ValueError, match=r"--jobs or TRANSFER_JOBS\): give 1 or more"):
            kernels.jobs()


def test_the_surroundings_of_a_kernel(monkeypatch):
    monkeypatch.setenv("PYTHONPATH", "/elsewhere")
    monkeypatch.delenv("OMP_NUM_THREADS", raising=False)
    with kernels.home() as folder:
        assert os.environ["PYTHONPATH"] == f"{project.ROOT}{os.pathsep}/elsewhere"
        assert os.environ["OMP_NUM_THREADS"] == "1"
        assert os.environ["OMP_WAIT_POLICY"] == "passive"
        assert folder.stat().st_mode & 0o077 == 0, "its sockets are nobody else's business"
    assert os.environ["PYTHONPATH"] == "/elsewhere"
    assert "OMP_NUM_THREADS" not in os.environ
    monkeypatch.setenv("OMP_NUM_THREADS", "3")
    with kernels.home():
        assert os.environ["OMP_NUM_THREADS"] == "3", "the user's own setting wins"


@pytest.mark.skipif(not os.path.exists("/proc/self/stat"), reason="no /proc")
def test_processor_time_is_that_of_the_whole_tree():
    burn = "import time\nwhile time.process_time() < 0.5: pass"
    code = f"""
import subprocess, sys, time
subprocess.run([sys.executable, '-c', {burn!r}])                # has ended
child = subprocess.Popen([sys.executable, '-c', {burn!r} + '\\ntime.sleep(60)'])
print(flush=True); input(); child.kill()
"""
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE}
    with subprocess.Popen([sys.executable, "-c", code], **pipes) as process:
        process.stdout.readline()
        deadline = time.monotonic() + 60
        least = 0.9  # twice half a second; the system counts in hundredths and cuts each number off
        while (found := kernels.processor_time(process.pid)) < least and time.monotonic() < deadline:
            time.sleep(0.05)
        assert least <= found < 2.5
        process.communicate(b"\n")
    assert kernels.processor_time(process.pid) == 0.0


@pytest.fixture
def watched(monkeypatch):
    """A kernel with a limit of 10 s whose clock, processor time and state a test sets."""
    now = {"clock": 0.0, "used": 0.0, "state": "S"}
    monkeypatch.setattr(kernels.time, "monotonic", lambda: now["clock"])
    monkeypatch.setattr(kernels, "processor_time", lambda process: now["used"])
    monkeypatch.setattr(kernels, "_tree", lambda process: [])
    kernel = kernels.Kernel(10)
    monkeypatch.setattr(kernel, "_moves", kernel._moves)
    monkeypatch.setattr(kernels, "_tree", lambda process: [1])
    monkeypatch.setattr(kernels, "_state", lambda process: now["state"])
    monkeypatch.setattr(kernels, "_high_water", lambda process: 7)
    monkeypatch.setattr(os, "kill", lambda process, number: now.setdefault("killed", []).append(process))
    kernel.process = 1
    kernel.begins(cell=None, cell_index=0)

    def run(seconds, use, state):
        now["state"] = state
        for _ in range(int(seconds * 2)):
            now["clock"] += 0.5
            now["used"] = None if use is None else now["used"] + use / 2
            kernel.look()
        return kernel.stopped

    return run, kernel, now


def test_a_busy_machine_stops_no_cell(watched):
    run, kernel, _ = watched
    assert run(2000, 0.004, "R") == "", "it wants a core and seldom has one"
    assert kernel.memory == 7


def test_a_cell_that_uses_too_much_is_stopped(watched):
    run, kernel, now = watched
    assert run(9, 1.0, "R") == ""
    assert run(2, 1.0, "R") == "it used too much time"
    assert now["killed"] == [1]
    assert kernel.times == "10.5 s of processor time, 10 s by the clock"


def test_each_cell_has_its_own_time(watched):
    run, kernel, _ = watched
    for index in range(3):
        assert run(9, 1.0, "R") == ""
        kernel.begins(cell=None, cell_index=index)


def test_a_cell_that_stands_still_is_stopped_and_one_that_waits_for_a_disk_is_not(watched):
    run, _, _ = watched
    assert run(60, 0.0, "D") == ""
    assert run(60, 0.1, "S") == ""
    assert run(20, 0.001, "S") == "it stood still"


def test_without_proc_the_clock_decides(watched):
    run, kernel, now = watched
    now["used"] = None
    kernel.begins(cell=None, cell_index=0)
    assert run(9, None, "") == ""
    assert run(3, None, "") == "it took too long"
    assert "s by the clock" in kernel.times


def test_side_by_side_in_the_given_order_and_an_error_is_one_works_own():
    begun, both = [], threading.Barrier(2, timeout=60)

    def work(name):
        def do(kernel):
            begun.append(name)
            if name in "ab":
                both.wait()  # only if the two run at once
            if name == "b":
                raise ValueError("no")
            return name.upper()

        return do

    found = dict(kernels.side_by_side({name: work(name) for name in "abcd"}, 2, 60))
    assert begun[2:] == ["c", "d"]
    assert {name: found[name] for name in "acd"} == {"a": "A", "c": "C", "d": "D"}
    assert isinstance(found["b"], ValueError)


def test_no_kernel_is_left_when_the_command_is_stopped():
    started = threading.Event()

    def work(kernel):
        process = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)"])
        kernel.process = process.pid
        if kernel.stopped:  # as the manager of a real one does
            kernel.stop(kernel.stopped)
        started.set()
        return process.wait()

    done = kernels.side_by_side({"a": lambda kernel: started.wait(60), "b": work, "c": work}, 2, 600)
    next(done)
    began = time.monotonic()
    done.close()
    assert time.monotonic() - began < 60
