"""The built pages: are they whole, and are they as light as they can be?

As a Sphinx extension this module takes out of each page what no reader uses. As a check it says whether every
page of the table of contents is there and shows what was executed.
"""

from __future__ import annotations

import io
import json
import re
from pathlib import Path
from typing import Any

from PIL import Image

from lib.chapters import execution

HTML = execution.BUILD / "html"
HEAVY = 60_000  # bytes; a smaller picture is left as it is
QUALITY = 92  # of a photograph that stays heavy without loss
_HIDDEN = {"remove-output", "remove_output", "remove-cell", "remove_cell"}

# The theme draws its icons twice, by font and by 1.5 MB of script: the font is enough. It also prepares a
# launch button that this book does not have, for a kernel on somebody else's server.
_UNUSED = re.compile(
    r"""\s*(?:<script[^>]*(?:fontawesome|sphinx-thebe)[^>]*></script>
    |<script>const[ ]THEBE_JS_URL.*?</script>
    |<script[ ]type="text/x-thebe-config">.*?</script>
    |<link[^>]*(?:sphinx-thebe|rel="preload"[^>]*fa-(?:brands|regular))[^>]*>)""",
    re.VERBOSE | re.DOTALL,
)


def check_build(html: Path = HTML) -> list[str]:
    """What is missing in the built pages; an empty list if nothing is.

    Every page of `_toc.yml` must exist; a page with code cells must be of a fresh execution, have outputs,
    and show at least as many as its executed notebook has.
    """
    found = [
        f"{page}: {html / page}.html does not exist" for page in execution.toc() if not _page(html, page)
    ]
    for name in execution.names():
        if not execution.fresh(name):
            found.append(f"{name}: the page is not of the present code; build the book again")
        elif page := _page(html, name):
            shown = len(re.findall(r'<div class="cell_output\b', page))
            made = _outputs(execution.executed(name))
            if not made:
                found.append(f"{name}: has code cells, but none has an output")
            elif shown < made:
                found.append(f"{name}: shows {shown} outputs of {made}")
    return found


def setup(app: Any) -> dict[str, Any]:
    """The Sphinx extension: every built page is made lighter, whichever command built it.

    Sphinx does not look at style sheets and scripts of the book's own: where one has changed, every page,
    which carries its digest, is out of date.
    """

    def outdated(app: Any, env: Any, added: set[str], changed: set[str], removed: set[str]) -> list[str]:
        return [] if same_static(Path(app.outdir)) else sorted(env.found_docs)

    def finished(app: Any, error: Exception | None) -> None:
        if error is None and app.builder.format == "html":
            lighten(Path(app.outdir))

    app.connect("env-get-outdated", outdated)
    app.connect("build-finished", finished)
    return {"version": "1", "parallel_read_safe": True, "parallel_write_safe": True}


def same_static(html: Path = HTML) -> bool:
    """True if the built pages have the book's present style sheets and scripts."""
    pairs = [(ours, html / "_static" / ours.name) for ours in (execution.BOOK / "_static").glob("*.*")]
    return all(built.is_file() and built.read_bytes() == ours.read_bytes() for ours, built in pairs)


def lighten(html: Path = HTML) -> None:
    """Heavy pictures become WebP, and scripts that nothing uses go; a second time changes nothing.

    A drawing loses nothing; a photograph or a sheet of them is kept at quality 92 if it stays heavy.
    """
    smaller = {}
    for picture in sorted((html / "_images").glob("*.png")):
        if content := _webp(picture):
            picture.with_suffix(".webp").write_bytes(content)
            picture.unlink()
            smaller[picture.name] = picture.with_suffix(".webp").name
    smaller |= {p.with_suffix(".png").name: p.name for p in (html / "_images").glob("*.webp")}
    for page in html.glob("*.html"):
        text = page.read_text(encoding="utf-8")
        lighter = _UNUSED.sub("", text)
        for name, replacement in smaller.items():
            lighter = lighter.replace(f"_images/{name}", f"_images/{replacement}")
        if lighter != text:
            page.write_text(lighter, encoding="utf-8")


def _webp(picture: Path) -> bytes | None:
    """The picture as WebP if that is worth it."""
    before = picture.stat().st_size
    if before < HEAVY:
        return None
    with Image.open(picture) as image:
        pixels = image.convert("RGBA" if "A" in image.getbands() else "RGB")
    for options in ({"lossless": True}, {"quality": QUALITY}):
        stream = io.BytesIO()
        pixels.save(stream, "webp", method=4, **options)
        if stream.tell() < 4 * HEAVY:
            break
    return stream.getvalue() if stream.tell() < before else None


def _page(html: Path, name: str) -> str:
    path = html / f"{name}.html"
    return path.read_text(encoding="utf-8") if path.is_file() else ""


def _outputs(executed: Path) -> int:
    """Code cells with an output that the page should show: not hidden, not only glue."""
    cells = json.loads(executed.read_text(encoding="utf-8"))["cells"]
    visible = [cell for cell in cells if not _HIDDEN & set(cell["metadata"].get("tags", []))]
    return sum(any(_shown(output) for output in cell.get("outputs", ())) for cell in visible)


def _shown(output: dict[str, Any]) -> bool:
    kinds = output.get("data", {"text/plain": ""})
    return not all(kind.startswith("application/papermill.record/") for kind in kinds)
