"""The knobs of the theory chapters: sizes of the networks, number of draws, budget of the search."""

from __future__ import annotations

from dataclasses import dataclass, replace

from lib.engine.parameters import Checked, Count, Positive, Some


@dataclass(frozen=True)
class Config(Checked):
    """Sizes and search budget of the theory chapters; `seeds` is the number of independent draws."""

    preset: str
    seeds: Count
    device: str
    samples: Count  # N, the points that stand for the distribution D (Section 3)
    inputs: Count  # n, the common input dimension (Section 3, Setting)
    hidden: Count  # width of the one hidden layer (Section 4.1, Models)
    source_outputs: Count  # m, f_S: R^n -> R^m (Section 3, Setting)
    target_outputs: Count  # d, f_T: R^n -> R^d (Section 3, Setting)
    epsilon: Positive  # radius of the attack (Definition 1)
    perturbations: Some[Positive]  # t > 0 of W' = W + t V (Section 4.1, Overall Steps)
    restarts: Count  # random starts of the search for a worst ratio (Appendix D: the constant 5)
    steps: Count  # steps of gradient ascent from each start
    learning_rate: Positive  # of that ascent (Adam)


_PAPER = Config(
    preset="paper", seeds=100, device="cpu", samples=1200, inputs=30, hidden=100, source_outputs=10,
    target_outputs=10, epsilon=1e-2, perturbations=(0.03, 0.1, 0.3, 1.0), restarts=192, steps=3000,
    learning_rate=0.05,
)  # fmt: skip
PRESETS = {
    "quick": replace(
        _PAPER, preset="quick", seeds=20, samples=400, inputs=6, hidden=24, source_outputs=3,
        target_outputs=2, perturbations=(0.1, 0.3, 1.0), restarts=32, steps=300,
    ),
    "reduced": replace(
        _PAPER, preset="reduced", inputs=12, hidden=50, source_outputs=5, target_outputs=4, restarts=96,
        steps=1200,
    ),
    "paper": _PAPER,
}  # fmt: skip
