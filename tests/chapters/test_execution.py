"""One chapter in its kernel: what stops it, what it may reach, and where its notebook may go."""

import json
import os
import subprocess
from pathlib import Path

import pytest

from lib.base import project
from lib.chapters import execution, kernels

BURN = """import os, subprocess, sys, time
from pathlib import Path
burn = "import time\\nwhile time.process_time() < 60: pass"
process = subprocess.Popen([sys.executable, "-c", burn])
Path("burning").write_text(str(process.pid))
process.wait()"""
SOCKETS = """from pathlib import Path
links = [str(link.readlink()) for link in Path("/proc/self/fd").iterdir() if link.is_symlink()]
own = {link[8:-1] for link in links if link.startswith("socket:[")}
tables = [Path(f"/proc/net/{name}").read_text().splitlines()[1:] for name in ("tcp", "tcp6")]
lines = [line.split() for table in tables for line in table]
print("listening:", sum(line[3] == "0A" and line[9] in own for line in lines))"""


def outputs(path):
    cells = [cell for cell in json.loads(path.read_text())["cells"] if cell["cell_type"] == "code"]
    return ["".join(text for output in cell["outputs"] for text in output.get("text", ())) for cell in cells]


def test_what_is_over_is_said_with_how_long_it_had_really_run(small, tmp_path):
    small("x = 1", BURN)
    message = (
        r"chapter one stopped, 1 s allowed a cell \(--timeout\): it used too much time, "
        r"after \d+\.\d s of processor time, \d+ s by the clock, in cell 3:\nimport os"
    )
    with pytest.raises(execution.ChapterError, match=message) as found:
        execution.execute("one", timeout=1)
    assert list(found.value.cells) == [0, 1, 2]
    burning = int((tmp_path / "burning").read_text())
    assert kernels._state(burning) in {"", "Z"}, "it has ended, waited for or not"


def test_a_kernel_that_dies_is_named(small):
    small("import os\nos._exit(1)")
    with pytest.raises(execution.ChapterError, match=r"chapter one stopped: its kernel died, with \d+ MiB"):
        execution.execute("one")


@pytest.mark.parametrize("end", ["import sys\nsys.exit(0)", "raise SystemExit"])
def test_a_cell_that_ends_the_program_is_an_error(small, tmp_path, end):
    small(f"print(1)\n{end}", "print('the number that matters')")
    with pytest.raises(execution.ChapterError, match=r"chapter one (failed|stopped)"):
        execution.execute("one")
    assert not execution.executed("one").exists()


def test_a_cell_that_asks_the_kernel_to_end_loses_nothing(small):
    small("print(1)\nexit()", "print(2)")
    assert outputs(execution.execute("one")) == ["1\n", "2\n"]


def test_a_kernel_is_private_and_runs_the_lib_beside_the_book(small):
    small(
        "import lib, os, torch\nprint(lib.__file__, torch.get_num_threads(), os.environ['OMP_WAIT_POLICY'])",
        SOCKETS,
    )
    path = execution.execute("one")
    threads = os.environ["OMP_NUM_THREADS"]
    # The one port is a way in for what the kernel's children print; its outputs come through no port.
    assert outputs(path) == [f"{project.PACKAGE}/__init__.py {threads} passive\n", "listening: 1\n"]


def test_a_warning_about_a_damaged_record_goes_to_the_builder_and_not_to_the_page(small, tmp_path, capsys):
    record = tmp_path / "secret" / "record"
    code = f"""from pathlib import Path
from lib.engine import store
import sys, warnings
print("before", file=sys.stderr)
print(store.once(Path({str(record)!r}), lambda: b"a", bytes))
warnings.warn("another warning")"""
    small(code)
    record.parent.mkdir()
    record.write_text("damaged")
    (text,) = outputs(execution.execute("one"))
    assert "secret" not in text
    assert "before" in text
    assert "UserWarning: another warning" in text
    assert f"chapter one: {record} is damaged" in capsys.readouterr().err


@pytest.mark.parametrize("name", ["book/words.md", "lib/tables.py", "_toc.yml", "results/a.json", "noted"])
def test_only_a_notebook_may_be_written(tmp_path, name):
    place = tmp_path / name
    place.parent.mkdir(exist_ok=True)
    place.write_text("a source")
    with pytest.raises(ValueError, match="is not the name of a notebook: name another, such as"):
        execution.check_place(place)
    (tmp_path / "link.ipynb").symlink_to(place)
    with pytest.raises(ValueError, match="is not the name of a notebook"):
        execution.check_place(tmp_path / "link.ipynb")
    assert place.read_text() == "a source"


def test_what_git_keeps_is_not_overwritten(tmp_path):
    git = ["git", "-C", tmp_path, "-c", "user.name=x", "-c", "user.email=x@x"]
    subprocess.run(["git", "init", "-q", tmp_path], check=True)
    for name in ("kept.ipynb", "own.ipynb"):
        (tmp_path / name).write_text("{}")
    subprocess.run([*git, "add", "kept.ipynb"], check=True)
    with pytest.raises(ValueError, match="is kept by git, and would be overwritten"):
        execution.check_place(tmp_path / "kept.ipynb")
    execution.check_place(tmp_path / "own.ipynb")
    execution.check_place(tmp_path / "new" / "own.ipynb")


def test_a_folder_in_place_of_an_executed_notebook_is_removed(small):
    small("print(1)")
    (execution.executed("one") / "inside").mkdir(parents=True)
    assert execution.about("one") == {}
    assert outputs(execution.execute("one")) == ["1\n"]


def test_the_damaged_state_of_an_executed_notebook_counts_as_none(small):
    small("print(1)")
    for content in ("[]", "null", "3", '{"metadata": []}', '{"metadata": {"transferability": 1}}', "\0"):
        Path(execution.EXECUTED).mkdir(parents=True, exist_ok=True)
        execution.executed("one").write_text(content)
        assert execution.about("one") == {}, content
