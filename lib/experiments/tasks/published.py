"""Taskonomy's published affinities of the fifteen tasks: the paper's ground truth, if it is here."""

from __future__ import annotations

from typing import Any

from torch import Tensor

from lib.base.tables import Table
from lib.data import registry, rooms

TABLE = "affinity_16k"  # the table of first-order transfers that has all fifteen tasks


def affinities() -> Tensor | None:
    """(sources, targets) float64 (15, 15) in the paper's order, larger is a better source; None if absent."""
    return rooms.first_order(TABLE) if registry.present("taskonomy_affinity") else None


def beside(others: dict[str, Tensor]) -> dict[str, Tensor]:
    """The published matrix, if it is here, and then the others."""
    found = affinities()
    return others if found is None else {"Taskonomy": found} | others


def note() -> Table:
    """Where the published half of a page comes from, or how to get it."""
    entry = registry.get("taskonomy_affinity")
    digest = registry.digest(entry.name)
    here: Any = f"here: {entry.name} {digest[:8]}" if digest else f"not here: {registry.remedy(entry)}"
    return Table(["published table", "what", "licence", "state"], [[TABLE, entry.what, entry.licence, here]])
