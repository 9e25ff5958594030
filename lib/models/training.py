"""The project's one training loop.

Every network of the book is trained here, so that a schedule, a cast or a seed means the same thing in
every chapter. See `book/images.md` for the loop at work.
"""

import math
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import torch
from torch import Tensor, nn

Loss = Callable[[Tensor, Tensor], Tensor]
Device = str | torch.device
Layout = torch.memory_format
Augment = Callable[[Tensor, torch.Generator], Tensor]

OPTIMIZERS: dict[str, Callable[..., torch.optim.Optimizer]] = {
    "sgd": lambda p, lr, momentum, decay: torch.optim.SGD(p, lr, momentum=momentum, weight_decay=decay),
    "adam": lambda p, lr, momentum, decay: torch.optim.Adam(p, lr, weight_decay=decay),
    "adamw": lambda p, lr, momentum, decay: torch.optim.AdamW(p, lr, weight_decay=decay),
    "adadelta": lambda p, lr, momentum, decay: torch.optim.Adadelta(p, lr, weight_decay=decay),
}

WARM_UP = 0.25  # share of the steps in which "onecycle" climbs


def _onecycle(done: float) -> float:
    return done / WARM_UP if done < WARM_UP else (1 - done) / (1 - WARM_UP)


SCHEDULES: dict[str, Callable[[float], float]] = {
    "constant": lambda done: 1.0,
    "cosine": lambda done: (1 + math.cos(math.pi * done)) / 2,
    "onecycle": _onecycle,
}


def fit(
    model: nn.Module,
    inputs: Tensor,
    targets: Tensor,
    *,
    loss: Loss,
    optimizer: str = "sgd",
    lr: float,
    momentum: float = 0.9,
    weight_decay: float = 0.0,
    epochs: int,
    batch_size: int,
    schedule: str = "constant",
    augment: Augment | None = None,
    generator: torch.Generator,
    device: Device = "cpu",
    channels_last: bool = False,
    autocast: bool = False,
    progress: Callable[[int, float], None] | None = None,
) -> list[float]:
    """Minimise the mean of `loss(model(x), y)` in place; return the mean training loss of each epoch.

    inputs (N, *shape), targets (N, ...), on any device: each batch is moved to `device`, and uint8 inputs
    become floats in [0, 1] on the way. `loss` maps (outputs, targets) to the batch mean. `channels_last`
    asks for `fast_layout(model)`.
    Batches are a fresh permutation each epoch, cut into ceil(N / batch_size) parts whose sizes differ by at
    most one (no lonely last sample for batch normalisation). The learning rate is `lr` times the schedule's
    factor: constant, cosine to 0, or onecycle (a linear climb in the first quarter, then linear to 0).
    `momentum` is SGD's alone. `augment(batch, generator)` sees the float batch. `autocast` computes in
    bfloat16. `progress(epoch, loss)` is called after each epoch.

    All randomness (order, augmentation, dropout) comes from `generator`, a CPU generator; the global one is
    left as it was. The model ends on `device`, in evaluation mode.

    Raises ValueError for unknown names and bad sizes, FloatingPointError when the loss is no longer finite.
    """
    _check(inputs, targets, optimizer, lr, epochs, batch_size, schedule)
    device = torch.device(device)
    layout = fast_layout(model) if channels_last else torch.preserve_format
    model.to(device)
    model.to(memory_format=layout)
    parameters = [p for p in model.parameters() if p.requires_grad]
    if not parameters:
        raise ValueError("the model has no parameter that requires grad: unfreeze a layer before fit")
    stepper = OPTIMIZERS[optimizer](parameters, lr, momentum, weight_decay)
    parts = math.ceil(len(inputs) / batch_size)
    factor, steps = SCHEDULES[schedule], epochs * parts
    # the first update already has a rate above 0: steps are counted from their middle
    scheduler = torch.optim.lr_scheduler.LambdaLR(stepper, lambda step: factor((step + 0.5) / steps))

    history = []
    model.train()
    with seeded(generator, device):
        for epoch in range(epochs):
            total = torch.zeros((), device=device)
            for index in torch.randperm(len(inputs), generator=generator).tensor_split(parts):
                x, y = take(inputs, index, device, layout), take(targets, index, device, scale=False)
                if augment is not None:
                    x = augment(x, generator)
                with torch.autocast(device.type, torch.bfloat16, enabled=autocast):
                    value = loss(model(x), y)
                stepper.zero_grad(set_to_none=True)
                value.backward()
                stepper.step()
                scheduler.step()
                total += value.detach().to(total.dtype) * len(index)
            history.append(float(total) / len(inputs))
            if not math.isfinite(history[-1]):
                where = f"after epoch {epoch} at lr={lr}"
                raise FloatingPointError(f"loss is {history[-1]} {where}: use a lower lr")
            if progress is not None:
                progress(epoch, history[-1])
    model.eval()
    return history


def fast_layout(model: nn.Module) -> torch.memory_format:
    """Channels last, unless the model has a strided 1x1 convolution of fewer than 8 channels.

    On CPUs with AVX2 and no AVX-512, the oneDNN of torch 2.14 gives wrong weight gradients for those, or
    breaks the process (uxlfoundation/oneDNN, issue 6035: it writes past its workspace).
    """
    narrow = (m for m in model.modules() if isinstance(m, nn.Conv2d) and m.in_channels // m.groups < 8)
    unsafe = any(layer.kernel_size == (1, 1) and layer.stride != (1, 1) for layer in narrow)
    return torch.preserve_format if unsafe else torch.channels_last


def take(
    data: Tensor,
    index: Tensor,
    device: Device = "cpu",
    layout: Layout = torch.preserve_format,
    *,
    scale: bool = True,
) -> Tensor:
    """Rows `index` of `data` on `device`; uint8 becomes float32 in [0, 1] unless `scale` is False."""
    batch = data[index.to(data.device)].to(device, non_blocking=True)
    if scale and batch.dtype == torch.uint8:
        batch = batch.float().div_(255)
    last = layout is torch.channels_last and batch.ndim == 4
    return batch.contiguous(memory_format=layout) if last else batch


@torch.no_grad()
def predict(
    model: Callable[[Tensor], Tensor], inputs: Tensor, *, batch_size: int = 512, device: Device = "cpu"
) -> Tensor:
    """Outputs (N, ...) of an evaluated `model` on `inputs`, batch by batch, gathered on the CPU."""
    parts = torch.arange(len(inputs)).split(batch_size)
    return torch.cat([model(take(inputs, index, device)).cpu() for index in parts])


@contextmanager
def seeded(generator: torch.Generator, device: Device = "cpu") -> Iterator[None]:
    """Run a block with the global generators seeded from `generator`; put them back afterwards.

    For what cannot be handed a generator: parameter initialisation and dropout.
    """
    device = torch.device(device)
    seed = int(torch.randint(2**62, (), generator=generator))
    with torch.random.fork_rng([device] if device.type == "cuda" else []):
        torch.manual_seed(seed)
        yield


def crop_and_flip(batch: Tensor, generator: torch.Generator, padding: int = 4) -> Tensor:
    """The usual CIFAR augmentation: pad by zeros, crop at random, mirror with probability 1/2.

    batch (B, C, H, W); every image draws its own shift and its own flip from the CPU `generator`.
    """
    count, _, height, width = batch.shape
    row, column = torch.randint(2 * padding + 1, (2, count, 1), generator=generator)
    mirror = torch.rand(count, 1, generator=generator) < 0.5
    across = torch.arange(width).expand(count, width)
    rows = row + torch.arange(height)
    columns = column + torch.where(mirror, width - 1 - across, across)
    padded = nn.functional.pad(batch, [padding] * 4)
    place = (torch.arange(count)[:, None, None], rows[:, :, None], columns[:, None])
    picked = padded.permute(0, 2, 3, 1)[tuple(index.to(batch.device) for index in place)]
    return picked.permute(0, 3, 1, 2)


def _check(
    inputs: Tensor, targets: Tensor, optimizer: str, lr: float, epochs: int, batch_size: int, schedule: str
) -> None:
    if len(inputs) != len(targets) or len(inputs) == 0:
        raise ValueError(
            f"{len(inputs)} inputs for {len(targets)} targets: give one target per input, at least one"
        )
    if optimizer not in OPTIMIZERS:
        raise ValueError(f"optimizer {optimizer!r} is unknown: use one of {', '.join(OPTIMIZERS)}")
    if schedule not in SCHEDULES:
        raise ValueError(f"schedule {schedule!r} is unknown: use one of {', '.join(SCHEDULES)}")
    if not lr > 0:
        raise ValueError(f"lr={lr} must be positive")
    if epochs < 1 or batch_size < 1:
        raise ValueError(f"epochs={epochs} and batch_size={batch_size} must be at least 1")
