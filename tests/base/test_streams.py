"""Random streams: the same everywhere, and each its own."""

import os
import subprocess
import sys

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from lib.base import streams


def draw(*key):
    return torch.rand(4, generator=streams.generator(*key)).tolist()


def test_streams_repeat_and_differ():
    keys = [(0,), (1,), (0, "a"), (0, "b"), (0, "a", "b"), (0, "ab"), (0, 1), (0, "1"), (0, 1.5)]
    assert len({tuple(draw(*key)) for key in keys}) == len(keys)
    assert draw(0, "a") == draw(0, "a")


def test_streams_are_the_same_in_another_process():
    rand = "torch.rand(4, generator=streams.generator(7, 'x', 2)).tolist()"
    code = f"import torch; from lib.base import streams; print({rand})"
    environment = os.environ | {"PYTHONHASHSEED": "1"}
    found = subprocess.check_output([sys.executable, "-c", code], text=True, env=environment)
    assert found.strip() == str(draw(7, "x", 2))


@given(st.integers(0, 2**40), st.integers(0, 2**40))
def test_two_streams_share_no_start(a, b):
    assert (draw(a) == draw(b)) == (a == b)


@pytest.mark.parametrize("key", [("0",), (True,), (1.0,), (0, None), (0, ("a",)), (0, True)])
def test_keys_of_streams_are_plain(key):
    with pytest.raises(TypeError, match="must be"):
        streams.generator(*key)
