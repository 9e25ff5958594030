"""What the tests share: a store of runs of their own, no progress lines, one small project to edit."""

import os
import shutil

# Before torch is imported: sums in one order, and two processes on two cores. Where a user asks for more
# threads than cores, threads that spin while they wait would take minutes from those that work.
os.environ.setdefault("OMP_NUM_THREADS", "1")
os.environ.setdefault("OMP_WAIT_POLICY", "passive")

import pytest
from hypothesis import settings
from toyproject import ROOT, TOY, Project, add_book

settings.register_profile("fixed", derandomize=True, deadline=None)  # the same examples every time
settings.register_profile("random", max_examples=300, deadline=None, print_blob=True)  # make torture
settings.load_profile("fixed")


@pytest.fixture(autouse=True)
def _own_store(tmp_path, monkeypatch):
    monkeypatch.setenv("TRANSFER_RUNS", str(tmp_path / "runs"))
    monkeypatch.setenv("TRANSFER_PROGRESS", "0")


@pytest.fixture
def project(tmp_path):
    root = tmp_path / "project"
    ignore = shutil.ignore_patterns("__pycache__")
    shutil.copytree(ROOT / "lib", root / "lib", ignore=ignore)
    (root / "lib" / "answer.py").write_text("ANSWER = 42\n")
    (root / "lib" / "experiments" / "toy").mkdir()
    (root / "lib" / "experiments" / "toy" / "record.py").write_text(TOY)
    (root / "results").mkdir()
    made = Project(root)
    made.log = root / "toy.log"
    made.environment["TOY_LOG"] = str(made.log)
    return made


@pytest.fixture
def book(project):
    add_book(project)
    return project
