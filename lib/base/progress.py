"""One line of progress: updated in place in a notebook, tqdm in a terminal, nothing when switched off."""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Iterable, Iterator, Sized
from typing import Any, TypeVar

from tqdm import tqdm

T = TypeVar("T")
_INTERVAL = 0.2  # seconds between two updates in a notebook: each is a message to the browser


def track(iterable: Iterable[T], label: str, total: int | None = None) -> Iterator[T]:
    """Yield the items and show `label: done of total`. TRANSFER_PROGRESS=0 in the environment shows nothing.

    `total` defaults to `len(iterable)` where it has one. In a notebook the line is one display that is
    updated, so an executed chapter keeps only the last state, which holds no time and so never varies.
    """
    if total is None and isinstance(iterable, Sized):
        total = len(iterable)
    if os.environ.get("TRANSFER_PROGRESS") == "0":
        return iter(iterable)
    display = _notebook_display()
    if display is not None:
        return _in_notebook(iterable, label, total, display)
    return iter(tqdm(iterable, desc=label, total=total, leave=False, disable=None, dynamic_ncols=True))


def _in_notebook(iterable: Iterable[T], label: str, total: int | None, display: Any) -> Iterator[T]:
    def line(done: int) -> dict[str, str]:
        return {"text/plain": f"{label}: {done}" + ("" if total is None else f" of {total}")}

    handle = display(line(0), raw=True, display_id=True)
    shown, done = time.monotonic(), 0
    for done, item in enumerate(iterable, start=1):
        yield item
        if time.monotonic() - shown > _INTERVAL:
            handle.update(line(done), raw=True)
            shown = time.monotonic()
    handle.update(line(done), raw=True)


def _notebook_display() -> Any:
    """IPython's `display` inside a Jupyter kernel, else None. IPython is never imported from here."""
    ipython = sys.modules.get("IPython")
    shell = ipython.get_ipython() if ipython is not None else None
    return ipython.display.display if ipython is not None and hasattr(shell, "kernel") else None
