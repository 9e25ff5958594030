"""What `lib.rank` accepts and refuses: models, targets and names, each refusal with its remedy."""

import math

import pytest
import torch
from ranking_models import generator, pictures, small, wrap
from torch import nn

import lib
from lib.ranking import targets
from lib.ranking.call import _undeclared
from lib.ranking.candidates import Then

# What is refused, with the remedy


class Nested(nn.Module):
    """A model whose outputs are wrapped by `how`."""

    def __init__(self, how):
        super().__init__()
        self.inner, self.how = small(), how

    def forward(self, x):
        return self.how(self.inner(x))


@pytest.mark.parametrize(
    ("how", "kind", "message"),
    [
        (
            lambda y: {"logits": y, "aux": y},
            TypeError,
            r"mine returns a dict with the keys logits, aux.*Then\(model, lambda y: y\['logits'\]",
        ),
        (lambda y: (y, y), TypeError, r"returns a tuple.*\[0\]"),
        (lambda y: y[0], ValueError, r"shape \(5,\), not \(2, outputs\)"),
        (lambda y: y.reshape(2, 5, 1, 1), ValueError, "mean over positions"),
        (lambda y: y * math.nan, ValueError, "NaN or infinity"),
        (lambda y: y.argmax(1, keepdim=True), TypeError, "before the arg-max"),
        (lambda y: y + torch.rand(y.shape), ValueError, "twice the same samples"),
        (lambda y: y - y.mean(0), ValueError, "one at a time"),
    ],
)
def test_outputs_that_cannot_be_measured_name_the_remedy(how, kind, message):
    with pytest.raises(kind, match=message):
        wrap(Nested(how).eval())


def test_training_mode_names_what_is_in_it():
    model = small()
    model.body[1].train()
    with pytest.raises(ValueError, match=r"mine is in training mode \(BatchNorm2d\).*model.eval\(\)"):
        wrap(model)
    with pytest.raises(ValueError, match="Dropout"):
        wrap(small().train())
    shell = nn.Sequential(small())
    shell.training = True
    with pytest.raises(ValueError, match=r"\(Sequential\), where layers such as .* may mix"):
        wrap(shell)


def test_channels_and_sizes_that_do_not_fit_name_the_remedy():
    with pytest.raises(ValueError, match=r"takes 1 channels, the target has 3.*mean\(1, keepdim=True\)"):
        wrap(small(channels=1))
    with pytest.raises(ValueError, match=r"takes 3 channels, the target has 2"):
        wrap(small(), pictures(channels=2)[0][:2])
    flat = nn.Sequential(nn.Flatten(), nn.Linear(3 * 20 * 20, 4)).eval()
    with pytest.raises(ValueError, match=r"cannot take samples of shape \(3, 12, 12\).*size=\{'mine': 224\}"):
        wrap(flat)
    assert wrap(flat, size=20).notes[0].startswith("mine: images of 12 x 12 are resized to 20 x 20 inside")
    with pytest.raises(ValueError, match="normalise='cifar'"):
        wrap(small(), normalise="cifar")
    with pytest.raises(TypeError, match="pass a torch module"):
        wrap("small")


def test_vision_transformers_bring_their_size():
    class Fixed(type(small())):
        image_size = 16

        def forward(self, x):
            assert x.shape[-1] == 16, "Wrong image size"
            return super().forward(x)

    assert wrap(Fixed().eval()).size == 16
    with pytest.raises(ValueError, match="Wrong image size"):
        wrap(Fixed().eval(), size=14)


def test_grey_images_reach_three_channels_with_a_note():
    made = wrap(small(), pictures(channels=1)[0][:2])
    assert "three channels" in made.notes[0]
    assert made.prepared(pictures(channels=1)[0]).shape[1] == 3


def test_normalisation_is_applied_or_asked_for():
    x, y = pictures()
    made = wrap(small(), normalise=((0.5, 0.4, 0.3), (0.2, 0.2, 0.1)))
    wanted = (x - torch.tensor([0.5, 0.4, 0.3]).view(3, 1, 1)) / torch.tensor([0.2, 0.2, 0.1]).view(3, 1, 1)
    assert torch.allclose(made(x), small()(wanted), atol=1e-6)
    target = targets.load((x, y), pixels=8, words=8, most=99, generator=generator())
    assert "not declared for a" in _undeclared(target, {"a": small()}, None)[0]
    assert "not declared for b" in _undeclared(target, {"a": 1, "b": 2}, {"a": "inside"})[0]
    assert _undeclared(target, {"a": small()}, "inside") == []
    beyond = targets.load((3 * x - 1, y), pixels=8, words=8, most=99, generator=generator())
    assert "no pixels in [0, 1]" in _undeclared(beyond, {"a": small()}, "inside")[0]


def fail(error):
    def model(x):
        raise error

    return model


@pytest.mark.parametrize(
    ("error", "message"),
    [
        (
            RuntimeError(""),
            r"mine cannot take samples of shape \(3, 12, 12\).*raised RuntimeError\. If it wants",
        ),
        (RuntimeError("Wrong size"), r"raised RuntimeError: Wrong size\. .*size=\{'mine': 224\}"),
        (RuntimeError("Input type (float) and bias type (double)"), r"torch\.float32; it.*cast inside it"),
        (KeyError("pixels"), r"it raised KeyError: 'pixels'$"),
        (AttributeError("no pixels"), r"it raised AttributeError: no pixels$"),
    ],
)
def test_whatever_a_model_raises_names_it_and_advises_what_can_help(error, message):
    with pytest.raises(ValueError, match=message) as found:
        wrap(fail(error))
    assert found.value.__cause__ is error


def test_samples_that_are_no_images_get_no_advice_on_size():
    x = pictures()[0][:2]
    for wrong in (x[:, 0], x.flatten(1)):
        with pytest.raises(ValueError, match=r"pass them as \(N, channels, height, width\)$"):
            wrap(small(), wrong)


@pytest.mark.parametrize("dtype", [torch.float64, torch.bfloat16])
def test_samples_are_cast_to_what_a_module_computes_in(dtype):
    x = pictures()[0][:4]
    made = wrap(small().to(dtype))
    outputs, features = made.read(x, torch.arange(4))
    wanted = wrap(small()).read(x, torch.arange(4))
    assert made.notes == [f"mine: it computes in {dtype}, so its samples were cast"]
    assert outputs.dtype == features.dtype == torch.float32
    assert torch.allclose(outputs, wanted[0], atol=0.05)


@torch.no_grad()
def frozen(x):
    return x.mean((2, 3))


@pytest.mark.parametrize("model", [frozen, lambda x: torch.tensor(x.detach().mean((2, 3)).tolist())])
def test_a_model_without_a_gradient_is_named(model):
    with pytest.raises(ValueError, match=r"outputs of mine have no gradient.*take no_grad\(\)"):
        wrap(model)


# Features


def test_features_are_what_the_head_is_given():
    x, _ = pictures()
    model = small()
    outputs, features = wrap(model).read(x, torch.arange(len(x)))
    assert torch.allclose(features, model.body(x).mean((2, 3)), atol=1e-6)
    assert torch.allclose(outputs, model(x), atol=1e-6)
    own = wrap(model, features=lambda z: z[:, :, 0, 0])
    assert torch.equal(own.read(x, torch.arange(len(x)))[1], x[:, :, 0, 0])


def test_a_convolution_can_be_the_head_and_a_function_has_none():
    x, _ = pictures()
    last = nn.Sequential(
        nn.Conv2d(3, 7, 3), nn.ReLU(), nn.Conv2d(7, 4, 1), nn.AdaptiveAvgPool2d(1), nn.Flatten()
    )
    made = wrap(last.eval())
    assert made.head is last[2]
    assert torch.allclose(made.read(x, torch.arange(len(x)))[1], last[:2](x).mean((2, 3)), atol=1e-6)
    plain = wrap(lambda z: z.mean((2, 3)))
    outputs, features = plain.read(x, torch.arange(len(x)))
    assert torch.equal(outputs, features)
    assert "features are its outputs" in plain.notes[0]


def test_what_a_refusal_advises_keeps_the_features_of_the_model():
    """A lambda hides the layers: features become outputs, and the same network ranks elsewhere."""
    x, _ = pictures()
    rows = torch.arange(len(x))
    for how, back in ((lambda y: {"logits": y}, lambda y: y["logits"]), (lambda y: y[None], lambda y: y[0])):
        model = Nested(how).eval()
        assert torch.equal(wrap(Then(model, back)).read(x, rows)[1], wrap(small()).read(x, rows)[1])
        assert wrap(lambda z, model=model, back=back: back(model(z))).bare
    assert Then(small().train(), abs).training


def test_candidates_judged_by_their_outputs_are_warned_of():
    options = {"normalise": "inside", "attacked": 2, "repeats": 2, "steps": 1}
    both = lib.rank({"whole": small(), "cut": lambda x: x.mean((2, 3))}, pictures(), **options)
    assert any("no last linear layer was found in cut: features are outputs" in w for w in both.warnings)
    alone = lib.rank({"cut": lambda x: x.mean((2, 3))}, pictures(), **options)
    assert not any("last linear layer" in w for w in alone.warnings)


def test_passes_are_counted_forward_and_backward():
    x, _ = pictures(6)
    made = wrap(small())
    made.passes.forward = 0
    leaf = x.clone().requires_grad_()
    y = made(leaf)
    for j in range(5):
        torch.autograd.grad(y[:, j].sum(), leaf, retain_graph=True)
    assert (made.passes.forward, made.passes.backward) == (6, 30)
