"""Runs the calls that users make, with whatever `lib` the path gives: the other half of `benchmarks.before`.

Reads the name of a case a line, answers with its processor time and its numbers as JSON. It knows the public
face of `lib` alone, and its networks are plain torch, so that any revision with that face can run it.
"""

import json
import sys
import time

import torch
from torch import nn

from lib import attacks, transferability

PICTURES = 1000, 3, 32, 32


def main():
    torch.set_num_threads(1)
    for line in sys.stdin:
        work, read = CASES[line.strip()]()
        begun = time.thread_time()
        found = work()
        seconds = time.thread_time() - begun
        print(json.dumps({"seconds": seconds, "values": read(found)}), flush=True)


def _measured(layers, outputs):
    """`measure` on colour pictures."""
    source, target = _network(layers, outputs, 0), _network(layers, outputs, 1)
    return lambda: transferability.measure(source, target, _pictures()), _scalars


def _stacks(*shape):
    """`measure_jacobians`, float64."""
    source, target = (torch.randn(*shape, generator=_stream(seed), dtype=torch.float64) for seed in (0, 1))
    return lambda: transferability.measure_jacobians(source, target), _scalars


def _attacked(layers, outputs):
    """`virtual` on colour pictures; its values are the lengths that it moves the outputs by, both signs."""
    model = _network(layers, outputs, 0)

    def moved(delta):
        with torch.no_grad():
            ends = [model(_pictures() + sign * delta) - model(_pictures()) for sign in (-1, 1)]
        return sum(end.double().square().sum(1).mean().item() for end in ends)

    return lambda: attacks.virtual(model, _pictures(), 0.01), lambda delta: [moved(delta)]


def _scalars(found):
    return [found.tau1, found.tau2, found.alpha]


def _network(layers, outputs, seed):
    with torch.random.fork_rng():
        torch.manual_seed(seed)
        return nn.Sequential(*layers(outputs)).eval()


def _perceptron(outputs):
    return nn.Flatten(), nn.Linear(3072, 64), nn.Tanh(), nn.Linear(64, outputs)


def _convolutions(outputs):
    first, second = nn.Conv2d(3, 8, 3, stride=2), nn.Conv2d(8, 16, 3, stride=2)
    return first, nn.Tanh(), second, nn.Tanh(), nn.Flatten(), nn.Linear(16 * 7 * 7, outputs)


def _pictures():
    return torch.rand(PICTURES, generator=_stream(1))


def _stream(seed):
    return torch.Generator().manual_seed(seed)


CASES = {
    "measure, 1000 x (3 x 32 x 32), perceptron, 4 outputs": lambda: _measured(_perceptron, 4),
    "measure, 1000 x (3 x 32 x 32), perceptron, 10 outputs": lambda: _measured(_perceptron, 10),
    "measure, 1000 x (3 x 32 x 32), convolutions, 4 outputs": lambda: _measured(_convolutions, 4),
    "measure, 1000 x (3 x 32 x 32), convolutions, 10 outputs": lambda: _measured(_convolutions, 10),
    "measure_jacobians, 5000 x 10 x 50": lambda: _stacks(5000, 10, 50),
    "measure_jacobians, 1200 x 10 x 30": lambda: _stacks(1200, 10, 30),
    "measure_jacobians, 2000 x 32 x 50": lambda: _stacks(2000, 32, 50),
    "virtual, 1000 x (3 x 32 x 32), convolutions, 10 outputs": lambda: _attacked(_convolutions, 10),
}

if __name__ == "__main__":
    main()
