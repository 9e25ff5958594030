"""A full disk, a tree that cannot be written, no home, a clock set back, an endless loop."""

import hashlib
import os
import re
import resource
import subprocess
import time
from contextlib import contextmanager

import pytest
from toyproject import BIN, CHAPTER

BUILD = (str(BIN / "jupyter-book"), "build", "book/", "-W", "-n", "--keep-going")
RUN = ("-m", "lib", "run", "toy", "--preset", "reduced")


@contextmanager
def mounted(place, *options):
    """Something mounted at a folder, where this user may do that."""
    place.mkdir(exist_ok=True)
    done = subprocess.run(["mount", *options, str(place)], capture_output=True, check=False)
    if done.returncode:
        pytest.skip("mounting is not permitted here")
    try:
        yield place
    finally:
        subprocess.run(["umount", "--lazy", str(place)], check=True)


def whole(folder):
    """No draft is left, and no file is cut short."""
    for path in folder.rglob("*.json"):
        checksum, _, content = path.read_bytes().partition(b"\n")
        assert hashlib.sha256(content).hexdigest().encode() == checksum
    return not list(folder.rglob("*.tmp"))


def test_files_that_may_not_grow(project):
    """As a full disk: every write beyond 200 bytes fails."""
    limit = {"preexec_fn": lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (200, 200))}
    process = project.start(*RUN, **limit)
    _, err = process.communicate(timeout=300)
    assert process.returncode == 2
    assert err.startswith("error: [Errno 27] File too large; make room")
    assert "TRANSFER_RUNS" in err
    assert whole(project.root / "_runs")
    assert "8 records" in project.python(*RUN)


@pytest.mark.torture
def test_a_full_disk(book, tmp_path):
    with mounted(tmp_path / "small", "-t", "tmpfs", "-o", "size=256k", "tmpfs") as small:
        book.environment["TRANSFER_RUNS"] = str(small)
        (small / "filler").write_bytes(bytes(236 * 1024))
        assert "No space left on device" in book.python(*RUN, code=2)
        assert whole(small)
        (small / "filler").unlink()
        assert "8 records" in book.python(*RUN)
    del book.environment["TRANSFER_RUNS"]
    build = book.root / "_build"
    with mounted(build, "-t", "tmpfs", "-o", "size=1m", "tmpfs"):
        process = book.start(*BUILD)
        out, err = process.communicate(timeout=300)
        assert process.returncode
        assert "No space left on device" in out + err
        subprocess.run(["mount", "-o", "remount,size=200m", str(build)], check=True)
        book.python(*BUILD)
        assert "all there" in book.python("-m", "lib", "chapters", "check")


@pytest.mark.torture
def test_a_tree_that_cannot_be_written(book, tmp_path):
    book.environment["PYTHONDONTWRITEBYTECODE"] = "1"
    with mounted(book.root, "--bind", str(book.root)):
        subprocess.run(["mount", "-o", "remount,ro,bind", str(book.root)], check=True)
        book.environment["TOY_LOG"] = str(tmp_path / "log")
        out = book.python(*RUN, code=2)
        assert "Read-only file system" in out
        assert "name another folder for stored runs in TRANSFER_RUNS" in out
        assert "error: " in book.python("-m", "lib", "chapters", "refresh", code=2)
        book.environment["TRANSFER_RUNS"] = str(tmp_path / "runs")
        assert "8 records" in book.python(*RUN)
        book.python("-m", "lib", "chapters", "run", "numbers", "-o", str(tmp_path / "out.ipynb"))
        assert "the value is 84 of 4" in (tmp_path / "out.ipynb").read_text()


def of_the_user(book, home):
    """What a user has: a home, and nothing that says to look elsewhere."""
    for name in ("XDG_CACHE_HOME", "XDG_CONFIG_HOME", "XDG_DATA_HOME", "MPLCONFIGDIR", "IPYTHONDIR"):
        book.environment.pop(name, None)
    for name in ("JUPYTER_RUNTIME_DIR", "JUPYTER_PREFER_ENV_PATH", "JUPYTER_DATA_DIR"):
        book.environment.pop(name, None)
    book.environment["HOME"] = str(home)


@pytest.mark.torture
def test_no_home(book):
    """The home is no folder, so nothing can be written there, not even by root."""
    of_the_user(book, os.devnull)
    book.edit("book/words.md", "import os", "import os\nimport matplotlib.pyplot")
    book.python(*BUILD)
    assert "all there" in book.python("-m", "lib", "chapters", "check")
    assert "temporary" not in (book.root / "_build/html/words.html").read_text(), "matplotlib's warning"


@pytest.mark.torture
def test_a_home_with_a_kernel_and_a_start_up_file_of_its_own_changes_nothing(book, tmp_path):
    of_the_user(book, tmp_path)
    startup = tmp_path / ".ipython/profile_default/startup"
    startup.mkdir(parents=True)
    (startup / "mine.py").write_text("round = print\n")
    kernel = tmp_path / ".local/share/jupyter/kernels/python3"
    kernel.mkdir(parents=True)
    (kernel / "kernel.json").write_text('{"argv": ["false"], "display_name": "mine", "language": "python"}')
    book.python(*BUILD)
    assert "the value is 84 of 4" in (book.root / "_build/html/numbers.html").read_text()


def test_a_clock_set_back(project):
    """Files are younger than now; and what is edited is older than what was there."""
    for path in (project.root / "lib").rglob("*.py"):
        os.utime(path, (4e9, 4e9))
    code = "import os, warnings; from lib.engine import runs; from lib.experiments.toy import record as toy\n"
    code += "first = runs.run(toy, toy.PRESETS['quick']); again = runs.run(toy, toy.PRESETS['quick'])\n"
    code += "open('lib/answer.py', 'a').write('# edited'); os.utime('lib/answer.py', (1e9, 1e9))\n"
    code += "print(len(list(os.scandir('_runs/toy'))))\n"
    code += "runs.run(toy, toy.PRESETS['quick'])\n"
    code += "print(len(list(os.scandir('_runs/toy'))))\n"
    out = project.python("-c", code)
    assert out.startswith("1\n1\n"), "nothing was stored after the edit"
    assert "lib/answer.py changed after this process" in out
    assert project.log.read_text().count("seed 0") == 2, "once, read back once, and again after the edit"


@pytest.mark.torture
def test_a_clock_set_back_before_a_build(book):
    book.python(*BUILD)
    book.edit("book/intro.md", "Front", "Another front")
    os.utime(book.root / "book/intro.md", (1e9, 1e9))
    book.edit("lib/answer.py", "42", "142")
    os.utime(book.root / "lib/answer.py", (1e9, 1e9))
    book.python(*BUILD)
    assert "Another front" in (book.root / "_build/html/intro.html").read_text()
    assert "the value is 284" in (book.root / "_build/html/numbers.html").read_text()


@pytest.mark.torture
def test_an_endless_loop_is_stopped_in_time_and_named(book, tmp_path):
    last = tmp_path / "last"
    loop = f"""
```{{code-cell}} ipython3
from pathlib import Path
while True:
    Path("{last}").touch()
```
"""
    (book.root / "book" / "loop.md").write_text(CHAPTER.format(title="Loop") + loop)
    out = book.python("-m", "lib", "chapters", "run", "loop", "--timeout", "3", code=2)
    assert "error: chapter loop stopped, 3 s allowed a cell" in out
    took = float(re.search(r"after ([\d.]+) s of processor time", out)[1])
    assert 3 < took < 5, f"the error names 3 s, the cell had {took:.1f}"
    ended = last.stat().st_mtime_ns
    time.sleep(1)
    assert last.stat().st_mtime_ns == ended, "the kernel is still at work"
    assert not list((book.root / "_build").rglob("loop*"))


@pytest.mark.torture
@pytest.mark.parametrize("threads", ["1", "2"])
def test_threads_of_the_user_are_respected(project, threads):
    project.environment["OMP_NUM_THREADS"] = threads
    project.python(*RUN, "--processes", "2", "--record", "kept")
    text = (project.root / "results" / "toy-reduced-kept.json").read_text()
    assert '"threads": 1,' in text, "two processes share one or two threads"
