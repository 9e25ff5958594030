"""One list of requirements, pyproject.toml: environment.yml refers to it, what is installed satisfies it."""

import importlib.metadata
import tomllib

import pytest
import yaml
from packaging.requirements import Requirement

from lib.chapters import doctor
from lib.engine import fingerprint

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


@pytest.mark.parametrize("extra", ["", "book", "test"])
def test_what_is_installed_satisfies_pyproject(extra):
    for line in PROJECT["dependencies"] if not extra else EXTRAS[extra]:
        wanted = Requirement(line)
        assert wanted.specifier.contains(importlib.metadata.version(wanted.name)), line


def test_every_requirement_has_a_limit():
    for line in [*PROJECT["dependencies"], *EXTRAS["book"], *EXTRAS["test"]]:
        assert Requirement(line).specifier, f"{line} has no version"


def test_what_lib_imports_is_required():
    """Every package that a file of `lib` imports comes with the project (or with an extra)."""
    by_package = importlib.metadata.packages_distributions()
    required = {Requirement(line).name for line in PROJECT["dependencies"]}
    brought = {"jupytext", "papermill", "nbclient", "jupyter-cache", "myst-nb"}  # by the extra `book`
    brought |= {"nbformat", "myst-parser"}  # and with them
    for path in sorted(fingerprint.PACKAGE.rglob("*.py")):
        own = {"execution.py": brought, "cluster.py": {"distributed"}}  # by the extras `book` and `cluster`
        allowed = required | own.get(path.name, set())
        for package in {name for name in fingerprint._imports(path) if isinstance(name, str)}:
            assert set(by_package.get(package, [package])) & allowed, f"{path.name} imports {package}"


def test_the_doctor_lists_packages_and_misses_none():
    table = str(doctor.packages())
    for line in PROJECT["dependencies"]:
        assert f"| {Requirement(line).name} |" in table
    assert doctor._version("no-such-package") == "missing"
