"""What of the project's extras is not installed: said with the remedy."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def needed_from(extra: str) -> Iterator[None]:
    """For imports of what comes with an extra of pyproject.toml.

    Raises ModuleNotFoundError, with the extra to install, for a package that is not there.
    """
    try:
        yield
    except ModuleNotFoundError as error:
        raise ModuleNotFoundError(missing(error.name, extra), name=error.name) from error


def missing(package: str | None, extra: str) -> str:
    """The sentence that names the package and the extra that brings it."""
    remedy = f"in the project's folder: pip install '.[{extra}]'"
    return f"{package} is not installed: it comes with the extra {extra!r} ({remedy})"
