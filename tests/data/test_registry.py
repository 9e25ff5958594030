import hashlib
import os
import re
from pathlib import Path

import pytest
from torchvision import datasets

from lib.data import registry
from lib.data.catalogue import CATALOGUE
from lib.data.entry import File
from lib.data.originals import ORIGINALS

PROJECT = Path(__file__).resolve().parents[2]


def test_the_root_is_named_by_the_environment(monkeypatch, tmp_path):
    monkeypatch.setenv("TRANSFER_DATA", str(tmp_path))
    assert registry.root() == tmp_path
    monkeypatch.delenv("TRANSFER_DATA")
    assert registry.root() == PROJECT / "data"


@pytest.mark.parametrize("entry", CATALOGUE.values(), ids=CATALOGUE.keys())
def test_an_entry_is_complete(entry):
    assert entry.what
    assert entry.licence
    assert entry.source
    assert entry.items > 0
    assert entry.files or entry.packaged
    assert {use.split("/")[0] for use in entry.used_by} <= {"images", "text", "attributes", "tasks"}
    assert {use.split("/")[1] for use in entry.used_by} <= {"quick", "reduced", "paper"}
    for file in entry.files:
        assert re.fullmatch(r"(sha256:[0-9a-f]{64}|md5:[0-9a-f]{32})?", file.digest)
        assert re.match(r"(https?://|pip:|$)", file.url)
        assert file.url or entry.manual or file.bytes  # no address: by hand, or packed and known
    assert (PROJECT / "data_scripts" / Path(entry.command.split()[1]).name).exists()


def test_substitutes_say_what_they_lack():
    substitutes = [d for d in CATALOGUE.values() if any(use.endswith("/reduced") for use in d.used_by)]
    same = {"covid_posts", "counterfitting_constraints", "taskonomy_affinity"}
    assert {d.name for d in substitutes if not d.lacks} <= same
    assert all(d.bytes and d.digest for entry in substitutes for d in entry.files)


def test_each_preset_has_its_data():
    for experiment in ("images", "text", "attributes", "tasks"):
        for preset in ("reduced", "paper"):
            assert registry.for_use(f"{experiment}/{preset}")
    assert {d.name for d in registry.for_use("images/quick")} == {"digits"}
    assert {d.name for d in registry.for_use("quick")} == {"digits", "vader", "minilm"}


def test_digests_of_originals_are_torchvisions():
    digests = {file.digest.removeprefix("md5:") for d in ORIGINALS for file in d.files}
    assert datasets.CIFAR10.tgz_md5 in digests
    assert datasets.STL10.tgz_md5 in digests
    wanted = {
        "img_align_celeba.zip",
        "list_attr_celeba.txt",
        "identity_CelebA.txt",
        "list_eval_partition.txt",
    }
    assert {md5 for _, md5, name in datasets.CelebA.file_list if name in wanted} <= digests


def test_unknown_names_are_answered_with_the_known():
    with pytest.raises(ValueError, match=r"no data set is called 'cifar'; known: .*cifar10_jpg"):
        registry.get("cifar")
    with pytest.raises(ValueError, match=r"imdb_train.jsonl.gz, imdb_test.jsonl.gz; got 'x'"):
        registry.location("imdb_part", "x")


def test_absent_present_and_digest(tiny, root):
    assert not registry.present("cifar10_jpg")
    assert registry.digest("cifar10_jpg") is None
    tiny("cifar10_jpg", {"a": b"one"}, 1)
    assert registry.present("cifar10_jpg")
    assert registry.digest("cifar10_jpg") == hashlib.sha256(b"one").hexdigest()
    assert not registry.present("cifar10_jpg", root / "elsewhere")


def test_the_digest_of_several_files_changes_with_each(tiny):
    tiny("imdb_part", {"a": b"one", "b": b"two"}, 2)
    both = registry.digest("imdb_part")
    tiny("imdb_part", {"a": b"one", "b": b"three"}, 2)
    assert both != registry.digest("imdb_part") is not None


def test_a_packaged_set_is_here_and_hashed():
    assert registry.present("digits")
    assert registry.digest("digits") == registry.sha256(registry.path("digits"))


def test_a_file_is_hashed_again_when_it_changes(tiny, root):
    entry = tiny("cifar10_jpg", {"a": b"one"}, 1)
    place = root / "cifar10_jpg" / "a"
    first = registry.digest("cifar10_jpg")
    place.write_bytes(b"two")  # as long as before
    os.utime(place, ns=(1, 1))
    assert registry.digest("cifar10_jpg") != first
    with pytest.raises(registry.Corrupt, match=r"sha256 is .*was published.*--force"):
        registry.path("cifar10_jpg")
    place.write_bytes(b"longer")
    with pytest.raises(registry.Corrupt, match="has 6 bytes, but 3 were published"):
        registry.verify(entry.files[0], place)


def test_a_turned_bit_under_the_old_time_is_found_on_opening(tiny, root, monkeypatch):
    tiny("cifar10_jpg", {"a": b"one"}, 1)
    place = registry.path("cifar10_jpg")
    time = place.stat()
    place.write_bytes(b"onf")
    os.utime(place, ns=(time.st_atime_ns, time.st_mtime_ns))
    monkeypatch.setattr(registry, "_opened", set())  # as in another process
    with pytest.raises(registry.Corrupt, match="was published"):
        registry.path("cifar10_jpg")


ODD = [
    "[]",
    "null",
    "{",
    "7",
    '{"a": []}',
    '{"a": null}',
    '{"a": {"bytes": 3, "mtime_ns": %d}}',
    '{"a": {"sha256": 3}}',
]


@pytest.mark.parametrize("odd", ODD)
def test_checksums_of_another_shape_are_no_checksums(odd, tiny, root):
    tiny("cifar10_jpg", {"a": b"one"}, 1)
    place = registry.path("cifar10_jpg")
    record = place.with_name(registry.RECORD)
    record.write_text(odd.replace("%d", str(place.stat().st_mtime_ns)))
    with pytest.warns(UserWarning, match=r"^cifar10_jpg/checksums.json.* is damaged"):
        assert registry.digest("cifar10_jpg") == hashlib.sha256(b"one").hexdigest()
    assert registry.digest("cifar10_jpg") == hashlib.sha256(b"one").hexdigest()  # and it is written anew


def test_what_nobody_has_published_is_held_to_its_first_download(tmp_path):
    place, file = tmp_path / "a", File("a")
    place.write_bytes(b"one")
    assert registry.verify(file, place) == hashlib.sha256(b"one").hexdigest()
    place.write_bytes(b"two")
    os.utime(place, ns=(1, 1))
    for _ in range(2):  # and it does not get used to the change
        with pytest.raises(registry.Corrupt, match="the first download had"):
            registry.verify(file, place)
    registry.forget(place)
    assert registry.verify(file, place) == hashlib.sha256(b"two").hexdigest()


def test_a_read_only_root_is_read(tiny, root, monkeypatch):
    tiny("cifar10_jpg", {"a": b"one"}, 1)
    monkeypatch.setattr(
        Path, "write_text", lambda *a, **k: (_ for _ in ()).throw(PermissionError("read only"))
    )
    assert registry.digest("cifar10_jpg") == hashlib.sha256(b"one").hexdigest()


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("cifar10", "Fetch it: python data_scripts/cifar10.py"),
        ("cifar10_jpg", "python data_scripts/cifar10.py --mirror FOLDER"),
        ("celeba", "Agree to the terms at https://.*quota.*python data_scripts/celeba.py --mirror FOLDER"),
        ("fake_news", "Kaggle account.*python data_scripts/fake_news.py --mirror FOLDER"),
        ("digits", "Install the package sklearn"),
    ],
)
def test_the_remedy_says_what_to_do(name, words):
    assert re.search(words, registry.remedy(registry.get(name)))
