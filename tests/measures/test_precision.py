"""What is measured is measured in 32 or 64 bits: bfloat16 serves training alone, and would be seen here."""

import re
from pathlib import Path

import pytest
import torch
from torch import nn
from torch.nn import functional

import lib
from benchmarks import precision
from lib.attacks import pgd
from lib.measures import jacobian
from lib.models import training

SIXTEEN = re.compile(r"autocast\(|bfloat16|float16|\.half\(\)")
ALLOWED = {
    "models/training.py": "the loss of a training step, under autocast",
    "measures/jacobian.py": "16 bits are made 32 before a decomposition",
}


@pytest.fixture(scope="module")
def pair():
    """A trained source and reference, and digits that neither saw."""
    parts = precision.splits()
    source, reference = (precision.trained(part, name, epochs=8) for name, part in parts.items())
    return source, reference, precision.networks.pixels(parts["reference"].test, torch.device("cpu"))[0][:60]


def test_float32_gives_the_measures_of_float64_and_bfloat16_does_not(pair):
    exact, single, half = (
        precision.measures(*precision.cast(*pair, name)) for name in ("float64", "float32", "bfloat16")
    )
    for name, value in exact.items():
        assert single[name] == pytest.approx(value, rel=precision.AGREE), name
    assert max(abs(half[name] / value - 1) for name, value in exact.items()) > precision.AGREE


def test_sixteen_bits_are_named_where_networks_are_trained_and_nowhere_else():
    root = Path(lib.__file__).parent
    code = {path: re.sub(r'"""[\s\S]*?"""|#.*', "", path.read_text("utf-8")) for path in root.rglob("*.py")}
    assert {str(path.relative_to(root)) for path, text in code.items() if SIXTEEN.search(text)} == set(
        ALLOWED
    )


def test_what_was_trained_under_autocast_is_measured_in_32_bits():
    stream = torch.Generator().manual_seed(0)
    x, y, seen = torch.rand(24, 6, generator=stream), torch.arange(24) % 3, []

    class Watched(nn.Linear):
        def forward(self, x):
            y = super().forward(x)
            seen.append((self.training, torch.is_autocast_enabled("cpu"), y.dtype))
            return y

    with training.seeded(stream):
        model = Watched(6, 3)
    options = {"lr": 0.1, "epochs": 2, "batch_size": 8, "generator": stream, "autocast": True}
    training.fit(model, x, y, loss=functional.cross_entropy, **options)
    jacobian.jacobians(model, x)
    pgd(model, x, 0.1, 2, generator=stream)
    training.predict(model, x)
    assert set(seen) == {(True, True, torch.bfloat16), (False, False, torch.float32)}
    assert {parameter.dtype for parameter in model.parameters()} == {torch.float32}
