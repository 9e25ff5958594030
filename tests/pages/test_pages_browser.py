"""The built pages in headless Chromium: contrast, keyboard, sideways scrolling, errors, what is loaded."""

import os

import pytest
from browser import Server, chromium
from checks import LIMIT

from lib.chapters import execution

WIDE, NARROW = (1280, 900), (500, 900)
EVERY = os.environ.get("TRANSFER_BOOK") == "built"  # in CI each page in both sizes, else a sample
PAGES = execution.toc()
SAMPLE = [(page, size) for page in PAGES for size in (WIDE, NARROW)]
SAMPLE = SAMPLE if EVERY else [(page, NARROW) for page in PAGES[:2]]


@pytest.fixture(scope="module")
def server(html):
    if chromium() is None:
        pytest.skip("Chromium is not installed")
    with Server(html) as running:
        yield running


@pytest.mark.parametrize(("page", "size"), SAMPLE)
def test_a_reader_can_read_and_reach_everything(server, page, size):
    found = server.audit(f"{page}.html", size)
    assert "crashed" not in found, found
    assert found["problems"] == []
    for theme in ("light", "dark"):
        assert found["themes"][theme]["texts"] > 30, "nothing was measured"
        assert found["themes"][theme]["faint"] == {}, f"contrast under 4.5 (large text: 3), {theme}"
    assert found["overflow"] <= 0, "the page scrolls sideways"
    assert found["unreachable"] == [], "scrolls, but not by keyboard"
    assert found["nameless"] == [], "a button or field without a name"
    assert "skip-link" in found["first"], "the first stop of the Tab key is not the skip link"
    assert found.get("skip") == "#main-content"
    elsewhere = [name for name, *_ in found["resources"] if not name.startswith(server.url)]
    assert elsewhere == [], "the page loads something from elsewhere"
    transferred = sum(sent for *_, sent in found["resources"])
    assert 50_000 < transferred < LIMIT, "a first visit, compressed"


FAULTY = """<html lang="en"><head></head><body>
<p style="color: #999; background: #fff">faint</p><p style="color: #000">plain</p>
<div id="box" style="width: 50px; overflow-x: auto"><p style="width: 400px">wide</p></div>
<div style="width: 3000px">sideways</div><button></button>
<script>nonsense();</script><img src="missing.png" alt="">
</body></html>"""


def test_the_audit_sees_a_faulty_page(tmp_path):
    if chromium() is None:
        pytest.skip("Chromium is not installed")
    (tmp_path / "p.html").write_text(FAULTY)
    with Server(tmp_path) as server:
        found = server.audit("p.html", WIDE)
    ((path, (ratio, text)),) = found["themes"]["light"]["faint"].items()
    assert (path.split()[-1], text) == ("p", "faint")
    assert ratio == pytest.approx(2.85, abs=0.02)  # #999 on white
    assert any("box" in path for path in found["unreachable"])
    assert found["overflow"] > 1000
    assert len(found["nameless"]) == 1
    assert any("nonsense" in problem for problem in found["problems"])
    assert any("missing.png" in problem for problem in found["problems"])
    assert "skip" not in found
