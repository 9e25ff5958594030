import os
import signal
import subprocess
import sys
import time

import numpy as np
import pytest
import torch

from lib.data import cache, registry

NAME = "natural_images"


@pytest.fixture
def held(tiny):
    """A data set of three bytes."""
    return tiny(NAME, {"a.bin": b"one"}, 1)


def builder(calls, value=7):
    def build(folder):
        calls.append(folder)
        cache.new(folder, "x", (2, 3))[:] = value

    return build


def test_it_is_built_once(held):
    calls = []
    for _ in range(3):
        assert cache.arrays(NAME, 1, builder(calls))["x"].tolist() == [[7] * 3] * 2
    assert len(calls) == 1


def test_the_arrays_are_maps_that_cannot_reach_the_file(held, root):
    found = cache.arrays(NAME, 1, builder([]))["x"]
    assert found.dtype == torch.uint8
    assert isinstance(np.load(root / NAME / "decoded" / "x.npy", mmap_mode="c"), np.memmap)
    found += 1
    assert cache.arrays(NAME, 1, builder([]))["x"].tolist() == [[7] * 3] * 2


@pytest.mark.parametrize("change", ["version", "source", "lost file", "damaged note"])
def test_it_is_built_anew_after_a_change_of(change, tiny, held, root):
    cache.arrays(NAME, 1, builder([]))
    if change == "source":
        tiny(NAME, {"a.bin": b"other"}, 1)
    if change == "lost file":
        (root / NAME / "decoded" / "x.npy").unlink()
    if change == "damaged note":
        (root / NAME / "decoded" / cache.NOTE).write_text("{")
    calls = []
    found = cache.arrays(NAME, 2 if change == "version" else 1, builder(calls, value=9))
    assert len(calls) == 1
    assert found["x"].unique().tolist() == [9]


def test_a_builder_that_fails_leaves_nothing(held, root):
    def build(folder):
        cache.new(folder, "x", (2,))
        raise RuntimeError("half-way")

    with pytest.raises(RuntimeError, match="half-way"):
        cache.arrays(NAME, 1, build)
    assert not (root / NAME / "decoded").exists()
    assert not list((root / NAME).glob("making-*"))


def test_a_builder_that_is_killed_leaves_nothing_that_is_used(held, root):
    slow = f"""
import dataclasses, time
from lib.data import cache, registry
entry = registry.get("{NAME}")
from lib.data.entry import File
registry.CATALOGUE["{NAME}"] = dataclasses.replace(entry, files=(File("a.bin"),))
def build(folder):
    cache.new(folder, "x", (2, 3))[:] = 1
    time.sleep(60)
cache.folder("{NAME}", "decoded", 1, build)
"""
    process = subprocess.Popen([sys.executable, "-c", slow], env=os.environ)
    while not list((root / NAME).glob("making-*/x.npy")):
        time.sleep(0.02)
        assert process.poll() is None
    os.kill(process.pid, signal.SIGKILL)
    process.wait()
    assert not (root / NAME / "decoded").exists()
    assert cache.arrays(NAME, 1, builder([]))["x"].unique().tolist() == [7]


def test_a_changed_array_is_found(held, root):
    cache.arrays(NAME, 1, builder([]))
    assert cache.problems(NAME) == []
    place = root / NAME / "decoded" / "x.npy"
    content = bytearray(place.read_bytes())
    content[-1] ^= 1
    place.write_bytes(content)
    (problem,) = cache.problems(NAME)
    assert "x.npy has changed since it was made; delete the folder decoded" in problem


def test_an_absent_set_names_the_remedy(root):
    with pytest.raises(registry.Missing, match=r"python data_scripts/natural_images.py --mirror"):
        cache.arrays(NAME, 1, builder([]))
