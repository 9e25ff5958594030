"""What `lib.rank` accepts and refuses: models, targets and names, each refusal with its remedy."""

import math

import pytest
import torch
from PIL import Image
from ranking_models import generator, pictures, small, wrap
from torch import nn

import lib
from lib.closure import files
from lib.ranking import examples, names, targets
from lib.ranking.call import _undeclared

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
            r"mine returns a dict with the keys logits, aux.*\['logits'\]",
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


def test_passes_are_counted_forward_and_backward():
    x, _ = pictures(6)
    made = wrap(small())
    made.passes.forward = 0
    leaf = x.clone().requires_grad_()
    y = made(leaf)
    for j in range(5):
        torch.autograd.grad(y[:, j].sum(), leaf, retain_graph=True)
    assert (made.passes.forward, made.passes.backward) == (6, 30)


# Targets


def load(target, **kwargs):
    options = {"pixels": 8, "words": 4, "most": 1000, "generator": generator()}
    return targets.load(target, **(options | kwargs))


def test_the_parts_share_no_sample_and_hold_every_class():
    found = load((*pictures(60, classes=3),)[:2])
    parts = [set(part.tolist()) for part in (found.fit, found.valid, found.test)]
    assert sum(map(len, parts)) == len(set.union(*parts)) == 60
    for part in (found.fit, found.valid, found.test):
        counts = torch.bincount(found.labels[part], minlength=3)
        assert counts.min() == counts.max() >= 1
    few = load(pictures(60, classes=3), most=30)
    assert len(few.fit) + len(few.valid) + len(few.test) == 30
    assert few.notes == ("30 of 60 samples used (most=30)",)


def test_bytes_become_pixels_and_labels_are_renumbered():
    x, y = pictures()
    found = load(((255 * x).byte(), 10 * y + 3))
    assert found.inputs.max() <= 1
    assert found.inputs.is_floating_point()
    assert found.classes == ["3", "13"]
    assert torch.equal(found.labels, y)


def test_a_folder_is_read_as_class_folders(tmp_path):
    for name, colour in (("cat", 255), ("dog", 0)):
        (tmp_path / name).mkdir()
        for i in range(6):
            Image.new("RGB", (20, 14), (colour, 0, 0)).save(tmp_path / name / f"{i}.png")
    found = load(tmp_path)
    assert found.classes == ["cat", "dog"]
    assert found.inputs.shape == (12, 3, 8, 8)
    assert torch.equal(found.inputs[:, 0, 0, 0] > 0.5, found.labels == 0)
    (tmp_path / "cat" / "0.png").unlink()
    (tmp_path / "cat" / "1.png").unlink()
    with pytest.raises(ValueError, match=r"too few samples of \{'cat': 4\}"):
        load(tmp_path)
    with pytest.raises(ValueError, match="no folder of class/image"):
        load(tmp_path / "cat")


def test_texts_are_read_from_tsv_and_jsonl(tmp_path):
    rows = [("one two three four five", "x"), ("six", "y")] * 5
    (tmp_path / "a.tsv").write_text("text\tlabel\n" + "".join(f"{t}\t{k}\n" for t, k in rows))
    (tmp_path / "b.jsonl").write_text("".join(f'{{"text": "{t}", "label": "{k}"}}\n' for t, k in rows))
    for name in ("a.tsv", "b.jsonl"):
        found = load(tmp_path / name)
        assert found.texts[0] == ["one", "two", "three", "four"]
        assert found.inputs.shape == (10, 4)
        assert bool((found.inputs == 1).all())
        assert found.classes == ["x", "y"]
    (tmp_path / "c.tsv").write_text("words\tlabel\nhello\tx\n")
    with pytest.raises(ValueError, match="row without 'text'"):
        load(tmp_path / "c.tsv")
    (tmp_path / "d.csv").write_text("text,label\n")
    with pytest.raises(ValueError, match=r"d\.csv is neither a folder"):
        load(tmp_path / "d.csv")


@pytest.mark.parametrize(
    ("target", "kind", "message"),
    [
        ((torch.ones(9, 2), torch.zeros(9)), ValueError, "integer label"),
        ((torch.ones(9, 2), torch.arange(8)), ValueError, "integer label"),
        ((torch.ones(9, 2), torch.zeros(9, dtype=torch.int64)), ValueError, "two classes or more"),
        ((torch.ones(9, 2), torch.arange(9) % 2), ValueError, "too few samples of {'1': 4}"),
        ((torch.full((10, 2), math.nan), torch.arange(10) % 2), ValueError, "NaN"),
        ((torch.ones(9, 2, dtype=torch.int64), torch.arange(9)), TypeError, "floats"),
        (3, TypeError, "the target is a int"),
        ("/nowhere/at/all", ValueError, "neither a folder"),
    ],
)
def test_targets_that_are_none_name_the_remedy(target, kind, message):
    with pytest.raises(kind, match=message):
        load(target)


# Names


def test_models_come_by_name_or_as_a_dictionary():
    assert names.dictionary(["a", "b"]) == {"a": "a", "b": "b"}
    assert names.dictionary({"a": 1}) == {"a": 1}
    for wrong in ("resnet18", 3, ["a", "a"], [small()]):
        with pytest.raises(TypeError, match="dict name -> model"):
            names.dictionary(wrong)
    with pytest.raises(ValueError, match="empty"):
        names.dictionary({})


def test_torchvision_names_bring_their_normalisation():
    model, scale, note = names.image_model("mine", "squeezenet1_1", None)
    assert scale == "imagenet"
    assert "random weights" in note
    assert not model.training
    with pytest.raises(ValueError, match="no model of torchvision"):
        names.image_model("mine", "/nowhere/resnet", None)


def test_weights_that_cannot_be_fetched_name_the_remedy(monkeypatch):
    def fail(*args, **kwargs):
        raise OSError("no network")

    monkeypatch.setattr("torchvision.models.get_model", fail)
    with pytest.raises(ValueError, match=r"could not be fetched \(no network\); pass weights=None"):
        names.image_model("mine", "resnet18", "DEFAULT")


# The call


def test_rank_is_found_in_lib_and_no_other_chapter_depends_on_it():
    from lib.ranking.call import rank

    assert lib.rank is rank
    with pytest.raises(AttributeError, match="nothing"):
        lib.nothing  # noqa: B018
    assert not any("ranking" in path.parts for path in files("import lib"))


@pytest.mark.parametrize("wrong", [{"by": "size"}, {"attacked": 0}, {"repeats": 0}, {"outputs": 0}])
def test_the_call_refuses_what_it_cannot_do(wrong):
    with pytest.raises(ValueError, match=next(iter(wrong))):
        lib.rank({"a": small()}, pictures(), **wrong)


def test_the_chapter_takes_a_folder_and_names_or_neither(tmp_path):
    assert examples.subject(str(tmp_path), ["resnet18"]) == (["resnet18"], tmp_path)
    for given in ((str(tmp_path), None), (None, ["resnet18"])):
        with pytest.raises(ValueError, match="give both"):
            examples.subject(*given)
    with pytest.raises(ValueError, match="nothing lies at"):
        examples.subject(str(tmp_path / "none"), ["resnet18"])


def test_the_examples_are_what_they_say():
    models = examples.candidates()
    outputs = {name: models[name](torch.rand(2, 1, 8, 8)).shape[1] for name in models}
    assert outputs == {name: max(2, len(digits)) for name, digits in examples.CANDIDATES.items()}
    x, y = examples.target()
    assert x.shape == (examples.TARGET, 1, 8, 8)
    assert len(y.unique()) == 10
