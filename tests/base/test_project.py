"""Where the project is: the checkout that one works in; an installed library has none, and says so."""

import os
import shutil
import subprocess
import sys

import pytest

from lib.base import project

WHERE = "from lib.base import project; print(project.ROOT, project.BOOK_HERE)"


@pytest.fixture
def installed(tmp_path):
    """`python ...` with an installed library, in a folder of our own; returns (status, output, folder)."""
    site, folder = tmp_path / "site-packages", tmp_path / "work"
    shutil.copytree(project.PACKAGE, site / "lib", ignore=shutil.ignore_patterns("__pycache__"))
    for path in [site, *site.rglob("*")]:
        path.chmod(path.stat().st_mode & ~0o222)
    folder.mkdir()
    environment = {k: v for k, v in os.environ.items() if not k.startswith("TRANSFER_")}
    environment |= {"PYTHONPATH": str(site), "PYTHONDONTWRITEBYTECODE": "1"}

    def run(*command, cwd=folder):
        done = subprocess.run(
            [sys.executable, *command], cwd=cwd, env=environment, capture_output=True, text=True, timeout=300
        )
        return done.returncode, done.stdout + done.stderr, folder

    run.files = lambda: sorted(path for path in site.rglob("*"))
    yield run
    for path in [site, *site.rglob("*")]:
        path.chmod(path.stat().st_mode | 0o200)


def test_an_installed_library_works_anywhere_and_stores_in_the_working_folder(installed):
    before = installed.files()
    status, output, folder = installed("-m", "lib", "run", "pairs", "-p", "seeds", "1", "--record")
    assert status == 0, output
    assert sorted(path.name for path in folder.iterdir()) == ["_runs", "results"]
    assert installed("-m", "lib")[0] == installed("-m", "lib", "results")[0] == 0
    assert installed("-c", "import lib; lib.rank; lib.transferability.measure")[0] == 0
    assert installed.files() == before


@pytest.mark.parametrize("command", [["chapters"], ["chapters", "run", "images"], ["verdict"]])
def test_what_needs_the_book_says_so_in_a_sentence(installed, command):
    status, output, folder = installed("-m", "lib", *command)
    expected = (
        f"error: no book in {folder} or above it (`_toc.yml` and `book/`): go to the project's folder\n"
    )
    assert (status, output) == (2, expected)


def test_a_project_is_found_from_any_folder_in_it(installed, tmp_path):
    inner = tmp_path / "project" / "book" / "deep"
    inner.mkdir(parents=True)
    (tmp_path / "project" / "_toc.yml").write_text("")
    root = tmp_path / "project"
    for folder in (inner, root):
        assert installed("-c", WHERE, cwd=folder)[1].split() == [str(root), str(root)]


def test_a_checkout_is_found_from_anywhere():
    done = subprocess.check_output(
        [sys.executable, "-c", WHERE],
        text=True,
        cwd="/",
        env=os.environ | {"PYTHONPATH": str(project.PACKAGE.parent)},
    )
    assert done.split() == [str(project.PACKAGE.parent)] * 2


def test_a_working_folder_that_was_deleted_is_no_reason_to_fail(tmp_path):
    program = f"import os; os.mkdir('gone'); os.chdir('gone'); os.rmdir('../gone'); {WHERE}"
    environment = os.environ | {"PYTHONPATH": str(project.PACKAGE.parent)}
    found = subprocess.check_output([sys.executable, "-c", program], text=True, cwd=tmp_path, env=environment)
    assert found.split()[0] == str(project.PACKAGE.parent)
