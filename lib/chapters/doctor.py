"""What is installed, what this machine has, which data are here, and what each preset would need."""

from __future__ import annotations

import re
from importlib import metadata

import torch

from lib.base import devices, fingerprint
from lib.base.tables import Table
from lib.chapters import digests, execution, refresh
from lib.data import commands, registry
from lib.data.catalogue import CATALOGUE
from lib.engine import audit, store

DISTRIBUTION = "transferability-book"


def experiments() -> Table:
    """Every experiment, its presets, and the first line of what it says of itself."""
    modules = [audit.experiment(name) for name in fingerprint.experiments()]
    rows = [[m.NAME, ", ".join(m.PRESETS), (m.__doc__ or "").strip().partition("\n")[0]] for m in modules]
    return Table(["experiment", "presets", "what"], rows)


def chapters() -> Table:
    """Every chapter: is its execution fresh, how long did it take, how much memory."""
    rows = []
    for name, digest in digests.current(execution.names()).items():
        told = execution.about(name)
        fresh = told.get("digest") == digest
        state = "fresh" if fresh else "failed" if refresh.failure(name) else "stale"
        rows.append([name, state, told.get("seconds"), told.get("memory")])
    return Table(["chapter", "state", "seconds", "MiB"], rows)


def packages() -> Table:
    """The requirements of the project and its extras, with what is installed."""
    rows = []
    for requirement in metadata.requires(DISTRIBUTION) or []:
        wanted, _, condition = requirement.partition(";")
        name = re.split(r"[^\w.-]", wanted, maxsplit=1)[0]
        extra = re.search(r"extra == [\"'](\w+)", condition)
        limits = wanted[len(name) :].strip() or "any"
        rows.append([name, limits, _version(name), extra[1] if extra else "lib"])
    return Table(["package", "wanted", "installed", "for"], rows, caption="Packages")


def machine() -> Table:
    """The device that None means, the threads, the stores."""
    rows = [[name, str(value)] for name, value in devices.environment().items()]
    memory = "none"
    if torch.cuda.is_available():
        memory = f"{torch.cuda.get_device_properties(0).total_memory / 2**30:.0f} GiB"
    rows += [["GPU memory", memory], ["stored runs", str(store.root())], ["data", str(registry.root())]]
    return Table(["what", "value"], rows, caption="This machine")


def data() -> Table:
    """Every data set of the registry: is it here, who uses it, how to get it."""
    rows = []
    for name, entry in sorted(CATALOGUE.items()):
        here = registry.present(name)
        known = sum(file.bytes for file in entry.files) / 1e6
        size = "package" if entry.packaged else f"{known:.1f} MB" if known else "not known"
        rows.append([name, here, size, ", ".join(entry.used_by), "" if here else commands.advice(entry)])
    return Table(["data set", "here", "size", "used by", "how to get it"], rows, caption="Data sets")


def presets(here: bool = True) -> Table:
    """For each experiment and preset: how many records, which data, and (with `here`) what is missing."""
    rows = []
    for name in fingerprint.experiments():
        module = audit.experiment(name)
        for preset, config in module.PRESETS.items():
            needs = [each.name for each in module.datasets(config)]
            lacks = ", ".join(need for need in needs if not registry.present(need))
            row = [name, preset, len(module.jobs(config)), ", ".join(needs) or "generated"]
            rows.append([*row, f"needs {lacks}" if lacks else "ready"] if here else row)
    columns = ["experiment", "preset", "records", "data", *(["state"] if here else [])]
    return Table(columns, rows, caption="Presets")


def report() -> str:
    """All of it, as text."""
    return "\n\n".join(str(table) for table in (machine(), packages(), data(), presets()))


def _version(name: str) -> str:
    try:
        return metadata.version(name)
    except metadata.PackageNotFoundError:
        return "missing"
