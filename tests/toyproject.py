"""A small project that a test may edit and run: the real `lib`, a toy experiment, a book of two chapters."""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
BIN = Path(sys.executable).parent


class Project:
    """A copy of the project that a test may edit: the real `lib`, a toy experiment, perhaps a book."""

    def __init__(self, root: Path):
        self.root = root
        self.environment = os.environ | {"PYTHONPATH": str(root), "OMP_NUM_THREADS": "1"}
        del self.environment["TRANSFER_RUNS"], self.environment["TRANSFER_PROGRESS"]  # as a user has it

    def start(self, *command, **options):
        """Start `python <command>` in the project."""
        options = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True} | options
        return subprocess.Popen([sys.executable, *command], cwd=self.root, env=self.environment, **options)

    def python(self, *command, code=0):
        """Run `python <command>` in the project and return what it printed."""
        process = self.start(*command)
        out, err = process.communicate(timeout=300)
        assert process.returncode == code, f"{command} gave {process.returncode}\n{out}\n{err}"
        return out + err

    def edit(self, file, old, new):
        path = self.root / file
        text = path.read_text()
        assert old in text
        path.write_text(text.replace(old, new))


TOY = '''"""A toy experiment: each record is a number, and leaves a line in a log when it is computed."""

import os
import time
from dataclasses import dataclass
from pathlib import Path

import torch

from lib.base import streams
from lib.engine import runs
from lib.answer import ANSWER

NAME = "toy"
JOB_IGNORES = ("seeds",)


@dataclass(frozen=True)
class Config:
    preset: str
    seeds: int
    device: str
    scale: float
    pause: float

    def __post_init__(self):
        if self.scale <= 0:
            raise ValueError(f"scale = {self.scale} must be positive")


PRESETS = {"quick": Config("quick", 4, "cpu", 1.0, 0.0), "reduced": Config("reduced", 8, "cpu", 1.0, 0.0)}


def datasets(config):
    return ()


def jobs(config):
    return [{"seed": seed} for seed in range(config.seeds)]


def _log(line):
    with open(Path(os.environ["TOY_LOG"]), "a") as log:
        log.write(line + "\\\\n")


def _base():
    _log("base")
    return {"base": torch.ones(2)}


def run_job(config, job):
    _log(f"seed {job['seed']}")
    time.sleep(config.pause)
    base = runs.step("base", _base)["base"].sum().item()
    draw = torch.rand(3, generator=streams.generator(job["seed"], "toy"))
    total = draw.sum().item()
    return {**job, "raw": draw.tolist(), "total": total, "value": config.scale * ANSWER * base + total}


def recompute(record):
    return {"total": torch.tensor(record["raw"]).sum().item()}
'''.replace("\\\\n", "\\n")


CHAPTER = """---
jupytext:
  text_representation:
    extension: .md
    format_name: myst
    format_version: 0.13
kernelspec:
  display_name: Python 3 (ipykernel)
  language: python
  name: python3
---

# {title}

Some prose.
"""

NUMBERS = (
    CHAPTER.format(title="Numbers")
    + """
```{code-cell} ipython3
:tags: [parameters]

preset = "quick"
seeds = None
scale = None
```

```{code-cell} ipython3
from lib.engine import parameters, runs
from lib.experiments.toy import record as toy

config = parameters.configure(toy, globals())
result = runs.run(toy, config)
```

```{code-cell} ipython3
print("the value is", round(result.records[0]["value"]), "of", len(result.records))
```
"""
)

WORDS = (
    CHAPTER.format(title="Words")
    + """
```{code-cell} ipython3
import os

with open(os.environ["TOY_LOG"], "a") as log:
    log.write("words\\n")
print("no number here")
```
"""
)


def pages(book):
    """{page: HTML}, without the checksums of style sheets: Sphinx has none for a sheet not yet copied."""
    html = (book.root / "_build" / "html").glob("*.html")
    return {path.name: re.sub(r"\?v=[0-9a-f]+", "", path.read_text()) for path in html}


def add_book(project):
    """Two chapters, the real settings, and a page of prose in front."""
    book = project.root / "book"
    book.mkdir()
    (book / "numbers.md").write_text(NUMBERS)
    (book / "words.md").write_text(WORDS)
    (book / "intro.md").write_text("# Front\n")
    (book / "references.bib").write_text("")
    (book / "_toc.yml").symlink_to("../_toc.yml")
    pages = "\n".join(f"  - file: {name}" for name in ("numbers", "words"))
    (project.root / "_toc.yml").write_text(f"format: jb-book\nroot: intro\nchapters:\n{pages}\n")
    for name in ("_config.yml", "jupytext.toml"):
        shutil.copy(ROOT / name, project.root)
