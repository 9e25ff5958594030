"""A small network, pictures for it, and both as `lib.rank` sees them."""

import torch
from torch import nn

from lib.ranking import candidates


def generator(seed=0):
    return torch.Generator().manual_seed(seed)


def pictures(count=40, channels=3, side=12, classes=2):
    x = torch.rand(count, channels, side, side, generator=generator())
    return x, torch.arange(count) % classes


class Small(nn.Module):
    """Two convolutions, batch norm, dropout and a linear head."""

    def __init__(self, channels=3, outputs=5):
        super().__init__()
        self.body = nn.Sequential(nn.Conv2d(channels, 6, 3), nn.BatchNorm2d(6), nn.Tanh(), nn.Dropout(0.5))
        self.head = nn.Linear(6, outputs)

    def forward(self, x):
        return self.head(self.body(x).mean((2, 3)))


def small(**kwargs):
    with torch.random.fork_rng([]):
        torch.manual_seed(0)
        return Small(**kwargs).eval()


def wrap(model, x=None, name="mine", **kwargs):
    options = {"normalise": "inside", "size": None, "features": None, "device": None}
    return candidates.wrap(name, model, pictures()[0][:2] if x is None else x, **(options | kwargs))
