"""How near each core operation comes to what this machine could do at best.

The limit is the larger of two times: counted operations over the rate of a large matrix product, and bytes
that must be read and written over the bandwidth of a copy. Both rates are measured in the same run, on one
thread. A small network cannot reach them; the share says how far it is.
"""

import math
import time

import torch
from torch.nn import functional
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils.flop_counter import flop_registry

from benchmarks.attacks import narrow
from lib.attacks.projected import pgd
from lib.attacks.tangent import virtual
from lib.base.tables import Table
from lib.measures import transferability
from lib.models import training

SIDE, COPY, IMAGES, STEPS = 1024, 2**25, 64, 10


def rows():
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        rates = {dtype: matrix_rate(dtype) for dtype in (torch.float32, torch.float64)}
        width = bandwidth()
        lines = [line(*case, rates, width) for case in cases()]
    finally:
        torch.set_num_threads(threads)
    measured = ", ".join(
        f"{str(dtype)[6:]} {rate / 1e9:.0f} x 10^9 operations/s" for dtype, rate in rates.items()
    )
    note = (
        f"Matrix products: {measured}; copy: {width / 1e9:.1f} x 10^9 bytes/s; processor time of one thread."
    )
    columns = ["operation", "10^9 operations", "10^6 bytes", "limit, s", "took, s", "% of limit"]
    return Table(columns, lines, caption="Beside the limit of the machine", note=note)


def cases():
    """(name, work, dtype, bytes that must move at least)."""
    source, target = (_normal(5000, 10, 50, seed=seed) for seed in (0, 1))
    with training.seeded(torch.Generator().manual_seed(0)):
        model = narrow().eval()
    x, y = torch.rand(IMAGES, 3, 32, 32, generator=torch.Generator().manual_seed(1)), torch.arange(IMAGES) % 4
    options = {"labels": y, "step_size": 0.025, "random_start": False, "clip": (0.0, 1.0)}
    both = 8 * (source.numel() + target.numel())
    images = 4 * x.numel()
    yield "measure, 4 outputs", lambda: transferability.measure(model, model, x), torch.float32, images
    yield "measure_jacobians, 5000 x 10 x 50", lambda: _measure(source, target), torch.float64, both
    yield "Definition-1 attack, 4 outputs", lambda: virtual(model, x, 1.0), torch.float32, 2 * images
    yield f"PGD, {STEPS} steps", lambda: pgd(model, x, 0.1, STEPS, **options), torch.float32, 2 * images
    yield "a training step", lambda: _step(model, x, y), torch.float32, images


def line(name, work, dtype, moved, rates, width):
    with Operations() as counted:
        work()
    operations = counted.total
    limit, took = max(operations / rates[dtype], moved / width), seconds(work, 9)
    return [name, operations / 1e9, moved / 1e6, limit, took, 100 * limit / took]


class Operations(TorchDispatchMode):
    """Adds up what torch's flop counter would. That one follows the modules as well, by hooks that fail where
    a gradient is taken with respect to a network's own input, as every attack does.
    """

    def __init__(self):
        super().__init__()
        self.total = 0

    def __torch_dispatch__(self, func, types, args=(), kwargs=None):
        out = func(*args, **(kwargs or {}))
        if count := flop_registry.get(func.overloadpacket):
            self.total += count(*args, **(kwargs or {}), out_val=out)
        return out


def matrix_rate(dtype):
    """Operations a second of a matrix product."""
    a = torch.rand(SIDE, SIDE, dtype=dtype, generator=torch.Generator().manual_seed(0))
    return 2 * SIDE**3 / seconds(lambda: a @ a, 5)


def bandwidth():
    """Bytes read and written a second by a copy."""
    a = torch.zeros(COPY, dtype=torch.float64)
    b = torch.empty_like(a)
    return 2 * 8 * COPY / seconds(lambda: b.copy_(a), 5)


def seconds(work, repeats):
    """The best of several, after a warm-up."""
    best = math.inf
    for _ in range(repeats + 1):
        begun = time.thread_time()
        work()
        best = min(best, time.thread_time() - begun)
    return best


def _measure(source, target):
    transferability.measure_jacobians(source, target)


def _step(model, x, y):
    model.zero_grad()
    functional.cross_entropy(model(x), y).backward()


def _normal(*shape, seed):
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)
