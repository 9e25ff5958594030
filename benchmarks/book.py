"""The quick book: cold, again, after changes, with a chapter that fails, on a busy machine; and its chapters.

In a copy of the project with empty stores, by the command of `make book`. Minutes; nothing else should run.
"""

import json
import os
import resource
import shutil
import subprocess
import sys
import time
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

from lib.base import fingerprint, machine
from lib.base.tables import Table

PARTS = ("lib", "book", "results", "_config.yml", "_toc.yml", "pyproject.toml", "jupytext.toml")
COMMAND = ("-m", "lib", "chapters", "build")
BUSY = 4  # processes that do nothing but keep cores busy


def rows():
    with TemporaryDirectory(prefix="book-") as folder:
        root = copy(Path(folder) / "project")
        cold, again = build(root), build(root)
        lines = [["cold", cold[0], "s", "<= 150"], ["cold: processor time", cold[1], "s", ""]]
        lines += [["again, nothing changed", again[0], "s", "<= 20"]]
        lines += [["again: processor time", again[1], "s", "<= 10"]]
        for name, told in chapters(root).items():
            lines.append([f"chapter {name}", told["seconds"], "s", "<= 60"])
            lines.append([f"chapter {name}: memory at most", told["memory"], "MiB", "<= 2048"])
        lines += after_changes(root)
        shutil.rmtree(root / "_build")
        shutil.rmtree(root / "_runs", ignore_errors=True)
        with busy(BUSY):
            line = f"cold beside {BUSY} busy processes, over cold"
            lines.append([line, build(root)[0] / cold[0], "times", "<= 3"])
    threads = os.environ.get("OMP_NUM_THREADS", "not set")
    note = (
        "In a copy of the project with empty stores and the data in place, by the command of `make book`. "
        f"Seconds of the clock, where nothing else is said, on {machine.cores()} cores; OMP_NUM_THREADS: "
        f"{threads}."
    )
    return Table(["the quick book", "measured", "unit", "asked"], lines, caption="The quick book", note=note)


def after_changes(root):
    prose = root / "book/intro.md"
    prose.write_text(prose.read_text() + "\nA sentence more.\n")
    yield ["after a change of prose", build(root)[0], "s", ""]
    before = digests(root)
    experiment = root / "lib/experiments/images/record.py"
    experiment.write_text(experiment.read_text() + "\n# a comment more\n")
    took = build(root)[0]
    again = sum(digest != before[name] for name, digest in digests(root).items())
    yield [f"after a change in the image experiment, which {again} chapters use", took, "s", ""]
    chapter = root / "book/definitions.md"
    whole = chapter.read_text()
    chapter.write_text(whole + "\n```{code-cell} ipython3\n1 / 0\n```\n")
    build(root, code=1)
    missing = sum(
        not (root / f"_build/html/{name.stem}.html").exists() for name in (root / "book").glob("*.md")
    )
    yield ["pages missing when one chapter fails", missing, "pages", "<= 0"]
    chapter.write_text(whole)


@contextmanager
def busy(count):
    """Processes that spin."""
    spinning = [subprocess.Popen([sys.executable, "-c", "while True: pass"]) for _ in range(count)]
    try:
        yield
    finally:
        for process in spinning:
            process.kill()
            process.wait()


def chapters(root):
    """{chapter: what it tells of its execution}."""
    paths = sorted((root / "_build/executed").glob("*.ipynb"))
    return {path.stem: json.loads(path.read_text())["metadata"]["transferability"] for path in paths}


def digests(root):
    return {name: told["digest"] for name, told in chapters(root).items()}


def copy(root):
    root.mkdir()
    for part in PARTS:
        source = fingerprint.ROOT / part
        if source.is_dir():
            shutil.copytree(source, root / part, symlinks=True, ignore=shutil.ignore_patterns("__pycache__"))
        else:
            shutil.copy(source, root / part)
    (root / "data").symlink_to(fingerprint.ROOT / "data")
    return root


def build(root, code=0):
    """(seconds of the clock, of processor time) of a build that must end with `code`."""
    environment = os.environ | {"PYTHONPATH": str(root), "TRANSFER_RUNS": str(root / "_runs")}
    begun, before = time.perf_counter(), used()
    done = subprocess.run(
        [sys.executable, *COMMAND], cwd=root, env=environment, capture_output=True, text=True, check=False
    )
    if done.returncode != code:
        raise RuntimeError(f"{' '.join(COMMAND)} failed:\n{done.stdout[-2000:]}\n{done.stderr[-2000:]}")
    return time.perf_counter() - begun, used() - before


def used():
    """Seconds of processor time of the processes that have ended and were waited for."""
    found = resource.getrusage(resource.RUSAGE_CHILDREN)
    return found.ru_utime + found.ru_stime
