"""What the project does not do: reach the network, unpickle freely, run strings, trust unknown bytes."""

import ast
import os
import re
import subprocess
import sys

import pytest

from lib.base import fingerprint
from lib.chapters import execution
from lib.data.catalogue import CATALOGUE

OFFLINE = fingerprint.ROOT / "tests" / "offline"
CODE = sorted(
    path for name in ("lib", "data_scripts", "benchmarks") for path in (fingerprint.ROOT / name).rglob("*.py")
)
PICKLES = {  # who may read a pickle, and why
    "lib/data/formats/unpickle.py": "names only arrays and plain values",
}
WEIGHTS = (".pth", ".pt", ".bin", ".safetensors", ".onnx", ".whl")


def name_of(node):
    """`a.b.c` for a chain of attributes."""
    parts = []
    while isinstance(node, ast.Attribute):
        parts.insert(0, node.attr)
        node = node.value
    return ".".join([node.id, *parts]) if isinstance(node, ast.Name) else ".".join(["", *parts])


def option(call, name):
    """The value of a keyword that is written out, else None."""
    return next((ast.literal_eval(k.value) for k in call.keywords if k.arg == name and _plain(k.value)), None)


def _plain(node):
    return isinstance(node, ast.Constant)


def real_names(tree):
    """{name as used: name as defined}: `from pickle import loads as read` gives {"read": "pickle.loads"}."""
    found = {}
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom) and node.module:
            found |= {alias.asname or alias.name: f"{node.module}.{alias.name}" for alias in node.names}
        if isinstance(node, ast.Import):
            found |= {alias.asname: alias.name for alias in node.names if alias.asname}
    return found


def dangers(source, file=""):
    """What in a file's source acts on data or strings as if they were programs."""
    found, tree = [], ast.parse(source)
    real = real_names(tree)
    for call in (node for node in ast.walk(tree) if isinstance(node, ast.Call)):
        first, dot, rest = name_of(call.func).partition(".")
        name = real.get(first, first) + dot + rest
        if name == "torch.load" and option(call, "weights_only") is not True:
            found.append(f"{name} without weights_only=True")
        if name == "torch.hub.load_state_dict_from_url" and option(call, "check_hash") is not True:
            found.append(f"{name} without check_hash=True")
        if re.fullmatch(
            r"(c?pickle|dill|cloudpickle|marshal|joblib|shelve)\.(load|loads|open|Unpickler)", name
        ):
            found += [] if file in PICKLES else [name]
        if re.fullmatch(r"(numpy|np)\.load", name) and option(call, "allow_pickle"):
            found.append(f"{name} with allow_pickle")
        if name in (
            "yaml.load",
            "yaml.unsafe_load",
            "pandas.read_pickle",
            "torch.hub.load",
            "torch.jit.load",
        ):
            found.append(name)
        if name in (
            "eval",
            "exec",
            "os.system",
            "os.popen",
            "subprocess.getoutput",
            "subprocess.getstatusoutput",
        ):
            found.append(name)
        if option(call, "shell") or option(call, "trust_remote_code") or option(call, "verify") is False:
            found.append(f"{name} with shell, trust_remote_code or without verification")
        if name.endswith(".extractall") and option(call, "filter") != "data":
            found.append(f"{name} without filter='data'")
    return found


def test_no_data_and_no_string_is_run_as_a_program():
    found = {str(p.relative_to(fingerprint.ROOT)): p.read_text(encoding="utf-8") for p in CODE}
    assert len(found) > 100
    found |= {
        f"chapter {name}": execution._python(execution.code_cells(execution.notebook(name)))
        for name in execution.names()
    }
    assert {file: wrong for file, source in found.items() if (wrong := dangers(source, file))} == {}


@pytest.mark.parametrize(
    "line",
    [
        "torch.load(f)",
        "torch.load(f, weights_only=False)",
        "torch.load(f, weights_only=flag)",
        "pickle.load(f)",
        "pickle.loads(b)",
        "joblib.load(f)",
        "np.load(f, allow_pickle=True)",
        "yaml.load(text)",
        "eval(text)",
        "os.system(f'ls {name}')",
        "subprocess.run(text, shell=True)",
        "requests.get(url, verify=False)",
        "AutoModel.from_pretrained(name, trust_remote_code=True)",
        "archive.extractall(folder)",
        "from pickle import loads as read; read(b)",
        "from os import system; system(text)",
        "from torch import load; load(f)",
        "import pickle as p; p.Unpickler(f).load()",
        "import subprocess as s; s.getoutput(text)",
        "torch.hub.load_state_dict_from_url(url)",
        "import pandas as pd; pd.read_pickle(f)",
    ],
)
def test_the_search_finds_each_danger(line):
    assert len(dangers(line)) == 1


def test_the_search_lets_the_careful_forms_pass():
    careful = "torch.load(f, weights_only=True); model.eval(); np.load(f); subprocess.run([a], shell=False)"
    assert dangers(careful) == []


def test_every_weight_that_is_fetched_is_pinned_by_sha256():
    weights = [(d.name, f) for d in CATALOGUE.values() for f in d.files if f.name.endswith(WEIGHTS)]
    assert {"bert", "taskbank", "minilm"} <= {name for name, _ in weights}
    pictures = {"face_benchmarks"}  # insightface's .bin files are pairs of pictures, not weights
    loose = [
        f"{name}/{f.name}"
        for name, f in weights
        if name not in pictures and not re.fullmatch(r"sha256:[0-9a-f]{64}", f.digest)
    ]
    assert loose == []


def test_what_nobody_has_pinned_is_fetched_over_https():
    """`pip:` goes through pip, which checks; plain http is left to a file whose digest is known."""
    files = [f for d in CATALOGUE.values() for f in d.files if f.url and not f.url.startswith("pip:")]
    assert len(files) > 30
    assert [f.url for f in files if not f.digest and not f.url.startswith("https://")] == []


# --- the network ------------------------------------------------------------------------------------------


@pytest.fixture
def offline(tmp_path):
    """Run Python without a network; returns (exit status, output, what it tried to reach)."""

    def run(*command):
        log = tmp_path / "tried.log"
        environment = {k: v for k, v in os.environ.items() if not k.lower().endswith("_proxy")}
        environment |= {
            "PYTHONPATH": f"{OFFLINE}{os.pathsep}{fingerprint.ROOT}",
            "TRANSFER_OFFLINE_LOG": str(log),
        }
        done = subprocess.run(
            [sys.executable, *command],
            cwd=fingerprint.ROOT,
            env=environment,
            capture_output=True,
            text=True,
            timeout=500,
        )
        tried = log.read_text().splitlines() if log.exists() else []
        return done.returncode, done.stdout + done.stderr, tried

    return run


def test_without_a_network_every_attempt_is_refused_and_written_down(offline):
    program = """
import socket, urllib.request
attempts = [
    lambda: socket.create_connection(("192.0.2.1", 80), 1),
    lambda: socket.socket().connect(("192.0.2.2", 80)),
    lambda: socket.socket(socket.AF_INET6).connect_ex(("2001:db8::1", 80, 0, 0)),
    lambda: socket.socket(type=socket.SOCK_DGRAM).sendto(b"x", ("192.0.2.3", 53)),
    lambda: urllib.request.urlopen("https://example.org", timeout=1),
]
for attempt in attempts:
    try:
        attempt()
    except OSError as error:
        assert "no network here" in str(error), error
    else:
        raise SystemExit("an attempt went through")
"""
    code, output, tried = offline("-c", program)
    assert code == 0, output
    hosts = ["192.0.2.1", "192.0.2.2", "2001:db8::1", "192.0.2.3", "example.org"]
    assert [line.split()[0].rpartition(":")[0] for line in tried] == hosts


def test_without_a_network_this_machine_can_be_reached(offline):
    program = """
import socket
server = socket.create_server(("127.0.0.1", 0))
socket.create_connection(server.getsockname(), 5).close()
socket.create_connection(("localhost", server.getsockname()[1]), 5).close()
"""
    assert offline("-c", program) == (0, "", [])


@pytest.mark.parametrize("chapter", ["theorem_1"])
def test_a_chapter_is_executed_without_a_network(offline, chapter, tmp_path):
    """Through papermill and a kernel, as `make book` does it; CI does the whole book so."""
    out = tmp_path / "out.ipynb"
    code, output, tried = offline("-m", "lib", "chapters", "run", chapter, "-o", str(out))
    assert code == 0, output
    assert out.exists()
    assert tried == []
