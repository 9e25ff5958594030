"""The far side of a place to compute: what a worker does with a job. Imports no torch until a job does."""

from __future__ import annotations

import os
import pickle
import signal
import threading
import time
import traceback
from contextlib import suppress
from multiprocessing.connection import Connection

_one_at_a_time = threading.Lock()  # torch's threads and global random state belong to the process


def attempt(message: bytes) -> tuple:
    """In a worker: ("done", result), or ("raised", the error in a line, its traceback)."""
    with _one_at_a_time:
        try:
            function, job = pickle.loads(message)
            found = function(job)
            pickle.dumps(found)  # here, where the error has a name: on its way back it would end the worker
            return "done", found
        except (Exception, SystemExit) as error:
            frames = traceback.extract_tb(error.__traceback__)
            place = f" at {os.path.basename(frames[-1].filename)}:{frames[-1].lineno}"
            return "raised", f"{type(error).__name__}: {error}{place}", traceback.format_exc()


def serve(descriptor: int, parent: int) -> None:
    """The life of a worker process: read a task, answer, until the other end is closed."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is the parent's; it ends its workers
    threading.Thread(target=_end_with, args=(parent,), daemon=True).start()
    with Connection(descriptor) as pipe, suppress(EOFError, BrokenPipeError):
        while True:
            pipe.send(attempt(pipe.recv_bytes()))


def _end_with(parent: int) -> None:
    """A killed parent closes no pipe that a busy worker reads: look who the parent is."""
    while os.getppid() == parent:
        time.sleep(0.5)
    os._exit(1)
