"""A build by Sphinx: what is done appears, what was taken away goes, and contents decide, not times."""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from PIL import Image
from toyproject import BIN, CHAPTER

BUILD = (str(BIN / "jupyter-book"), "build", "book/", "-W", "-n", "--keep-going")
CHECK = ("-m", "lib", "chapters", "check")
FAILING = """
```{code-cell} ipython3
print("before the fault")
```

```{code-cell} ipython3
the_fault = 1 / 0
```

```{code-cell} ipython3
print("after the fault")
```
"""


@pytest.fixture
def light(book):
    """A book whose chapters need no torch: pages of prose, one with a picture, and one with outputs."""
    (book.root / "book/numbers.md").unlink()
    (book.root / "book/part.txt").write_text("The included part.\n")
    (book.root / "book/references.bib").write_text(
        "@misc{one, title={First title}, author={A, B}, year={2020}}\n"
    )
    Image.new("RGB", (8, 8), "red").save(book.root / "book/picture.png")
    (book.root / "book/prose.md").write_text(
        "# Prose\n\nSee {cite:t}`one`.\n\n```{include} part.txt\n```\n\n"
        "```{image} picture.png\n:alt: red\n```\n\n"
        "```{bibliography}\n```\n"
    )
    toc(book, "words", "prose")
    return book


def toc(book, *pages):
    lines = "\n".join(f"  - file: {name}" for name in pages)
    (book.root / "_toc.yml").write_text(f"format: jb-book\nroot: intro\nchapters:\n{lines}\n")


def html(book, page):
    return (book.root / "_build/html" / f"{page}.html").read_text()


def text(book, page):
    return re.sub("<[^>]*>", "", html(book, page))


def older(path, change):
    """Change a file so that its time goes back, as after a checkout or from a backup."""
    change(path)
    os.utime(path, (1e9, 1e9))


def test_one_failing_chapter_withholds_no_other(light):
    book = light
    (book.root / "book/failing.md").write_text(CHAPTER.format(title="Failing") + FAILING)
    toc(book, "failing", "words", "prose")
    out = book.python("-m", "lib", "chapters", "build", code=1)
    assert (
        "chapter failing failed in cell 3:\nthe_fault = 1 / 0\n\nZeroDivisionError: division by zero" in out
    )
    assert "no number here" in text(book, "words")
    assert "First title" in text(book, "prose")
    shown = text(book, "failing")
    assert "This chapter could not be executed" in shown
    assert "ZeroDivisionError: division by zero" in shown
    assert "python -m lib chapters run failing" in shown
    assert "before the fault" in shown.replace('print("before the fault")', "")
    assert "after the fault" not in re.sub(r"print\([^)]*\)", "", shown)
    assert str(book.root) not in html(book, "failing"), "a page says nothing of the machine"

    out = book.python("-m", "lib", "chapters", "refresh", code=1)
    assert "failed: failing" in out
    assert out.count("executing") == 1, "what is done is done, and what failed is tried again"
    assert "| failing | failed |" in book.python("-m", "lib", "chapters")
    book.python(*BUILD, code=1)  # the other way to build: the same pages, and the same exit status
    assert "no number here" in text(book, "words")
    assert "This chapter could not be executed" in text(book, "failing")

    book.edit("book/failing.md", "1 / 0", "1")
    assert "all there" in book.python("-m", "lib", "chapters", "build")
    assert "could not be executed" not in text(book, "failing")
    assert "after the fault" in re.sub(r"print\([^)]*\)", "", text(book, "failing"))
    assert book.log.read_text().splitlines() == ["words"]


@pytest.mark.torture
def test_code_that_is_no_python_is_one_chapters_fault(light):
    book = light
    broken = "\n```{code-cell} ipython3\nx = = 1\n```\n"
    (book.root / "book/failing.md").write_text(CHAPTER.format(title="Failing") + broken)
    toc(book, "failing", "words")
    out = book.python(*BUILD, code=1)
    assert "chapter failing" in out
    assert "no number here" in text(book, "words")
    assert "This chapter could not be executed" in text(book, "failing")
    assert "failing" in book.python(*CHECK, code=1)


def test_contents_decide_and_not_times(light):
    book, source = light, light.root / "book"
    book.python(*BUILD)
    settings = book.root / "_config.yml"
    changes = [
        (source / "part.txt", "The included", "Another"),
        (source / "prose.md", "# Prose", "# Other prose"),
        (source / "references.bib", "First", "Second"),
        (settings, "The maintainers", "Other maintainers"),
    ]
    for path, old, new in changes:
        older(path, lambda path, old=old, new=new: path.write_text(path.read_text().replace(old, new)))
        assert f"{path} has changed since" in book.python(*CHECK, code=1)
        book.python(*BUILD)
        assert new.removeprefix("# ") in text(book, "prose"), path
    older(source / "picture.png", lambda path: Image.new("RGB", (8, 8), "blue").save(path))
    book.python(*BUILD)
    with Image.open(book.root / "_build/html/_images/picture.png") as picture:
        assert picture.convert("RGB").getpixel((0, 0)) == (0, 0, 255)
    assert "all there" in book.python(*CHECK)
    assert book.log.read_text().splitlines() == ["words"], "nothing of this is code"


def test_what_was_taken_away_goes_and_what_is_missing_is_made(light):
    book, built = light, light.root / "_build/html"
    book.python(*BUILD)
    before = html(book, "prose")
    (built / "_images/picture.png").unlink()
    assert "prose: its picture _images/picture.png does not exist" in book.python(*CHECK, code=1)
    assert "picture.png is missing; every page is made again" in book.python(*BUILD)
    assert (built / "_images/picture.png").exists()
    assert html(book, "prose") == before

    toc(book, "prose")
    assert "_toc.yml has changed since the pages were made" in book.python(*CHECK, code=1)
    book.python(*BUILD)
    assert not (built / "words.html").exists()
    assert "all there" in book.python(*CHECK)
    toc(book, "words", "prose")
    book.edit("book/intro.md", "# Front", "# Another front")
    book.python(*BUILD)
    assert "Another front" in text(book, "prose"), "every page has the titles of the others in its margin"


def test_a_second_build_reads_nothing_and_needs_no_torch(light):
    book = light
    book.python(*BUILD)
    code = f"""import runpy, sys
sys.argv = ["jupyter-book", *{BUILD[1:]!r}]
try:
    runpy.run_path({BUILD[0]!r}, run_name="__main__")
except SystemExit as ended:
    assert not ended.code, ended.code
print("torch" in sys.modules, "papermill" in sys.modules)
"""
    out = book.python("-c", code)
    assert "0 added, 0 changed, 0 removed" in out
    assert "False False" in out


@pytest.mark.torture
def test_state_files_of_another_shape_count_as_none(light):
    book = light
    book.python(*BUILD)
    before = {page: html(book, page) for page in ("intro", "words", "prose")}
    for content in ("[]", "null", '{"sha256": 1}', "{"):
        for name in (".digests.json", ".files.json"):
            (book.root / "_build" / name).write_text(content)
        book.python(*BUILD)
        assert {page: html(book, page) for page in before} == before
    for name in (".digests.json", "executed/words.ipynb"):
        path = book.root / "_build" / name
        path.unlink()
        path.mkdir()
    book.python(*BUILD)
    assert "all there" in book.python(*CHECK)


def test_a_clone_used_with_the_environment_of_another_runs_its_own_code(light, tmp_path):
    """The environment's `lib` is the first clone's, as after `pip install --editable`."""
    first, second = light, tmp_path / "second"
    shutil.copytree(first.root, second, symlinks=True)
    code = "import lib.answer\nprint('the answer is', lib.answer.ANSWER)"
    for root in (first.root, second):
        cell = f"\n```{{code-cell}} ipython3\n{code}\n```\n"
        (root / "book/words.md").write_text(CHAPTER.format(title="Words") + cell)
    (second / "lib/answer.py").write_text("ANSWER = 77\n")
    (site := tmp_path / "site").mkdir()
    (site / "sitecustomize.py").write_text(f"import sys; sys.path.append({str(first.root)!r})\n")
    environment = first.environment | {"PYTHONPATH": str(site)}

    def run(*command):
        return subprocess.run(
            [sys.executable, *command],
            cwd=second,
            env=environment,
            capture_output=True,
            text=True,
            check=False,
        )

    done = run("-m", "lib", "chapters", "run", "words")
    assert done.returncode == 0, done.stderr
    assert "the answer is 77" in Path(second / "_build/executed/words.ipynb").read_text()
    done = run(*BUILD)  # the script's own path, not the working folder, is where Python looks first
    assert done.returncode != 0
    assert f"set PYTHONPATH={second}" in " ".join((done.stdout + done.stderr).split())
    assert not (second / "_build/html/words.html").exists()
