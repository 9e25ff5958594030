"""How fast and how exact the measures are, beside the plainest code that does the same steps.

One thread, its own processor time (what else the machine does stays out), best of several runs.
"""

import statistics
import time
from contextlib import ExitStack
from functools import partial
from unittest import mock

import torch
from torch import nn
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves

from lib.base.tables import Table
from lib.measures import _reduction, jacobian, singular, transferability
from lib.models import training

SIZES = (5000, 10, 50), (1200, 10, 30), (1000, 4, 3072)  # a large one, section 4.1's, small colour images'
OTHERS = (2000, 32, 50), (85, 10, 3072), (100, 10, 50), (50, 100, 300)  # many, a chunk, few, large
IMAGES = 500, 3, 32, 32
NETWORK = {"samples": 1200, "inputs": 30, "centres": 100, "outputs": 10}  # section 4.1 of the paper


def rows():
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        lines = [*_networks(), *_stacks(), *_solvers(), *_memory(), *_matrix_free()]
    finally:
        torch.set_num_threads(threads)
    note = (
        "Two stacks of samples x outputs x inputs, float64. Asked: 30 times the loop, or 2 times the floor. "
        "The loop takes torch.linalg.svd of each sample. The floor is the four products with the stacks that "
        "the method needs (two Gram matrices, J^T u, J v), alone, as torch makes them; the shares say what "
        f"is beside them. Torch {torch.__version__}, processor time of one thread, best of several."
    )
    columns = ["measurement", "value", "unit", "asked", "beside"]
    return Table(columns, lines, caption="Transferability", note=note)


def _stacks():
    for size in SIZES:
        source, target = (_normal(*size, seed=seed) for seed in (0, 1))
        name = " x ".join(map(str, size))
        some = size[0] // 5  # the loop's cost is in proportion, without doubt
        slow = 5 * _seconds(partial(_loop, source[:some], target[:some]), repeats=3)
        fast, floor = _alternate(
            partial(transferability.measure_jacobians, source, target), _products(source, target), repeats=15
        )
        beside = f"{1e3 * fast:.1f} ms against {1e3 * slow:.0f} ms"
        yield [f"loop over measure_jacobians, {name}", slow / fast, "times", ">= 30", beside]
        beside = f"{1e3 * fast:.1f} ms against {1e3 * floor:.1f} ms"
        yield [f"measure_jacobians over its floor, {name}", fast / floor, "times", "<= 2", beside]
    source, target = (_normal(*SIZES[0], seed=seed) for seed in (0, 1))
    for part, share in shares(source, target).items():
        yield [f"of its time, {SIZES[0][0]} samples: {part}", 100 * share, "%", "", ""]
    found, wanted = transferability.measure_jacobians(source, target), _loop(source, target)
    error = max(float(abs(getattr(found, k) - v).max()) for k, v in wanted.items())
    yield ["largest difference from the loop, any field", error, "", "< 1e-8", ""]


def _products(source, target):
    """The products with the stacks, and nothing else."""
    left, right = (torch.zeros(len(J), 1, J.shape[k], dtype=J.dtype) for J, k in ((source, 1), (target, 2)))
    return lambda: (source @ source.mT, target @ target.mT, left @ source, target @ right.mT)


PARTS = {
    "Gram matrices": [(singular, "_gram")],
    "reduction to three diagonals": [(_reduction, "_tridiagonal")],
    "two largest values of each": [(_reduction, "_largest")],
    "top vector of each": [(_reduction, "_perron"), (_reduction, "_carry_back")],
    "attacks, angles and deviations": [(singular.TopPair, name) for name in ("right", "meet", "deviation")],
    "alignment": [(transferability, "_align")],
}


def shares(source, target, repeats=9):
    """{part: its share of measure_jacobians}, the middle one of several; what no part names is the rest."""
    found = [_once(source, target) for _ in range(repeats + 1)][1:]  # the first is a warm-up
    middle = {part: statistics.median(each[part] for each in found) for part in PARTS}
    return middle | {"the rest: copies, scaling, checks": 1 - sum(middle.values())}


def _once(source, target):
    spent = dict.fromkeys(PARTS, 0.0)

    def clocked(function, part):
        def call(*args):
            begun = time.thread_time()
            out = function(*args)
            spent[part] += time.thread_time() - begun
            return out

        return call

    with ExitStack() as stack:
        for part, places in PARTS.items():
            for place, name in places:
                stack.enter_context(mock.patch.object(place, name, clocked(getattr(place, name), part)))
        begun = time.thread_time()
        transferability.measure_jacobians(source, target)
        whole = time.thread_time() - begun
    return {part: seconds / whole for part, seconds in spent.items()}


def _loop(source, target):
    """Definitions 1 to 4 a sample at a time."""
    svd, outer = torch.linalg.svd, torch.outer
    tau1, sigma, ratio, moved_s, moved_t = [], [], [], [], []
    cross = torch.zeros(target.shape[1], source.shape[1], dtype=torch.float64)
    second = torch.zeros(source.shape[1], source.shape[1], dtype=torch.float64)
    for js, jt in zip(source, target):
        _, _, v = svd(js, full_matrices=False)
        _, t, u = svd(jt, full_matrices=False)
        ds, dt = js @ v[0], jt @ v[0]
        tau1.append((v[0] @ u[0]) ** 2)
        sigma.append(t[0])
        ratio.append(t[1] / t[0])
        moved_s.append(ds)
        moved_t.append(dt)
        cross = cross + outer(dt, ds)
        second = second + outer(ds, ds)
    best = cross @ torch.linalg.pinv(second, hermitian=True)
    norm_s, norm_t = (sum(d @ d for d in moved).sqrt() for moved in (moved_s, moved_t))
    align = best * min(1.0, (norm_t / norm_s / torch.linalg.matrix_norm(best, ord=2)).item())
    inner = sum((2 * dt - align @ ds) @ (align @ ds) for ds, dt in zip(moved_s, moved_t))
    return {
        "tau1": sum(tau1) / len(tau1),
        "tau2": inner / norm_t**2,
        "alpha_squared": norm_t**2 / sum(t**2 for t in sigma),
        "alignment": align,
        "tau1_per_sample": torch.stack(tau1),
        "sigma_target": torch.stack(sigma),
        "lambda_target": torch.stack(ratio),
    }


def _networks():
    f, g, x = _rbf(0), _rbf(1), _normal(NETWORK["samples"], NETWORK["inputs"], seed=2)

    def apart():
        transferability.measure_jacobians(jacobian.jacobians(f, x), jacobian.jacobians(g, x))

    together, parts = _alternate(lambda: transferability.measure(f, g, x), apart, repeats=7)
    yield [
        "measure on two RBF networks (section 4.1), over its two steps apart",
        together / parts,
        "times",
        "<= 1.1",
        f"{1e3 * together:.1f} ms against {1e3 * parts:.1f} ms",
    ]
    for outputs in (4, 10):
        pair, pictures = (
            [_convolutions(outputs, seed) for seed in (0, 1)],
            torch.rand(IMAGES, generator=_stream(2)),
        )
        whole, alone = _alternate(
            partial(transferability.measure, *pair, pictures),
            partial(_passes, pair, pictures),
            repeats=5,
        )
        yield [
            f"measure on {IMAGES[0]} colour pictures, {outputs} outputs, over its Jacobians alone",
            whole / alone,
            "times",
            "",
            f"{1e3 * whole:.0f} ms against {1e3 * alone:.0f} ms",
        ]


def _convolutions(outputs, seed):
    with training.seeded(_stream(seed)):
        first, second = nn.Conv2d(3, 8, 3, stride=2), nn.Conv2d(8, 16, 3, stride=2)
        layers = first, nn.Tanh(), second, nn.Tanh(), nn.Flatten(), nn.Linear(16 * 7 * 7, outputs)
        return nn.Sequential(*layers).eval()


def _passes(models, x):
    """Jacobians a chunk at a time, as `measure` has them."""
    for part in jacobian.chunks(x, None):
        for model in models:
            jacobian.jacobians(model, part)


def _solvers():
    """The policy of `measures.singular`: what it chooses for a shape, beside one LAPACK call a matrix."""
    for size in (*SIZES, *OTHERS):
        J = _normal(*size, seed=0)
        ours, dense, squares = _alternate(
            partial(singular.top_pair, J),
            partial(torch.linalg.svd, J, full_matrices=False),
            lambda J=J: torch.linalg.eigh(J @ J.mT if J.shape[1] <= J.shape[2] else J.mT @ J),
            repeats=5,
        )
        beside = f"{1e3 * ours:.1f} ms against {1e3 * dense:.1f} ms; eigh of squares {1e3 * squares:.1f} ms"
        yield [
            f"top_pair over an SVD each, {' x '.join(map(str, size))}",
            ours / dense,
            "times",
            "",
            beside,
        ]


def _memory():
    sizes, counts = [], (20_000, 80_000)
    for count in counts:
        source = _normal(count, *SIZES[0][1:], seed=0)
        target = source.flip(1)
        with _Largest() as largest:
            transferability.measure_jacobians(source, target)
        sizes.append(largest.size * 8 / 2**20)
    return [
        [
            f"largest temporary, {counts[1]} samples over {counts[0]}",
            sizes[1] / sizes[0],
            "times",
            "<= 1",
            f"{sizes[0]:.0f} MiB: flat in the samples",
        ],
    ]


def _matrix_free():
    sigma = 0.95 ** torch.arange(128, dtype=torch.float64)
    left = torch.linalg.qr(_normal(128, 128, seed=3))[0]
    right = torch.linalg.qr(_normal(3072, 128, seed=4))[0]
    matrix = left * sigma @ right.mT
    found = jacobian.top_singular(lambda z: z @ matrix.mT, _normal(8, 3072, seed=5), k=1)
    part = found.right[:, 0] @ right[:, 0]
    sine = (found.right[:, 0] - part.unsqueeze(-1) * right[:, 0]).norm(dim=-1).max().item()
    return [
        [
            "top_singular, 128 outputs, sigma_2 / sigma_1 = .95",
            found.products,
            "jvp-vjp pairs",
            "<= 25",
            "",
        ],
        ["sine of its angle to the true direction", sine, "", "< 1e-3", ""],
    ]


def _rbf(seed):
    """A radial basis function network of section 4.1's size."""
    centres = _normal(NETWORK["centres"], NETWORK["inputs"], seed=10 + seed)
    weight = _normal(NETWORK["outputs"], NETWORK["centres"], seed=20 + seed)
    return lambda x: (-torch.cdist(x, centres).square() / 50).exp() @ weight.mT


def _normal(*shape, seed):
    return torch.randn(*shape, generator=_stream(seed), dtype=torch.float64)


def _stream(seed):
    return torch.Generator().manual_seed(seed)


def _seconds(work, repeats):
    return _alternate(work, repeats=repeats)[0]


def _alternate(*works, repeats):
    """The best time of each, in turns, so that the machine's moods fall on all alike."""
    best = [float("inf")] * len(works)
    for _ in range(repeats):
        for i, work in enumerate(works):
            start = time.thread_time()
            work()
            best[i] = min(best[i], time.thread_time() - start)
    return best


class _Largest(TorchDispatchMode):
    """The number of elements of the largest tensor that any operation makes, views of the inputs aside."""

    def __init__(self):
        super().__init__()
        self.size = 0

    def __torch_dispatch__(self, func, types, args=(), kwargs=None):
        out = func(*args, **(kwargs or {}))
        made = [leaf for leaf in tree_leaves(out) if isinstance(leaf, torch.Tensor) and not leaf._is_view()]
        self.size = max([self.size, *(leaf.numel() for leaf in made)])
        return out
