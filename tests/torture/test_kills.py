"""kill -9 at random moments of a run and of a build, then the same command again: as if nothing had happened.

Two kills of a run in every test run; fifty of each with `make torture`, in halves that can go side by side.
"""

import json
import os
import random
import signal
import time
from collections import Counter
from pathlib import Path

import pytest
from toyproject import BIN, pages

SETTINGS = ("-m", "lib", "run", "toy", "--preset", "reduced", "-p", "pause", "0.1")
BUILD = (str(BIN / "jupyter-book"), "build", "book/", "-W", "-n", "--keep-going")
HALF = 25


def log_lines(project):
    return project.log.read_text().splitlines() if project.log.exists() else []


def kill_after(project, command, seconds):
    """Start a command and kill it, with what it started; True if it was still at work."""
    process = project.start(*command, start_new_session=True, stdout=None, stderr=None)
    try:
        process.wait(timeout=seconds)
        return False
    except Exception:
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()
        return True


def kills(project, command, count, chance, done, again, jobs, each=1):
    """Kill a command `count` times, at random moments; after a few kills let it end, then call `again`.

    `done()` is what is finished: a set of names, as they stand in the log. None of them may begin once more,
    and of the `jobs` (lines) that the command has, a kill may cost no more than the `each` under way.
    """
    duration, left = timed(project.python, *command)[0], count
    again()
    while left:
        begun, killed = len(log_lines(project)), 0
        for _ in range(min(left, chance.randint(2, 8))):
            finished, seen = done(), len(log_lines(project))
            seconds, hit = timed(kill_after, project, command, chance.uniform(0.1, 1) * duration)
            twice = finished & set(log_lines(project)[seen:])
            assert not twice, f"{twice} had been done, and began again"
            if not hit:  # the machine has less to do than before
                duration = seconds
                break
            killed += 1
        duration = max(duration, timed(project.python, *command)[0])
        again()
        left -= killed
        assert len(log_lines(project)) - begun <= jobs + killed * each, (
            "a kill cost what had been done before"
        )


def timed(function, *arguments):
    started = time.monotonic()
    found = function(*arguments)
    return time.monotonic() - started, found


def records(project):
    """{seed: record}; every file of the store must be whole."""
    paths = (project.root / "_runs" / "toy").glob("*/*.json")
    found = [json.loads(path.read_bytes().partition(b"\n")[2])["record"] for path in paths]
    return {f"seed {record['seed']}": record for record in found}


@pytest.mark.parametrize(
    ("count", "place"),
    [
        pytest.param(2, (), id="few"),
        pytest.param(HALF, (), id="here", marks=pytest.mark.torture),
        pytest.param(HALF, ("--processes", "2"), id="processes", marks=pytest.mark.torture),
    ],
)
def test_a_run(project, count, place):
    chance, expected = random.Random(count), []

    def again():
        found = records(project)
        assert len(found) == 8
        expected.append(found)
        assert found == expected[0]
        for path in (project.root / "_runs").rglob("*.json"):
            path.unlink()

    workers = 2 if place else 1
    kills(project, (*SETTINGS, *place), count, chance, lambda: set(records(project)), again, 8, workers)


def finished_chapters(book):
    found = {path.stem for path in (book.root / "_build" / "executed").glob("*.ipynb")}
    return {{"numbers": "seed 0", "words": "words"}[name] for name in found}


@pytest.mark.torture
@pytest.mark.parametrize("half", [1, 2])
def test_a_build(book, half):
    chance, expected = random.Random(half), []

    def again():
        found = pages(book)
        assert {"intro.html", "numbers.html", "words.html"} <= found.keys()
        expected.append(found)
        differ = [name for name in found if found[name] != expected[0].get(name)]
        assert not differ, f"{differ} are other pages after a kill"
        for path in [book.root / "_build", book.root / "_runs"]:
            path.rename(path.with_name(f"{path.name}-{len(expected)}"))

    kills(book, BUILD, HALF, chance, lambda: finished_chapters(book), again, 6, 2)
    book.python(*BUILD)
    assert "all there" in book.python("-m", "lib", "chapters", "check")
    assert Counter(log_lines(book))["words"] >= len(expected)


@pytest.mark.torture
def test_two_builds_at_once(book):
    both = [book.start(*BUILD) for _ in range(2)]
    outputs = [process.communicate(timeout=300) for process in both]
    assert [process.returncode for process in both] == [0, 0], outputs
    assert "another build is at" in outputs[0][1] + outputs[1][1]
    assert Counter(log_lines(book))["words"] == Counter(log_lines(book))["seed 0"] == 1
    assert "all there" in book.python("-m", "lib", "chapters", "check")
    assert not list(Path(book.root / "_build").rglob("*.tmp"))
