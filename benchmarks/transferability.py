"""How fast and how exact the measures are, beside the plainest code that does the same steps.

One thread, its own processor time (what else the machine does stays out), best of several runs. The floor is
what no method that forms a Gram matrix can go below.
"""

import time

import torch
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves

from lib import jacobian, transferability
from lib.tables import Table

SAMPLES, OUTPUTS, INPUTS = 5000, 10, 50  # the size the issue of speed is judged on
NETWORK = {"samples": 1200, "inputs": 30, "centres": 100, "outputs": 10}  # section 4.1 of the paper


def rows():
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        lines = [*_stacks(), *_networks(), *_memory(), *_matrix_free()]
    finally:
        torch.set_num_threads(threads)
    size = f"{SAMPLES} x {OUTPUTS} x {INPUTS}"
    note = f"Two stacks of {size}; torch {torch.__version__}, processor time of one thread, best of several."
    return Table(["measurement", "value", "unit", "beside"], lines, caption="Transferability", note=note)


def _stacks():
    source, target = _normal(SAMPLES, OUTPUTS, INPUTS, seed=0), _normal(SAMPLES, OUTPUTS, INPUTS, seed=1)
    slow = _seconds(lambda: _loop(source, target), repeats=3)
    fast = _seconds(lambda: transferability.measure_jacobians(source, target), repeats=15)
    floor = _seconds(lambda: (source @ source.mT, target @ target.mT), repeats=15)
    whole = _seconds(lambda: [torch.linalg.svd(J, full_matrices=False) for J in (source, target)], repeats=3)
    found, wanted = transferability.measure_jacobians(source, target), _loop(source, target)
    error = max(float(abs(getattr(found, k) - v).max()) for k, v in wanted.items())
    return [
        ["per-sample loop with torch.linalg.svd", slow, "s", ""],
        ["measure_jacobians", fast, "s", f"{slow / fast:.1f} times as fast as the loop"],
        ["batched torch.linalg.svd alone", whole, "s", f"{slow / whole:.1f} times"],
        ["floor: the two Gram products alone", floor, "s", f"{slow / floor:.1f} times"],
        ["largest difference from the loop, any field", error, "", "asked: below 1e-8"],
    ]


def _loop(source, target):
    """Definitions 1 to 4 a sample at a time."""
    svd, outer = torch.linalg.svd, torch.outer
    tau1, sigma, ratio, moved_s, moved_t = [], [], [], [], []
    cross = second = torch.zeros(OUTPUTS, OUTPUTS, dtype=torch.float64)
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
    return [
        [
            "measure on two RBF networks (section 4.1)",
            together,
            "s",
            f"{together / parts:.2f} of the next line",
        ],
        ["jacobians, then measure_jacobians", parts, "s", ""],
    ]


def _memory():
    sizes = []
    for factor in (4, 16):
        source = _normal(factor * SAMPLES, OUTPUTS, INPUTS, seed=0)
        target = source.flip(1)
        with _Largest() as largest:
            transferability.measure_jacobians(source, target)
        sizes.append(largest.size * 8 / 2**20)
    return [
        ["largest temporary, 20000 samples", sizes[0], "MiB", ""],
        ["largest temporary, 80000 samples", sizes[1], "MiB", "the same: flat in N"],
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
            "asked: 25 at most",
        ],
        ["sine of its angle to the true direction", sine, "", "asked: below 1e-3"],
    ]


def _rbf(seed):
    """A radial basis function network of section 4.1's size."""
    centres = _normal(NETWORK["centres"], NETWORK["inputs"], seed=10 + seed)
    weight = _normal(NETWORK["outputs"], NETWORK["centres"], seed=20 + seed)
    return lambda x: (-torch.cdist(x, centres).square() / 50).exp() @ weight.mT


def _normal(*shape, seed):
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


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
