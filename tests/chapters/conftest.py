"""A book in this process, over the real `lib`."""

import pytest
from toyproject import CHAPTER

from lib.chapters import execution


@pytest.fixture
def small(tmp_path, monkeypatch):
    """A book of one chapter, whose cells are given; the chapter's digest comes back."""
    monkeypatch.setattr(execution, "BOOK", tmp_path)
    monkeypatch.setattr(execution, "BUILD", tmp_path / "_build")
    monkeypatch.setattr(execution, "EXECUTED", tmp_path / "_build/executed")
    monkeypatch.setattr(execution, "RESULTS", tmp_path / "results")
    monkeypatch.setattr(execution, "toc", lambda: ["one"])
    head, _, _ = CHAPTER.partition("# {title}")

    def write(*cells, prose="Text."):
        parts = "\n\n".join(f"```{{code-cell}} ipython3\n{cell}\n```" for cell in cells)
        (tmp_path / "one.md").write_text(f"{head}# One\n\n{prose}\n\n{parts}\n")
        return execution.digest("one")

    return write
