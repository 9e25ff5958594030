"""Devices, threads, and what a result was computed with."""

import os

import pytest
import torch

from lib.base import devices


def test_a_device_by_name_and_by_default():
    best = "cuda" if torch.cuda.is_available() else "cpu"
    assert devices.resolve_device().type == devices.resolve_device("auto").type == best
    assert devices.resolve_device("cpu") == torch.device("cpu")


@pytest.mark.parametrize("name", ["gpu", "", "meta", "cpu:x"])
def test_a_device_that_is_not_known(name):
    with pytest.raises(ValueError, match=r"is not known: use cpu, cuda, mps"):
        devices.resolve_device(name)


def test_a_device_that_is_not_here():
    with pytest.raises(ValueError, match="is not on this machine: use 'cpu'"):
        devices.resolve_device(f"cuda:{torch.cuda.device_count()}")


def test_the_environment_names_no_host_and_no_user():
    found = devices.environment("cpu")
    assert found.keys() == {"python", "torch", "device", "threads", "platform", "capability"}
    assert found["device"] == "cpu"
    text = str(found)
    assert os.uname().nodename not in text
    assert os.path.expanduser("~") not in text


def test_threads_are_never_raised():
    before = torch.get_num_threads()
    with devices.at_most_threads(before + 3) as count:
        assert count == before == torch.get_num_threads()
    with devices.at_most_threads(1) as count:
        assert count == torch.get_num_threads() == 1
    assert torch.get_num_threads() == before
    with pytest.raises(ValueError, match="at least 1, not 0"), devices.at_most_threads(0):
        pass
