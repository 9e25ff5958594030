import errno
import hashlib
import http.client
import os
import signal
import ssl
import subprocess
import sys
import time
import urllib.request

import pytest
from faulty_server import CONTENT, Server

from lib.data import fetch, registry
from lib.data.entry import File

FILE = File("set.bin", "", len(CONTENT), "sha256:" + hashlib.sha256(CONTENT).hexdigest())
HASTE = fetch.Patience(attempts=3, timeout=0.5, slowest=5000, window=0.3, pause=0.01)


@pytest.fixture
def server():
    with Server() as running:
        yield running


@pytest.fixture
def bring(server, tmp_path):
    """bring(fault) downloads through that fault; returns the target."""

    def run(fault, file=FILE):
        target = tmp_path / "data" / file.name
        verify = lambda path: registry.compare(file, path)  # noqa: E731
        known = bool(file.digest)
        fetch.download(server.url(fault), target, verify, bytes=file.bytes, known=known, patience=HASTE)
        return target

    return run


def left(tmp_path):
    """What a download leaves in the folder, apart from its lock."""
    return {p.name for p in (tmp_path / "data").iterdir() if p.suffix != ".lock"}


GOOD = ("good", "drop", "drop_without_ranges", "failing", "elsewhere", "refuses_range", "mixed")


@pytest.mark.parametrize("fault", GOOD)
def test_the_right_file_arrives_in_spite_of(fault, bring, tmp_path):
    assert bring(fault).read_bytes() == CONTENT
    assert left(tmp_path) == {"set.bin"}


BAD = {
    "always_drop": "dropped at .* gave up after 3 attempts.*--mirror",
    "other_length": "offers 150,000 bytes, not the 200,000 that were published",
    "wrong": "not the published file and was removed: .*sha256",
    "changed": "not the published file and was removed",
    "gone": "404.*by hand.*--mirror",
    "forbidden": "403.*needs an account",
    "down": "503.*gave up after 3 attempts",
    "loop": "redirects without end.*--mirror",
    "drip": "bytes a second came; gave up after 3 attempts",
    "drip_header": "headers came too slowly.*gave up after 3 attempts",
    "partial_unasked": "resumed at another place; gave up",
    "partial_star": "resumed at another place; gave up",
    "partial_norange": "resumed at another place; gave up",
    "partial_odd": "resumed at another place; gave up",
    "two_lengths": "states the length '1000 and 200000'",
    "length_of_text": "states the length 'many'",
    "huge_length": "offers 999,999,999,999 bytes, not",
    "stall": "connection failed.*timed out.*gave up",
}


@pytest.mark.parametrize("fault", BAD)
def test_no_file_and_a_remedy_after(fault, bring, tmp_path):
    with pytest.raises(fetch.FetchError, match=BAD[fault]):
        bring(fault)
    assert "set.bin" not in left(tmp_path)


def test_it_goes_on_where_the_line_was_cut(bring, server):
    bring("drop")
    assert server.ranges("drop") == [None, f"bytes={len(CONTENT) // 2}-"]


def test_without_a_checksum_every_attempt_starts_over(server, tmp_path):
    """Half of one version and half of another could not be told from the file."""
    target = tmp_path / "set.bin"
    target.with_name("set.bin.part").write_bytes(b"x" * 500)
    fetch.download(server.url("mixed"), target, lambda path: None, known=False, patience=HASTE)
    assert server.ranges("mixed") == [None, None]
    assert target.read_bytes() == CONTENT


def test_a_file_whose_end_cannot_be_told_is_refused(server, tmp_path):
    with pytest.raises(fetch.FetchError, match="does not say how long"):
        fetch.download(server.url("endless"), tmp_path / "f", lambda path: None, known=False, patience=HASTE)
    assert not (tmp_path / "f").exists()


@pytest.mark.parametrize("size", [0, len(CONTENT)])
@pytest.mark.parametrize("fault", ["forever", "forever_chunked"])
def test_an_answer_without_end_is_cut(fault, size, server, tmp_path, monkeypatch):
    monkeypatch.setattr(fetch, "MOST", 2**20)
    ask = {"bytes": size, "known": bool(size) or fault == "forever", "patience": HASTE}
    with pytest.raises(fetch.FetchError, match=r"does not end|more than 200,000 bytes came"):
        fetch.download(server.url(fault), tmp_path / "data" / "f", lambda path: None, **ask)
    assert sum((tmp_path / "data" / name).stat().st_size for name in left(tmp_path)) < 2**20


FAULTS_UNKNOWN = {
    "huge_length": "offers 999,999,999,999 bytes; no file here has more",
    "html": "answers with a web page.*--mirror",
    "html_in_disguise": "answers with a web page",
    "two_lengths": "states the length",
    "partial_norange": "resumed at another place",
}


@pytest.mark.parametrize("fault", FAULTS_UNKNOWN)
def test_where_no_checksum_is_known_no_file_comes_of(fault, server, tmp_path):
    with pytest.raises(fetch.FetchError, match=FAULTS_UNKNOWN[fault]):
        fetch.download(
            server.url(fault), tmp_path / "data" / "f", lambda path: None, known=False, patience=HASTE
        )
    assert left(tmp_path) == set()


def test_a_secure_address_leads_to_no_other():
    request = urllib.request.Request("https://example.org/f")
    with pytest.raises(fetch.FetchError, match="anybody on the way could change"):
        fetch._Redirect().redirect_request(request, None, 302, "", {}, "http://example.org/f")
    assert fetch._Redirect().redirect_request(request, None, 302, "", {}, "https://example.org/g")


def test_nobody_listens(tmp_path):
    with pytest.raises(fetch.FetchError, match="the connection failed"):
        fetch.download("http://127.0.0.1:9/f", tmp_path / "f", lambda path: None, patience=HASTE)


@pytest.mark.parametrize(
    "error", [ssl.SSLError("bad record"), OSError(errno.EHOSTUNREACH, "No route to host")]
)
@pytest.mark.parametrize("when", ["opening", "reading"])
def test_an_error_of_the_line_is_tried_again_and_then_told(error, when, bring, tmp_path, monkeypatch):
    owner, name = {
        "opening": (http.client.HTTPConnection, "getresponse"),
        "reading": (http.client.HTTPResponse, "read1"),
    }[when]
    real, calls = getattr(owner, name), []

    def failing(self, *given):
        calls.append(given)
        if len(calls) <= times:
            raise error
        return real(self, *given)

    monkeypatch.setattr(owner, name, failing)
    times = 2
    assert bring("good").read_bytes() == CONTENT
    (tmp_path / "data" / "set.bin").unlink()
    times = 10**9
    with pytest.raises(fetch.FetchError, match=r"the connection failed.*gave up after 3 attempts"):
        bring("good")


def test_an_error_of_the_disk_is_no_error_of_the_line(bring, server, monkeypatch):
    def refuse(descriptor):
        raise PermissionError(errno.EACCES, "no")

    monkeypatch.setattr(fetch.os, "fsync", refuse)
    with pytest.raises(PermissionError):
        bring("good")
    assert len(server.ranges("good")) == 1, "asking again does not help"


CHILD = """
import hashlib, sys
from pathlib import Path
from lib.data import fetch, registry
from lib.data.entry import File
url, target, size, digest, room = sys.argv[1:]
if int(room):
    import resource
    resource.setrlimit(resource.RLIMIT_FSIZE, (int(room), int(room)))
file = File("set.bin", "", int(size), "sha256:" + digest)
try:
    if url.startswith("http"):
        fetch.download(url, Path(target), lambda p: registry.compare(file, p), bytes=int(size))
    else:
        fetch.copy(Path(url), Path(target), lambda p: registry.compare(file, p))
except fetch.FetchError as error:
    sys.exit(str(error))
"""


def child(url, target, room=0):
    """A download in a process of its own, with room for so many bytes a file (0: as much as there is)."""
    digest = hashlib.sha256(CONTENT).hexdigest()
    arguments = [str(url), str(target), str(len(CONTENT)), digest, str(room)]
    return subprocess.Popen([sys.executable, "-c", CHILD, *arguments], stderr=subprocess.PIPE, text=True)


@pytest.mark.parametrize("way", ["download", "copy"])
def test_a_full_disk_leaves_nothing(way, server, tmp_path):
    source = tmp_path / "source"
    source.write_bytes(CONTENT)
    target = tmp_path / "data" / "set.bin"
    process = child(server.url("good") if way == "download" else source, target, room=100_000)
    _, message = process.communicate(timeout=30)
    assert process.returncode == 1
    assert "no room for set.bin" in message
    assert "--root" in message
    assert left(tmp_path) == set()


def test_two_processes_at_once_fetch_it_once(server, tmp_path):
    target = tmp_path / "data" / "set.bin"
    pair = [child(server.url("slow"), target) for _ in range(2)]
    assert [(p.communicate(timeout=60), p.returncode)[1] for p in pair] == [0, 0]
    assert target.read_bytes() == CONTENT
    assert len(server.ranges("slow")) == 1


def test_a_killed_download_leaves_no_file_and_is_resumed(server, tmp_path):
    target = tmp_path / "data" / "set.bin"
    part = target.with_name("set.bin.part")
    process = child(server.url("slow"), target)
    while not (part.exists() and part.stat().st_size > 20_000):
        time.sleep(0.01)
        assert process.poll() is None
    os.kill(process.pid, signal.SIGKILL)
    process.communicate()
    assert left(tmp_path) == {"set.bin.part"}
    process = child(server.url("slow"), target)
    process.communicate(timeout=60)
    assert target.read_bytes() == CONTENT
    assert server.ranges("slow")[-1].startswith("bytes=")


def test_a_mirror_with_the_wrong_file_is_refused(tmp_path):
    source = tmp_path / "set.bin"
    source.write_bytes(CONTENT[:-1] + b"x")
    target = tmp_path / "data" / "set.bin"
    with pytest.raises(fetch.FetchError, match="not the published file"):
        fetch.copy(source, target, lambda path: registry.compare(FILE, path))
    assert left(tmp_path) == set()


def test_pip_refuses_an_archive_with_another_digest(tmp_path, monkeypatch):
    """A real pip, looking only at a folder with a forged archive."""
    wheels = tmp_path / "wheels"
    wheels.mkdir()
    (wheels / "vaderSentiment-3.3.2.tar.gz").write_bytes(b"forged")
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", str(wheels))
    target = tmp_path / "data" / "vaderSentiment-3.3.2.tar.gz"
    with pytest.raises(fetch.FetchError, match=r"vaderSentiment==3.3.2: .*Expected sha256 0000.*Got"):
        fetch.pip_download("vaderSentiment==3.3.2", "0" * 64, target, lambda path: None)
    assert left(tmp_path) == set()
