"""What goes stale: a line is edited in a copy of the project, and all that it can change has another key.

And nothing escapes: whatever a record's code loads is in its key or cannot change a number, which is said
here name by name.
"""

import ast
import json
import shutil
import subprocess
import sys

import pytest

from lib.base import fingerprint
from lib.chapters import execution

RECORDS = fingerprint.experiments()
# All that the code of a record may take from files outside its key, and why that changes no number.
TAKEN = {
    "base/devices.py": {"resolve_device", "at_most_threads"},  # the kind is in the key, the door sets threads
    "base/fingerprint.py": {"digest"},  # of the code that made arrays: others are made anew
    "data/registry.py": {
        "path", "root", "location",  # a file whose sha256 is in the key, or an error
        "present", "digest", "sha256", "get",  # what is here: the same data, or another key
        "remembered",  # a note beside arrays: of which bytes they were made
        "needed", "Needed", "remedy", "Missing", "Corrupt",  # what to say where it is not
    },
    "data/entry.py": {"Dataset", "File"},
    "engine/parameters.py": "*",  # refuses values; those that it lets pass are in the key
    "engine/runs.py": {"step", "only", "timed", "seconds", "inside"},  # what the function gives
    "engine/experiment.py": "*",  # types
    "engine/results.py": {"Record", "Result"},  # types
}  # fmt: skip


@pytest.fixture(scope="module")
def package(tmp_path_factory):
    """A copy of lib that may be edited, and that the fingerprint reads."""
    root = tmp_path_factory.mktemp("copy")
    shutil.copytree(fingerprint.PACKAGE, root / "lib", ignore=shutil.ignore_patterns("__pycache__"))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(fingerprint, "PACKAGE", root / "lib")
        yield root / "lib"


def record(package, name):
    return package / "experiments" / name / "record.py"


def steps(package):
    """{file: names} of the functions that are stored steps."""
    found = {}
    for path in sorted((package / "experiments").rglob("*.py")):
        tree = ast.parse(path.read_text())
        for call in (node for node in ast.walk(tree) if isinstance(node, ast.Call)):
            name = getattr(call.func, "attr", getattr(call.func, "id", None))
            if name == "step" and len(call.args) > 1:
                function = call.args[1]
                file, own = home(package, tree, path, function)
                found.setdefault(file, set()).add(own)
    return found


def home(package, tree, path, function):
    """(file, name) of a function as it is written in the file `path`."""
    first = function.value.id if isinstance(function, ast.Attribute) else function.id
    for node in ast.walk(tree):
        for alias in node.names if isinstance(node, ast.ImportFrom) else ():
            if first == (alias.asname or alias.name):
                module = package.parent.joinpath(*node.module.split("."))
                inner = module / f"{alias.name}.py"
                return inner if inner.exists() else module.with_suffix(".py"), getattr(
                    function, "attr", first
                )
    return path, first


@pytest.fixture(scope="module")
def keys(package):
    """{record, step or chapter: what it depends on}, as the copy is now."""
    code = {
        name: execution._python(execution.code_cells(execution.notebook(name))) for name in execution.names()
    }

    def now():
        found = {f"record {name}": fingerprint.digest(record(package, name)) for name in RECORDS}
        for file in steps(package):
            found[f"step {fingerprint.relative(file)}"] = fingerprint.digest(file)
        return found | {f"page {name}": fingerprint.digest(text, shown=True) for name, text in code.items()}

    return now


def edited(path):
    path.write_text(path.read_text() + "\n# edited\n")


WITHOUT_RUNS = {"data", "definitions", "intro", "propositions", "theorem_1"}
EVERYTHING = {"cluster", "running"}  # pages that count the records of every experiment
IMAGES = {"attributes", "images", "tasks", "models"}  # pages on attacks on images
TASKS = ["tasks/learning.py", "tasks/record.py"]  # readings, with what they import
STALE = {  # what is edited: (records, files of stored steps, pages) that go stale
    "attacks/words/stop_words.py": ("text", ["text/attacking.py"], {"text", *EVERYTHING}),
    "data/catalogue.py": ("", [], {*IMAGES, "text", "data", "verdict", *EVERYTHING}),
    "base/tables.py": ("", [], set(execution.names())),
    "experiments/images/figures.py": ("", [], {"images", "running"}),
    "engine/runs.py": ("", [], set()),
    "engine/store.py": ("", [], set()),
    "base/progress.py": ("", [], set(execution.names()) - WITHOUT_RUNS),
    "__main__.py": ("", [], set()),
    "measures/estimators.py": (
        "attributes images tasks text",
        ["attributes/record.py", *TASKS],
        {*IMAGES, "text", "verdict", *EVERYTHING},
    ),
    "attacks/projected.py": (
        "attributes images tasks",
        [
            "attributes/attacking.py",
            "attributes/record.py",
            "images/attacking.py",
            "tasks/attacking.py",
            *TASKS,
        ],
        {*IMAGES, *EVERYTHING},
    ),
    "models/resnet.py": (
        "attributes images tasks",
        [
            "attributes/attacking.py",
            "attributes/networks.py",
            "attributes/record.py",
            "images/networks.py",
            "tasks/attacking.py",
            "tasks/networks.py",
            *TASKS,
        ],
        {*IMAGES, "verdict", *EVERYTHING},
    ),
}


@pytest.mark.parametrize("file", STALE)
def test_one_line_is_edited_and_exactly_this_goes_stale(package, keys, file):
    before, text = keys(), (package / file).read_text()
    edited(package / file)
    after = keys()
    (package / file).write_text(text)
    assert before.keys() == after.keys()
    records, files, pages = STALE[file]
    expected = {f"record {name}" for name in records.split()} | {f"page {name}" for name in pages}
    expected |= {f"step experiments/{name}" for name in files}
    assert {name for name in after if after[name] != before[name]} == expected


def test_every_file_of_a_record_is_in_its_key(package):
    """One file after the other is edited; each time exactly the records that reach it have another key."""
    closures = {name: set(fingerprint.files(record(package, name))) for name in RECORDS}
    before = {name: fingerprint.digest(record(package, name)) for name in RECORDS}
    for path in sorted(set().union(*closures.values())):
        text = path.read_text()
        edited(path)
        after = {name: fingerprint.digest(record(package, name)) for name in RECORDS}
        reached = {name for name in RECORDS if path in closures[name]}
        assert {name for name in RECORDS if after[name] != before[name]} == reached, path
        path.write_text(text)


LOADED = """
import json, pathlib, sys

sys.path.insert(0, "")
from importlib import import_module

name, run = sys.argv[1:]
record = import_module(f"lib.experiments.{name}.record")
if run:
    from lib.engine import runs

    config = record.PRESETS["quick"]
    runs.fresh(record, config, record.jobs(config)[0])
root = pathlib.Path.cwd()
loaded = [m.__file__ for n, m in sys.modules.items() if n.partition(".")[0] == "lib"]
print(json.dumps([pathlib.Path(file).relative_to(root).as_posix() for file in loaded]))
"""


@pytest.mark.parametrize("name", RECORDS)
def test_what_a_record_loads_is_in_its_key_or_can_change_no_number(package, name):
    """Looked at from the other side: what Python has loaded, after a job too where one is quick."""
    program = [sys.executable, "-c", LOADED, name, "run" if name == "pairs" else ""]
    loaded = json.loads(subprocess.check_output(program, text=True, cwd=package.parent))
    files = {package.parent / file for file in loaded} - set(fingerprint.files(record(package, name)))
    assert [path for path in files if not fingerprint.outside(path)] == []


def test_the_code_of_records_takes_nothing_from_outside_that_could_be_a_number(package):
    taken = {}
    for name in RECORDS:
        for path in fingerprint.files(record(package, name)):
            for file, names in imported(path).items() if path.suffix == ".py" else ():
                if fingerprint.outside(file):
                    taken.setdefault(fingerprint.relative(file), set()).update(names)
    unknown = {
        file: names - set(TAKEN.get(file, ())) for file, names in taken.items() if TAKEN.get(file) != "*"
    }
    assert {file: names for file, names in unknown.items() if names} == {}


def imported(path):
    """{file of lib: names} that a file takes from others, by `from file import name` or `file.name`.

    What cannot be followed name by name counts as "*": a module that is handed on or given another name, and
    `import lib.room.file`.
    """
    found, modules, tree = {}, {}, ast.parse(path.read_text())
    for node in ast.walk(tree):
        for alias in node.names if isinstance(node, ast.Import | ast.ImportFrom) else ():
            base = fingerprint._absolute(node, path) if isinstance(node, ast.ImportFrom) else ""
            module, room = file_of(f"{base}.{alias.name}".strip(".")), file_of(base)
            if module and base:
                modules[alias.asname or alias.name] = module
            elif module or room:
                found.setdefault(module or room, set()).add(alias.name if room else "*")
    followed = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Attribute) and getattr(node.value, "id", None) in modules:
            followed.add(node.value)
            found.setdefault(modules[node.value.id], set()).add(node.attr)
    for node in ast.walk(tree):
        if isinstance(node, ast.Name) and node.id in modules and node not in followed:
            found.setdefault(modules[node.id], set()).add("*")
    return found


def file_of(dotted):
    """The file of `lib.room.file` or of the package `lib.room`; None for what is no module of lib."""
    stem = fingerprint.PACKAGE.parent.joinpath(*dotted.split("."))
    places = (stem.with_suffix(".py"), stem / "__init__.py") if dotted.partition(".")[0] == "lib" else ()
    return next((place for place in places if place.exists()), None)


ROUNDABOUT = {
    "an import as": "import lib.base.paper as printed\n",
    "another name": "from lib.base import paper\nprinted = paper\n",
    "handed on": "from lib.base import paper\nX = getattr(paper, 'TEXT')\n",
    "relative": "from ...base.paper import TEXT\n",
    "a room's own": "from lib.engine.places import HERE\n",
    "everything": "from lib.base.paper import *\n",
    "two steps": "from lib import base\nX = base.paper.TEXT\n",
}


@pytest.mark.parametrize("way", ROUNDABOUT)
def test_no_way_around_is_unseen(package, way):
    path = package / "experiments/pairs/roundabout.py"
    path.write_text(ROUNDABOUT[way])
    taken = {fingerprint.relative(file): names for file, names in imported(path).items()}
    path.unlink()
    assert any(names - set(TAKEN.get(file, ())) for file, names in taken.items() if file != "__init__.py")


def test_what_is_outside_exists():
    for place in [
        *fingerprint.OUTSIDE,
        *fingerprint.HIDDEN,
        fingerprint.DRAWS,
        fingerprint.CAPTIONS,
        *TAKEN,
    ]:
        assert (fingerprint.PACKAGE / place).exists(), place
