import pickle

import numpy as np
import pytest
import torch
from packed import picture, tar, zipped
from PIL import Image

from lib.data import faces, registry
from lib.data.formats import faces as facefiles
from lib.data.formats.pixels import rgb

NAMES = ["Bald", "Male"]
PEOPLE = 12


def packed(order=None):
    """The packed CelebA: 12 people with 4 images each, one of them with two faces in it."""
    rows, members = [], []
    for n in range(PEOPLE * 4):
        members.append((f"celeba/img/{n:06d}.jpg", picture(n, (96, 96))))
        flags = f"{1 if n % 3 else -1},{1 if n % 2 else -1}"
        rows.append(f"{n:06d}.jpg,{100 + n % PEOPLE},{2 if n == 5 else 1},0.9,20,1.5,{flags}")
    meta = "image,identity,n_faces,det_prob,eye_px,align_rms," + ",".join(NAMES) + "\n" + "\n".join(rows)
    members = [members[i] for i in order] if order is not None else members
    return tar([("celeba/meta.csv", meta.encode()), *members]), dict(members)


def test_celeba_is_split_by_people_and_without_crowds(tiny):
    content, members = packed()
    tiny("celeba_299", {"celeba.tar.gz": content}, PEOPLE * 4)
    split = faces.celeba(test_identities=0.25)
    train, test = set(split.train.identities.tolist()), set(split.test.identities.tolist())
    assert (len(train), len(test)) == (9, 3)
    assert not train & test
    assert len(split.train) + len(split.test) == PEOPLE * 4 - 1
    pixels = {rgb(c).tobytes(): int(name[-10:-4]) for name, c in members.items()}
    for part in (split.train, split.test):
        for image, identity, flags in zip(part.images, part.identities, part.attributes):
            n = pixels[image.numpy().tobytes()]
            assert n != 5  # two faces
            assert identity == 100 + n % PEOPLE
            assert flags.tolist() == [n % 3 != 0, n % 2 != 0]
    assert split.train.names == NAMES
    share = split.train.attributes[:, 0].double().mean().item()
    assert faces.balance(split.train)["Bald"] == pytest.approx(share)


def test_the_parts_are_views_of_one_map(tiny):
    tiny("celeba_299", {"celeba.tar.gz": packed()[0]}, PEOPLE * 4)
    split = faces.celeba()
    assert split.train.images.untyped_storage().data_ptr() == split.test.images.untyped_storage().data_ptr()


def test_the_people_held_out_do_not_depend_on_the_order(tiny):
    tiny("celeba_299", {"celeba.tar.gz": packed()[0]}, PEOPLE * 4)
    first = faces.celeba()
    order = np.random.default_rng(0).permutation(PEOPLE * 4)
    tiny("celeba_299", {"celeba.tar.gz": packed(order)[0]}, PEOPLE * 4)
    second = faces.celeba()
    assert torch.equal(first.test.images, second.test.images)
    assert torch.equal(first.train.identities, second.train.identities)


def test_a_missing_face_is_noticed(tiny):
    tiny("celeba_299", {"celeba.tar.gz": packed(range(PEOPLE * 4 - 1))[0]}, PEOPLE * 4)
    with pytest.raises(registry.Corrupt, match="47 faces are listed, but 46 images came"):
        faces.celeba()


def test_celeba_as_published(tiny):
    images = {f"{n:06d}.jpg": picture(n, (178, 218)) for n in range(1, 9)}
    attributes = "8\nBald Male\n" + "\n".join(
        f"{name}  {1 if int(name[:6]) % 2 else -1}  -1" for name in images
    )
    people = "\n".join(f"{name} {1 + int(name[:6]) % 4}" for name in images)
    files = {
        "img_align_celeba.zip": zipped([(f"img_align_celeba/{n}", c) for n, c in images.items()]),
        "list_attr_celeba.txt": attributes.encode(),
        "identity_CelebA.txt": people.encode(),
        "list_eval_partition.txt": b"",
    }
    tiny("celeba", files, 8)
    split = faces.celeba("original", test_identities=0.5)
    assert split.train.images.shape == (4, 3, 64, 64)
    middle = {}
    for name, content in images.items():
        square = Image.fromarray(rgb(content).transpose(1, 2, 0)).crop((0, 20, 178, 198))
        middle[
            np.asarray(square.resize((64, 64), Image.Resampling.BILINEAR)).transpose(2, 0, 1).tobytes()
        ] = int(name[:6])
    for part in (split.train, split.test):
        for image, identity, flags in zip(part.images, part.identities, part.attributes):
            n = middle[image.numpy().tobytes()]
            assert (identity, flags[0]) == (1 + n % 4, n % 2 == 1)


@pytest.fixture
def people(tiny):
    tiny("celeba_299", {"celeba.tar.gz": packed()[0]}, PEOPLE * 4)
    return faces.celeba(test_identities=0.5).test


def test_pairs_are_balanced_true_and_distinct(people):
    pairs = faces.pairs(people, 30, folds=5)
    same = people.identities[pairs.index[:, 0]] == people.identities[pairs.index[:, 1]]
    assert torch.equal(same, pairs.same)
    assert (pairs.index[:, 0] != pairs.index[:, 1]).all()
    assert len({tuple(sorted(pair)) for pair in pairs.index.tolist()}) == 60
    for fold in range(5):
        assert pairs.same[pairs.fold == fold].sum() == 6
        assert (~pairs.same[pairs.fold == fold]).sum() == 6
    again = faces.pairs(people, 30, folds=5)
    assert torch.equal(again.index, pairs.index)
    assert not torch.equal(faces.pairs(people, 30, folds=5, seed=1).index, pairs.index)


def test_too_many_pairs_are_refused(people):
    with pytest.raises(ValueError, match="pairs of the same person were asked for"):
        faces.pairs(people, 1000)
    with pytest.raises(ValueError, match="a multiple of the folds"):
        faces.pairs(people, 11)


def test_lfw_pairs():
    listing = "2\t1\nAnn\t1\t2\nAnn\t1\tBob\t3\nCid\t4\t5\nAnn\t2\tCid\t1\n"
    assert facefiles.lfw_pairs(listing) == [
        ("Ann_0001", "Ann_0002", True, 0),
        ("Ann_0001", "Bob_0003", False, 0),
        ("Cid_0004", "Cid_0005", True, 1),
        ("Ann_0002", "Cid_0001", False, 1),
    ]
    with pytest.raises(ValueError, match="3 pairs, but its head says 2 folds of 2"):
        facefiles.lfw_pairs(listing.rsplit("\n", 2)[0])


def test_lfw(tiny):
    listing = "2\t1\nAnn\t1\t2\nAnn\t1\tBob\t1\nBob\t1\t2\nAnn\t2\tBob\t2\n"
    members = {
        f"{name}_{i:04d}": picture(i + 10 * len(name), (96, 96))
        for name in ("Ann", "Bobby", "Bob")
        for i in (1, 2)
    }
    content = [(f"lfw/{stem[:-5]}/{stem}.jpg", c) for stem, c in members.items()]
    tiny("lfw_96", {"lfw.tar.gz": tar([("lfw/pairs.txt", listing.encode()), *content])}, 6)
    pairs = faces.lfw()
    left, right = pairs.images[pairs.index[1]]
    np.testing.assert_array_equal(left, rgb(members["Ann_0001"]))
    np.testing.assert_array_equal(right, rgb(members["Bob_0001"]))
    assert pairs.same.tolist() == [True, False, True, False]
    assert pairs.fold.tolist() == [0, 0, 1, 1]


@pytest.mark.parametrize("kind", [bytes, np.ndarray])
def test_insightfaces_format(kind, tiny):
    """Encoded images as bytes (as written by Python 2) or as arrays of bytes."""
    encoded = [picture(n, (112, 112)) for n in range(40)]
    stored = encoded if kind is bytes else [np.frombuffer(c, np.uint8) for c in encoded]
    content = pickle.dumps((stored, [n % 2 == 0 for n in range(20)]), 2)
    tiny("face_benchmarks", {f"{n}.bin": content for n in faces.BENCHMARKS}, 140)
    pairs = faces.benchmark("cfp_fp")
    np.testing.assert_array_equal(pairs.images[pairs.index[3, 1]], rgb(encoded[7]))
    assert pairs.same.tolist() == [n % 2 == 0 for n in range(20)]
    assert pairs.fold.tolist() == [n // 2 for n in range(20)]
    with pytest.raises(ValueError, match="got 'megaface'"):
        faces.benchmark("megaface")


def test_insightface_with_the_wrong_number_of_images(tiny):
    content = pickle.dumps(([picture(0)] * 3, [True]), 2)
    tiny("face_benchmarks", {f"{n}.bin": content for n in faces.BENCHMARKS}, 1)
    with pytest.raises(registry.Corrupt, match="3 images for 1 pairs"):
        faces.benchmark("lfw")


def test_released_accuracies(tiny):
    tiny("face_verification", {"a.csv": b"model,LFW,mean\nBald,0.5,0.25\n"}, 1)
    assert faces.released() == [{"model": "Bald", "LFW": 0.5, "mean": 0.25}]


def test_wrong_requests(tiny):
    with pytest.raises(ValueError, match="'299' and 'original'; got '300'"):
        faces.celeba("300")
    with pytest.raises(ValueError, match="between 0 and 1"):
        faces.celeba(test_identities=60)


def test_the_real_celeba():
    if not registry.present("celeba_299"):
        pytest.skip("celeba_299 is not here: python data_scripts/celeba.py --mirror FOLDER")
    split = faces.celeba()
    assert (len(split.train), len(split.test), len(split.train.names)) == (4_762, 1_265, 40)
    assert len(split.test.identities.unique()) == 60


def test_the_real_lfw():
    if not registry.present("lfw_96"):
        pytest.skip("lfw_96 is not here: python data_scripts/lfw.py --mirror FOLDER")
    pairs = faces.lfw()
    assert pairs.images.shape == (13_233, 3, 96, 96)
    assert torch.bincount(pairs.fold[pairs.same]).tolist() == [300] * 10
    assert torch.bincount(pairs.fold[~pairs.same]).tolist() == [300] * 10
