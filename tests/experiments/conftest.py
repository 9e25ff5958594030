"""Experiments' jobs do their sums on one thread; what a test computes beside a job does so too."""

import contextlib

import pytest
import torch

from lib import compute


@pytest.fixture(scope="module", autouse=True)
def _one_thread():
    with compute.at_most_threads(1):
        yield


@pytest.fixture
def two_threads():
    """A context in which torch may use two threads, as on a machine with more cores."""

    @contextlib.contextmanager
    def allowed():
        before = torch.get_num_threads()
        torch.set_num_threads(2)
        try:
            yield
        finally:
            torch.set_num_threads(before)

    return allowed
