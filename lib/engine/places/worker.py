"""The far side of a place to compute: what a worker does with a job. Imports no torch until a job does.

A worker executes what it is sent, and so does who reads its answers: use only a cluster that you trust.
"""

from __future__ import annotations

import os
import sys
import threading
import traceback
from collections.abc import Callable
from contextlib import suppress
from multiprocessing.connection import Connection
from typing import Any

from lib.engine.places.here import JobFailed

_one_at_a_time = threading.Lock()  # torch's threads and global random state belong to the process


def attempt(function: Callable[[Any], Any], job: Any) -> Any:
    """`function(job)`.

    Raises:
        JobFailed: whatever it raised, in a line, with its traceback as a note. The error itself may be of a
            kind that cannot be sent, or would end the worker.
    """
    with _one_at_a_time:
        try:
            return function(job)
        except (Exception, SystemExit) as error:
            last = traceback.extract_tb(error.__traceback__)[-1]
            place = f"{os.path.basename(last.filename)}:{last.lineno}"
            failed = JobFailed(f"{type(error).__name__}: {error} at {place}")
            failed.add_note(f"In the worker:\n{traceback.format_exc()}")
            raise failed from None


def begin(lifeline: Connection, threads: int, card: str | None) -> None:
    """The first that a process of `Processes` does, before torch is there: its share of threads and GPUs.

    It ends when the other end of `lifeline` is closed, by the parent or by its death.
    """
    threading.Thread(target=_end_with, args=(lifeline,), daemon=True).start()
    os.environ |= {"OMP_NUM_THREADS": str(threads), "TRANSFER_PROGRESS": "0"}
    if card is not None:
        os.environ["CUDA_VISIBLE_DEVICES"] = card
    if torch := sys.modules.get("torch"):  # the parent's main program, which spawn loads again, imports it
        torch.set_num_threads(threads)


def _end_with(lifeline: Connection) -> None:
    with suppress(EOFError, OSError):
        lifeline.recv_bytes()
    os._exit(1)  # at once: what a job had begun to store is whole or absent
