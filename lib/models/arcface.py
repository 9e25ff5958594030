"""The head and the loss of the reference face recognition model (sections 4.3 and G.3).

ArcFace (Deng et al. 2019) adds an angular margin to the angle between an embedding and its own class; focal
loss (Lin et al. 2017) weighs down the samples that are already right. Section G.3 trains with both.
"""

import math

import torch
from torch import Tensor, nn
from torch.nn.functional import linear, log_softmax, normalize


class ArcFace(nn.Module):
    """Scaled cosines with an additive angular margin: (N, features) -> (N, classes) logits.

    With theta_j the angle between an embedding and the weight of class j, the logits are scale cos(theta_j),
    but scale cos(theta_y + margin) for the label y. Where theta_y + margin > pi, cos would rise again: there
    the logit goes on falling as scale (cos(theta_y) - margin sin(margin)). A zero embedding has cosine 0 with
    every class. Value and gradient are finite everywhere, also at cos(theta_y) = +-1, where sin has no
    derivative in cos: 0 is taken.

    Raises ValueError for features or classes below 1, scale <= 0 or margin outside [0, pi).
    """

    def __init__(self, features: int, classes: int, scale: float = 64.0, margin: float = 0.5) -> None:
        super().__init__()
        if features < 1 or classes < 1:
            raise ValueError(f"features={features}, classes={classes} must both be at least 1")
        if not (math.isfinite(scale) and scale > 0 and 0 <= margin < math.pi):
            raise ValueError(f"scale={scale}, margin={margin}: pass scale > 0 and a margin in [0, pi)")
        self.scale, self.margin = scale, margin
        self.weight = nn.Parameter(torch.empty(classes, features))
        nn.init.xavier_uniform_(self.weight)

    def forward(self, embedding: Tensor, labels: Tensor | None = None) -> Tensor:
        """Logits (N, classes); the margin needs `labels`, int64 (N,), and None leaves it out.

        Raises ValueError for labels that are not N integers below the number of classes.
        """
        cosine = linear(normalize(embedding, dim=-1), normalize(self.weight, dim=-1))
        if labels is None:
            return self.scale * cosine
        index = _labels(labels, cosine).unsqueeze(1)
        own = self._with_margin(cosine.gather(1, index))
        return self.scale * cosine.scatter(1, index, own)

    def _with_margin(self, cosine: Tensor) -> Tensor:
        """cos(theta + margin) from cos(theta), and its continuation beyond theta + margin = pi."""
        square = (1 - cosine) * (1 + cosine)
        sine = square.clamp(min=torch.finfo(square.dtype).tiny).sqrt()  # not 0, where a root has no slope
        turned = cosine * math.cos(self.margin) - sine * math.sin(self.margin)
        beyond = cosine - self.margin * math.sin(self.margin)
        return torch.where(cosine >= -math.cos(self.margin), turned, beyond)


def focal_loss(logits: Tensor, labels: Tensor, gamma: float = 2.0) -> Tensor:
    """Mean over the samples of -(1 - p)^gamma log p, p the softmax probability of the label.

    logits (N, classes), labels int64 (N,); gamma = 0 is cross-entropy. Each sample has its own weight; the
    weights are differentiated too. Raises ValueError for labels as `ArcFace` does and for gamma < 0.
    """
    if not (math.isfinite(gamma) and gamma >= 0):
        raise ValueError(f"gamma={gamma}: pass a finite exponent of at least 0")
    log_p = log_softmax(logits, dim=-1).gather(1, _labels(labels, logits).unsqueeze(1))
    missing = -torch.expm1(log_p)  # 1 - p, also where p rounds to 1
    return -(missing.clamp(min=torch.finfo(missing.dtype).tiny) ** gamma * log_p).mean()


def _labels(labels: Tensor, logits: Tensor) -> Tensor:
    if labels.dtype != torch.int64 or labels.shape != logits.shape[:1]:
        raise ValueError(
            f"labels are {labels.dtype} {tuple(labels.shape)}: pass int64 ({len(logits)},), one a sample"
        )
    if len(labels) and not 0 <= int(labels.min()) <= int(labels.max()) < logits.shape[1]:
        raise ValueError(
            f"labels run from {int(labels.min())} to {int(labels.max())}: pass 0 .. {logits.shape[1] - 1}"
        )
    return labels
