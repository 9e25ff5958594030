import gzip
import hashlib
import os
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from lib.data import cache, commands, fetch, registry
from lib.data.entry import File

PROJECT = Path(__file__).resolve().parents[1]
SCRIPTS = sorted(p for p in (PROJECT / "data_scripts").glob("*.py") if p.stem != "__main__")
LINES = gzip.compress(b'{"text": "a", "label": 0}\n' * 3)


@pytest.fixture
def root(tmp_path, monkeypatch):
    place = tmp_path / "data"
    monkeypatch.setenv("TRANSFER_DATA", str(place))
    return place


@pytest.fixture
def mirror(tmp_path):
    place = tmp_path / "mirror"
    place.mkdir()
    return place


@pytest.fixture
def liar(mirror, monkeypatch):
    """LIAR in small: one file of three lines, in the mirror."""
    (mirror / "liar.jsonl.gz").write_bytes(LINES)
    digest = "sha256:" + hashlib.sha256(LINES).hexdigest()
    file = File("liar.jsonl.gz", "", len(LINES), digest, ("lines", 3))
    monkeypatch.setitem(registry.CATALOGUE, "liar", replace(registry.get("liar"), files=(file,), items=3))
    return file


def run(*arguments):
    command = [sys.executable, *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, cwd=PROJECT, timeout=60)


def test_every_data_set_has_one_script_and_every_script_a_data_set():
    named = {}
    for script in SCRIPTS:
        call = script.read_text().split("script(")[1].split(")")[0]
        for name in call.replace('"', "").split(", "):
            assert named.setdefault(name, script.name) == script.name
    assert set(named) == set(registry.CATALOGUE)
    for name, script in named.items():
        assert registry.get(name).command == f"python data_scripts/{script}"


@pytest.mark.parametrize(
    "script", [SCRIPTS[0], PROJECT / "data_scripts" / "cifar10.py"], ids=lambda p: p.stem
)
def test_a_script_has_the_shared_command_line(script):
    shown = run(script, "--help")
    assert shown.returncode == 0
    for option in ("--root", "--mirror", "--check", "--force"):
        assert option in shown.stdout


def test_the_whole_preset_in_one_command(tmp_path):
    """The real files are not here, so every one of them is asked for, and the command fails."""
    (tmp_path / "mirror").mkdir()
    done = run(
        "-m", "data_scripts", "images/reduced", "--mirror", tmp_path / "mirror", "--root", tmp_path / "data"
    )
    assert done.returncode == 1
    for name in ("cifar10_jpg", "tinyimagenet32", "natural_images"):
        assert f"{name}: {tmp_path / 'mirror'} has no" in done.stderr
    assert run("-m", "data_scripts", "imagse").returncode == 1


def test_it_takes_the_files_from_a_mirror(root, mirror, liar, capsys):
    assert commands.script("liar", arguments=["--mirror", str(mirror)]) == 0
    assert (root / "liar" / "liar.jsonl.gz").read_bytes() == LINES
    assert commands.script("liar", arguments=["--check"]) == 0
    assert "as published, 3 items" in capsys.readouterr().out
    (mirror / "liar.jsonl.gz").unlink()
    assert commands.script("liar", arguments=[]) == 0  # it is here: nothing is asked of the mirror
    assert "is here" in capsys.readouterr().out


def test_a_mirror_may_have_a_folder_for_each_set(root, mirror, liar):
    (mirror / "liar").mkdir()
    (mirror / "liar.jsonl.gz").rename(mirror / "liar" / "liar.jsonl.gz")
    assert commands.script("liar", arguments=["--mirror", str(mirror)]) == 0
    assert registry.present("liar")


def test_the_root_may_be_named(tmp_path, root, mirror, liar):
    elsewhere = tmp_path / "elsewhere"
    assert commands.script("liar", arguments=["--mirror", str(mirror), "--root", str(elsewhere)]) == 0
    assert registry.present("liar", elsewhere)
    assert not registry.present("liar")


DAMAGE = {
    "flipped bit": (lambda c: c[:20] + bytes([c[20] ^ 1]) + c[21:], "sha256 is"),
    "truncated": (lambda c: c[:-5], "bytes, but"),
    "longer": (lambda c: c + b"x", "bytes, but"),
}


@pytest.mark.parametrize("damage", DAMAGE)
def test_check_finds_a_file_that_is(damage, root, mirror, liar, capsys):
    commands.script("liar", arguments=["--mirror", str(mirror)])
    place = root / "liar" / "liar.jsonl.gz"
    stat = place.stat()
    change, words = DAMAGE[damage]
    place.write_bytes(change(LINES))
    os.utime(place, ns=(stat.st_atime_ns, stat.st_mtime_ns))  # as a failing disk does it
    assert commands.script("liar", arguments=["--check"]) == 1
    assert words in capsys.readouterr().out
    assert commands.script("liar", arguments=["--force", "--mirror", str(mirror)]) == 0
    assert commands.script("liar", arguments=["--check"]) == 0


def test_check_counts(root, mirror, monkeypatch, capsys):
    """A file without a published digest may be whole and still hold too little."""
    (mirror / "train.csv").write_bytes(b"id,text\n1,a\n")
    entry = replace(registry.get("fake_news"), files=(File("train.csv", holds=("rows", 2)),))
    monkeypatch.setitem(registry.CATALOGUE, "fake_news", entry)
    assert commands.script("fake_news", arguments=["--mirror", str(mirror)]) == 0
    assert commands.script("fake_news", arguments=["--check"]) == 1
    assert "holds 1 rows, not 2" in capsys.readouterr().out


def test_check_finds_a_decoded_copy_that_changed(root, mirror, liar, capsys):
    commands.script("liar", arguments=["--mirror", str(mirror)])
    place = cache.folder("liar", "decoded", lambda folder: (folder / "x.bin").write_bytes(b"one"))
    assert commands.script("liar", arguments=["--check"]) == 0
    (place / "x.bin").write_bytes(b"two")
    assert commands.script("liar", arguments=["--check"]) == 1
    assert "x.bin has changed" in capsys.readouterr().out


def test_check_of_what_is_not_here_names_the_remedy(root, liar, capsys):
    assert commands.script("liar", arguments=["--check"]) == 1
    assert "is not here. Take it from a folder that has it" in capsys.readouterr().out
    assert not root.exists()  # a check fetches nothing


def test_force_takes_a_new_first_download(root, mirror, monkeypatch, capsys):
    (mirror / "train.csv").write_bytes(b"id\n1\n")
    monkeypatch.setitem(
        registry.CATALOGUE, "fake_news", replace(registry.get("fake_news"), files=(File("train.csv"),))
    )
    arguments = ["--mirror", str(mirror)]
    assert commands.script("fake_news", arguments=arguments) == 0
    (root / "fake_news" / "train.csv").write_bytes(b"id\n2\n3\n")
    assert commands.script("fake_news", arguments=arguments) == 1
    assert "the first download had" in capsys.readouterr().err
    (mirror / "train.csv").write_bytes(b"id\n2\n3\n")
    assert commands.script("fake_news", arguments=[*arguments, "--force"]) == 0
    assert commands.script("fake_news", arguments=["--check"]) == 0


def test_force_keeps_the_old_file_until_the_new_one_is_here(root, mirror, liar, capsys):
    commands.script("liar", arguments=["--mirror", str(mirror)])
    (mirror / "liar.jsonl.gz").write_bytes(b"wrong")
    assert commands.script("liar", arguments=["--mirror", str(mirror), "--force"]) == 1
    assert "not the published file" in capsys.readouterr().err
    assert (root / "liar" / "liar.jsonl.gz").read_bytes() == LINES


def test_what_needs_an_account_says_so(root, capsys):
    assert commands.script("celeba", "celeba_299", arguments=[]) == 1
    shown = capsys.readouterr().err
    assert "Agree to the terms at https://" in shown
    assert "--mirror FOLDER" in shown


def test_the_variant_that_the_mirror_holds_is_taken(root, mirror, monkeypatch):
    (mirror / "small.tar.gz").write_bytes(b"x")
    entry = replace(registry.get("cifar10_jpg"), files=(File("small.tar.gz"),))
    monkeypatch.setitem(registry.CATALOGUE, "cifar10_jpg", entry)
    assert commands.script("cifar10", "cifar10_jpg", arguments=["--mirror", str(mirror)]) == 0
    assert registry.present("cifar10_jpg")
    with pytest.raises(SystemExit):
        commands.script("cifar10", "cifar10_jpg", arguments=["--variant", "cifar100"])


def test_a_mirror_that_is_no_folder_is_refused(capsys):
    with pytest.raises(SystemExit):
        commands.script("liar", arguments=["--mirror", "/no/such/folder"])
    assert "is not a folder" in capsys.readouterr().err


def test_an_address_is_used_where_there_is_no_mirror(root, monkeypatch, capsys):
    monkeypatch.setitem(
        registry.CATALOGUE,
        "cifar10",
        replace(registry.get("cifar10"), files=(File("f", "http://127.0.0.1:9/f"),)),
    )
    with pytest.raises(fetch.FetchError, match=r"127.0.0.1:9/f: the connection failed"):
        commands.obtain(registry.get("cifar10"), root, patience=fetch.Patience(attempts=1))


def test_nothing_outside_the_project_is_named():
    for script in [*SCRIPTS, *(PROJECT / "lib" / "data").glob("*.py")]:
        assert "/shared" not in script.read_text()


def test_the_real_set_is_as_published():
    """One small real file, all the way: present, hashed, counted."""
    if not registry.present("taskonomy_affinity"):
        pytest.skip("taskonomy_affinity is not here: python data_scripts/taskonomy.py --mirror FOLDER")
    assert commands.check(registry.get("taskonomy_affinity"), registry.root()) == []
