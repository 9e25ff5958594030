"""The quick book: cold, again, after a change of prose, after one of an experiment; memory of each chapter.

In a copy of the project with empty stores, by the commands of `make book`. Minutes; nothing else should run.
"""

import json
import os
import shutil
import subprocess
import sys
import time
from pathlib import Path
from tempfile import TemporaryDirectory

from lib.base.tables import Table
from lib.engine import fingerprint

PARTS = ("lib", "book", "results", "_config.yml", "_toc.yml", "pyproject.toml", "jupytext.toml")
COMMANDS = (
    ("-m", "lib", "chapters", "refresh"),
    (
        str(Path(sys.executable).parent / "jupyter-book"),
        "build",
        "book/",
        "--warningiserror",
        "--nitpick",
        "--quiet",
    ),
    ("-m", "lib", "chapters", "check"),
)


def rows():
    with TemporaryDirectory(prefix="book-") as folder:
        root = copy(Path(folder) / "project")
        lines = [["cold", build(root), "s", "<= 600"], ["again, nothing changed", build(root), "s", "<= 20"]]
        prose = root / "book/intro.md"
        prose.write_text(prose.read_text() + "\nA sentence more.\n")
        lines.append(["after a change of prose", build(root), "s", ""])
        before = digests(root)
        experiment = root / "lib/experiments/images/record.py"
        experiment.write_text(experiment.read_text() + "\n# a comment more\n")
        took = build(root)
        again = sum(digest != before[name] for name, digest in digests(root).items())
        lines.append([f"after a change in the image experiment, which {again} chapters use", took, "s", ""])
        for name, told in chapters(root).items():
            lines.append([f"chapter {name}", told["seconds"], "s", "<= 60"])
            lines.append([f"chapter {name}: memory at most", told["memory"], "MiB", "<= 2048"])
    threads = os.environ.get("OMP_NUM_THREADS", "not set")
    note = (
        "In a copy of the project with empty stores and the data in place, by the commands of `make book`. "
        f"Seconds of the clock on {os.cpu_count()} cores; OMP_NUM_THREADS: {threads}."
    )
    return Table(["the quick book", "measured", "unit", "asked"], lines, caption="The quick book", note=note)


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


def build(root):
    environment = os.environ | {"PYTHONPATH": str(root), "TRANSFER_RUNS": str(root / "_runs")}
    begun = time.perf_counter()
    for command in COMMANDS:
        done = subprocess.run(
            [sys.executable, *command], cwd=root, env=environment, capture_output=True, text=True, check=False
        )
        if done.returncode:
            raise RuntimeError(f"{' '.join(command)} failed:\n{done.stdout[-2000:]}\n{done.stderr[-2000:]}")
    return time.perf_counter() - begun
