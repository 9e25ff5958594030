"""A reader's model as something that can be measured: called with pixels in [0, 1], checked, counted."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol

import torch
from torch import Tensor, nn
from torch.nn import functional

from lib.measures.jacobian import Model

IMAGENET = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)
Normalise = str | tuple[Any, Any] | None


@dataclass
class Passes:
    """Samples that went through a model, forward and backward."""

    forward: int = 0
    backward: int = 0

    def count(self, x: Tensor) -> None:
        """The samples of x, now and each time that a gradient comes back to them."""
        self.forward += len(x)
        if x.requires_grad:
            x.register_hook(self._back)

    def _back(self, gradient: Tensor) -> None:
        self.backward += len(gradient)


class Candidate(Protocol):
    """What the measures need of a model."""

    name: str
    passes: Passes
    notes: list[str]

    def bind(self, rows: Tensor) -> Model:
        """f: inputs of these samples -> outputs (N, m), differentiable."""

    def read(self, x: Tensor, rows: Tensor) -> tuple[Tensor, Tensor]:
        """Outputs (N, m) and features (N, D), without gradients, on the CPU."""


class Then(nn.Module):
    """`after(model(x))`. Unlike a lambda it shows the model's layers, so that its features are found."""

    def __init__(self, model: Model, after: Callable[[Any], Tensor]) -> None:
        super().__init__()
        self.model, self.after = model, after
        self.train(getattr(model, "training", False))

    def forward(self, x: Tensor) -> Tensor:
        """The outputs (N, m) of inputs x (N, *shape)."""
        return self.after(self.model(x))


@dataclass
class TensorModel:
    """A module or function of tensors, with what goes before it: channels, size, normalisation."""

    name: str
    model: Model
    size: int | None = None
    scale: tuple[Tensor, Tensor] | None = None
    features: Model | None = None
    device: torch.device = field(default_factory=lambda: torch.device("cpu"))
    passes: Passes = field(default_factory=Passes)
    notes: list[str] = field(default_factory=list)
    channels: int | None = None
    head: nn.Module | None = None
    dtype: torch.dtype | None = None  # of a module's parameters

    @property
    def bare(self) -> bool:
        """True where no last linear layer was found and none replaced: the features are the outputs."""
        return self.head is None and self.features is None

    def bind(self, rows: Tensor) -> Model:
        """The same function for all samples."""
        return self

    def __call__(self, x: Tensor) -> Tensor:
        """Outputs (N, m) of pixels (N, C, H, W), or of whatever the target is made of."""
        self.passes.count(x)
        return checked(self.model(self.prepared(x)), len(x), self.name).to(x.dtype)

    def prepared(self, x: Tensor) -> Tensor:
        """The input as the model wants it; differentiable, so that attacks live on the pixels."""
        x = x.to(self.device)
        if x.dim() == 4:
            if self.channels == 3 and x.shape[1] == 1:
                x = x.expand(-1, 3, -1, -1)
            if self.size is not None and x.shape[-2:] != (self.size, self.size):
                x = functional.interpolate(x, (self.size, self.size), mode="bilinear", antialias=False)
        x = x if self.scale is None else (x - self.scale[0]) / self.scale[1]
        return x.to(self.dtype or x.dtype)

    @torch.no_grad()
    def read(self, x: Tensor, rows: Tensor) -> tuple[Tensor, Tensor]:
        """Outputs and features: what the head is given, averaged over positions; else the outputs."""
        if self.features is not None:
            outputs = self(x)
            return outputs.cpu(), _matrix(self.features(self.prepared(x))).to(x.dtype).cpu()
        if self.head is None:
            outputs = self(x).cpu()
            return outputs, outputs
        seen: list[Tensor] = []
        handle = self.head.register_forward_pre_hook(lambda _, inputs: seen.append(inputs[0]))
        try:
            outputs = self(x)
        finally:
            handle.remove()
        return outputs.cpu(), _matrix(seen[-1]).to(x.dtype).cpu()


_THEN = "pass lib.ranking.candidates.Then(model"


def checked(y: Any, count: int, name: str) -> Tensor:
    """Model output as (count, m); raise with the remedy where it is not."""
    if not isinstance(y, Tensor):
        keys = f" with the keys {', '.join(map(str, y))}" if isinstance(y, Mapping) else ""
        wanted = "'logits'" if isinstance(y, Mapping) else "0"
        raise TypeError(
            f"{name} returns a {type(y).__name__}{keys}, not a tensor: {_THEN}, lambda y: y[{wanted}]), "
            "with the entry that you want"
        )
    if y.dim() != 2 or len(y) != count:
        raise ValueError(
            f"{name} maps {count} samples to shape {tuple(y.shape)}, not ({count}, outputs): {_THEN}, "
            "lambda y: y.flatten(1)), or with a mean over positions"
        )
    if not y.is_floating_point():
        raise TypeError(f"{name} returns {y.dtype}: pass its logits, before the arg-max")
    if not torch.isfinite(y).all():
        raise ValueError(f"{name} returns NaN or infinity: check its weights and its normalisation")
    return y


def wrap(
    name: str, model: Any, x: Tensor, *, normalise: Normalise, size: int | None, features: Model | None,
    device: torch.device | None,
) -> TensorModel:  # fmt: skip
    """The candidate, after it was tried on samples x: shapes, mode, sizes, head.

    Raises ValueError or TypeError, with the remedy, for training mode, outputs that are not (N, m), channels
    or sizes that do not fit, outputs that depend on the other samples of a batch or on chance, or that have
    no gradient.
    """
    if not callable(model):
        raise TypeError(f"{name} is a {type(model).__name__}: pass a torch module, or a function of a batch")
    made = TensorModel(name, model, features=features)
    if isinstance(model, nn.Module):
        noisy = {type(part).__name__ for part in model.modules() if part.training}
        if noisy:
            raise ValueError(
                f"{name} is in training mode ({', '.join(sorted(noisy)[:4])}), where layers "
                "such as dropout and batch norm may mix chance and other samples into every number: call "
                "model.eval() first"
            )
        if device is not None:
            model.to(device)
        made.device = next((p.device for p in model.parameters()), device or made.device)
        made.channels = _channels(model)
        made.dtype = next((p.dtype for p in model.parameters() if p.is_floating_point()), None)
        if made.dtype not in (None, x.dtype):
            made.notes.append(f"{name}: it computes in {made.dtype}, so its samples were cast")
    elif device is not None:
        made.device = device
    _fit_images(made, model, x, size, normalise)
    _try(made, x)
    _differentiable(made, x)
    if isinstance(model, nn.Module) and features is None:
        made.head = _head(made, model, x)
    if made.bare:
        made.notes.append(f"{name}: no last linear layer was found, so its features are its outputs")
    return made


def _fit_images(made: TensorModel, model: Any, x: Tensor, size: int | None, normalise: Normalise) -> None:
    """Channels, size and normalisation, where the samples are images."""
    if x.dim() == 4:
        if made.channels not in (None, x.shape[1]) and (made.channels, x.shape[1]) != (3, 1):
            raise ValueError(
                f"{made.name} takes {made.channels} channels, the target has {x.shape[1]}: pass x.mean(1, "
                "keepdim=True) for grey images, or x.expand(-1, 3, -1, -1) for three channels"
            )
        if made.channels == 3 and x.shape[1] == 1:
            made.notes.append(f"{made.name}: grey images were given to its three channels")
        made.size = size or _own_size(model)
        if made.size is not None and x.shape[-2:] != (made.size, made.size):
            made.notes.append(
                f"{made.name}: images of {x.shape[-2]} x {x.shape[-1]} are resized to {made.size} x "
                f"{made.size} inside the model; attacks stay on the original pixels"
            )
    if normalise is not None and normalise != "inside":
        mean, deviation = _declared(normalise)
        shape = (-1, *[1] * (x.dim() - 2))
        kind: dict[str, Any] = {"dtype": x.dtype, "device": made.device}
        first, second = (torch.as_tensor(v, **kind).reshape(shape) for v in (mean, deviation))
        made.scale = first, second


@torch.no_grad()
def _try(made: TensorModel, x: Tensor) -> None:
    together, again = _run(made, x), _run(made, x)
    alone = torch.cat([_run(made, part) for part in x.split(1)])
    spread = float(together.abs().max()) or 1.0
    for other, why in ((again, "twice the same samples"), (alone, "samples one at a time")):
        if float((together - other).abs().max()) > 1e-2 * spread:
            raise ValueError(
                f"{made.name} gives other outputs for {why}: switch off dropout and batch statistics inside "
                "it"
            )


def _run(made: TensorModel, x: Tensor) -> Tensor:
    """The outputs of x; whatever the model raises becomes a ValueError that names it."""
    try:
        y = made.model(made.prepared(x))
    except Exception as error:
        reason = f"{type(error).__name__}: {error}".splitlines()[0].rstrip(" :")
        raise ValueError(
            f"{made.name} cannot take samples of shape {tuple(x.shape[1:])} and {x.dtype}; it raised {reason}"
            f"{_advice(made, x, error)}"
        ) from error
    return checked(y, len(x), made.name)


def _advice(made: TensorModel, x: Tensor, error: Exception) -> str:
    if "type" in str(error) and isinstance(error, RuntimeError):
        return f". If it computes in another type than {x.dtype}, cast inside it, or pass model.float()"
    if x.dim() == 4:
        if not isinstance(error, RuntimeError | ValueError | AssertionError):
            return ""
        return (
            f". If it wants another size, pass size={{{made.name!r}: 224}}: images are then resized inside it"
        )
    images = made.channels is not None or "conv" in str(error)
    return ". If these are images, pass them as (N, channels, height, width)" if images else ""


def _differentiable(made: TensorModel, x: Tensor) -> None:
    """An attack needs the gradient with respect to the sample."""
    with torch.enable_grad():
        leaf = x[:1].clone().requires_grad_()
        try:
            total, found, reason = made.model(made.prepared(leaf)).sum(), None, ""
            if total.requires_grad:
                found = torch.autograd.grad(total, leaf, allow_unused=True)[0]
        except RuntimeError as error:
            found, reason = None, f" ({error})"
    if found is None:
        raise ValueError(
            f"the outputs of {made.name} have no gradient with respect to its samples{reason}: take "
            "no_grad(), inference mode, detach() and numpy out of it"
        )


@torch.no_grad()
def _head(made: TensorModel, model: nn.Module, x: Tensor) -> nn.Module | None:
    """The last linear layer, or 1 x 1 convolution, that runs and has as many outputs as the model."""
    ran: list[nn.Module] = []
    layers = [part for part in model.modules() if isinstance(part, nn.Linear | nn.Conv2d)]
    handles = [part.register_forward_pre_hook(lambda layer, _: ran.append(layer)) for part in layers]
    try:
        outputs = made(x).shape[1]
    finally:
        for handle in handles:
            handle.remove()
    sizes = [(part, getattr(part, "out_features", getattr(part, "out_channels", 0))) for part in ran]
    return next((part for part, size in reversed(sizes) if size == outputs), None)


def _declared(normalise: Normalise) -> tuple[Any, Any]:
    if normalise == "imagenet":
        return IMAGENET
    if not isinstance(normalise, tuple | list) or len(normalise) != 2:
        raise ValueError(f"normalise={normalise!r}: pass 'inside', 'imagenet', or (mean, deviation)")
    return normalise[0], normalise[1]


def _channels(model: nn.Module) -> int | None:
    first = next((part for part in model.modules() if isinstance(part, nn.Conv2d | nn.Linear)), None)
    return first.in_channels if isinstance(first, nn.Conv2d) else None


def _own_size(model: Any) -> int | None:
    """The image size that vision transformers carry: torchvision's `image_size`, transformers' config."""
    found = [getattr(owner, "image_size", None) for owner in (model, getattr(model, "config", None))]
    return next((size for size in found if isinstance(size, int)), None)


def _matrix(values: Tensor) -> Tensor:
    """(N, D): a mean over positions of maps (N, D, H, W), over tokens of (N, T, D)."""
    if values.dim() == 4:
        return values.mean((2, 3))
    return values.mean(1) if values.dim() == 3 else values.flatten(1)
