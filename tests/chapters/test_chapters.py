"""Chapters: executed when what they depend on has changed, only then, and never shown stale."""

import re
import shutil
import subprocess
import sys
from collections import Counter
from pathlib import Path
from types import SimpleNamespace

import pytest
from toyproject import CHAPTER

from lib.base import fingerprint
from lib.chapters import execution, pages
from lib.data import registry
from lib.engine import audit

BIN = Path(sys.executable).parent
WRITTEN = sorted(p for p in execution.BOOK.glob("*.md") if "```{code-cell}" in p.read_text("utf-8"))


def build(book):
    """`jupyter-book build book/` by itself, warnings as errors."""
    return book.python(str(BIN / "jupyter-book"), "build", "book/", "-W", "-n", "--keep-going")


def executions(book):
    return Counter(line for line in book.log.read_text().splitlines() if line in ("seed 0", "words"))


def value(book):
    page = (book.root / "_build/html/numbers.html").read_text()
    return int(re.search(r"the value is (\d+) of 4", re.sub("<[^>]*>", "", page))[1])


def test_no_page_shows_a_number_that_the_present_code_did_not_compute(book):
    build(book)
    assert executions(book) == {"seed 0": 1, "words": 1}
    before = value(book)

    book.edit("lib/answer.py", "42", "142")  # the code under one chapter
    book.edit("book/words.md", "Some prose", "Other prose")  # the prose of the other
    build(book)
    assert executions(book) == {"seed 0": 2, "words": 1}
    assert value(book) == before + 200
    assert "toy: 4 of 4" in (book.root / "_build/html/numbers.html").read_text()
    assert "Other prose" in (book.root / "_build/html/words.html").read_text()

    assert "3 pages, 2 with outputs: all there" in book.python("-m", "lib", "chapters", "check")
    book.edit("book/numbers.md", "Some prose", "New prose")
    assert "every chapter is fresh" in book.python("-m", "lib", "chapters", "refresh")
    assert executions(book) == {"seed 0": 2, "words": 1}
    assert "numbers.md has changed since the page" in book.python("-m", "lib", "chapters", "check", code=1)


LIGHT = """from dataclasses import dataclass

NAME = "light"


@dataclass(frozen=True)
class Config:
    preset: str
    seeds: int


PRESETS = {"quick": Config("quick", 4)}


def datasets(config):
    return ()
"""
SETTINGS = """
```{code-cell} ipython3
:tags: [parameters]

preset = "quick"
seeds = None
```

```{code-cell} ipython3
from lib.engine import parameters
from lib.experiments import light

config = parameters.configure(light, globals())
print("seeds:", config.seeds)
```
"""


def test_parameters_through_papermill_in_the_shell_and_through_our_command_line(book):
    (book.root / "lib/experiments/light.py").write_text(LIGHT)  # without torch: a kernel starts sooner
    (book.root / "book/light.md").write_text(CHAPTER.format(title="Light") + SETTINGS)
    pipe = "{0}/jupytext --to ipynb --output - book/light.md | {0}/papermill - {1} --cwd book -p {2} 2"
    options = {"shell": True, "cwd": book.root, "env": book.environment, "stderr": subprocess.PIPE}
    good = subprocess.run(pipe.format(BIN, "good.ipynb", "seeds"), check=False, **options)
    bad = subprocess.run(pipe.format(BIN, "bad.ipynb", "sedes"), check=False, **options)
    assert [good.returncode, bad.returncode] == [0, 1]
    assert b"no parameter 'sedes'. Did you mean 'seeds'?" in bad.stderr
    book.python("-m", "lib", "chapters", "run", "light", "-p", "seeds", "3", "-o", "three.ipynb")
    assert "seeds: 2" in (book.root / "good.ipynb").read_text()
    assert "seeds: 3" in (book.root / "three.ipynb").read_text()
    assert not (book.root / "_build").exists(), "only runs with default parameters are the book's"


def test_the_digest_follows_code_and_tags_but_not_prose(small):
    start = small("x = 1")
    assert small("x = 1", prose="Other text, and more.") == start
    assert small("---\nmystnb:\n  figure:\n    caption: A caption\n---\nx = 1") == start
    assert len({start, small("x = 2"), small(":tags: [parameters]\n\nx = 1"), small("x = 1", "y = 2")}) == 4


def test_the_digest_follows_the_closure_its_versions_and_recorded_runs(small, tmp_path, monkeypatch):
    theory, tables = "from lib.experiments.pairs import record", "from lib.base import tables"
    start, other = small(theory), small(tables)
    (tmp_path / "results").mkdir()
    (tmp_path / "results" / "pairs-quick.json").write_text("{}")
    assert small(theory) != start
    assert small(tables) == other
    assert small('runs.recorded("pairs")') != small('runs.recorded("synthetic")')
    before = small('runs.recorded("pairs")')
    (tmp_path / "results" / "checked").mkdir()
    (tmp_path / "results" / "checked" / "pairs-quick.json").write_text("{}")
    assert small('runs.recorded("pairs")') != before
    monkeypatch.setattr(fingerprint.metadata, "version", lambda name: "99")
    assert small("import torch") != start


def test_the_digest_follows_the_data_of_the_chapters_preset(small, monkeypatch):
    checksums = {"digits": "a", "cifar10": "b"}
    presets = {"quick": ("digits",), "paper": ("cifar10",)}
    toy = SimpleNamespace(PRESETS=presets, datasets=lambda config: registry.needed(*config))
    monkeypatch.setattr(audit, "experiment", lambda name: toy)
    monkeypatch.setattr(registry, "digest", checksums.get)
    monkeypatch.setattr(registry, "digests", lambda: dict(checksums))
    chapter = "from lib.experiments.pairs import record"
    start, of_all = small(chapter), small("registry.digests()")
    checksums["cifar10"] = None
    assert small(chapter) == start
    assert small("registry.digests()") != of_all
    checksums["digits"] = "c"
    assert small(chapter) != start


@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_a_failing_chapter_names_the_cell_and_leaves_nothing(small, tmp_path):
    small("x = 1", "y = x / 0")
    with pytest.raises(execution.ChapterError, match=r"one failed in cell 3:\ny = x / 0\n\nZeroDivision"):
        execution.execute("one")
    small("import time", "time.sleep(60)")
    with pytest.raises(execution.ChapterError, match=r"chapter one stopped(.|\n)*time\.sleep\(60\)"):
        execution.execute("one", timeout=1)
    assert [path.name for path in tmp_path.iterdir()] == ["one.md"]


def test_unknown_chapter():
    with pytest.raises(ValueError, match="no chapter is called 'nothing'; there are: "):
        execution.execute("nothing")


def test_a_page_without_its_outputs_is_found(small, tmp_path, monkeypatch):
    small("print(1)")
    monkeypatch.setattr(execution, "about", lambda name: {"digest": execution.digest(name)})
    monkeypatch.setattr(pages, "shared", dict)
    html, page = tmp_path / "html", '<div class="cell_output docutils container">'
    html.mkdir()
    execution.EXECUTED.mkdir(parents=True)
    cell = '{"cells": [{"metadata": {}, "outputs": [%s]}]}'
    one = '{"output_type": "stream", "text": "1"}'
    glue = '{"output_type": "display_data", "data": {"application/papermill.record/text/plain": "1"}}'
    for outputs, shown, found in [
        (one, page, []),
        (one, "empty", ["one: shows 0 outputs of 1"]),
        ("", page, ["one: has code cells, but none has an output"]),
        (glue, page, ["one: has code cells, but none has an output"]),
    ]:
        (html / "one.html").write_text(shown)
        execution.executed("one").write_text(cell % outputs)
        assert pages.check_build(html) == found


def test_a_missing_page_and_a_stale_one_are_found(small, tmp_path, monkeypatch):
    small("print(1)")
    monkeypatch.setattr(execution, "toc", lambda: ["intro", "one"])
    monkeypatch.setattr(pages, "shared", dict)
    (tmp_path / "one.html").write_text("old")
    missing, stale = pages.check_build(tmp_path)
    assert missing.startswith("intro: ")
    assert missing.endswith("intro.html does not exist")
    assert stale == "one: the page is not of the present code; build the book again"


@pytest.mark.skipif(not WRITTEN, reason="no chapter has code yet")
def test_every_chapter_survives_the_round_trip_through_a_notebook(tmp_path):
    (tmp_path / "book").mkdir()
    shutil.copy(fingerprint.ROOT / "jupytext.toml", tmp_path)
    for path in WRITTEN:
        shutil.copy(path, tmp_path / "book")
    sources = [f"book/{path.name}" for path in WRITTEN]
    notebooks = [source.replace(".md", ".ipynb") for source in sources]
    for command in (["--to", "ipynb", *sources], ["--to", "md:myst", *notebooks]):
        subprocess.run([BIN / "jupytext", *command], cwd=tmp_path, check=True, capture_output=True)
    changed = [
        path.name for path in WRITTEN if (tmp_path / "book" / path.name).read_bytes() != path.read_bytes()
    ]
    assert not changed, (
        f"JupyterLab would save {changed} otherwise: see 'Adding a chapter' in book/running.md"
    )


@pytest.mark.parametrize(
    ("values", "kind", "message"),
    [
        ({"device": "gpu"}, ValueError, "device 'gpu' is not known"),
        ({"models": "resnet18"}, TypeError, "models must be a list, not 'resnet18'"),
        ({"attacked": 0}, ValueError, "attacked=0 must be at least 2"),
        ({"attacked": 2.5}, TypeError, "attacked must be int"),
        ({"weights": 3}, TypeError, "weights must be"),
        ({"folder": "/nowhere"}, ValueError, "give both"),
        ({"models": ["resnet18"]}, ValueError, "give both"),
        ({"folder": "/nowhere", "models": ["resnet18"]}, ValueError, "nothing lies at '/nowhere'"),
        ({"folder": "a" * 5000, "models": ["resnet18"]}, ValueError, "nothing lies at"),
        ({"folder": "\0", "models": ["resnet18"]}, ValueError, "nothing lies at"),
        ({"folder": "/", "models": ["resnet81"]}, ValueError, "did you mean 'resnet18'"),
        (
            {"folder": "/", "models": ["resnet18"], "weights": "FOO"},
            ValueError,
            "weights='FOO': resnet18 has",
        ),
    ],
)
def test_what_a_report_cannot_be_made_of_is_refused_before_a_kernel_starts(
    values, kind, message, monkeypatch
):
    monkeypatch.setattr(execution, "run", None)
    with pytest.raises(kind, match=message):
        execution.execute("models", values)
    execution.check("models", {"folder": "/", "models": ["resnet18"], "attacked": 2, "device": "cpu"})


@pytest.mark.parametrize("name", [path.stem for path in WRITTEN])
def test_every_chapter_has_checked_parameters(name):
    known = execution.defaults(name)
    with pytest.raises(ValueError, match="has no parameter 'absent'"):
        execution.check(name, {"absent": 2})
    code = execution._python(execution.code_cells(execution.notebook(name)))
    if execution._configured(code) is None:  # no experiment, and so no preset
        return
    assert {"preset", "seeds", "device"} <= known.keys()
    assert known["preset"] == "quick"
    execution.check(name, {"preset": "quick", "seeds": 2})
    with pytest.raises(ValueError, match="Did you mean 'seeds'"):
        execution.check(name, {"sedes": 2})
    with pytest.raises(ValueError, match="preset 'big' is not one of"):
        execution.check(name, {"preset": "big"})
    with pytest.raises(TypeError, match="seeds must be int, not 'many'"):
        execution.check(name, {"seeds": "many"})
