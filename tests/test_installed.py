"""`pip install .`, not editable: what works in another folder, and that nothing is written beside it."""

import json
import os
import shutil
import subprocess
import sys
import tomllib

import pytest
from packaging.requirements import Requirement

from lib.base import fingerprint

PROJECT = tomllib.loads((fingerprint.ROOT / "pyproject.toml").read_text())["project"]
NEEDED = ("torch", "numpy", "scipy")  # by the measures
OWN = {"scikit-learn": "sklearn", "scikit-image": "skimage", "pillow": "PIL"}  # import name, where it differs

MEASURE = """
import lib, torch
x = torch.rand(8, 3, 4, 4, generator=torch.Generator().manual_seed(0))
flat = torch.nn.Flatten()
source = torch.nn.Sequential(flat, torch.nn.Linear(48, 5), torch.nn.Tanh()).eval()
target = torch.nn.Sequential(flat, torch.nn.Linear(48, 3), torch.nn.Tanh()).eval()
found = lib.transferability.measure(source, target, x)
assert 0 <= found.tau1 <= 1 and 0 <= found.tau2 <= 1
J, K = (lib.jacobian.jacobians(f, x).double() for f in (source, target))
assert lib.jacobian.top_singular(source, x).sigma.shape == (8, 2)
assert lib.bounds.proposition_2(J, K).lower <= lib.bounds.proposition_2(J, K).upper
assert lib.attacks.pgd(source, x, 0.1, 2).shape == lib.attacks.virtual(source, x, 0.1).shape == x.shape
assert lib.estimators.logme(x.flatten(1), torch.arange(8) % 2) < 0
print(lib.__version__, lib.__file__)
"""
RANK = """
x = torch.rand(40, 3, 8, 8, generator=torch.Generator().manual_seed(0))
ranking = lib.rank({"a": lambda z: z.mean((2, 3)), "b": lambda z: z.amax((2, 3))}, (x, torch.arange(40) % 2),
                   normalise="inside", attacked=4, repeats=3, steps=1)
print(sorted(ranking.names))
"""
BY_NAME = """
try:
    lib.rank(["resnet18"], (x, torch.arange(40) % 2))
except ModuleNotFoundError as error:
    print(error)
"""


COMMANDS = """
import contextlib, io, json, sys
from lib.__main__ import main
found = []
for arguments in json.loads(sys.argv[1]):
    out, err = io.StringIO(), io.StringIO()
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
        code = main(arguments)
    found.append([code, out.getvalue(), err.getvalue()])
print(json.dumps(found))
"""


@pytest.fixture(scope="module")
def site(tmp_path_factory):
    """A bare folder into which a wheel of the project was installed."""
    here = tmp_path_factory.mktemp("installed")
    source = here / "source"
    source.mkdir()
    for name in ("pyproject.toml", "README.md", "LICENSE"):
        shutil.copy(fingerprint.ROOT / name, source)
    shutil.copytree(fingerprint.PACKAGE, source / "lib", ignore=shutil.ignore_patterns("__pycache__"))
    options = ["--quiet", "--no-deps", "--no-index", "--no-build-isolation", "--no-compile"]
    pip = [sys.executable, "-m", "pip", "install", *options, "--target", here / "site", source]
    subprocess.run(pip, check=True, capture_output=True)
    return here / "site"


def away(site, folder, *arguments):
    """Python from another folder, with the installed library and without the settings of the tests."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("TRANSFER_")}
    kept |= {"PYTHONPATH": str(site), "PYTHONDONTWRITEBYTECODE": "1", "TRANSFER_PROGRESS": "0"}
    command = [sys.executable, *arguments]
    done = subprocess.run(command, cwd=folder, env=kept, capture_output=True, text=True, check=False)
    return done.returncode, done.stdout, done.stderr


def without(*packages):
    """Code that makes them look as if they were not installed."""
    names = [OWN.get(name, name.replace("-", "_")) for name in packages]
    return f"import sys\nsys.modules.update(dict.fromkeys({names!r}))\n"


def everything():
    lines = [
        *PROJECT["dependencies"],
        *(line for each in PROJECT["optional-dependencies"].values() for line in each),
    ]
    return {Requirement(line).name for line in lines} - {"packaging"}


def test_the_measures_need_torch_numpy_and_scipy_alone(site, tmp_path):
    own_needs = {"sympy", "filelock"}  # torch's
    code = without(*sorted(everything() - set(NEEDED) - own_needs)) + MEASURE
    status, out, err = away(site, tmp_path, "-c", code)
    assert status == 0, err
    assert str(site) in out, "the installed library, not the project's"


def test_lib_rank_needs_no_extra_for_modules_and_names_it_for_names(site, tmp_path):
    core = {Requirement(line).name for line in PROJECT["dependencies"]} | {"sympy"}
    status, out, err = away(
        site, tmp_path, "-c", without(*sorted(everything() - core)) + MEASURE + RANK + BY_NAME
    )
    assert status == 0, err
    assert "['a', 'b']" in out
    assert "torchvision is not installed: it comes with the extra 'ranking'" in out


def test_commands_away_from_the_project(site, tmp_path):
    before = sorted(site.rglob("*"))
    works = ([], ["data"], ["results"], ["run", "pairs", "-p", "seeds", "1", "--record", "mine"])
    refused = (["verdict"], ["chapters"], ["chapters", "refresh"], ["chapters", "build"])
    status, out, err = away(site, tmp_path, "-c", COMMANDS, json.dumps([*works, *refused]))
    assert status == 0, err
    answers = json.loads(out.splitlines()[-1])
    for arguments, (code, said, complaint) in zip([*works, *refused], answers, strict=True):
        if arguments in refused:
            assert (code, said, complaint.count("\n")) == (2, "", 1), arguments
            assert complaint.startswith("error: no book in ")
        else:
            assert (code, complaint) == (0, ""), arguments
    assert "| pairs |" in answers[0][1]
    assert [path.name for path in (tmp_path / "results").iterdir()] == ["pairs-quick-mine.json"]
    assert sorted(site.rglob("*")) == before, "nothing is written beside the installed library"


def test_it_starts_as_a_module(site, tmp_path):
    status, out, err = away(site, tmp_path, "-m", "lib", "--help")
    assert (status, err) == (0, "")
    assert "python -m lib" in out
