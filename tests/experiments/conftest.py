"""Experiments' jobs do their sums on one thread; what a test computes beside a job does so too."""

import pytest
import torch

from lib.base import devices


@pytest.fixture(scope="module", autouse=True)
def _one_thread():
    with devices.at_most_threads(1):
        yield


@pytest.fixture
def two_threads():
    """Torch may use two threads, as on a machine with more cores; a module's own fixtures used one."""
    before = torch.get_num_threads()
    torch.set_num_threads(2)
    yield
    torch.set_num_threads(before)
