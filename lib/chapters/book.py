"""The whole book by one command, in one process: stale chapters, pages, and a look at what was made."""

from __future__ import annotations

import os
import sys

from lib.base import project
from lib.chapters import execution, kernels, pages

OPTIONS = ("--warningiserror", "--nitpick", "--keep-going", "--quiet")


def make(jobs: int | None = None) -> list[str]:
    """`jupyter-book build book/`, with warnings as errors, and then the check; what is wrong, [] if nothing.

    Raises:
        NoBook: there is none here.
        ValueError: the number of chapters side by side is not 1 or more.
    """
    project.need_book()
    from jupyter_book.cli.main import main

    os.environ["TRANSFER_JOBS"] = str(kernels.jobs(jobs))
    try:
        code = main(["build", str(execution.BOOK), *OPTIONS], prog_name="jupyter-book", standalone_mode=False)
    except SystemExit as ended:  # jupyter-book's way to say that there were errors or warnings
        code = ended.code
    except RuntimeError as error:  # Sphinx has said above what it was
        print(error, file=sys.stderr)
        code = 1
    problems = pages.check_build()
    return problems or (["the build ended with an error: see above"] if code else [])
