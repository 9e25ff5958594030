import json
import os
import random
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
import torch

from lib.base import fingerprint
from lib.data import cache, registry
from lib.data.formats import images

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
        assert cache.arrays(NAME, builder(calls))["x"].tolist() == [[7] * 3] * 2
    assert len(calls) == 1


def test_the_arrays_are_maps_that_cannot_reach_the_file(held, root):
    found = cache.arrays(NAME, builder([]))["x"]
    assert found.dtype == torch.uint8
    assert isinstance(np.load(root / NAME / "decoded" / "x.npy", mmap_mode="c"), np.memmap)
    found += 1
    assert cache.arrays(NAME, builder([]))["x"].tolist() == [[7] * 3] * 2


@pytest.mark.parametrize("change", ["settings", "source"])
def test_it_is_built_anew_after_a_change_of(change, tiny, held):
    cache.arrays(NAME, builder([]))
    if change == "source":
        tiny(NAME, {"a.bin": b"other"}, 1)
    calls = []
    settings = 1 if change == "settings" else ()
    found = cache.arrays(NAME, builder(calls, value=9), settings=settings)
    assert len(calls) == 1
    assert found["x"].unique().tolist() == [9]


def spoil(path, fault):
    content = path.read_bytes()
    new = {
        "zeros": content[:-2] + bytes(2),
        "cut": content[:-2],
        "emptied": b"",
        "header": b"x" + content[1:],
    }
    if fault == "lost":
        return path.unlink()
    path.write_bytes(new.get(fault, fault.encode()))


@pytest.mark.parametrize("process", ["this", "another"])
@pytest.mark.parametrize("fault", ["zeros", "cut", "emptied", "header", "lost"])
def test_a_damaged_array_is_built_anew_with_a_warning(fault, process, held, root, monkeypatch):
    cache.arrays(NAME, builder([]))
    path = root / NAME / "decoded" / "x.npy"
    time = path.stat()
    spoil(path, fault)
    if process == "another":
        monkeypatch.setattr(cache, "_whole", {})
        if fault != "lost":
            os.utime(path, ns=(time.st_atime_ns, time.st_mtime_ns))
    with pytest.warns(UserWarning, match="^natural_images/decoded was damaged; it is made again$"):
        found = cache.arrays(NAME, builder([]))
    assert found["x"].unique().tolist() == [7]


@pytest.mark.parametrize("fault", ["[]", "null", "{", "7", "\ufffd", "[" * 100_000])
def test_a_damaged_note_is_no_note(fault, held, root):
    cache.arrays(NAME, builder([]))
    spoil(root / NAME / "decoded" / cache.NOTE, fault)
    with pytest.warns(UserWarning, match=r"^decoded/note.json is damaged"):
        assert cache.arrays(NAME, builder([], value=9))["x"].unique().tolist() == [9]


@pytest.mark.parametrize("files", ["[]", "null", "{}", '{"x.npy": 7}'])
def test_a_note_with_an_odd_list_of_files_is_not_trusted(files, held, root):
    cache.arrays(NAME, builder([]))
    note = root / NAME / "decoded" / cache.NOTE
    note.write_text(json.dumps(json.loads(note.read_text()) | {"files": json.loads(files)}))
    assert "x.npy has changed" in cache.problems(NAME)[0]
    with pytest.warns(UserWarning, match="was damaged"):
        cache.arrays(NAME, builder([]))


def test_it_is_built_anew_when_the_decoder_changes(held, tmp_path):
    """Also at an import's import, under the same length and time."""
    code = "from lib.data import cache\ndef build(folder):\n    cache.new(folder, 'x', (2,))[:] = {}\n"
    for value in (3, 4):
        path = tmp_path / "decoder.py"
        path.write_text(code.format(value))
        os.utime(path, ns=(1, 1))
        names = {}
        exec(compile(path.read_text(), str(path), "exec"), names)
        assert cache.arrays(NAME, names["build"])["x"].tolist() == [value] * 2


@pytest.mark.parametrize("file", ["pixels.py", "archives.py", "images.py"])
def test_the_code_of_images_is_what_they_are_decoded_with(file, monkeypatch):
    decoder = Path(images._decode.__code__.co_filename)
    before, read = fingerprint.digest(decoder), Path.read_bytes
    monkeypatch.setattr(fingerprint, "_digests", {})  # nothing is remembered
    edit = lambda path: read(path) + b"# edited" * (path.name == file)  # noqa: E731
    monkeypatch.setattr(Path, "read_bytes", edit)
    assert fingerprint.digest(decoder) != before


def test_where_bytes_come_from_is_not_the_decoders_code(monkeypatch):
    decoder = Path(images._decode.__code__.co_filename)
    before, read = fingerprint.digest(decoder), Path.read_bytes
    monkeypatch.setattr(fingerprint, "_digests", {})  # nothing is remembered
    outside = ("registry.py", "catalogue.py", "fetch.py")
    monkeypatch.setattr(Path, "read_bytes", lambda path: read(path) + b"# edited" * (path.name in outside))
    assert fingerprint.digest(decoder) == before


def test_a_builder_that_fails_leaves_nothing(held, root):
    def build(folder):
        cache.new(folder, "x", (2,))
        raise RuntimeError("half-way")

    with pytest.raises(RuntimeError, match="half-way"):
        cache.arrays(NAME, build)
    assert not (root / NAME / "decoded").exists()
    assert not list((root / NAME).glob("making-*"))


SLOW = f"""
import dataclasses, time
from lib.data import cache, registry
entry = registry.get("{NAME}")
from lib.data.entry import File
registry.CATALOGUE["{NAME}"] = dataclasses.replace(entry, files=(File("a.bin"),))
def build(folder):
    made = cache.new(folder, "x", (200, 1000))
    print("begun", flush=True)
    for row in range(200):
        made[row] = 7
        time.sleep(0.001)
cache.folder("{NAME}", "decoded", build)
time.sleep(60)
"""


@pytest.mark.parametrize("kills", [3, pytest.param(50, marks=pytest.mark.torture)])
def test_builders_that_are_killed_leave_nothing_that_is_used(kills, held, root):
    draw = random.Random(kills)
    for _ in range(kills):
        with subprocess.Popen(
            [sys.executable, "-c", SLOW], env=os.environ, stdout=subprocess.PIPE
        ) as process:
            process.stdout.readline()
            time.sleep(draw.uniform(0, 0.3))  # in the middle, or at the end of it
            os.kill(process.pid, signal.SIGKILL)
        if (root / NAME / "decoded").exists():
            assert cache.problems(NAME) == []
            assert (np.load(root / NAME / "decoded" / "x.npy") == 7).all()
            shutil.rmtree(root / NAME / "decoded")
    assert cache.arrays(NAME, builder([]))["x"].unique().tolist() == [7]
    assert not list((root / NAME).glob("making-*"))


def test_a_changed_array_is_found(held, root):
    cache.arrays(NAME, builder([]))
    assert cache.problems(NAME) == []
    place = root / NAME / "decoded" / "x.npy"
    content = bytearray(place.read_bytes())
    content[-1] ^= 1
    place.write_bytes(content)
    (problem,) = cache.problems(NAME)
    assert "x.npy has changed since it was made; delete the folder decoded" in problem


def test_an_absent_set_names_the_remedy(root):
    with pytest.raises(registry.Missing, match=r"python data_scripts/natural_images.py --mirror"):
        cache.arrays(NAME, builder([]))
