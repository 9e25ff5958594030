import hashlib
import pickle
from itertools import pairwise

import numpy as np
import pytest
import torch
from packed import picture, tar
from PIL import Image
from sklearn.datasets import load_digits

from lib.data import images, registry
from lib.data.formats.images import Source, cifar_batches, folders, parts, stl_binaries


def tiny_cifar(tiny, number=6, shuffle=False):
    members = [
        (f"{part}/{name}/{i:04d}.jpg", picture(1000 * k + i + (500 if part == "test" else 0)))
        for k, name in enumerate(images.CIFAR10)
        for part in ("train", "test")
        for i in range(number if part == "train" else 2)
    ]
    if shuffle:
        members = [members[i] for i in np.random.default_rng(0).permutation(len(members))]
    tiny("cifar10_jpg", {"cifar10_jpg.tar.gz": tar(members)}, len(members))
    return dict(members)


SOURCE = Source("cifar10_jpg", folders, list(images.CIFAR10), {"valid": 2})


def test_every_image_arrives_once_with_its_label(tiny):
    from lib.data.formats.pixels import rgb

    members = tiny_cifar(tiny)
    wanted = {rgb(content).tobytes(): name for name, content in members.items()}
    for part, (pixels, labels) in parts(SOURCE).items():
        assert pixels.shape == ({"train": 40, "valid": 20, "test": 20}[part], 3, 32, 32)
        assert (pixels.dtype, labels.dtype) == (torch.uint8, torch.int64)
        for image, label in zip(pixels, labels):
            kind, name, _ = wanted.pop(image.numpy().tobytes()).split("/")
            assert (kind == "test") == (part == "test")
            assert images.CIFAR10[label] == name
    assert not wanted


def test_the_split_does_not_depend_on_the_order_in_the_archive(tiny):
    tiny_cifar(tiny)
    first = {part: (x.clone(), y.clone()) for part, (x, y) in parts(SOURCE).items()}
    digest = registry.digest("cifar10_jpg")
    tiny_cifar(tiny, shuffle=True)
    assert registry.digest("cifar10_jpg") != digest
    for part, (pixels, labels) in parts(SOURCE).items():
        assert torch.equal(pixels, first[part][0])
        assert torch.equal(labels, first[part][1])


def test_a_wrong_number_or_class_is_refused(tiny):
    tiny_cifar(tiny)
    registry.CATALOGUE["cifar10_jpg"]  # the tiny one
    with pytest.raises(registry.Corrupt, match="has the classes"):
        parts(Source("cifar10_jpg", folders, ["airplane"], {}))
    content = tar([("train/airplane/0.jpg", picture(0))])
    tiny("cifar10_jpg", {"cifar10_jpg.tar.gz": content}, 2)
    with pytest.raises(registry.Corrupt, match="has 1 items, not 2"):
        parts(SOURCE)


def test_cifar_in_the_publishers_batches(tiny, tmp_path):
    generator = np.random.default_rng(0)

    def batch(name):
        pixels = generator.integers(0, 256, (20, 3072), dtype=np.uint8)
        return f"cifar-10-batches-py/{name}", {b"data": pixels, b"labels": list(range(10)) * 2}

    batches = dict(batch(name) for name in ("data_batch_1", "data_batch_2", "test_batch"))
    meta = ("cifar-10-batches-py/batches.meta", pickle.dumps({b"label_names": [b"airplane"]}, 2))
    content = tar([meta, *((name, pickle.dumps(b, 2)) for name, b in batches.items())])
    tiny("cifar10", {"cifar-10-python.tar.gz": content}, 60)
    found = parts(Source("cifar10", cifar_batches, list(images.CIFAR10), {"valid": 1}))
    assert [len(found[part][1]) for part in ("train", "valid", "test")] == [30, 10, 20]
    test = batches["cifar-10-batches-py/test_batch"]
    rows = {row.tobytes(): label for row, label in zip(test[b"data"], test[b"labels"])}
    for image, label in zip(*found["test"]):
        assert rows.pop(image.numpy().tobytes()) == label  # red, green, blue planes, row by row


def test_stl_is_stored_column_by_column(tiny):
    generator = np.random.default_rng(0)
    members = [("stl10_binary/unlabeled_X.bin", bytes(10))]
    truth = {}
    for part in ("train", "test"):
        pixels = generator.integers(0, 256, (20, 3, 96, 96), dtype=np.uint8)
        labels = np.tile(np.arange(1, 11, dtype=np.uint8), 2)
        members.append((f"stl10_binary/{part}_X.bin", pixels.transpose(0, 1, 3, 2).tobytes()))
        members.append((f"stl10_binary/{part}_y.bin", labels.tobytes()))
        truth[part] = (pixels, labels)
    tiny("stl10", {"stl10_binary.tar.gz": tar(members)}, 40)
    found = parts(Source("stl10", stl_binaries, list(images.STL10), {"valid": 1}))
    assert [len(found[part][1]) for part in ("train", "valid", "test")] == [10, 10, 20]
    shrunk = {
        np.asarray(
            Image.fromarray(p.transpose(1, 2, 0)).resize((32, 32), Image.Resampling.BILINEAR)
        ).tobytes(): y - 1
        for p, y in zip(*truth["test"])
    }
    for image, label in zip(*found["test"]):
        assert shrunk.pop(image.permute(1, 2, 0).numpy().tobytes()) == label


def test_digits_are_sklearns():
    split, truth = images.digits(), load_digits()
    assert {part: set(getattr(split, part).counts().values()) for part in ("valid", "test")} == {
        "valid": {20},
        "test": {50},
    }
    pixels = torch.cat([part.images for part in (split.train, split.valid, split.test)])
    labels = torch.cat([part.labels for part in (split.train, split.valid, split.test)])
    ours = sorted(
        (tuple(np.rint(x.flatten().double().numpy() * 16 / 255)), int(y)) for x, y in zip(pixels, labels)
    )
    assert ours == sorted((tuple(x), int(y)) for x, y in zip(truth.data, truth.target))
    assert split.train.images.shape[1:] == (1, 8, 8)


def test_digits_are_frozen():
    """The same on every machine: computed once, then written down."""
    labels = images.digits().test.labels.numpy().astype("<i8").tobytes()
    assert hashlib.sha256(labels).hexdigest()[:16] == "c7077e69f69e9dba"


@pytest.mark.parametrize("name", images.SOURCES)
def test_a_source_has_as_many_animals_as_it_says(name):
    split = images.digits()  # ten classes, as CIFAR-10 has
    named = images.mixture(split, images.SOURCES[name])
    animals = sum(images.CIFAR10[number] in ("bird", "cat", "deer", "dog") for number in images.SOURCES[name])
    assert animals / 4 == int(name.split("%")[0]) / 100
    assert named.classes == [str(number) for number in images.SOURCES[name]]
    for part in ("train", "valid", "test"):
        before, after = getattr(split, part), getattr(named, part)
        for label, number in enumerate(images.SOURCES[name]):
            assert torch.equal(after.images[after.labels == label], before.images[before.labels == number])
        assert set(after.labels.tolist()) == {0, 1, 2, 3}


def test_the_sources_are_those_of_the_authors_script():
    script = "0 1 8 9 | 2 1 8 9 | 2 3 8 9 | 2 3 4 9 | 2 3 4 5"  # 985ab57, exp1/cmd.sh
    assert [" ".join(map(str, classes)) for classes in images.SOURCES.values()] == script.split(" | ")


def test_neighbouring_sources_differ_by_one_class():
    classes = list(images.SOURCES.values())
    assert all(len(set(a) - set(b)) == 1 for a, b in pairwise(classes))


def test_targets_are_four_balanced_labels_of_known_classes():
    known = {
        "cifar10": images.CIFAR10,
        "stl10": images.STL10,
        "tiny_imagenet32": (*images.TINY_VEHICLES, *images.TINY_ANIMALS),
    }
    for name, targets in images.TARGETS.items():
        assert set(targets) == {"vehicles", "animals"}
        for groups in targets.values():
            assert len(groups) == 4
            assert len({len(members) for members in groups.values()}) == 1
            assert {member for members in groups.values() for member in members} <= set(known[name])
    animals = {
        member for members in images.TARGETS["tiny_imagenet32"]["animals"].values() for member in members
    }
    assert animals <= set(images.TINY_ANIMALS)


def test_classes_can_be_merged():
    merged = images.mixture(images.digits(), {"even": [0, 2, "4"], "odd": [1, 3]})
    assert merged.classes == ["even", "odd"]
    assert merged.test.counts() == {"even": 150, "odd": 100}


@pytest.mark.parametrize(
    ("groups", "words"),
    [([0, 10], "has no class 10"), (["x"], "no class 'x'"), ([1, "1"], "twice"), ([-1], "-1")],
)
def test_a_wrong_mixture_says_so(groups, words):
    with pytest.raises(ValueError, match=words):
        images.mixture(images.digits(), groups)


def test_take_is_balanced_and_nested():
    part = images.digits().train
    small, large = part.take(5), part.take(9)
    assert set(small.counts().values()) == {5}
    small_set = {x.numpy().tobytes() for x in small.images}
    assert small_set <= {x.numpy().tobytes() for x in large.images}
    with pytest.raises(ValueError, match="have fewer"):
        part.take(10_000)


def test_shares_are_disjoint_complete_and_even():
    part = images.digits().train
    shares = [part.share(k, 3) for k in range(3)]
    assert sum(map(len, shares)) == len(part)
    for counts in zip(*(share.counts().values() for share in shares)):
        assert max(counts) - min(counts) <= 1
    together = sorted(x.numpy().tobytes() for share in shares for x in share.images)
    assert together == sorted(x.numpy().tobytes() for x in part.images)
    with pytest.raises(ValueError, match="share 3 of 3"):
        part.share(3, 3)


def test_an_unknown_variant_says_so():
    with pytest.raises(ValueError, match="'jpg' and 'original'; got 'png'"):
        images.cifar10("png")


REAL = {
    "cifar10_jpg": (images.cifar10, (4500, 500, 1000), "a4935ed6675f0dee"),
    "tinyimagenet32": (images.tiny_imagenet32, (350, 50, 150), "f1534d5cbfef9d2d"),
    "natural_images": (images.natural_images, (None, 50, 150), "8d0c7544ec1c12bd"),
}


@pytest.mark.parametrize("name", REAL)
def test_the_real_files_are_dealt_as_ever(name):
    if not registry.present(name):
        pytest.skip(f"{name} is not here: {registry.remedy(registry.get(name))}")
    load, sizes, frozen = REAL[name]
    split = load()
    for part, size in zip(("train", "valid", "test"), sizes):
        counts = set(getattr(split, part).counts().values())
        assert size is None or counts == {size}
    labels = b"".join(
        getattr(split, p).labels.numpy().astype("<i8").tobytes() for p in ("train", "valid", "test")
    )
    assert hashlib.sha256(labels).hexdigest()[:16] == frozen
