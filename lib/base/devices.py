"""Where things are computed: device and threads."""

from __future__ import annotations

import platform
from collections.abc import Iterator
from contextlib import contextmanager

import torch

DEVICES = ("cpu", "cuda", "mps")


def resolve_device(name: str | torch.device | None = None) -> torch.device:
    """The device called `name`; None and "auto" mean the first CUDA device, or the CPU where there is none.

    Apple's "mps" has no float64, so it is used only when asked for.

    Raises:
        ValueError: the name is not a device, or the machine does not have it.
    """
    if name is None or name == "auto":
        return torch.device("cuda" if torch.cuda.is_available() else "cpu")
    try:
        device = torch.device(name)
    except RuntimeError:
        device = None
    if device is None or device.type not in DEVICES:
        raise ValueError(
            f"device {name!r} is not known: use {', '.join(DEVICES)}, 'cuda:1', or None for auto"
        )
    present = {"cpu": 1, "cuda": torch.cuda.device_count(), "mps": int(torch.backends.mps.is_available())}
    if (device.index or 0) >= present[device.type]:
        raise ValueError(f"device {name!r} is not on this machine: use 'cpu', or None to take what is there")
    return device


def environment(device: str | torch.device | None = None) -> dict[str, str | int]:
    """What a result was computed with: python, torch, device, threads, platform; no host, no user.

    `capability` is the CPU's vector instructions (AVX2, AVX512): others round otherwise.
    """
    chosen = resolve_device(device)
    name = torch.cuda.get_device_name(chosen) if chosen.type == "cuda" else chosen.type
    return {
        "python": platform.python_version(),
        "torch": torch.__version__,
        "device": name if chosen.type == "cpu" else f"{chosen.type} ({name})",
        "threads": torch.get_num_threads(),
        "platform": f"{platform.system()} {platform.machine()}",
        "capability": torch.backends.cpu.get_cpu_capability(),
    }


@contextmanager
def at_most_threads(count: int) -> Iterator[int]:
    """Use at most `count` torch threads inside; never more than the user chose (OMP_NUM_THREADS).

    Raises:
        ValueError: `count` is below 1.
    """
    if count < 1:
        raise ValueError(f"threads must be at least 1, not {count}")
    before = torch.get_num_threads()
    torch.set_num_threads(min(count, before))
    try:
        yield torch.get_num_threads()
    finally:
        torch.set_num_threads(before)
