"""The labelled target of `lib.rank`: tensors, a folder of images, a file of texts, and its three parts."""

import math

import pytest
import torch
from PIL import Image
from ranking_models import generator, pictures

from lib.ranking import targets


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
    assert few.notes == ("30 of 60 samples used: most= sets how many, of each class 5 at least",)


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


def test_a_large_folder_is_thinned_class_by_class_and_says_so(tmp_path):
    for name, count in (("common", 40), ("rare", 8)):
        (tmp_path / name).mkdir()
        for i in range(count):
            Image.new("RGB", (8, 8)).save(tmp_path / name / f"{i}.png")
    found = load(tmp_path, most=24)
    assert torch.bincount(found.labels).tolist() == [20, 5]
    assert sum(map(len, (found.fit, found.valid, found.test))) == 25
    assert found.notes == ("25 of 48 samples used: most= sets how many, of each class 5 at least",)
    assert load(tmp_path).notes == ()


def test_arrays_lists_and_double_precision_are_taken():
    x, y = pictures()
    wanted = load((x, y)).inputs
    for given in (
        (x.numpy(), y.numpy()),
        (x.numpy()[::-1][::-1], y.tolist()),
        (x.double(), y),
        (x.tolist(), y),
    ):
        found = load(given)
        assert found.inputs.dtype == torch.float32
        assert torch.equal(found.inputs, wanted)


@pytest.mark.parametrize(
    ("target", "kind", "message"),
    [
        ((torch.ones(9, 2), torch.zeros(9)), ValueError, "integer label"),
        ((torch.ones(9, 2), torch.arange(8)), ValueError, "integer label"),
        ((torch.ones(9, 2), torch.zeros(9, dtype=torch.int64)), ValueError, "two classes or more"),
        ((torch.ones(9, 2), torch.arange(9) % 2), ValueError, "too few samples of {'1': 4}"),
        ((torch.full((10, 2), math.nan), torch.arange(10) % 2), ValueError, "NaN"),
        ((torch.ones(9, 2, dtype=torch.int64), torch.arange(9)), TypeError, "floats"),
        ((torch.ones(9, 2), ["a"] * 9), TypeError, r"y of the target is no tensor.*sorted\(set\(y\)\)"),
        (([[1.0], [1.0, 2.0]], [0, 1]), TypeError, "x of the target is no tensor"),
        (3, TypeError, "the target is a int"),
        ("/nowhere/at/all", ValueError, "neither a folder"),
    ],
)
def test_targets_that_are_none_name_the_remedy(target, kind, message):
    with pytest.raises(kind, match=message):
        load(target)


# Texts


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
    with pytest.raises(ValueError, match=r"c\.tsv, line 2: the text is missing"):
        load(tmp_path / "c.tsv")
    (tmp_path / "d.csv").write_text("text,label\n")
    with pytest.raises(ValueError, match=r"d\.csv is neither a folder"):
        load(tmp_path / "d.csv")


def test_a_quotation_mark_is_a_character_like_any_other(tmp_path):
    """Read as csv, everything between two of them would be one field, and the samples in it gone."""
    lines = [line for i in range(10) for line in (f'"an open quote {i}\tx', f'he said ""so"" {i}\ty')]
    (tmp_path / "a.tsv").write_text("\ufefftext\tlabel\n" + "\n".join(lines) + "\n\n", encoding="utf-8")
    found = load(tmp_path / "a.tsv")
    assert len(found) == 20
    assert found.texts[:2] == [['"an', "open", "quote", "0"], ["he", "said", '""so""', "0"]]


@pytest.mark.parametrize(
    ("name", "line", "message"),
    [
        ("a.jsonl", '{"text": "one", "label": null}', "line 2: the label is None"),
        ("a.jsonl", '{"text": null, "label": "x"}', "line 2: the text is None"),
        ("a.jsonl", '{"text": " ", "label": "x"}', "line 2: the text is ' '"),
        ("a.jsonl", '{"text": "one", "label": ["x"]}', r"line 2: the label is \['x'\]"),
        ("a.jsonl", '{"text": "one"}', "line 2: the label is missing; every line needs"),
        ("a.jsonl", '{"text": "one", ', "line 2: not readable as JSON"),
        ("a.jsonl", '["one", "x"]', "line 2: a list, not an object"),
        ("a.tsv", "one", "line 3: the label is missing"),
        ("a.tsv", "one\t", "line 3: the label is ''"),
        ("a.tsv", "one\ttwo\tx", "line 3: 3 columns under a header of 2"),
    ],
)
def test_a_line_that_is_no_sample_is_named(tmp_path, name, line, message):
    start = "text\tlabel\none\tx\n" if name.endswith("tsv") else '{"text": "one", "label": "x"}\n'
    (tmp_path / name).write_text(f"{start}{line}\n")
    with pytest.raises(ValueError, match=f"{name}, {message}"):
        load(tmp_path / name)


def test_a_file_in_another_encoding_is_named(tmp_path):
    (tmp_path / "a.tsv").write_bytes("text\tlabel\né\tx\n".encode("latin-1"))
    with pytest.raises(ValueError, match=r"a\.tsv is not UTF-8"):
        load(tmp_path / "a.tsv")
