"""Devices, threads, random streams."""

import os
import subprocess
import sys

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from lib.base import compute


def test_a_device_by_name_and_by_default():
    best = "cuda" if torch.cuda.is_available() else "cpu"
    assert compute.resolve_device().type == compute.resolve_device("auto").type == best
    assert compute.resolve_device("cpu") == torch.device("cpu")


@pytest.mark.parametrize("name", ["gpu", "", "meta", "cpu:x"])
def test_a_device_that_is_not_known(name):
    with pytest.raises(ValueError, match=r"is not known: use cpu, cuda, mps"):
        compute.resolve_device(name)


def test_a_device_that_is_not_here():
    with pytest.raises(ValueError, match="is not on this machine: use 'cpu'"):
        compute.resolve_device(f"cuda:{torch.cuda.device_count()}")


def draw(*key):
    return torch.rand(4, generator=compute.generator(*key)).tolist()


def test_streams_repeat_and_differ():
    keys = [(0,), (1,), (0, "a"), (0, "b"), (0, "a", "b"), (0, "ab"), (0, 1), (0, "1"), (0, 1.5)]
    assert len({tuple(draw(*key)) for key in keys}) == len(keys)
    assert draw(0, "a") == draw(0, "a")


def test_streams_are_the_same_in_another_process():
    rand = "torch.rand(4, generator=compute.generator(7, 'x', 2)).tolist()"
    code = f"import torch; from lib.base import compute; print({rand})"
    environment = os.environ | {"PYTHONHASHSEED": "1"}
    found = subprocess.check_output([sys.executable, "-c", code], text=True, env=environment)
    assert found.strip() == str(draw(7, "x", 2))


@given(st.integers(0, 2**40), st.integers(0, 2**40))
def test_two_streams_share_no_start(a, b):
    assert (draw(a) == draw(b)) == (a == b)


@pytest.mark.parametrize("key", [("0",), (True,), (1.0,), (0, None), (0, ("a",)), (0, True)])
def test_keys_of_streams_are_plain(key):
    with pytest.raises(TypeError, match="must be"):
        compute.generator(*key)


def test_the_environment_names_no_host_and_no_user():
    found = compute.environment("cpu")
    assert found.keys() == {"python", "torch", "device", "threads", "platform", "capability"}
    assert found["device"] == "cpu"
    text = str(found)
    assert os.uname().nodename not in text
    assert os.path.expanduser("~") not in text


def test_threads_are_never_raised():
    before = torch.get_num_threads()
    with compute.at_most_threads(before + 3) as count:
        assert count == before == torch.get_num_threads()
    with compute.at_most_threads(1) as count:
        assert count == torch.get_num_threads() == 1
    assert torch.get_num_threads() == before
    with pytest.raises(ValueError, match="at least 1, not 0"), compute.at_most_threads(0):
        pass
