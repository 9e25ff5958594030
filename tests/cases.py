"""Shared examples: Jacobian stacks of many characters, and small networks with the inputs they take."""

import torch
from torch import nn


def generator(seed):
    return torch.Generator().manual_seed(seed)


def normal(*shape, seed=0):
    return torch.randn(*shape, generator=generator(seed), dtype=torch.float64)


def with_spectrum(sigma, outputs, inputs, seed=0):
    """A stack whose samples have the singular values `sigma` (N, k), with random vectors."""
    N, k = sigma.shape
    left = torch.linalg.qr(normal(N, outputs, k, seed=seed))[0]
    right = torch.linalg.qr(normal(N, inputs, k, seed=seed + 1))[0]
    return left * sigma.unsqueeze(1) @ right.mT


def perturbed(stack, size, seed=0):
    """The stack mapped to other outputs by one matrix, plus noise: a source that transfers, more or less."""
    mix = normal(stack.shape[1], stack.shape[1], seed=seed)
    return mix @ stack + size * normal(*stack.shape, seed=seed + 1)


def _tie(N, gap):
    sigma = torch.ones(N, 3, dtype=torch.float64)
    sigma[:, 1] -= gap
    sigma[:, 2] = 0.5
    return sigma


# Each is (N, outputs, n); N = 300 is enough for the batched path of lib.measures.singular.
STACKS = {
    "wide": normal(300, 5, 12),
    "tall": normal(300, 9, 4),
    "square": normal(300, 6, 6),
    "one output": normal(300, 1, 7),
    "one input": normal(300, 4, 1),
    "two outputs": normal(300, 2, 8),
    "thirty-three outputs": normal(300, 33, 40),
    "large": normal(5, 40, 70),
    "large, some zero": normal(9, 40, 50) * (torch.arange(9) % 3 > 0).double()[:, None, None],
    "large, of rank one": with_spectrum(torch.ones(5, 1, dtype=torch.float64), 40, 60),
    "large, of many scales": normal(9, 40, 50) * 10.0 ** torch.linspace(-150, 150, 9).double()[:, None, None],
    "rank one": with_spectrum(torch.ones(300, 1, dtype=torch.float64), 4, 6),
    "tiny second value": with_spectrum(
        torch.tensor([[1, 1e-9, 1e-12]], dtype=torch.float64).repeat(300, 1), 4, 6
    ),
    "near tie 1e-3": with_spectrum(_tie(300, 1e-3), 5, 7),
    "near tie 1e-8": with_spectrum(_tie(300, 1e-8), 5, 7),
    "steep": with_spectrum(10.0 ** -torch.arange(6).double().repeat(300, 1), 6, 9),
    "diagonal": torch.diag_embed(torch.tensor([3.0, 2.0, 1.0, 0.0]).double().repeat(300, 1)),
    "some zero": normal(300, 4, 6) * (torch.arange(300) % 3 > 0).double()[:, None, None],
    "many scales": normal(300, 4, 6) * 10.0 ** torch.linspace(-120, 120, 300).double()[:, None, None],
    "few samples": normal(7, 3, 5),
    "few and wide": normal(7, 3, 200),
    "few and wide, of rank one": with_spectrum(torch.ones(5, 1, dtype=torch.float64), 4, 300),
    "few and wide, some zero": normal(9, 2, 100) * (torch.arange(9) % 3 > 0).double()[:, None, None],
    "one wide output": normal(7, 1, 50),
    "one sample": normal(1, 3, 5),
}


class Conv(nn.Module):
    """A small convolutional network with batch norm, for inputs (N, 2, 5, 5)."""

    def __init__(self, outputs):
        super().__init__()
        self.layers = nn.Sequential(
            nn.Conv2d(2, 6, 3),
            nn.BatchNorm2d(6),
            nn.Softplus(),
            nn.Dropout(0.3),
            nn.Flatten(),
            nn.Linear(54, outputs),
        )

    def forward(self, x):
        return self.layers(x)


def mlp(inputs=6, outputs=4, seed=0, hidden=12):
    return _seeded(
        lambda: nn.Sequential(nn.Linear(inputs, hidden), nn.Tanh(), nn.Linear(hidden, outputs)), seed
    )


def conv(outputs=4, seed=0):
    return _seeded(lambda: Conv(outputs), seed)


def _seeded(make, seed):
    """A network in evaluation mode, float64, with parameters drawn from a generator of its own."""
    net = make().double().eval()
    for i, parameter in enumerate(net.parameters()):
        parameter.data = normal(*parameter.shape, seed=1000 * seed + i) / max(1, parameter[0].numel()) ** 0.5
    return net


# name: (f, x)
MODELS = {
    "mlp": (mlp(), normal(9, 6)),
    "one output": (mlp(outputs=1), normal(9, 6)),
    "conv": (conv(), normal(5, 2, 5, 5)),
    "image to image": (lambda x: (x[:, :1] * x[:, 1:]).sin(), normal(4, 2, 3, 3)),
    "flat output": (lambda x: x.square().sum(-1), normal(6, 3)),
    "linear": (lambda x: x @ normal(5, 7), normal(4, 5)),
}
