"""A build where the system itself has no network: nothing that it starts, Python or not, can reach one."""

import subprocess
import sys

import pytest
from toyproject import BIN, ROOT, pages

CUT = str(ROOT / "tests" / "offline" / "cut.py")
BUILD = (str(BIN / "jupyter-book"), "build", "book/", "-W", "-n", "--keep-going")
pytestmark = pytest.mark.torture


@pytest.fixture(autouse=True)
def _possible():
    done = subprocess.run([sys.executable, CUT, "true"], capture_output=True, text=True, check=True)
    if "cannot be cut here" in done.stderr:
        pytest.skip("this system lets nobody make a network of his own")


def test_no_program_reaches_anything_but_this_machine():
    server = "import socket; s = socket.create_server(('127.0.0.1', 0)); "
    local = server + "socket.create_connection(s.getsockname(), 5)"
    assert subprocess.run([sys.executable, CUT, sys.executable, "-c", local], check=False).returncode == 0
    command = [sys.executable, CUT, "bash", "-c", "exec 3<>/dev/udp/192.0.2.1/53"]  # sends nothing by itself
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode
    assert "Network is unreachable" in done.stderr


def test_a_build(book):
    book.python(*BUILD)
    expected = pages(book)
    for made in ("_build", "_runs"):
        (book.root / made).rename(book.root / f"{made}-before")
    book.python(CUT, sys.executable, *BUILD)
    assert pages(book) == expected
    assert "all there" in book.python("-m", "lib", "chapters", "check")
