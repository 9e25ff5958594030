"""The built book, for the tests that read it: without one they are skipped, but not in CI.

TRANSFER_BOOK=built says that a book of the present code must be there: what is missing is then a failure.
"""

import os
from pathlib import Path

import pytest
from checks import Page

from lib.chapters import build, execution, pages


def _lacking():
    """Why the built pages are not the present book's, or None."""
    if not (pages.HTML / "index.html").exists():
        return "no built book: make book"
    made = build.note(execution.BUILD).read.get(pages.HTML.name, {}).get(build.SHARED, {})
    if other := build.difference(made, pages.shared()):
        return f"{other} since the book was built: make book"
    if os.environ.get("TRANSFER_BOOK") != "built" and (problems := pages.check_build()):
        return f"the built book is not of the present code ({problems[0]}): make book"
    return None


@pytest.fixture(scope="session")
def html() -> Path:
    """The folder of the built pages."""
    if reason := _lacking():
        (pytest.fail if os.environ.get("TRANSFER_BOOK") == "built" else pytest.skip)(reason)
    return pages.HTML


@pytest.fixture(scope="session")
def built(html) -> dict[str, Page]:
    """The pages by name, `index` (a redirection) left out."""
    return {path.stem: Page(path) for path in sorted(html.glob("*.html")) if path.stem != "index"}
