"""Which code makes a cache: a digest of the files that a decoder is written in, and of what it stands on.

The engine's fingerprint is a neighbour's, which this room does not see; and less is needed here: the imports
of one function's file, and theirs.
"""

from __future__ import annotations

import ast
import hashlib
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import PIL

from lib.base import project

# Where bytes come from changes nothing in what is made of them: their sha256 stands beside this digest.
ORIGIN = project.PACKAGE / "data" / "registry.py"


def digest(build: Callable[[Path], None]) -> str:
    """sha256 over a plain function's file, the files of `lib` that it imports, and the libraries' versions.

    Imports count wherever they stand, and those of an imported file too.
    """
    todo, reached = [Path(build.__code__.co_filename)], {}
    while todo:
        path = todo.pop()
        if path not in reached and path != ORIGIN and path.is_file():
            reached[path] = path.read_bytes()
            todo += _imported(reached[path])
    parts = sorted(f"{path.name} {hashlib.sha256(content).hexdigest()}" for path, content in reached.items())
    return hashlib.sha256("\n".join([np.__version__, PIL.__version__, *parts]).encode()).hexdigest()


def _imported(content: bytes) -> Iterator[Path]:
    """Where the modules of `lib` that a file names would lie; some may not exist."""
    for node in ast.walk(ast.parse(content)):
        names = [alias.name for alias in node.names] if isinstance(node, ast.Import | ast.ImportFrom) else []
        if isinstance(node, ast.ImportFrom):
            names = [f"{node.module}", *(f"{node.module}.{name}" for name in names)]
        for head, *rest in (name.split(".") for name in names):
            if head == project.PACKAGE.name and rest:
                yield project.PACKAGE.joinpath(*rest).with_suffix(".py")
                yield project.PACKAGE.joinpath(*rest, "__init__.py")
