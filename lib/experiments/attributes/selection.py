"""What it does to a correlation to show the top five of forty; and the ranks that the authors released."""

from __future__ import annotations

import math
from dataclasses import dataclass
from pathlib import Path

import torch
from torch import Tensor

from lib import statistics
from lib.base import paper, streams
from lib.data import faces, registry
from lib.experiments.attributes.readings import ACCURACY, LOSS, ranks
from lib.experiments.attributes.settings import CELEBA
from lib.experiments.common.observations import Observations
from lib.statistics.grid import taus

# CelebA's names of Table 1's five, in its order: by adversarial loss; and the table's own names.
SHOWN = dict(
    zip(("Young", "Male", "Attractive", "Arched_Eyebrows", "Wearing_Lipstick"), paper.ATTRIBUTES.sources)
)
CITED = (1, 3, 11, 22, 16)  # ranks of SHOWN by mean accuracy, of forty; exp2/visualize.py at 985ab57


@dataclass(frozen=True)
class Selected:
    """Kendall's tau-b over all sources, and over the `top` with the highest x alone, for many draws."""

    whole: Tensor
    top: Tensor

    def share(self, least: float) -> tuple[float, float]:
        """How often the tau-b of all, and of the top ones, is at least so large."""
        whole, top = (float((side >= least - 1e-9).double().mean()) for side in (self.whole, self.top))
        return whole, top


def simulate(
    correlation: float, *, generator: torch.Generator | None = None, sources: int = 40, top: int = 5,
    repeats: int = 2000,
) -> Selected:  # fmt: skip
    """Draws of `sources` pairs (x, y), jointly normal with a Kendall tau of `correlation` in the population.

    tau = (2 / pi) arcsin(rho) for normal pairs (Kendall 1938). The chapter's stream where no generator is
    given. Raises ValueError for a tau outside [-1, 1] or a top that is not 2 .. sources.
    """
    if not -1 <= correlation <= 1 or not 2 <= top <= sources:
        raise ValueError(
            f"correlation {correlation}, top {top} of {sources}: pass -1 .. 1, and 2 .. {sources}"
        )
    generator = generator or streams.generator(0, "selection", correlation)
    rho = math.sin(math.pi * correlation / 2)
    x, noise = torch.randn(2, repeats, sources, generator=generator, dtype=torch.float64)
    y = rho * x + math.sqrt(1 - rho**2) * noise
    first = x.topk(top, dim=1).indices
    pairs = (x, y), (x.gather(1, first), y.gather(1, first))
    return Selected(*(taus([statistics.Group(a.T, b.T, (), ())]) for a, b in pairs))


@dataclass(frozen=True)
class Chosen:
    """Some attributes, their ranks by accuracy among all, and tau-b among them."""

    names: list[str]
    ranks: list[int]
    among: statistics.Kendall


def chosen(seen: Observations, measure: str = LOSS, top: int = 5) -> Chosen:
    """The run's own top `top` by a measure; of the means over seeds, as a printed table has them."""
    x, y = seen.means(measure), seen.means(ACCURACY)
    first, order = x.argsort(descending=True)[:top], ranks(y)
    names, places = [seen.sources[i] for i in first.tolist()], [order[i] for i in first.tolist()]
    return Chosen(names, places, statistics.kendall(x[first], y[first]))


def released(root: Path | None = None) -> dict[str, float] | None:
    """The authors' mean accuracy of the forty models, by CelebA's names; None where the file is not here."""
    if not registry.present("face_verification", root):
        return None
    known = {_plain(str(row["model"])): float(row["mean"]) for row in faces.released(root)}
    return {name: known[_plain(name)] for name in CELEBA}


def stamp(root: Path | None = None) -> str:
    """Which file the released accuracies are read from: "face_verification db25d7c4", or that it is absent.

    A page reads them, no run does; so they are not among the data of a recorded run.
    """
    digest = registry.digest("face_verification", root)
    return f"face_verification {digest[:8]}" if digest else "face_verification is not here"


def shown_ranks(root: Path | None = None) -> list[int]:
    """Ranks of Table 1's five among the forty released accuracies; as cited where they are not here."""
    every = released(root)
    if every is None:
        return list(CITED)
    order = dict(zip(every, ranks(torch.tensor(list(every.values()), dtype=torch.float64))))
    return [order[name] for name in SHOWN]


def printed(column: str) -> Tensor:
    """A column of Table 1, float64."""
    return torch.tensor(paper.ATTRIBUTES.columns[column], dtype=torch.float64)


def _plain(name: str) -> str:
    """One spelling: "Bags under Eyes" and "Bags_Under_Eyes"; the code calls 5_o_Clock_Shadow Shadow."""
    plain = name.lower().replace("_", " ")
    return "shadow" if plain.endswith("shadow") else plain
