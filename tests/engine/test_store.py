"""Files are whole or as before, whenever a write is stopped; one process computes and others wait."""

import os
import subprocess
import sys

import pytest

from lib.engine import store


class Stopped(BaseException):
    """As a kill: nothing that handles errors sees it."""


def stop(*_args, **_options):
    raise Stopped


@pytest.mark.parametrize("moment", ["fsync", "replace"])
def test_a_write_that_is_stopped_leaves_what_was_there(tmp_path, monkeypatch, moment):
    path = tmp_path / "results" / "run.json"
    store.write(path, b"as before")
    with monkeypatch.context() as patch:
        patch.setattr(os, moment, stop)
        with pytest.raises(Stopped):
            store.write(path, b"half of wh")
    assert path.read_bytes() == b"as before"
    store.write(path, b"whole")
    assert path.read_bytes() == b"whole"
    assert [each.name for each in path.parent.iterdir()] == ["run.json"], "nor is a draft left"


@pytest.mark.parametrize("moment", ["fsync", "replace"])
def test_a_write_that_fails_leaves_nothing_and_names_the_remedy(tmp_path, monkeypatch, moment):
    def full(*_args):
        raise OSError(28, "No space left on device")

    path = tmp_path / "run.json"
    monkeypatch.setattr(os, moment, full)
    with pytest.raises(OSError, match="make room or permit it"):
        store.write(path, b"content")
    assert list(tmp_path.iterdir()) == []


def test_two_writers_have_a_draft_each_and_what_a_killed_one_left_is_cleared(tmp_path, monkeypatch):
    path, inner = tmp_path / "run.json", []
    replace = os.replace
    gone = subprocess.Popen([sys.executable, "-c", ""])
    gone.wait()
    (tmp_path / f".run.json.{gone.pid}.tmp").write_bytes(b"half")
    (tmp_path / f".run.json.{os.getppid()}.tmp").write_bytes(b"of a process that lives")

    def other_first(draft, target):
        """Another process writes the same path between our draft and our replace."""
        if not inner:
            inner.append(True)
            with monkeypatch.context() as patch:
                patch.setattr(os, "getpid", lambda: 1)
                store.write(path, b"another's")
        replace(draft, target)

    monkeypatch.setattr(os, "replace", other_first)
    store.write(path, b"ours")
    assert path.read_bytes() == b"ours"
    assert sorted(each.name for each in tmp_path.iterdir()) == [f".run.json.{os.getppid()}.tmp", "run.json"]


def test_a_folder_is_no_file(tmp_path):
    with pytest.raises(IsADirectoryError, match="is a folder; name a file in it"):
        store.write(tmp_path, b"content")


def test_what_was_begun_is_not_read(tmp_path, monkeypatch):
    path = tmp_path / "record"
    with monkeypatch.context() as patch:
        patch.setattr(os, "replace", stop)
        with pytest.raises(Stopped):
            store.put(path, b"content")
    assert store.get(path, bytes, warn=True) is None
    assert store.once(path, lambda: b"computed", bytes) == b"computed"
    assert store.get(path, bytes) == b"computed"


def test_a_claim_is_held_until_it_is_released(tmp_path):
    path = tmp_path / "record"
    lock = store.claim(path)
    assert store.claim(path, wait=False) is None
    assert store.once(path, lambda: b"mine", bytes, wait=False) is None, "another is at it"
    lock.release()
    assert store.once(path, lambda: b"mine", bytes, wait=False) == b"mine"


def test_claims_hand_out_what_nobody_has(tmp_path):
    paths = {index: tmp_path / str(index) for index in range(3)}
    store.put(paths[1], b"made meanwhile")
    other = store.claim(paths[2])
    claims = store.Claims(paths)
    assert list(claims) == [0]
    assert claims.others == [1, 2]
    claims.keep(0, b"made")
    claims.release()
    other.release()
    assert [store.get(path, bytes) for path in paths.values()] == [b"made", b"made meanwhile", None]


@pytest.mark.parametrize("value", [float("nan"), float("inf"), [1.0, float("-inf")]])
def test_a_digest_is_of_finite_numbers(value):
    assert store.digest({"a": 1, "b": 2}) == store.digest({"b": 2, "a": 1})
    with pytest.raises(ValueError, match="JSON"):
        store.digest(value)
