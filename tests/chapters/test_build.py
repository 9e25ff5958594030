"""What a build finds in its folder: as it was left, stopped half way, damaged, or of unknown origin."""

import subprocess
import sys

import pytest

from lib.chapters import build as building


@pytest.fixture
def folder(tmp_path):
    (tmp_path / "html").mkdir()
    (tmp_path / "html" / "old.html").write_text("an old page")
    return tmp_path


def build(folder, *pages, stopped=False, failed=False, shared=None):
    """A build that writes pages; one that is stopped gets no further, as after kill -9."""
    shared = {"style": "a"} if shared is None else shared
    building.begin(folder, [folder / "html"], "html", shared)
    building.started(folder)
    (folder / "html").mkdir(exist_ok=True)
    for page in pages:
        (folder / "html" / page).write_text(f"the page {page}")
    if stopped:
        building.lock(folder).release(force=True)  # the system does it for a killed process
    else:
        building.end(folder, [folder / "html"], "html", None if failed else {building.SHARED: shared})


def left(folder, shared=None):
    """The pages that the next build finds."""
    building.begin(folder, [folder / "html"], "html", {"style": "a"} if shared is None else shared)
    building.lock(folder).release(force=True)
    return sorted(path.name for path in (folder / "html").rglob("*")) if (folder / "html").exists() else []


def test_what_a_build_left_is_kept(folder, capsys):
    build(folder, "a.html", "b.html")
    capsys.readouterr()
    assert left(folder) == ["a.html", "b.html"], "the old page was of unknown origin"
    build(folder, "c.html")
    assert left(folder) == ["a.html", "b.html", "c.html"]
    assert capsys.readouterr().err == ""


@pytest.mark.parametrize("how", ["stopped", "failed"])
def test_what_an_unfinished_build_left_is_dropped(folder, capsys, how):
    """Its new pages may be cut short, and no note tells."""
    build(folder, "a.html")
    build(folder, "b.html", **{how: True})
    capsys.readouterr()
    assert left(folder) == []
    assert "the last build was stopped; every page is made again" in capsys.readouterr().err
    build(folder, "a.html")
    assert left(folder) == ["a.html"], "the mark is gone with the first build that ends"


def test_a_page_changed_since_is_named(folder, capsys):
    build(folder, "a.html")
    (folder / "html" / "a.html").write_text("the pag")
    assert left(folder) == []
    assert "a.html is damaged" in capsys.readouterr().err


def test_pages_of_unknown_origin_are_dropped(folder, capsys):
    assert left(folder) == []
    assert "nothing is known about the last build" in capsys.readouterr().err


def test_a_note_that_cannot_be_read_counts_as_none(folder, capsys):
    build(folder, "a.html")
    (folder / ".files.json").write_text('{"html/a.ht')
    assert left(folder) == []
    assert "nothing is known" in capsys.readouterr().err


@pytest.mark.parametrize(
    "content", ["[]", "null", "3", '{"files": []}', '{"files": {}, "read": {"html": 1}}', "{}"]
)
def test_a_note_of_another_shape_counts_as_none(folder, capsys, content):
    build(folder, "a.html")
    (folder / ".files.json").write_text(content)
    assert left(folder) == []
    assert "nothing is known" in capsys.readouterr().err


def test_a_folder_in_place_of_the_note_counts_as_none(folder, capsys):
    build(folder, "a.html")
    (folder / ".files.json").unlink()
    (folder / ".files.json").mkdir()
    assert left(folder) == []
    build(folder, "b.html")
    assert left(folder) == ["b.html"]


def test_a_page_that_was_taken_away_is_named(folder, capsys):
    build(folder, "a.html", "b.html")
    (folder / "html" / "a.html").unlink()
    assert left(folder) == []
    assert "a.html is missing" in capsys.readouterr().err


@pytest.mark.parametrize("shared", [{"style": "b"}, {}, {"style": "a", "toc": "c"}])
def test_pages_made_of_something_else_are_dropped(folder, capsys, shared):
    build(folder, "a.html")
    assert left(folder, shared) == []
    assert f"{'toc' if 'toc' in shared else 'style'} has changed" in capsys.readouterr().err


def test_pages_of_another_kind_keep_what_they_were_made_of(folder):
    build(folder, "a.html")
    building.begin(folder, [folder / "single"], "single", {"style": "b"})
    building.end(folder, [folder / "single"], "single", {building.SHARED: {"style": "b"}})
    assert left(folder) == ["a.html"]
    assert left(folder, {"style": "b"}) == []


def test_a_second_build_says_that_it_waits(folder):
    code = "import sys, pathlib; from lib.chapters import build; build.acquire(pathlib.Path(sys.argv[1]))"
    building.acquire(folder)
    try:
        second = subprocess.Popen([sys.executable, "-c", code, folder], stderr=subprocess.PIPE, text=True)
        assert "another build is at" in second.stderr.readline()
        assert second.poll() is None
    finally:
        building.lock(folder).release(force=True)
    assert second.wait(timeout=60) == 0
    second.stderr.close()
