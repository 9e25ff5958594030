"""A scheduler and workers in processes of their own; some are killed while a run is under way."""

import os
import re
import signal
import time
from collections import Counter

import pytest
from toyproject import BIN

pytest.importorskip("distributed")
pytestmark = pytest.mark.torture
RUN = ("-m", "lib", "run", "toy", "--preset", "reduced", "-p", "pause", "0.4", "--record", "kept")


@pytest.fixture
def cluster(project):
    """The toy project with a scheduler and two workers, whose run store is another folder."""
    started = []

    def start(*command, **options):
        environment = project.environment
        project.environment = environment | {"TRANSFER_RUNS": str(project.root / "_elsewhere")}
        log = project.root / f"{len(started)}.txt"
        with open(log, "w") as stream:
            process = project.start(
                str(BIN / "dask"), *command, "--no-dashboard", stdout=stream, stderr=stream
            )
        project.environment = environment
        started.append(process)
        return process, log

    project.scheduler, log = start("scheduler", "--host", "127.0.0.1", "--port", "0")
    deadline = time.monotonic() + 60
    while (
        not (found := re.search(r"tcp://127\.0\.0\.1:\d+", log.read_text())) and time.monotonic() < deadline
    ):
        time.sleep(0.1)
    project.address = found[0]
    options = ("--nthreads", "1", "--no-nanny", "--local-directory", str(project.root / "dask"))
    project.add = lambda: start("worker", project.address, *options)[0]
    project.workers = [project.add(), project.add()]
    yield project
    for process in started:
        process.kill()
        process.wait()


def when(condition):
    deadline = time.monotonic() + 120
    while not condition() and time.monotonic() < deadline:
        time.sleep(0.05)
    assert condition()


def seeds(project):
    lines = project.log.read_text().splitlines() if project.log.exists() else []
    return Counter(line for line in lines if line.startswith("seed"))


def kept(project):
    text = (project.root / "results" / "toy-reduced-kept.json").read_text()
    return text[text.index('"records"') : text.index('"sha256"')]


def test_a_killed_worker_loses_nothing_and_the_records_are_the_same_everywhere(cluster):
    process = cluster.start(*RUN, "--scheduler", cluster.address)
    when(lambda: len(seeds(cluster)) >= 3)
    os.kill(cluster.workers[0].pid, signal.SIGKILL)
    _, err = process.communicate(timeout=180)
    assert process.returncode == 0, err
    found, counts = kept(cluster), seeds(cluster)
    assert len(counts) == 8
    assert sum(counts.values()) <= 10, "twice: at most the job it was at, and one not handed over yet"
    for place in ((), ("--processes", "2")):
        cluster.environment["TRANSFER_RUNS"] = str(cluster.root / f"other{len(place)}")
        cluster.python(*RUN, *place, "--overwrite")
        assert kept(cluster) == found


def test_a_killed_scheduler_is_an_error_in_one_line_and_the_run_goes_on_elsewhere(cluster):
    process = cluster.start(*RUN, "--scheduler", cluster.address)
    when(lambda: len(list((cluster.root / "_runs" / "toy").glob("*/*.json"))) >= 3)
    cluster.scheduler.kill()
    _, err = process.communicate(timeout=180)
    assert process.returncode == 2, err
    assert "the same command goes on from there" in err
    begun = seeds(cluster)
    stored = len(list((cluster.root / "_runs" / "toy").glob("*/*.json")))
    cluster.python(*RUN)
    assert sum(seeds(cluster).values()) == sum(begun.values()) + 8 - stored, (
        "what was stored was not done again"
    )


def test_a_worker_with_another_code_is_refused(cluster):
    when(lambda: "Registered to" in (cluster.root / "1.txt").read_text())
    cluster.edit("lib/answer.py", "42", "43")
    time.sleep(1)
    os.utime(cluster.root / "lib/answer.py", (0, 0))
    cluster.python(*RUN, "--scheduler", cluster.address)  # they had not imported it yet
    cluster.edit("lib/answer.py", "43", "44")
    out = cluster.python(*RUN, "--overwrite", "--scheduler", cluster.address, code=2)
    assert "the worker has another experiments/toy/record.py, or other packages" in out
