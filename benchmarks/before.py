"""The calls that users make, beside another revision: `BEFORE=main~20 python -m benchmarks before`.

BEFORE is a git revision (HEAD if none is given: what do the edits since cost?) or a folder that holds `lib`.
Each of the two has a process of its own with one thread; they take turns, and the ratio is of their medians.
An edit should make nothing slower. Of `measure` beside the last revision that had `measures/spectrum.py`, .75
was asked for 4 outputs and .6 for 10.
"""

import io
import json
import os
import statistics
import subprocess
import sys
import tarfile
import tempfile
from contextlib import ExitStack, contextmanager
from pathlib import Path

import torch

from benchmarks import _worker
from lib.base.tables import Table

ROOT, ROUNDS, ASKED = Path(__file__).resolve().parents[1], 9, "<= 1.1"


def rows():
    before = os.environ.get("BEFORE", "HEAD")
    with ExitStack() as stack:
        folder = stack.enter_context(code_of(before))
        then, now = (stack.enter_context(worker(path)) for path in (folder, ROOT))
        lines = [line(name, then, now) for name in _worker.CASES]
    note = (
        f"Medians of {ROUNDS} rounds in turn, after one to warm up. The values are tau1, tau2 and alpha, or "
        f"what an attack moves. Torch {torch.__version__}, processor time of one thread."
    )
    columns = ["call", "now / before", "asked", "now, s", "before, s", "values differ by"]
    return Table(columns, lines, caption=f"Beside revision {before}", note=note)


def line(name, then, now):
    """One case: the two processes in turn."""
    asked(then, name), asked(now, name)
    found = [(asked(then, name), asked(now, name)) for _ in range(ROUNDS)]
    before, after = (statistics.median(turn[i]["seconds"] for turn in found) for i in (0, 1))
    apart = max(abs(a - b) for turn in found for a, b in zip(*(side["values"] for side in turn)))
    return [name, after / before, ASKED, after, before, apart]


def asked(process, name):
    """The answer of a worker to the name of a case."""
    process.stdin.write(f"{name}\n")
    process.stdin.flush()
    answer = process.stdout.readline()
    if not answer:
        raise RuntimeError(f"the process for {name!r} ended: has that revision the names of `lib`'s face?")
    return json.loads(answer)


@contextmanager
def worker(folder):
    """A process whose `lib` is that of the folder."""
    environment = os.environ | {"PYTHONPATH": str(folder), "OMP_NUM_THREADS": "1"}
    command = [sys.executable, str(ROOT / "benchmarks" / "_worker.py")]
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "text": True}
    with subprocess.Popen(command, env=environment, **pipes) as process:
        yield process
        process.stdin.close()


@contextmanager
def code_of(revision):
    """A folder with `lib` as it was; a folder is taken as it is."""
    if Path(revision, "lib").is_dir():
        yield Path(revision).resolve()
        return
    packed = subprocess.run(["git", "archive", revision, "lib"], cwd=ROOT, capture_output=True, check=True)
    with tempfile.TemporaryDirectory() as folder:
        with tarfile.open(fileobj=io.BytesIO(packed.stdout)) as archive:
            archive.extractall(folder, filter="data")
        yield Path(folder)
