"""What `lib.rank` is told: models, numbers, options by name; each refused before anything is read."""

import math

import pytest
import torch
from ranking_models import pictures, small

import lib
from lib.base.fingerprint import files
from lib.ranking import checks, examples, pretrained

# Names


def test_models_come_by_name_or_as_a_dictionary():
    assert checks.models_by_name(["a", "b"]) == {"a": "a", "b": "b"}
    assert checks.models_by_name({"a": 1}) == {"a": 1}
    assert checks.models_by_name(name for name in ("a", "b")) == {"a": "a", "b": "b"}
    assert checks.models_by_name({"my\n net ": 1}) == {"my net": 1}
    for wrong in ("resnet18", 3):
        with pytest.raises(TypeError, match="dict name -> model, or a list of names"):
            checks.models_by_name(wrong)


@pytest.mark.parametrize(
    ("wrong", "kind", "message"),
    [
        ([small(), small()], TypeError, r"models lists a Small.*\{\"mine\": model\}"),
        (small(), TypeError, r"^models is one Small: pass a dict name -> model"),
        (["a", "a"], ValueError, "the name 'a' twice"),
        ((name for name in ("a", "a")), ValueError, "the name 'a' twice"),
        ({1: 1, "1": 2}, ValueError, "the name '1' twice"),
        ({" ": 1}, ValueError, "an empty name"),
        ({}, ValueError, "models is empty"),
        ([], ValueError, "models is empty"),
    ],
)
def test_models_without_names_of_their_own_are_refused(wrong, kind, message):
    with pytest.raises(kind, match=message):
        checks.models_by_name(wrong)


def test_a_misspelt_name_is_answered_without_asking_anybody(monkeypatch):
    monkeypatch.setattr("transformers.AutoModelForImageClassification.from_pretrained", None)
    with pytest.raises(ValueError, match=r"torchvision has no model 'resnet81'.*did you mean 'resnet18'"):
        lib.rank(["resnet81"], pictures())
    with pytest.raises(ValueError, match="weights='FOO': resnet18 has IMAGENET1K_V1"):
        lib.rank(["resnet18"], pictures(), weights="FOO")
    pretrained.check({"a": "resnet18", "b": "google/vit-base-patch16-224", "c": small()}, None)


def test_torchvision_names_bring_their_normalisation():
    model, scale, note = pretrained.image_model("mine", "squeezenet1_1", None)
    assert scale == "imagenet"
    assert "random weights" in note
    assert not model.training
    with pytest.raises(ValueError, match="no model of torchvision"):
        pretrained.image_model("mine", "/nowhere/resnet", None)


def test_weights_that_cannot_be_fetched_name_the_remedy(monkeypatch):
    def fail(*args, **kwargs):
        raise OSError("no network")

    monkeypatch.setattr("torchvision.models.get_model", fail)
    with pytest.raises(ValueError, match=r"could not be fetched \(no network\); pass weights=None"):
        pretrained.image_model("mine", "resnet18", "DEFAULT")


# The call


def test_rank_is_found_in_lib_and_no_other_chapter_depends_on_it():
    from lib.ranking.call import rank

    assert lib.rank is rank
    with pytest.raises(AttributeError, match="nothing"):
        lib.nothing  # noqa: B018
    assert not any("ranking" in path.parts for path in files("import lib"))


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"by": "size"}, "'size' is no measure"),
        ({"by": "probe acuracy"}, "did you mean 'probe accuracy'"),
        *(({name: value}, f"{name}={value}: pass a whole number, 1 or more")
          for name in ("outputs", "steps", "pixels", "max_words", "most", "repeats", "batch_size")
          for value in (0, -5, 1.5, True)),
        *(({"attacked": value}, f"attacked={value}: pass a whole number, 2 or") for value in (0, 1, 8.5)),
        *(({"epsilon": value}, "epsilon=.*a positive number") for value in (-1, 0, math.nan, math.inf, "1")),
        *(({"size": value}, "pass the side in pixels") for value in ("8", (16, 16), 0, {"cnn": 8.0})),
        ({"size": {"cn": 8}}, r"size names 'cn'.*did you mean 'cnn'.*they are cnn"),
        ({"features": {"cnm": abs}}, "features names 'cnm'"),
        ({"normalise": {"other": "inside"}}, "normalise names 'other'"),
        ({"features": {"reference": abs}}, "features names 'reference'"),
    ],
)  # fmt: skip
def test_the_call_refuses_what_it_cannot_do_before_it_reads_anything(wrong, message):
    with pytest.raises(ValueError, match=message):
        lib.rank({"cnn": small()}, "/nowhere/at/all", **wrong)


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
