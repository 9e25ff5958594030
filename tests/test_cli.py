"""`python -m lib`: what a user types, and what they get."""

import subprocess
import sys

import pytest

from lib import __main__ as cli
from lib import audit, chapters


def run(capsys, *arguments):
    code = cli.main(arguments)
    return code, *capsys.readouterr()


def test_the_list_names_experiments_presets_and_chapters(capsys):
    code, out, _ = run(capsys)
    assert code == 0
    assert "| rbf | quick, reduced, paper |" in out
    assert "chapters: " + ", ".join(chapters.names()) in out


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["run", "rfb"], "no experiment is called 'rfb'; there are: "),
        (["run", "rbf", "-p", "widht", "3"], "Did you mean 'widths'?"),
        (["run", "rbf", "-p", "seeds", "many"], "seeds must be int, not 'many'"),
        (["run", "rbf", "-p", "seeds", "0"], "seeds = 0"),
        (["run", "rbf", "--preset", "huge"], "preset 'huge' is not one of rbf's"),
        (["run", "rbf", "-p", "device", "tpu"], "device 'tpu' is not known"),
        (["run", "rbf", "--processes", "0"], "processes = 0 must be at least 1"),
        (["run", "rbf", "--processes", "2", "--scheduler", "tcp://a:1"], "not both"),
        (["run", "rbf", "--scheduler", "localhost"], "write it as tcp://host:port"),
        (["chapters", "run", "running", "--timeout", "0"], "timeout = 0 must be a positive"),
        (["chapters", "refresh", "--timeout", "-1"], "timeout = -1 must be a positive"),
        (["chapters", "run", "none"], "no chapter is called 'none'"),
        (["chapters", "run", "../README"], "no chapter is called '../README'"),
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
    for arguments in (["rnu"], ["run", "rbf", "--presets", "quick"], ["run"]):
        with pytest.raises(SystemExit) as stopped:
            cli.main(arguments)
        assert stopped.value.code == 2
    assert "unrecognised: --presets quick" in capsys.readouterr().err


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
    code, _, err = run(capsys, "run", "theory", "-p", "seeds", "1")
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


def test_data_lists_and_checks(capsys):
    code, out, _ = run(capsys, "data")
    assert code == 0
    assert "| digits | yes | package |" in out
    code, out, _ = run(capsys, "data", "digits", "--check")
    assert (code, out) == (0, "digits: as published, 1,797 items\n")


def test_doctor_tells_machine_packages_data_and_needs(capsys):
    code, out, _ = run(capsys, "doctor")
    assert code == 0
    for part in ("| torch | ==2.14", "| threads |", "| stl10 |", "| images | paper |", "| theory | quick |"):
        assert part in out


def test_it_starts_as_a_module():
    out = subprocess.check_output([sys.executable, "-m", "lib", "--help"], text=True)
    assert all(command in out for command in ("run", "results", "chapters", "data", "doctor"))
