"""Whatever is cut short, emptied or has one bit turned is noticed, said, and made again."""

import random

import pytest
import torch
from toyproject import BIN, pages

from lib.engine import runs, store

BUILD = (str(BIN / "jupyter-book"), "build", "book/", "-W", "-n", "--keep-going")


def cut(content, chance):
    return content[: chance.randrange(len(content))]


def empty(content, chance):
    return b""


def turn(content, chance):
    """One bit of it."""
    place, changed = chance.randrange(len(content)), bytearray(content)
    changed[place] ^= 1 << chance.randrange(8)
    return bytes(changed)


DAMAGES = pytest.mark.parametrize("damage", [cut, empty, turn])


def weights():
    return {"weight": torch.arange(300.0), "name": "a model", "steps": [1, 2, None]}


@DAMAGES
def test_a_stored_step(damage):
    """Of any bit: those of the numbers themselves, which torch would read, too."""
    expected, chance = runs.step("train", weights), random.Random(0)
    (path,) = store.root().glob("steps/*.pt")
    whole = path.read_bytes()
    for _ in range(60 if damage is not empty else 1):
        path.write_bytes(damage(whole, chance))
        with pytest.warns(UserWarning, match="is damaged"):
            found = runs.step("train", weights)
        assert torch.equal(found["weight"], expected["weight"])
        assert path.read_bytes() == whole


@pytest.mark.torture
@DAMAGES
def test_each_file_of_the_run_store(project, damage):
    chance = random.Random(0)
    command = ("-m", "lib", "run", "toy", "-p", "seeds", "2", "--record", "kept", "--overwrite")
    project.python(*command)
    recorded = project.root / "results" / "toy-quick-kept.json"
    files = [path for path in (project.root / "_runs").rglob("*") if path.suffix in (".json", ".pt")]
    assert len(files) == 3
    values = [line for line in recorded.read_text().splitlines() if '"raw"' in line]
    for path in sorted(files):
        path.write_bytes(damage(path.read_bytes(), chance))
        if path.suffix == ".pt":  # read only where a record is computed
            for each in files:
                if each.suffix == ".json":
                    each.unlink()
        assert "is damaged" in project.python(*command)
        assert [line for line in recorded.read_text().splitlines() if '"raw"' in line] == values


@pytest.mark.torture
@DAMAGES
def test_each_kind_of_file_of_a_build(book, damage):
    """Executed chapters, the cache of outputs, parsed chapters, Sphinx's own memory, our note, pages."""
    chance, root = random.Random(0), book.root / "_build"
    book.python(*BUILD)
    expected = pages(book)
    rounds = [
        {
            "executed/numbers.ipynb": "executing numbers again: it was damaged",
            ".doctrees/numbers.doctree": "every page is made again",
            ".files.json": "",  # what a build notes for the next one
        },
        {
            ".jupyter_cache/global.db": "",  # made anew each time
            ".doctrees/environment.pickle": "environment.pickle is damaged; every page is made again",
        },
        {"html/intro.html": "intro.html is damaged; every page is made again"},
    ]
    for files in rounds:
        for path in map(root.joinpath, files):
            path.write_bytes(damage(path.read_bytes(), chance))
        out = book.python(*BUILD)
        assert [said for said in files.values() if said not in out] == []
        assert pages(book) == expected, f"other pages after {list(files)} were damaged"
    assert "all there" in book.python("-m", "lib", "chapters", "check")


@DAMAGES
def test_a_recorded_run(damage, tmp_path):
    """What is committed is not made again: it is refused by name."""
    from lib.data import registry
    from lib.engine import audit, results

    source = next(iter(audit.paths()))
    chance, path = random.Random(0), tmp_path / source.name
    for _ in range(5):
        path.write_bytes(damage(source.read_bytes(), chance))
        assert any(source.name in problem for problem in audit.verify(path, registry.needed))
        assert results.check_path(path).exists() is False
