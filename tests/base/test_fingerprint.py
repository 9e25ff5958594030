"""The import closure: everything that a chapter reaches, nothing that it does not."""

import pytest

from lib.base import fingerprint

LAZY = """import importlib

def __getattr__(name):
    return importlib.import_module("." + name, "lib.lazy")
"""
FACE = """import pkgutil

FACE = {"far": "lib.sub.far:f", "near": "lib.sub.near"}

def __getattr__(name):
    return pkgutil.resolve_name(FACE[name])
"""
NAMED = """from importlib import import_module
import_module("lib.plain")
import_module(f"lib.sub.{1}")
"""


@pytest.fixture
def package(tmp_path, monkeypatch):
    """A package `lib` with every way to import."""
    files = {
        "__init__.py": FACE,
        "plain.py": "import math\nimport torch.nn as nn\n",
        "lonely.py": "",
        "inside.py": "def f():\n    from lib import plain\n    return plain\n",
        "sub/__init__.py": "from .near import g\n",
        "sub/near.py": "from .. import inside\n",
        "sub/far.py": "import scipy\n",
        "sub/style.css": "a",
        "lazy/__init__.py": LAZY,
        "lazy/one.py": "from ..sub import far\n",
        "named.py": NAMED,
        "loop_a.py": "from lib import loop_b\n",
        "loop_b.py": "from lib import loop_a\n",
        "room/__init__.py": 'FACE = {"fly": "lib.room.wings:fly", "swim": "lib.room.fins:swim"}',
        "room/wings.py": "import torch",
        "room/fins.py": "import scipy",
        "base/tables.py": "import sympy\nfrom lib import lonely\n",
        "engine/runs.py": "import filelock\nfrom lib.engine import results\n",
        "engine/results.py": "from lib.base import tables\n",
        "keeps.py": "from lib.engine import runs\nfrom lib.base import tables\nimport tqdm, scipy\n",
        "experiments/__init__.py": "",
        "experiments/one/record.py": "NAME = 'one'\n",
        "experiments/part.py": "",
    }
    for name, text in files.items():
        path = tmp_path / "lib" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    monkeypatch.setattr(fingerprint, "PACKAGE", tmp_path / "lib")
    monkeypatch.setattr(fingerprint, "ROOT", tmp_path)
    monkeypatch.setattr(fingerprint, "_known", {})
    return tmp_path / "lib"


ROOM = ["room/__init__.py"]
SUB = ["sub/__init__.py", "sub/near.py", "sub/style.css", "inside.py", "plain.py"]


@pytest.mark.parametrize(
    ("source", "files", "packages"),
    [
        ("import math", [], []),
        ("from lib import plain", ["plain.py"], ["torch"]),
        ("import lib.plain as p", ["plain.py"], ["torch"]),
        ("from lib.plain import nn, something", ["plain.py"], ["torch"]),
        ("def f():\n    import lib.inside", ["inside.py", "plain.py"], ["torch"]),
        ("from lib import sub", SUB, ["torch"]),
        ("from lib.sub import far", [*SUB, "sub/far.py"], ["scipy", "torch"]),
        ("from lib import lazy", [*SUB, "lazy/__init__.py", "lazy/one.py", "sub/far.py"], ["scipy", "torch"]),
        ("from lib import named", [*SUB, "named.py", "sub/far.py"], ["scipy", "torch"]),
        ("from lib.room.wings import fly", [*ROOM, "room/wings.py"], ["torch"]),
        ("from lib.room import wings", [*ROOM, "room/wings.py"], ["torch"]),
        ("from lib.room import swim", [*ROOM, "room/fins.py"], ["scipy"]),
        ("from lib import room", [*ROOM, "room/fins.py", "room/wings.py"], ["scipy", "torch"]),
        ("import lib.room", [*ROOM, "room/fins.py", "room/wings.py"], ["scipy", "torch"]),
        ("import lib\nlib.room.fly()", [*ROOM, "room/fins.py", "room/wings.py"], ["scipy", "torch"]),
        ("from lib import loop_a", ["loop_a.py", "loop_b.py"], []),
        ("from lib import nothing", [], []),
        ("import lib\nlib.far", [*SUB, "sub/far.py"], ["scipy", "torch"]),
        ("import lib as name\nname.near.g()", SUB, ["torch"]),
        ("import other as name\nname.near.g()", [], ["other"]),
        ("from lib import far as away", [*SUB, "sub/far.py"], ["scipy", "torch"]),
        ("import pkgutil\npkgutil.resolve_name('lib.sub.far:f')", [*SUB, "sub/far.py"], ["scipy", "torch"]),
        ("from lib import keeps", ["keeps.py"], ["scipy"]),
    ],
)
def test_files_and_packages(package, source, files, packages):
    assert [path.relative_to(package).as_posix() for path in fingerprint.files(source)] == sorted(files)
    assert fingerprint.third_party(source) == packages


def test_a_page_depends_on_what_it_shows_and_a_number_does_not(package):
    shown = fingerprint.files("from lib import keeps", shown=True)
    assert {path.relative_to(package).as_posix() for path in shown} == {
        "keeps.py", "engine/results.py", "base/tables.py", "lonely.py",
    }  # fmt: skip
    assert fingerprint.third_party("from lib import keeps", shown=True) == ["scipy", "sympy"]


def test_a_face_that_is_changed_is_read_again(package):
    source = "import lib\nlib.near"
    before = fingerprint.digest(source)
    (package / "__init__.py").write_text(FACE.replace("lib.sub.near", "lib.lonely"))
    assert fingerprint.files(source) == [package / "lonely.py"]
    assert fingerprint.digest(source) != before


def test_a_module_counts_itself_and_resolves_its_relative_imports(package):
    found = fingerprint.files(package / "lazy" / "one.py")
    assert {path.name for path in found} >= {"one.py", "far.py", "near.py"}
    assert package / "lonely.py" not in found


def test_the_digest_changes_with_what_is_reached_and_only_with_it(package):
    source = "from lib import sub"
    start = fingerprint.digest(source)
    (package / "lonely.py").write_text("x = 1")
    assert fingerprint.digest(source) == start
    digests = {start, fingerprint.digest(source + "\n"), fingerprint.digest(source, extra=1)}
    for name in ("plain.py", "sub/style.css"):
        (package / name).write_text("y = 2")
        digests.add(fingerprint.digest(source))
    assert len(digests) == 5


def test_the_digest_holds_the_versions_that_are_imported(package, monkeypatch):
    one, other = "from lib import plain", "from lib import lonely"
    assert fingerprint.versions(one).keys() == {"torch"}
    before = fingerprint.digest(one), fingerprint.digest(other)
    monkeypatch.setattr(fingerprint.metadata, "version", lambda name: "0.0")
    after = fingerprint.digest(one), fingerprint.digest(other)
    assert (before[0] == after[0], before[1] == after[1]) == (False, True)


def test_experiments_are_modules_with_a_name(package):
    assert fingerprint.experiments() == ["one"]
    assert fingerprint.experiments("from lib.experiments.one import record") == ["one"]
    assert fingerprint.experiments("from lib import plain") == []


def test_calls_gives_literals_and_none(package):
    (package / "plain.py").write_text("def f(x):\n    return recorded(x)\n")
    source = "from lib import plain, runs\nruns.recorded('images')\nruns.recorded()\n"
    assert sorted(fingerprint.calls(source, "recorded"), key=str) == [None, None, "images"]


def test_errors_name_the_file(package):
    (package / "plain.py").write_text("def (")
    with pytest.raises(SyntaxError, match=r"plain\.py"):
        fingerprint.files("from lib import plain")
    with pytest.raises(SyntaxError, match="no relative imports"):
        fingerprint.files("from . import plain")


def test_of_the_real_project():
    """Nothing light pulls in what is heavy; a dynamic import is seen."""
    names = {
        path.relative_to(fingerprint.PACKAGE).as_posix()
        for path in fingerprint.files("from lib.measures import jacobian")
    }
    assert "measures/jacobian.py" in names
    assert not {name.partition("/")[0] for name in names} & {"engine", "chapters", "statistics"}
    reached = set(fingerprint.files(fingerprint.PACKAGE / "engine" / "audit.py"))
    folder = fingerprint.PACKAGE / "experiments"
    images = {fingerprint.relative(path) for path in fingerprint.files(folder / "images" / "record.py")}
    assert {"attacks/projected.py", "attacks/tangent.py"} <= images
    assert not any(name.startswith("attacks/words") for name in images)
    assert "HanTa" not in fingerprint.third_party(folder / "images" / "record.py")
    assert {folder / name / "record.py" for name in fingerprint.experiments()} <= reached
