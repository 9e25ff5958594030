import os
import pickle
from collections import OrderedDict

import numpy as np
import pytest
import torch

from lib.data.formats import unpickle


@pytest.mark.parametrize("protocol", range(6))
def test_what_publishers_pickle_is_read(protocol):
    batch = {b"data": np.arange(12, dtype=np.uint8).reshape(3, 4), b"labels": [1, 2, 3], b"name": "batch"}
    found = unpickle.loads(pickle.dumps(batch, protocol), "bytes")
    np.testing.assert_array_equal(found[b"data"], batch[b"data"])
    assert found[b"labels"] == [1, 2, 3]
    affinities = OrderedDict({"a__b": np.float64(0.25), "c__b": np.float32(0.5)})
    assert unpickle.loads(pickle.dumps(affinities, protocol)) == affinities


def test_the_old_home_of_numpy_is_known():
    """Publishers' files were written when it was called numpy.core."""
    new = pickle.dumps(np.float64(0.25), 2)
    old = new.replace(b"numpy._core.multiarray", b"numpy.core.multiarray")
    assert old != new
    assert unpickle.loads(old, "latin1") == 0.25


class Evil:
    """Runs a command when it is unpickled."""

    def __init__(self, *call):
        self.call = call

    def __reduce__(self):
        return self.call[0], self.call[1:]


TOUCH = "__import__('pathlib').Path('{}').touch()"
CALLS = [(os.system, "touch {}"), (eval, TOUCH), (exec, TOUCH), (os.mkdir, "{}")]


@pytest.mark.parametrize("call", CALLS)
@pytest.mark.parametrize("protocol", [0, 2, 5])
def test_a_pickle_that_acts_is_not_loaded(call, protocol, tmp_path):
    mark = tmp_path / "mark"
    function, argument = call
    content = pickle.dumps({"data": Evil(function, argument.format(mark))}, protocol)
    with pytest.raises(pickle.UnpicklingError, match="which no data set needs"):
        unpickle.loads(content)
    assert not mark.exists()
    pickle.loads(content)  # the payload is live: the ordinary reader runs it
    assert mark.exists()


def test_a_named_global_reached_through_an_allowed_module_is_not_loaded():
    for name in (
        b"numpy\nload",
        b"numpy\nfromfile",
        b"_codecs\nlookup",
        b"collections\nnamedtuple",
        b"builtins\ngetattr",
    ):
        with pytest.raises(pickle.UnpicklingError, match="which no data set needs"):
            unpickle.loads(b"c" + name + b"\n.")


@pytest.mark.parametrize("content", [b"", b"\x80", b"not a pickle", pickle.dumps([1, 2, 3])[:-3]])
def test_a_damaged_pickle_says_so(content):
    with pytest.raises(pickle.UnpicklingError):
        unpickle.loads(content)


def test_task_bank_weights_are_read_without_acting(tiny, tmp_path):
    from lib.data import rooms

    torch.save({"state_dict": {"w": torch.ones(2)}}, tmp_path / "good.pth")
    torch.save({"state_dict": Evil(os.system, f"touch {tmp_path / 'mark'}")}, tmp_path / "evil.pth")
    tiny("taskbank", {f"{n}.pth": (tmp_path / f"{n}.pth").read_bytes() for n in ("good", "evil")}, 2)
    assert rooms.task_bank("good")["state_dict"]["w"].tolist() == [1, 1]
    with pytest.raises(pickle.UnpicklingError):
        rooms.task_bank("evil")
    assert not (tmp_path / "mark").exists()
