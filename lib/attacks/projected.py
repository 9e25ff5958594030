"""Projected gradient descent in the L-infinity ball, the paper's image attack (App. G.1).

App. G.1 prints x_{t+1} = x_t + step * sign(grad l(f(x_t), f(x))) without projection or clipping, and asks
for the iterates to lie in the ball: the projection is meant, and done here. Its l(f(x_t), f(x)) names no
loss. We read it as the cross-entropy against the source's own arg-max; the other reading, against its soft
output, is `labels=f(x).softmax(1)`.
"""

from collections.abc import Callable

import torch
from torch import Tensor
from torch.nn import functional

from lib.measures import jacobian

STEP_FACTOR = 2.5  # steps of 2.5 epsilon / steps can cross the ball and come back (Madry et al. 2018)

Function = Callable[[Tensor], Tensor]
Clip = tuple[float, float] | None


@torch.inference_mode(False)
@torch.enable_grad()
def pgd(
    f: Function,
    x: Tensor,
    epsilon: float | Tensor,
    steps: int,
    *,
    labels: Tensor | None = None,
    step_size: float | Tensor | None = None,
    random_start: bool = True,
    clip: Clip = None,
    loss: Callable[[Tensor, Tensor], Tensor] | None = None,
    generator: torch.Generator | None = None,
) -> Tensor:
    """Adversarial images: maximise loss(f(x'), labels) over |x' - x|_inf <= epsilon (App. G.1).

    x (N, *shape) float; f: x -> (N, classes). `epsilon` and `step_size` are numbers or one number per sample
    (N,), in the units of x; `step_size` defaults to 2.5 epsilon / steps. `labels` are classes (N,) or
    whatever `loss` takes; None is the virtual attack, whose labels are f's own arg-max at x. `loss` maps
    (outputs, labels) to a scalar, by default the summed cross-entropy, so that no sample depends on the size
    of its batch. `clip` = (low, high) keeps the images in the pixel range. `random_start` draws a uniform
    point of the ball from `generator` (a CPU one; torch's default if None).

    epsilon = 0 returns x exactly, sample by sample. x is not changed and the result requires no grad.

    Raises ValueError for an epsilon or step that is negative or not finite, for steps < 1, for a module (or a
    part of one) in training mode, for inputs, outputs or gradients that are not finite, and for outputs that
    are no scores of two or more classes where the attack takes its labels from them.
    """
    radius = _column(x, epsilon, "epsilon")
    size = STEP_FACTOR * radius / max(steps, 1) if step_size is None else _column(x, step_size, "step_size")
    _check(f, x, radius, size, steps, clip)
    x = x.detach().clone() if x.is_inference() else x.detach()
    if not bool(radius.any()):
        return x.clone()
    if labels is None:
        labels = _opinion(f, x)
    objective = loss or (lambda outputs, y: functional.cross_entropy(outputs, y, reduction="sum"))
    adversarial = start(x, radius, generator) if random_start else x
    adversarial = clamp(adversarial, clip)
    for number in range(steps):
        leaf = adversarial.detach().requires_grad_()
        (gradient,) = torch.autograd.grad(objective(f(leaf), labels), leaf)
        if number == 0 and not torch.isfinite(gradient).all():  # its sign would be taken for 0: no attack
            raise ValueError("the gradient of the loss holds NaN or infinity: check model and loss")
        adversarial = clamp(project(step(leaf.detach(), gradient, size), x, radius), clip)
    return adversarial


def start(x: Tensor, radius: Tensor, generator: torch.Generator | None = None) -> Tensor:
    """A uniform point of each sample's ball: x + radius * U(-1, 1), radius broadcast against x."""
    noise = torch.rand(x.shape, generator=generator, dtype=x.dtype).to(x.device)
    return x + radius * (2 * noise - 1)


def step(x: Tensor, gradient: Tensor, size: Tensor | float) -> Tensor:
    """x + size * sign(gradient), the steepest ascent in the L-infinity norm; no step where it is 0."""
    return x + size * gradient.sign()


def project(x: Tensor, centre: Tensor, radius: Tensor) -> Tensor:
    """The nearest point to x with |x' - centre|_inf <= radius."""
    return centre + torch.clamp(x - centre, -radius, radius)


def clamp(x: Tensor, clip: Clip) -> Tensor:
    """x cut to clip = (low, high); x itself when clip is None."""
    return x if clip is None else x.clamp(*clip)


def _opinion(f: Function, x: Tensor) -> Tensor:
    """f's own arg-max at x."""
    with torch.no_grad():
        outputs = f(x)
    shape = tuple(outputs.shape) if isinstance(outputs, Tensor) else type(outputs).__name__
    if not isinstance(outputs, Tensor) or outputs.dim() < 2 or len(outputs) != len(x) or outputs.shape[1] < 2:
        raise ValueError(
            f"f gives {shape} for {len(x)} samples, not scores (N, classes) of two or more classes: wrap it "
            "so that it does, or pass labels and loss"
        )
    return outputs.argmax(1)


def _column(x: Tensor, value: float | Tensor, name: str) -> Tensor:
    """A tensor that broadcasts against x: one value, or one a sample."""
    column = torch.as_tensor(value, dtype=x.dtype, device=x.device)
    if column.ndim and column.shape != x.shape[:1]:
        raise ValueError(
            f"{name} has shape {tuple(column.shape)}: give one number, or one for each of {len(x)} samples"
        )
    return column.reshape(-1, *[1] * (x.ndim - 1)) if column.ndim else column


def _check(f: Function, x: Tensor, radius: Tensor, size: Tensor, steps: int, clip: Clip) -> None:
    if not x.is_floating_point():
        raise TypeError(f"x is {x.dtype}: scale the images to floats, for example x.float() / 255")
    jacobian.check_call(f, x)
    if not all(bool((torch.isfinite(each) & (each >= 0)).all()) for each in (radius, size)):
        raise ValueError("epsilon and step_size must be finite and not negative")
    if steps < 1:
        raise ValueError(f"steps={steps} must be at least 1; for the clean images use epsilon=0")
    if clip is not None and bool(((x < clip[0]) | (x > clip[1])).any()):
        raise ValueError(f"x lies outside clip={clip}: give the range of the pixels")
