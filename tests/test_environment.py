"""One list of requirements, pyproject.toml: environment.yml refers to it, what is installed satisfies it."""

import importlib.metadata
import re
import tomllib

import pytest
import yaml
from packaging.requirements import Requirement

from lib.base import fingerprint
from lib.chapters import doctor

PROJECT = tomllib.loads((fingerprint.ROOT / "pyproject.toml").read_text())["project"]
EXTRAS = PROJECT["optional-dependencies"]
CONDA = yaml.safe_load((fingerprint.ROOT / "environment.yml").read_text())


def test_conda_gets_everything_from_pyproject():
    names = [entry for entry in CONDA["dependencies"] if isinstance(entry, str)]
    (pip,) = [entry["pip"] for entry in CONDA["dependencies"] if isinstance(entry, dict)]
    assert [name.partition("=")[0] for name in names] == ["python", "pip", "make"]  # and no other versions
    (requirement,) = [Requirement(line.removeprefix("-e ").replace(".[", "x[")) for line in pip]
    assert requirement.extras >= {"book", "test"}
    assert requirement.extras <= EXTRAS.keys()


def test_condas_python_is_one_that_pyproject_accepts():
    (python,) = [entry for entry in CONDA["dependencies"] if str(entry).startswith("python=")]
    accepted = Requirement(f"python{PROJECT['requires-python']}").specifier
    assert python.partition("=")[2].lstrip("=") + ".0" in accepted


def names(lines):
    return {Requirement(line).name.lower() for line in lines}


@pytest.mark.parametrize("extra", ["", "ranking", "book", "test"])
def test_what_is_installed_satisfies_pyproject(extra):
    for line in PROJECT["dependencies"] if not extra else EXTRAS[extra]:
        wanted = Requirement(line)
        assert wanted.specifier.contains(importlib.metadata.version(wanted.name)), line


@pytest.mark.parametrize("line", [*PROJECT["dependencies"], *EXTRAS["ranking"]])
def test_a_library_asks_for_floors_only(line):
    """Another project's models live in the same environment: an upper limit would be in its way."""
    assert [each.operator for each in Requirement(line).specifier] == [">="]


@pytest.mark.parametrize("line", [*EXTRAS["book"], *EXTRAS["test"]])
def test_the_book_asks_for_the_versions_that_made_it(line):
    assert all(each.operator in ("==", "<", ">=") for each in Requirement(line).specifier)
    assert any(each.operator in ("==", "<") for each in Requirement(line).specifier), f"{line} has no limit"


def test_the_book_pins_all_that_can_change_a_number():
    pinned = names(EXTRAS["book"])
    used = names(PROJECT["dependencies"]) | names(EXTRAS["ranking"])
    assert used - pinned == {"tqdm", "filelock", "pydantic"}


def test_what_lib_imports_is_required():
    """Every package that a file of `lib` imports comes with the project (or with an extra)."""
    by_package = importlib.metadata.packages_distributions()
    required = names(PROJECT["dependencies"]) | names(EXTRAS["ranking"]) | names(EXTRAS["book"])
    required |= {"nbformat", "myst-parser", "jupyter_core", "jupyter_client"}  # with the extra `book`
    for path in sorted(fingerprint.PACKAGE.rglob("*.py")):
        allowed = required | ({"distributed"} if path.name == "cluster.py" else set())
        for package in {name for name in fingerprint._imports(path) if isinstance(name, str)}:
            brought = {name.lower() for name in by_package.get(package, [package])}
            assert brought & allowed, f"{path.name} imports {package}"


def locked():
    """{name: version} of requirements/book.txt, each with hashes."""
    text = (fingerprint.ROOT / "requirements/book.txt").read_text()
    found = re.findall(r"^([\w.-]+)==(\S+) .*\\\n    --hash=sha256:\w{64}", text, re.MULTILINE)
    assert len(found) == text.count("==")
    return dict(found)


@pytest.mark.parametrize("line", [*PROJECT["dependencies"], *EXTRAS["book"], *EXTRAS["test"]])
def test_the_lock_file_has_what_pyproject_asks_for(line):
    wanted = Requirement(line)
    assert wanted.specifier.contains(locked()[wanted.name.lower()]), f"{line}: make lock"


def test_the_lock_file_names_no_address():
    assert "://" not in (fingerprint.ROOT / "requirements/book.txt").read_text()


def test_the_doctor_lists_packages_and_misses_none():
    table = str(doctor.packages())
    for line in PROJECT["dependencies"]:
        assert f"| {Requirement(line).name} |" in table
    assert doctor._version("no-such-package") == "missing"
