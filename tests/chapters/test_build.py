"""What a build finds in its folder: as it was left, stopped half way, damaged, or of unknown origin."""

import pytest

from lib.chapters import build as building


@pytest.fixture
def folder(tmp_path):
    (tmp_path / "html").mkdir()
    (tmp_path / "html" / "old.html").write_text("an old page")
    return tmp_path


def build(folder, *pages, stopped=False, failed=False):
    """A build that writes pages; one that is stopped gets no further, as after kill -9."""
    building.begin(folder, [folder / "html"])
    building.started(folder)
    (folder / "html").mkdir(exist_ok=True)
    for page in pages:
        (folder / "html" / page).write_text(f"the page {page}")
    if stopped:
        building.lock(folder).release(force=True)  # the system does it for a killed process
    else:
        building.end(folder, [folder / "html"], done=not failed)


def left(folder):
    """The pages that the next build finds."""
    building.begin(folder, [folder / "html"])
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
