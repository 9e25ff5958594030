"""Top singular vectors of an embedding network, matrix-free against the dense Jacobian and its SVD.

A narrow residual network on faces of 48 x 48 pixels, from 32 to 512 outputs. Every cell is a process of its
own with one thread: processor time, and how far the process's peak memory rises above what it held before.
"""

from __future__ import annotations

import multiprocessing
import resource
import sys
from collections.abc import Callable
from pathlib import Path
from time import process_time
from typing import Any

import torch
from torch import Tensor

from lib.base.tables import Table
from lib.data.drawn.faces import faces
from lib.measures import jacobian
from lib.models import training
from lib.models.resnet import ResNet

OUTPUTS, IMAGES, SIZE = (32, 128, 512), 8, 48
SEPARATED = 0.95  # sigma_2 / sigma_1 up to which a direction is asked for


def rows() -> Table:
    """One line an output size."""
    lines = []
    for outputs in OUTPUTS:
        with multiprocessing.get_context("spawn").Pool(1, maxtasksperchild=1) as pool:
            free, dense = pool.apply(matrix_free, (outputs,)), pool.apply(plain, (outputs,))
            agreed = pool.apply(agreement, (outputs,))
        costs = [side[name] for name in ("seconds", "MiB") for side in (free, dense)]
        separated, sine = agreed
        asked = [free["pairs"], "<= 25", separated, sine, "< 1e-3"]
        lines.append([f"{outputs} outputs", *asked, *costs])
    columns = [
        "embedding",
        "jvp-vjp pairs",
        "asked",
        "separated",
        "worst sine",
        "asked",
        "matrix-free, s",
        "dense, s",
        "matrix-free, MiB",
        "dense, MiB",
    ]
    note = (
        f"{IMAGES} drawn faces of {SIZE} x {SIZE}, an untrained network; dense is vmap(jacrev) and "
        "torch.linalg.svd. The sine is between the two directions where they are separated: there sigma_2 is "
        f"at most {SEPARATED} sigma_1. The memory should be flat in the outputs. Torch {torch.__version__}, "
        "processor time of one thread, peak memory above what was held before."
    )
    return Table(columns, lines, caption="Top singular vectors of an embedding", note=note)


def matrix_free(outputs: int) -> dict[str, Any]:
    """Cost of `jacobian.top_singular`, k = 1."""
    model, x = _setting(outputs)
    return _cost(lambda part: jacobian.top_singular(model, part, k=1), x)


def plain(outputs: int) -> dict[str, Any]:
    """Cost of the whole Jacobian and its SVD."""
    model, x = _setting(outputs)
    return _cost(lambda part: _dense(model, part), x)


def agreement(outputs: int) -> tuple[str, float]:
    """How many images have a separated top value, and the worst sine between the two directions there."""
    model, x = _setting(outputs)
    _, sigma, right = _dense(model, x)
    found, true = jacobian.top_singular(model, x, k=1).right[:, 0].flatten(1).double(), right[:, 0].double()
    sine = (found - (found * true).sum(1, keepdim=True) * true).norm(dim=1)
    asked = sigma[:, 1] <= SEPARATED * sigma[:, 0]
    return f"{int(asked.sum())} of {len(asked)}", sine[asked].max().item() if asked.any() else float("nan")


def _setting(outputs: int) -> tuple[ResNet, Tensor]:
    torch.set_num_threads(1)
    with training.seeded(torch.Generator().manual_seed(outputs)):
        model = ResNet(outputs, width=16, blocks=(1, 1, 1), stem_stride=2).eval()
    return model, faces(range(IMAGES), 1, size=SIZE).images / 255


def _dense(model: ResNet, x: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    one = torch.func.jacrev(lambda image: model(image.unsqueeze(0)).squeeze(0))
    return torch.linalg.svd(torch.vmap(one)(x).detach().flatten(2), full_matrices=False)


def _cost(work: Callable[[Tensor], Any], x: Tensor) -> dict[str, Any]:
    work(x[:1])  # what the first call loads and compiles is not the method's
    before, begun = _peak(), process_time()
    found = work(x)
    seconds = process_time() - begun
    return {"seconds": seconds, "MiB": _peak() - before, "pairs": getattr(found, "products", None)}


def _peak() -> float:
    """Peak resident memory of this process in MiB. On Linux getrusage would count the parent's as well."""
    status = Path("/proc/self/status")
    if status.exists():
        line = next(line for line in status.read_text().splitlines() if line.startswith("VmHWM"))
        return int(line.split()[1]) / 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / (2**20 if sys.platform == "darwin" else 2**10)
