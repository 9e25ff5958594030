"""Settings of the task experiment (Sec. 4.4, App. G.4), fixed before the recorded run was looked at.

The `paper` preset trains nothing: its networks are the task bank's. Fields of training, readouts and rivals
play no part there.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

from lib.engine.parameters import Checked, Count, Natural, Positive, Some, limits, one_of
from lib.models.encoder_decoder import STRIDE

UNTRAINED = "untrained"  # a control beside the fifteen: the same network, never trained
NOISE = "noise"  # another: a random corner of the ball, no network at all
DATA = {  # name -> what the registry must have
    "drawn": (),
    "nyuv2": ("nyuv2",),
    "bank": ("nyuv2", "taskbank"),  # the published networks, on frames of NYUv2 enlarged for them
}
Side = Annotated[int, limits(ge=1, multiple_of=STRIDE)]  # pixels that the strided networks can halve
MARGINS = {"1": 1.0, "1.001": 1.001}  # by which a loss must exceed another to win; the authors' code: 1.001


@dataclass(frozen=True)
class Config(Checked):
    """One task experiment."""

    preset: str
    seeds: Count  # the paper gives none; it changes initialisation, order of the images, start of attack
    device: str | None
    data: Annotated[str, one_of(DATA)]  # Sec. 4.4: "a public subset" of Taskonomy; here see DATA
    images: Count  # how many rooms are drawn; photographs: all there are
    height: Side  # pixels; the task bank's networks take 256 x 256
    width: Side
    folds: Count  # every image is tested by networks that did not see it; the task bank had its own split
    channels: Count  # of the encoder's first stage; App. G.4: "a modified ResNet50 without pooling"
    epochs: Count  # the paper trains nothing: its networks are the task bank's
    batch_size: Count
    optimizer: str
    lr: float
    weight_decay: float
    epsilons: Some[Positive]  # Sec. 4.4: .03 and .06, here on pixels in [0, 1]
    steps: Count  # Sec. 4.4: 10
    attack_images: Count  # a fold; Sec. 4.4: 1,000 in all
    tangent_images: Natural  # of them, for the Jacobians; 0 leaves tau out
    null_repeats: Count  # permutations behind tau2's null
    readout_strengths: Some[Positive]  # penalties of the linear readouts, on scaled features
    rival_images: Count  # training images that the estimators see
    margin: Annotated[
        float, limits(ge=0, lt=1)
    ]  # learnt: test loss below (1 - margin) times the best constant's

    def __post_init__(self) -> None:
        """Raise ValueError for what no run could use."""
        super().__post_init__()
        if (self.folds == 1) != (self.data == "bank"):
            raise ValueError(f"folds={self.folds}: 1 for the task bank, else 2 or more, to train and to test")
        if self.data == "nyuv2" and 4 * self.height != 3 * self.width:
            raise ValueError(f"{self.height} x {self.width}: frames of nyuv2 are 3 : 4, such as 48 x 64")
        if self.tangent_images > self.attack_images:
            raise ValueError(
                f"tangent_images={self.tangent_images} must be at most attack_images={self.attack_images}"
            )


PRESETS = {
    "quick": Config(
        preset="quick", seeds=1, device=None, data="drawn", images=400, height=24, width=32, folds=2,
        channels=12, epochs=12, batch_size=32, optimizer="adam", lr=3e-3, weight_decay=1e-4,
        epsilons=(0.03, 0.06), steps=10, attack_images=50, tangent_images=16, null_repeats=10,
        readout_strengths=(1e-2, 1e-1), rival_images=200, margin=0.05,
    ),
    "reduced": Config(
        preset="reduced", seeds=5, device=None, data="nyuv2", images=1449, height=48, width=64, folds=2,
        channels=16, epochs=12, batch_size=32, optimizer="adam", lr=3e-3, weight_decay=1e-4,
        epsilons=(0.03, 0.06), steps=10, attack_images=300, tangent_images=64, null_repeats=50,
        readout_strengths=(1e-3, 1e-2, 1e-1), rival_images=720, margin=0.05,
    ),
    "paper": Config(
        preset="paper", seeds=1, device=None, data="bank", images=1449, height=256, width=256, folds=1,
        channels=1, epochs=1, batch_size=8, optimizer="adam", lr=3e-3, weight_decay=1e-4,
        epsilons=(0.03, 0.06), steps=10, attack_images=1000, tangent_images=0, null_repeats=1,
        readout_strengths=(1e-3,), rival_images=1, margin=0.05,
    ),
}  # fmt: skip
