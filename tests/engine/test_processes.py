"""Processes of this machine as a place to compute: same results, and a clear word when one is killed."""

import os
import signal
import subprocess
import sys
import time
from functools import partial

import pytest
import torch
import workfunctions as work

from lib.engine import places
from lib.engine.places import HERE, JobFailed, map_jobs, processes
from lib.engine.places.processes import Processes


def test_the_same_results_in_the_order_of_the_jobs():
    assert list(map_jobs(work.square, range(7), Processes(2))) == [job * job for job in range(7)]
    assert list(map_jobs(work.draw, [3], Processes(1))) == [work.draw(3)]


def test_jobs_are_taken_as_workers_are_free_and_shared_among_them():
    taken = []

    def jobs():
        for job in range(6):
            taken.append(job)
            yield job

    done = Processes(2).each(work.tell, jobs())
    first = next(done)
    assert len(taken) <= 3
    found = [first, *done]
    assert sorted(number for number, _ in found) == list(range(6))
    assert len({told["pid"] for _, told in found} - {os.getpid()}) == 2


@pytest.mark.parametrize(("mine", "count", "each"), [(1, 1, 1), (1, 3, 1), (2, 1, 2), (2, 2, 1), (8, 3, 2)])
def test_threads_of_all_workers_are_at_most_those_of_the_user(monkeypatch, mine, count, each):
    monkeypatch.setattr(processes.machine, "cores", lambda: 8)
    monkeypatch.setattr(torch, "get_num_threads", lambda: mine)
    assert processes.threads_for(count) == each


def test_a_worker_has_the_threads_it_was_given(monkeypatch):
    monkeypatch.setattr(processes, "threads_for", lambda count: 2)
    assert list(Processes(1).each(work.threads, [0])) == [(0, 2)]


def test_a_killed_worker_is_named_with_its_job_and_the_likely_cause_and_the_others_finish(tmp_path):
    found = Processes(2).each(partial(work.first_time, str(tmp_path), "kill"), range(6))
    kept = []
    words = (
        "job 1: its worker was killed, most likely for lack of memory .*the same command goes on from there"
    )
    with pytest.raises(JobFailed, match=words):
        kept += found  # += takes what comes before the error
    assert {number for number, _ in kept} >= {0}
    begun = {int(path.name.split("-")[1]) for path in tmp_path.iterdir()}
    assert begun == {number for number, _ in kept} | {1}, "what had begun was finished, nothing else begun"
    again = map_jobs(partial(work.first_time, str(tmp_path), "kill"), range(4), Processes(2))
    assert list(again) == [0, 1, 4, 9], "the same call goes on, with new workers"


def test_a_job_that_raises_stops_the_run_and_is_named_with_error_and_place():
    found = Processes(1).each(work.refuse, ["good", "bad", "never begun"])
    kept = []
    problem = r"job bad: ValueError: not this one at workfunctions\.py:\d+; what is done is stored"
    with pytest.raises(JobFailed, match=problem) as error:
        kept += found
    assert kept == [(0, "good")]
    assert "in refuse" in error.value.__notes__[0]


@pytest.mark.parametrize(
    ("function", "problem"),
    [
        (work.unsendable, r"its result cannot be sent .*\((Attribute|Pickling)Error.*pickle"),
        (work.leave, "SystemExit: leaving job 1"),
        (work.raise_unsendable, "Unsendable: 1 and 2"),
        (lambda job: job, r"cannot be sent to another process \((Attribute|Pickling)Error"),
    ],
)
def test_what_cannot_be_sent_or_would_end_the_worker_is_named_and_no_lack_of_memory(function, problem):
    with pytest.raises(JobFailed, match=problem) as error:
        list(Processes(1).each(function, [1]))
    assert "memory" not in str(error.value)


def test_each_process_has_a_gpu_of_those_that_this_one_may_use(monkeypatch):
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 2)
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "4,7")
    told = {tuple(value) for _, value in Processes(2).each(work.card, range(6), "cuda")}
    assert told == {("4", False), ("7", False)}, "set before torch was imported"
    assert processes._cards(3, "cuda") == ["4", "7", "4"]
    assert processes._cards(2, "cpu") == [None, None]


def test_a_count_must_be_positive_and_one_place_be_named():
    with pytest.raises(ValueError, match="processes = 0 must be at least 1"):
        Processes(0)
    with pytest.raises(ValueError, match="not both"):
        places.place(2, "tcp://a:1")
    assert places.place() is HERE
    assert places.place(3).count == 3


def test_workers_end_when_the_caller_stops_and_when_it_is_killed(tmp_path):
    done = Processes(2).each(work.tell, range(8))
    _, told = next(done)
    done.close()
    with pytest.raises(ProcessLookupError):
        os.kill(told["pid"], 0)
    code = "import os, workfunctions as work; from lib.engine.places.processes import Processes\n"
    code += "[print(told['pid'], flush=True) for _, told in Processes(1).each(work.tell, range(1000))]"
    environment = os.environ | {"PYTHONPATH": os.pathsep.join(sys.path)}
    parent = subprocess.Popen(
        [sys.executable, "-c", code], stdout=subprocess.PIPE, text=True, env=environment
    )
    worker = int(parent.stdout.readline())
    parent.kill()
    parent.communicate()
    deadline = time.monotonic() + 20
    while os.path.exists(f"/proc/{worker}") and time.monotonic() < deadline:
        time.sleep(0.1)
    assert not os.path.exists(f"/proc/{worker}")


def test_an_interrupted_run_ends_its_workers_at_once_and_quietly(tmp_path):
    code = """
import workfunctions as work
from lib.engine.places.processes import Processes

def run():
    for _, told in Processes(2).each(work.linger, range(1000)):
        print(told["pid"], flush=True)

try:
    run()
except KeyboardInterrupt:
    print("stopped")
"""
    environment = os.environ | {"PYTHONPATH": os.pathsep.join(sys.path)}
    options = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True, "env": environment}
    parent = subprocess.Popen([sys.executable, "-c", code], **options, start_new_session=True)
    worker = int(parent.stdout.readline())
    os.killpg(parent.pid, signal.SIGINT)  # as a terminal does: the workers get it too
    assert parent.communicate(timeout=50) == ("stopped\n", ""), "before the job of a minute is done"
    assert not os.path.exists(f"/proc/{worker}")


def test_jobs_run_in_order_and_one_at_a_time():
    seen = []
    results = map_jobs(lambda job: seen.append(job) or job * job, [3, 1, 2])
    assert next(results) == 9
    assert seen == [3]
    assert list(results) == [1, 4]


class Backwards:
    """A place that is done with the last job first."""

    def each(self, function, jobs, device="cpu"):
        return reversed([(number, function(job)) for number, job in enumerate(jobs)])


def test_results_are_in_the_order_of_the_jobs_whatever_is_done_first():
    assert list(map_jobs(abs, [-3, -1, -2], Backwards())) == [3, 1, 2]
