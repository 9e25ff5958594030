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
        raise ModuleNotFoundError(
            f"{error.name} is not installed: it comes with the extra {extra!r} "
            f"(in the project's folder: pip install '.[{extra}]')",
            name=error.name,
        ) from error
