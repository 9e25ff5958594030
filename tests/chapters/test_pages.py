"""Pages are made lighter: heavy pictures, scripts that nothing uses. (What is missing: test_chapters.py)"""

import io
import os
from itertools import pairwise

import pytest
import torch
from PIL import Image

from lib.chapters import execution, pages

UNUSED = """<script src="_static/vendor/fontawesome/6.5.2/js/all.min.js?digest=d"></script>
<script>const THEBE_JS_URL = "https://unpkg.com/thebe@0.8.2/lib/index.js"; const thebe_selector = "x"</script>
<script async="async" src="_static/sphinx-thebe.js?v=c"></script>
<script type="text/x-thebe-config">
    { binderOptions: { repo: "somebody/else" } }
</script>
<link rel="stylesheet" type="text/css" href="_static/sphinx-thebe.css?v=4" />
<link rel="preload" as="font" crossorigin href="_static/vendor/fontawesome/webfonts/fa-brands-400.woff2" />"""
USED = """<link href="_static/vendor/fontawesome/6.5.2/css/all.min.css?digest=d" rel="stylesheet" />
<link rel="preload" as="font" crossorigin href="_static/vendor/fontawesome/webfonts/fa-solid-900.woff2" />
<script src="_static/copybutton.js?v=f"></script>"""


def picture(pixels):
    stream = io.BytesIO()
    Image.fromarray(pixels.byte().numpy()).save(stream, "png")
    return stream.getvalue()


@pytest.fixture
def html(tmp_path):
    noise = torch.rand(300, 300, 3, generator=torch.Generator().manual_seed(0)) * 255
    levels = torch.randint(6, (600, 600), generator=torch.Generator().manual_seed(0)) * 50
    drawing = levels.repeat_interleave(2, 0).repeat_interleave(2, 1)[..., None].expand(-1, -1, 3)
    (tmp_path / "_images").mkdir()
    for name, pixels in {"photo": noise, "drawing": drawing, "small": drawing[:9, :9]}.items():
        (tmp_path / "_images" / f"{name}.png").write_bytes(picture(pixels))
    images = "".join(f'<img src="_images/{name}.png" alt="x">' for name in ("photo", "drawing", "small"))
    (tmp_path / "page.html").write_text(f"<html><head>{UNUSED}{USED}</head><body>{images}</body></html>")
    return tmp_path


def test_heavy_pictures_become_lighter_and_drawings_lose_nothing(html):
    folder = html / "_images"
    before = {path.stem: (path.stat().st_size, Image.open(path).convert("RGB")) for path in folder.iterdir()}
    assert before["drawing"][0] > pages.HEAVY
    pages.lighten(html)
    after = {path.stem: path for path in folder.iterdir()}
    assert {name: path.suffix for name, path in after.items()} == {
        "photo": ".webp", "drawing": ".webp", "small": ".png",
    }  # fmt: skip
    for name in ("photo", "drawing"):
        assert after[name].stat().st_size < before[name][0]
    assert Image.open(after["drawing"]).convert("RGB").tobytes() == before["drawing"][1].tobytes()
    page = (html / "page.html").read_text()
    assert all(f"_images/{path.name}" in page for path in after.values())


def test_unused_scripts_go_and_used_ones_stay(html):
    pages.lighten(html)
    head = (html / "page.html").read_text().partition("</head>")[0]
    assert "thebe" not in head.lower()
    assert "all.min.js" not in head
    assert "fa-brands" not in head
    for line in USED.splitlines():
        assert line in head


def test_a_second_time_changes_nothing_and_a_rebuilt_page_is_joined_again(html):
    original = (html / "page.html").read_text()
    photo = (html / "_images" / "photo.png").read_bytes()
    pages.lighten(html)
    first = {path: path.read_bytes() for path in html.rglob("*.*")}
    pages.lighten(html)
    assert {path: path.read_bytes() for path in html.rglob("*.*")} == first
    (html / "page.html").write_text(original)  # Sphinx writes a page again, and copies one of its pictures
    (html / "_images" / "photo.png").write_bytes(photo)
    pages.lighten(html)
    assert {path: path.read_bytes() for path in html.rglob("*.*")} == first


def test_what_every_page_depends_on_is_known_by_content(tmp_path, monkeypatch):
    monkeypatch.setattr(execution, "BOOK", tmp_path / "book")
    (tmp_path / "book/_static").mkdir(parents=True)
    sheet, bibliography = tmp_path / "book/_static/book.css", tmp_path / "book/references.bib"
    sheet.write_text("a {}")
    bibliography.write_text("")
    found = [pages.shared()]
    for path, content in [
        (sheet, "b {}"),
        (bibliography, "@misc{x}"),
        (tmp_path / "book/_static/new.js", "1"),
    ]:
        path.write_text(content)
        os.utime(path, (1e9, 1e9))
        found.append(pages.shared())
    monkeypatch.setattr(pages.digests, "distributions", lambda: ["sphinx-99.dist-info"])
    found.append(pages.shared())
    assert all(before != after for before, after in pairwise(found))
