import contextlib
import os
import pickle
import random
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


_RECONSTRUCT = np.zeros(1).__reduce__()[0]
_SCALAR = np.float64(1).__reduce__()[0]


class Calls:
    """Pickled as a call, and a state forced on what it gives."""

    def __init__(self, function, arguments, state=None):
        self.reduced = (function, arguments) if state is None else (function, arguments, state)

    def __reduce__(self):
        return self.reduced


def Typed(code, state):
    return Calls(np.dtype, (code, False, True), state)


PLAIN = (3, "<", None, None, None, -1, -1, 0)
OBJECTS = (3, "|", None, None, None, -1, -1, 63)
LARGE = (3, "|", None, None, None, 2**20, 1, 0)
INNER = np.dtype("O")
FIELDS = {"a": (np.dtype("f8"), 2**20)}


def made(kind, state, shape=(1,), raw=b"A" * 8):
    return Calls(_RECONSTRUCT, (np.ndarray, (0,), b"b"), (1, shape, Typed(kind, state), False, raw))


def nested(depth):
    return b"\x80\x02" + b"]" * depth + b"a" * (depth - 1) + b"."


def forced(name, state):
    """A name, and a state forced on what stands for it."""
    return b"\x80\x02c" + name + b"\n" + pickle.dumps(state, 2)[2:-1] + b"b."


CRAFTED = {
    "object array from a buffer": pickle.dumps(made("O8", OBJECTS)),
    "object array from bytes, flags 0": pickle.dumps(made("O8", (3, "|", None, None, None, -1, -1, 0))),
    "object array of a list": pickle.dumps(np.array([1, "a"], dtype=object)),
    "subarray of objects": pickle.dumps(made("V8", (3, "|", (INNER, (1,)), None, None, 8, 8, 0))),
    "fields of objects": pickle.dumps(made("V8", (3, "|", None, ("a",), {"a": (INNER, 0)}, 8, 8, 0))),
    "fields beyond the item": pickle.dumps(made("V8", (3, "|", None, ("a",), FIELDS, 8, 1, 0))),
    "parts of a plain type": pickle.dumps(made("f8", (3, "<", None, ("a",), FIELDS, 8, 1, 0))),
    "size that lies": pickle.dumps(made("f8", (3, "<", None, None, None, 2**20, 8, 0))),
    "flags that lie": pickle.dumps(made("f8", (3, "<", None, None, None, -1, -1, 63))),
    "shape beyond the bytes": pickle.dumps(made("f8", PLAIN, shape=(2**40,))),
    "negative shape": pickle.dumps(made("f8", PLAIN, shape=(-1,))),
    "array of text": pickle.dumps(np.array(["a"])),
    "times": pickle.dumps(np.array(["2020-01-01"], "M8[D]")),
    "scalar of objects": pickle.dumps(Calls(_SCALAR, (Typed("O8", OBJECTS), b"A" * 8))),
    "scalar that lies": pickle.dumps(Calls(_SCALAR, (Typed("V8", LARGE), b"A" * 8))),
    "scalar cut short": pickle.dumps(Calls(_SCALAR, (Typed("f8", PLAIN), b"A"))),
    "codec": pickle.dumps(Calls(__import__("_codecs").encode, ("a" * 99, "utf-32"))),
    "state forced on a dict": forced(b"collections\nOrderedDict\n)R"[:-1], {"a": 1}),
    "state forced on a name": forced(b"collections\nOrderedDict", (None, {"__defaults__": (1,)})),
    "a name in place of a value": b"cnumpy\ndtype\n.",
    "an array without content": b"cnumpy.core.multiarray\n_reconstruct\n(tR.",
    "deep nesting": nested(100_000),
    "a list that holds itself": b"\x80\x02]q\x00h\x00a.",
    "memory slots": b"\x80\x02Nr\xff\xff\xff\xff.",
}  # fmt: skip


@pytest.mark.parametrize("name", CRAFTED)
@pytest.mark.parametrize("encoding", ["ASCII", "bytes", "latin1"])
def test_a_crafted_pickle_is_refused(name, encoding):
    with pytest.raises(pickle.UnpicklingError):
        unpickle.loads(CRAFTED[name], encoding)


def test_the_ordinary_reader_takes_some_of_the_crafted():
    """What is refused above is not refused because it is no pickle."""
    for name in ("object array of a list", "array of text", "times", "codec", "deep nesting"):
        pickle.loads(CRAFTED[name])


@pytest.mark.parametrize("code", sorted(unpickle.NUMBERS))
@pytest.mark.parametrize("protocol", range(6))
def test_numbers_of_every_kind_and_order_are_read(code, protocol):
    for kind in (np.dtype(code), np.dtype(code).newbyteorder(">")):
        for values in (np.arange(6).astype(kind).reshape(2, 3), np.arange(6).astype(kind).reshape(2, 3).T):
            found = unpickle.loads(pickle.dumps([values, values[0, 1]], protocol))
            np.testing.assert_array_equal(found[0], values, strict=True)
            assert found[1] == values[0, 1]


def test_what_is_named_twice_is_the_same_and_costs_once():
    row = np.arange(3)
    wide = [row]
    for _ in range(40):  # 2**40 lists, if each were read anew
        wide = [wide, wide]
    found = unpickle.loads(pickle.dumps(wide))
    assert found[0] is found[1]


def test_changed_bytes_give_a_value_or_one_kind_of_error():
    batch = {b"data": np.arange(12, dtype=np.uint8).reshape(3, 4), b"labels": [1, 2, 3], "x": np.float64(2)}
    draw = random.Random(0)
    for protocol in (0, 2, 5):
        content = pickle.dumps(batch, protocol)
        for _ in range(1000):
            changed = bytearray(content)
            for _ in range(draw.randint(1, 3)):
                changed[draw.randrange(len(changed))] = draw.randrange(256)
            with contextlib.suppress(pickle.UnpicklingError):
                repr(unpickle.loads(bytes(changed), "latin1"))


def test_task_bank_weights_are_read_without_acting(tiny, tmp_path):
    from lib.data import rooms

    torch.save({"state_dict": {"w": torch.ones(2)}}, tmp_path / "good.pth")
    torch.save({"state_dict": Evil(os.system, f"touch {tmp_path / 'mark'}")}, tmp_path / "evil.pth")
    tiny("taskbank", {f"{n}.pth": (tmp_path / f"{n}.pth").read_bytes() for n in ("good", "evil")}, 2)
    assert rooms.task_bank("good")["state_dict"]["w"].tolist() == [1, 1]
    with pytest.raises(pickle.UnpicklingError):
        rooms.task_bank("evil")
    assert not (tmp_path / "mark").exists()
