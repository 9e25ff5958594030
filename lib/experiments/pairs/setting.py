"""The knobs of the theory chapters: sizes of the networks, number of draws, budget of the search."""

from __future__ import annotations

from dataclasses import dataclass

_COUNTS = ("seeds", "samples", "inputs", "hidden", "source_outputs", "target_outputs", "restarts", "steps")


@dataclass(frozen=True)
class Config:
    """Sizes and search budget of the theory chapters; `seeds` is the number of independent draws."""

    preset: str
    seeds: int
    device: str
    samples: int  # N, the points that stand for the distribution D (Section 3)
    inputs: int  # n, the common input dimension (Section 3, Setting)
    hidden: int  # width of the one hidden layer (Section 4.1, Models)
    source_outputs: int  # m, f_S: R^n -> R^m (Section 3, Setting)
    target_outputs: int  # d, f_T: R^n -> R^d (Section 3, Setting)
    epsilon: float  # radius of the attack (Definition 1)
    perturbations: tuple[float, ...]  # t of W' = W + t V (Section 4.1, Overall Steps)
    restarts: int  # random starts of the search for a worst ratio (Appendix D: the constant 5)
    steps: int  # steps of gradient ascent from each start
    learning_rate: float  # of that ascent (Adam)

    def __post_init__(self) -> None:
        for name in _COUNTS:
            if getattr(self, name) < 1:
                raise ValueError(f"{name} = {getattr(self, name)} is below 1; give a positive number")
        for name in ("epsilon", "learning_rate"):
            if not 0 < getattr(self, name) < float("inf"):
                raise ValueError(f"{name} = {getattr(self, name)} must be positive and finite")
        if not self.perturbations or min(self.perturbations) <= 0:
            raise ValueError(
                f"perturbations = {self.perturbations} must be numbers t > 0: at 0 source and target coincide"
            )


PRESETS = {
    "quick": Config(
        preset="quick", seeds=20, device="cpu", samples=400, inputs=6, hidden=24, source_outputs=3,
        target_outputs=2, epsilon=1e-2, perturbations=(0.1, 0.3, 1.0), restarts=32, steps=300,
        learning_rate=0.05,
    ),
    "reduced": Config(
        preset="reduced", seeds=100, device="cpu", samples=1200, inputs=12, hidden=50, source_outputs=5,
        target_outputs=4, epsilon=1e-2, perturbations=(0.03, 0.1, 0.3, 1.0), restarts=96, steps=1200,
        learning_rate=0.05,
    ),
    "paper": Config(
        preset="paper", seeds=100, device="cpu", samples=1200, inputs=30, hidden=100, source_outputs=10,
        target_outputs=10, epsilon=1e-2, perturbations=(0.03, 0.1, 0.3, 1.0), restarts=192, steps=3000,
        learning_rate=0.05,
    ),
}  # fmt: skip
