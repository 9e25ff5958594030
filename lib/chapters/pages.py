"""The built pages: are they whole, and are they as light as they can be?

`lighten` takes out of each page what no reader uses. `check_build` says whether every page of the table of
contents is there and shows what was executed.
"""

from __future__ import annotations

import io
import json
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any
from urllib.parse import unquote

from lib.base import project
from lib.chapters import build, digests, execution, refresh

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

    Every page of `_toc.yml` must exist, be made of what lies there now, and have its pictures; a page with
    code cells must be of a fresh execution, have outputs, and show at least as many as its executed notebook
    has.
    """
    made = build.note(execution.BUILD).read.get(html.name, {})
    chapters = execution.names()
    current, found = digests.current(chapters), list[str]()
    if other := build.difference(made.get(build.SHARED, {}), shared()):
        found.append(f"{other} since the pages were made; build the book again")
    for name in execution.toc():
        page = _page(html, name)
        if not page:
            found.append(f"{name}: {html / name}.html does not exist")
            continue
        found += [f"{name}: {what}" for what in _stale(made.get(name, {})) + _lacks(html, page)]
    for name in chapters:
        if execution.about(name).get("digest") != current[name]:
            why = refresh.failure(name).get("error", "").strip()
            again = "the page is not of the present code; build the book again"
            found.append(f"{why}\nTo go on: {refresh.remedy(name)}" if why else f"{name}: {again}")
        elif page := _page(html, name):
            found += _outputs_missing(name, page)
    return found


def _stale(read: Mapping[str, str]) -> list[str]:
    other = build.difference(read, build.contents(map(Path, read)))
    return [f"{other} since the page was made; build the book again"] if other else []


def _lacks(html: Path, page: str) -> list[str]:
    """The pictures of a page that are not there."""
    wanted = dict.fromkeys(re.findall(r'(?:src|href)="(_images/[^"?#]+)', page))
    return [f"its picture {name} does not exist" for name in wanted if not (html / unquote(name)).is_file()]


def _outputs_missing(name: str, page: str) -> list[str]:
    shown = len(re.findall(r'<div class="cell_output\b', page))
    made = _outputs(execution.executed(name))
    if not made:
        return [f"{name}: has code cells, but none has an output"]
    return [f"{name}: shows {shown} outputs of {made}"] if shown < made else []


def shared() -> dict[str, str]:
    """{what every page depends on: checksum}: settings, contents, style, bibliography, what is installed."""
    files = [project.ROOT / "_config.yml", project.ROOT / "_toc.yml"]
    files += [*execution.BOOK.glob("*.bib"), *(execution.BOOK / "_static").rglob("*")]
    files += [
        Path(__file__).with_name(name) for name in ("build.py", "extension.py", "pages.py", "refresh.py")
    ]
    return build.contents(files) | dict.fromkeys(digests.distributions(), "installed")


def lighten(html: Path = HTML) -> None:
    """Heavy pictures become WebP, and scripts that nothing uses go; a second time changes nothing.

    A drawing loses nothing; a photograph or a sheet of them is kept at quality 92 if it stays heavy.
    """
    smaller: dict[str, str] = {}
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
    from PIL import Image

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


def _shown(output: Mapping[str, Any]) -> bool:
    kinds = output.get("data", {"text/plain": ""})
    return not all(kind.startswith("application/papermill.record/") for kind in kinds)
