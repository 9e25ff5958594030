"""How the cost grows: with samples, outputs, image size and models. Exponents are fitted, not assumed.

One thread, its own processor time, best of several. The exponent is the slope of log seconds over log size by
least squares on the upper half of the sizes, where what is constant weighs little.
"""

import math
import time
from functools import partial

import torch

from lib.base.tables import Table
from lib.measures import jacobian, transferability
from lib.models.resnet import ResNet

SAMPLES = (500, 1000, 2000, 4000, 8000, 16000)
OUTPUTS = (2, 4, 8, 16, 32)
SIDES = (16, 24, 32, 48, 64, 96)
MODELS = (1, 2, 4, 8, 16)


def rows():
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        lines = [
            *_curve(
                "samples: measure_jacobians, 10 x 50",
                SAMPLES,
                "1",
                lambda n: partial(_stacks, *_pair(n, 10, 50)),
            ),
            *_curve(
                "outputs: measure_jacobians, 2000 samples",
                OUTPUTS,
                "2 to 3",
                lambda m: partial(_stacks, *_pair(2000, m, 64)),
            ),
            *_curve("image side: jacobians of a narrow ResNet, 8 images", SIDES, "2", _network),
            *_curve("models against one target: its Jacobians shared", MODELS, "1", _against),
        ]
    finally:
        torch.set_num_threads(threads)
    note = f"torch {torch.__version__}, processor time of one thread, best of several."
    return Table(
        ["growth with", "size", "seconds", "exponent", "expected"], lines, caption="Growth", note=note
    )


def exponent(sizes, seconds):
    """The slope of log seconds over log size, by least squares on the upper half."""
    half = len(sizes) // 2
    x, y = ([math.log(value) for value in values[half:]] for values in (sizes, seconds))
    middle = sum(x) / len(x)
    return sum((a - middle) * b for a, b in zip(x, y)) / sum((a - middle) ** 2 for a in x)


def _curve(what, sizes, expected, work):
    seconds = [_seconds(work(size)) for size in sizes]
    lines = [[what, size, took, None, ""] for size, took in zip(sizes, seconds)]
    lines[-1][3:] = [exponent(sizes, seconds), expected]
    return lines


def _seconds(work, repeats=4):
    best = math.inf
    for _ in range(repeats + 1):  # the first is a warm-up
        begun = time.thread_time()
        work()
        best = min(best, time.thread_time() - begun)
    return best


def _normal(*shape, seed):
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


def _pair(samples, outputs, inputs):
    return tuple(_normal(samples, outputs, inputs, seed=seed) for seed in (0, 1))


def _stacks(source, target):
    return transferability.measure_jacobians(source, target)


def _network(side):
    model = ResNet(4, width=16, blocks=(1, 1, 1)).eval()
    x = torch.rand(8, 3, side, side, generator=torch.Generator().manual_seed(0))
    return lambda: jacobian.jacobians(model, x)


def _against(models):
    target, sources = (
        _normal(1000, 10, 50, seed=0),
        [_normal(1000, 10, 50, seed=k + 1) for k in range(models)],
    )
    return lambda: [transferability.measure_jacobians(source, target) for source in sources]
