"""The built book, for the tests that read it: without one they are skipped, but not in CI.

TRANSFER_BOOK=built says that a book of the present code must be there: what is missing is then a failure.
"""

import os
from pathlib import Path

import pytest
from checks import Page

from lib.chapters import pages


def _lacking():
    """Why the built pages are not the present book's, or None."""
    if not (pages.HTML / "index.html").exists():
        return "no built book: make book"
    if not pages.same_static():
        return "the built book has an older style sheet or script: make book"
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
