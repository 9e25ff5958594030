"""The one place where a pickle from outside is read: numbers, their arrays, plain values; nothing that acts.

Publishers pickle CIFAR-10's batches, insightface's .bin pairs and Taskonomy's affinities. A pickle is a
program; here it reaches no class and no function. The names that those formats need stand for readers of this
module, which take plain bytes, one of the types of `NUMBERS` and a shape, and make the array themselves.
"""

from __future__ import annotations

import io
import pickle
import pickletools
from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np

NUMBERS = {"b1", "i1", "i2", "i4", "i8", "u1", "u2", "u4", "u8", "f2", "f4", "f8"}
DEPTH = 50  # of lists in lists
Encode = Callable[[str], bytes]


def loads(content: bytes, encoding: str = "ASCII") -> Any:
    """The object in a pickle made of numbers, strings, lists, dicts and numpy arrays of plain numbers.

    ``encoding`` is "bytes" for pickles of Python 2. Ordered dicts come back as dicts. Raises
    pickle.UnpicklingError for anything else, and for a damaged pickle.
    """
    try:
        _survey(content)
        return _finished(_Reader(content, encoding).load(), {}, 0)
    except pickle.UnpicklingError:
        raise
    except Exception as error:  # a broken pickle can fail with almost any exception
        raise pickle.UnpicklingError(f"damaged pickle ({type(error).__name__}: {error})") from error


class _Type:
    """A dtype: the letter and size of one of `NUMBERS`, and the order of its bytes."""

    def __init__(self, encode: Encode, code: object, align: object = 0, copy: object = 0) -> None:
        self.encode, self.code, self.order = encode, _text(code), "<"
        if self.code not in NUMBERS:
            raise pickle.UnpicklingError(f"the pickle has an array of {code!r}; only plain numbers are read")

    def __setstate__(self, state: tuple[Any, ...]) -> None:
        version, order, *rest = state
        # No subarray, names or fields, no size or alignment of its own, no flags, no metadata.
        if version not in (3, 4) or rest[:6] != [None, None, None, -1, -1, 0] or any(rest[6:]):
            raise pickle.UnpicklingError("the pickle has an array of parts; only plain numbers are read")
        if (order := _text(order)) not in ("<", ">", "|", "="):
            raise pickle.UnpicklingError(f"the pickle has numbers in the byte order {order!r}")
        self.order = order

    def array(self, raw: object, shape: object, order: object = "C") -> np.ndarray:
        """An array of this type over these bytes, as many as the shape says; it cannot be written to."""
        if isinstance(raw, str):  # Python 2's bytes, read as latin1
            raw = self.encode(raw)
        if not isinstance(raw, bytes | bytearray):
            raise pickle.UnpicklingError(f"the pickle has an array out of {type(raw).__name__}, not of bytes")
        if not isinstance(shape, tuple) or not all(type(n) is int and 0 <= n < 2**48 for n in shape):
            raise pickle.UnpicklingError(f"the pickle has an array of shape {shape!r:.80}")
        found = np.frombuffer(raw, np.dtype(self.order + self.code)) if raw else self.empty()
        return found.reshape(shape, order="F" if _text(order) == "F" else "C")

    def empty(self) -> np.ndarray:
        """No numbers of this type."""
        return np.empty(0, self.order + self.code)


class _Array:
    """An array in the making: its content comes as a state, and is then `value`."""

    def __init__(self, value: np.ndarray | None = None) -> None:
        self.value = value

    def __setstate__(self, state: tuple[Any, ...]) -> None:
        *version, shape, kind, columns_first, raw = state
        if len(version) > 1 or not isinstance(kind, _Type):
            raise pickle.UnpicklingError("the pickle has an array without a type")
        self.value = kind.array(raw, shape, "F" if columns_first else "C")


class _Name:
    """What a name in a pickle stands for. It can be called; a state that is forced on it is refused."""

    __slots__ = ("_call",)

    def __init__(self, call: Callable[..., Any]) -> None:
        self._call = call

    def __call__(self, *arguments: Any) -> Any:
        return self._call(*arguments)

    def __setstate__(self, state: object) -> None:
        raise pickle.UnpicklingError("the pickle changes what it may only name; it was not loaded")


def _text(value: object) -> str:
    return value.decode("latin1") if isinstance(value, bytes) else str(value)


def _refused(*arguments: object) -> None:
    raise pickle.UnpicklingError("the pickle calls what it may only name; it was not loaded")


def _started(kind: object, shape: object, code: object) -> _Array:
    return _Array()  # an ndarray whatever `kind` says; shape and code are those of an empty one


def _scalar(kind: _Type, raw: object) -> Any:
    return kind.array(raw, (1,))[0]


def _from_buffer(raw: object, kind: _Type, shape: object, order: object, axes: object = None) -> _Array:
    if axes is not None:
        raise pickle.UnpicklingError("the pickle has an array with its axes in another order")
    return _Array(kind.array(raw, shape, order))


def _ordered(pairs: Any = ()) -> dict[Any, Any]:
    return dict(pairs)


class _Reader(pickle.Unpickler):
    def __init__(self, content: bytes, encoding: str) -> None:
        super().__init__(io.BytesIO(content), encoding=encoding)
        self.encoded: dict[str, bytes] = {}  # each text once, however often it is asked for
        self.known: dict[tuple[str, str], Callable[..., Any]] = {
            ("numpy", "ndarray"): _refused,
            ("numpy", "dtype"): partial(_Type, self.latin1),
            ("numpy._core.multiarray", "_reconstruct"): _started,
            ("numpy._core.multiarray", "scalar"): _scalar,
            ("numpy._core.numeric", "_frombuffer"): _from_buffer,
            ("_codecs", "encode"): self.latin1,  # how Python 3 writes bytes in the old protocols
            ("collections", "OrderedDict"): _ordered,
        }

    def find_class(self, module: str, name: str) -> _Name:
        module = module.replace("numpy.core.", "numpy._core.")  # its name before numpy 2
        if (module, name) not in self.known:
            raise pickle.UnpicklingError(
                f"the pickle asks for {module}.{name}, which no data set needs; it was not loaded"
            )
        return _Name(self.known[module, name])

    def latin1(self, text: str, encoding: object = "latin1") -> bytes:
        if encoding != "latin1":
            raise pickle.UnpicklingError(f"the pickle asks for the encoding {encoding!r:.80}")
        if text not in self.encoded:
            self.encoded[text] = text.encode("latin1")
        return self.encoded[text]


def _survey(content: bytes) -> None:
    """Refuse numbers of memory slots beyond the pickle's length: room for all below would be taken."""
    for code, argument, _ in pickletools.genops(content):
        if code.name in ("PUT", "BINPUT", "LONG_BINPUT") and int(argument or 0) > len(content):
            raise pickle.UnpicklingError("damaged pickle (it numbers more objects than it can hold)")


def _finished(found: Any, done: dict[int, Any], depth: int) -> Any:
    """The object with arrays in place of those in the making; what holds itself is refused as too deep."""
    if depth > DEPTH:
        raise pickle.UnpicklingError(f"the pickle has lists in lists more than {DEPTH} deep")
    if id(found) in done:
        return done[id(found)]
    if isinstance(found, _Array):
        if found.value is None:
            raise pickle.UnpicklingError("damaged pickle (an array without content)")
        return found.value
    if isinstance(found, _Type | _Name):
        raise pickle.UnpicklingError("the pickle holds a type or a function in place of a value")
    if isinstance(found, dict):
        made: Any = {
            _finished(key, done, depth + 1): _finished(value, done, depth + 1) for key, value in found.items()
        }
    elif isinstance(found, list | tuple | set | frozenset):
        made = type(found)(_finished(item, done, depth + 1) for item in found)
    else:
        return found
    done[id(found)] = made
    return made
