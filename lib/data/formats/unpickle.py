"""The one place where a pickle from outside is read: arrays and plain values, nothing that can act.

Publishers pickle CIFAR-10's batches, insightface's .bin pairs and Taskonomy's affinities. A pickle is a
program; this reader lets it name only the few constructors that those formats need.
"""

from __future__ import annotations

import io
import pickle
from typing import Any

ALLOWED = {
    ("numpy", "ndarray"),
    ("numpy", "dtype"),
    ("numpy._core.multiarray", "_reconstruct"),
    ("numpy._core.multiarray", "scalar"),
    ("numpy._core.numeric", "_frombuffer"),
    ("_codecs", "encode"),  # how Python 3 writes bytes in the old protocols
    ("collections", "OrderedDict"),
}


class _Reader(pickle.Unpickler):
    def find_class(self, module: str, name: str) -> Any:
        module = module.replace("numpy.core.", "numpy._core.")  # its name before numpy 2
        if (module, name) not in ALLOWED:
            raise pickle.UnpicklingError(
                f"the pickle asks for {module}.{name}, which no data set needs; it was not loaded"
            )
        return super().find_class(module, name)


def loads(content: bytes, encoding: str = "ASCII") -> Any:
    """The object in a pickle made of numbers, strings, lists, dicts and numpy arrays.

    ``encoding`` is "bytes" for pickles of Python 2. Raises pickle.UnpicklingError for anything else, and for
    a damaged pickle.
    """
    try:
        return _Reader(io.BytesIO(content), encoding=encoding).load()
    except pickle.UnpicklingError:
        raise
    except Exception as error:  # a broken pickle can fail with almost any exception
        raise pickle.UnpicklingError(f"damaged pickle ({type(error).__name__}: {error})") from error
