"""What tests send to other processes: importable there, and quickly."""

import os
import signal
import sys
import time
from pathlib import Path


def square(job):
    return job * job


def tell(job):
    """Who did it."""
    time.sleep(0.3)
    return {"job": job, "pid": os.getpid()}


def threads(job):
    import torch

    return torch.get_num_threads()


def refuse(job):
    if job == "bad":
        raise ValueError("not this one")
    return job


def unsendable(job):
    return lambda: job


class Unsendable(Exception):
    """Cannot be made again from its message, as pickle would."""

    def __init__(self, one, two):
        super().__init__(f"{one} and {two}")


def raise_unsendable(job):
    raise Unsendable(job, job + 1)


def linger(job):
    """The first job is quick, the others take long."""
    time.sleep(0.3 if job == 0 else 60)
    return {"pid": os.getpid()}


def card(job):
    """The GPU that the worker may use, and whether torch was there before."""
    time.sleep(0.2)
    return os.environ.get("CUDA_VISIBLE_DEVICES"), "torch" in sys.modules


def leave(job):
    raise SystemExit(f"leaving job {job}")


def first_time(folder, what, job):
    """On the first try of the job 1 do what kills or fails; afterwards the job's square."""
    mark = Path(folder) / f"tried-{job}-{len(list(Path(folder).glob(f'tried-{job}-*')))}"
    mark.write_text(where(job))
    if job == 1 and (what == "always" or mark.name.endswith("-0")):
        if what == "raise":
            raise OSError("a passing trouble")
        os.kill(os.getpid(), signal.SIGKILL)
    return job * job


def draw(seed):
    import torch

    return torch.rand(1000, generator=torch.Generator().manual_seed(seed)).exp().sum().item().hex()


def where(job):
    """The worker: its address in a cluster, else its process."""
    try:
        from distributed import get_worker

        return get_worker().address
    except (ImportError, ValueError):
        return str(os.getpid())
