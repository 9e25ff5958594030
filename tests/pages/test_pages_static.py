"""Every built page: links, alternative text, headings, weight, traces of the machine, launch links."""

from pathlib import Path

import checks
import pytest
import yaml
from checks import Page

from lib.base import fingerprint
from lib.chapters import execution

REPOSITORY = (
    yaml.safe_load((fingerprint.ROOT / "_config.yml").read_text()).get("repository", {}).get("url", "")
)
GENERATED = {"genindex", "prf-prf", "search"}  # Sphinx's own pages


def complaints(pages, check, *arguments):
    """{page: what is wrong}, only where something is."""
    found = {name: check(page, *arguments) for name, page in pages.items()}
    return {name: wrong for name, wrong in found.items() if wrong}


def test_every_page_of_the_contents_is_there(built):
    assert set(execution.toc()) <= set(built)


def test_every_internal_link_resolves(built):
    assert complaints(built, checks.broken_links, built) == {}


def test_external_links_have_a_plausible_form(built):
    assert complaints(built, checks.doubtful_links) == {}


def test_every_picture_has_words_of_its_own(built):
    assert complaints(built, checks.pictures_without_words) == {}
    assert sum(len(page.article.find_all("img")) for page in built.values()) > 10


def test_headings_are_in_order(built):
    pages = {name: page for name, page in built.items() if name not in GENERATED}
    assert complaints(pages, checks.heading_faults) == {}


def test_no_page_with_its_pictures_weighs_2_mb(built):
    assert {
        name: checks.weight(page) for name, page in built.items() if checks.weight(page) > checks.LIMIT
    } == {}


def test_no_page_tells_where_it_was_built(built):
    assert complaints(built, checks.machine_traces) == {}


def test_no_anchor_occurs_twice(built):
    assert complaints(built, checks.repeated_anchors) == {}


def test_launch_links_lead_to_this_books_repository_or_are_not_there(built):
    assert complaints(built, checks.launch_links, REPOSITORY) == {}


def test_no_cell_shows_an_error(built):
    assert complaints(built, checks.failed_cells) == {}


def test_every_page_says_its_language_and_has_a_title_of_its_own(built):
    assert {page.soup.html.get("lang") for page in built.values()} == {"en"}
    titles = [page.soup.title.get_text(strip=True) for page in built.values()]
    assert len(set(titles)) == len(titles)


@pytest.mark.parametrize(
    ("body", "check"),
    [
        ("<a href='gone.html'>x</a>", lambda p: checks.broken_links(p, {"p": p})),
        ("<a href='p.html#gone'>x</a>", lambda p: checks.broken_links(p, {"p": p})),
        ("<img src='gone.png' alt='a picture of something'>", lambda p: checks.broken_links(p, {"p": p})),
        ("<a href='http://example.org'>x</a>", checks.doubtful_links),
        ("<a href='https://localhost/x'>x</a>", checks.doubtful_links),
        ("<a href='https://example.org'></a>", checks.doubtful_links),
        ("<img src='a.png'>", checks.pictures_without_words),
        ("<img src='a.png' alt='_images/0123456789abcdef.png'>", checks.pictures_without_words),
        (
            "<figure><img src='a.png' alt='The words of a caption'><figcaption>The words of a caption"
            "</figcaption></figure>",
            checks.pictures_without_words,
        ),
        ("<h1>a</h1><h3>b</h3>", checks.heading_faults),
        ("<h1>a</h1><h1>b</h1>", checks.heading_faults),
        ("<h2>a</h2>", checks.heading_faults),
        ("<p>/home/someone/book</p>", checks.machine_traces),
        ("<p id='a'></p><p id='a'></p>", checks.repeated_anchors),
        ("<a href='https://mybinder.org/v2/gh/other/repo'>run</a>", checks.launch_links),
        ("<script>const u = 'https://unpkg.com/thebe@0.8.2'</script>", checks.launch_links),
        ("<div class='output traceback'>ValueError</div>", checks.failed_cells),
    ],
)
def test_the_checks_find_what_they_look_for(tmp_path, body, check):
    place = Path(tmp_path / "p.html")
    place.write_text(f"<html><body><article>{body}</article></body></html>")
    assert check(Page(place))
    good = "<h1 id='a'>t</h1><h2>s</h2><a href='#a'>x</a><a href='https://example.org/a'>y</a>"
    place.write_text(f"<html><body><article>{good}</article></body></html>")
    assert not check(Page(place))
