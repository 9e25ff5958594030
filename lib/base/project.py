"""Where the project lies: the folder with the book, its recorded runs, and what is stored.

An installed library has no such folder. It works all the same, and what it stores (`_runs/`, `data/`) goes
into the working folder, or where TRANSFER_RUNS and TRANSFER_DATA say; never beside its own code.
"""

from __future__ import annotations

from pathlib import Path

PACKAGE = Path(__file__).resolve().parents[1]


class NoBook(FileNotFoundError):
    """What was asked for is the book's, and there is none here; the message says where to go."""


def _working_folder() -> Path:
    try:
        return Path.cwd()
    except FileNotFoundError:  # it was deleted
        return Path()


def _has_book(folder: Path) -> bool:
    return (folder / "_toc.yml").is_file() and (folder / "book").is_dir()


_HERE = _working_folder()
# The working folder or one above it; else the checkout that the code itself lies in.
BOOK_HERE = next(filter(_has_book, [_HERE, *_HERE.parents, PACKAGE.parent]), None)
ROOT = BOOK_HERE or _HERE  # results/, _runs/, data/ and _build/ lie here


def need_book() -> Path:
    """The project's folder.

    Raises:
        NoBook: it is neither the working folder nor above it.
    """
    if BOOK_HERE is None:
        raise NoBook(f"no book in {ROOT} or above it (`_toc.yml` and `book/`): go to the project's folder")
    return BOOK_HERE
