"""The stale chapters are executed, side by side, the longest first; one that fails withholds no other."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

from lib.chapters import build, digests, execution, kernels
from lib.chapters.kernels import TIMEOUT, ChapterError
from lib.engine import results, store


@dataclass
class Outcome:
    """The chapters that were executed, and {chapter: why it could not be}."""

    executed: list[str] = field(default_factory=list)
    failed: dict[str, str] = field(default_factory=dict)


def refresh(
    chosen: Iterable[str] | None = None,
    *,
    timeout: float = TIMEOUT,
    jobs: int | None = None,
    log: Callable[[str], None] = print,
) -> Outcome:
    """Execute the chapters that are not fresh, `jobs` at once (`kernels.jobs`).

    One process at a time: a second one waits, says so, and then finds everything fresh. A chapter that failed
    before is tried again.

    Raises:
        ValueError: the timeout or the number of jobs is not positive.
        ChapterError: the code beside the chapters is not what would run.
        OSError: something cannot be read or written; what was done is kept.
    """
    execution.need_own_code()
    execution.check_timeout(timeout)
    count, outcome = kernels.jobs(jobs), Outcome()
    chosen = execution.names() if chosen is None else list(chosen)
    with build.held(execution.BUILD):
        before = digests.current(chosen)
        stale = [name for name in chosen if execution.about(name).get("digest") != before[name]]
        for name in set(chosen) - set(stale):
            failed(name).unlink(missing_ok=True)
        todo: dict[str, str] = {}
        for name in sorted(stale, key=_seconds, reverse=True):
            try:
                todo[name] = _checked(name, before[name])
            except OSError:
                raise
            except Exception as error:  # whatever a chapter's code or an experiment does
                _fail(outcome, name, error, log)
        _execute(todo, count, timeout, outcome, log)
        after = digests.current(outcome.executed)
        for name in [name for name in outcome.executed if after[name] != todo[name]]:
            outcome.executed.remove(name)
            _fail(outcome, name, ChapterError("what it depends on changed while it ran; start again"), log)
    return outcome


def failed(name: str) -> Path:
    """Where it is kept what a chapter had shown before it failed."""
    return execution.BUILD / "failed" / f"{name}.json"


def failure(name: str) -> dict[str, Any]:
    """Why a chapter failed (`error`) and what its cells had shown (`outputs`, by place); {} if it did not."""
    try:
        found = json.loads(failed(name).read_text(encoding="utf-8"))
        return found["told"] if found["sha256"] == store.digest(found["told"]) else {}
    except (OSError, ValueError, KeyError, TypeError):
        return {}


def remedy(name: str) -> str:
    """The command that goes on from a failed chapter."""
    return f"python -m lib chapters run {name}"


def _execute(
    todo: Mapping[str, str], count: int, timeout: float, outcome: Outcome, log: Callable[[str], None]
) -> None:
    if not todo:
        return
    with kernels.home() as folder:
        works = {name: partial(_run, name, folder, log) for name in todo}
        for name, done in kernels.side_by_side(works, count, timeout):
            if isinstance(done, OSError):
                raise done
            if isinstance(done, Exception):
                _fail(outcome, name, done, log)
                continue
            execution.keep(done, todo[name], {}, execution.executed(name))
            failed(name).unlink(missing_ok=True)
            outcome.executed.append(name)
            told = execution.about(name)
            log(f"  {name}: {told['seconds']:.0f} s, at most {told['memory']} MiB")


def _run(name: str, folder: Path, log: Callable[[str], None], kernel: kernels.Kernel) -> Any:
    log(f"executing {name}" + (" again: it was damaged" if _damaged(name) else ""))
    return execution.run(name, {}, kernel, folder)


def _checked(name: str, digest: str | Exception) -> str:
    if isinstance(digest, Exception):
        raise digest
    execution.check(name, {})
    return digest


def _fail(outcome: Outcome, name: str, error: Exception, log: Callable[[str], None]) -> None:
    """Say it and keep it, so that the page can: what it showed before is of another code."""
    outcome.failed[name] = text = str(error) if name in str(error) else f"chapter {name}: {error}"
    cells = error.cells if isinstance(error, ChapterError) else {}
    told = {
        "error": text,
        "outputs": {str(index): cell.outputs for index, cell in cells.items() if "outputs" in cell},
    }
    store.write(failed(name), json.dumps({"told": told, "sha256": store.digest(told)}).encode())
    log(f"error: {text}")


def _damaged(name: str) -> bool:
    return execution.executed(name).exists() and not execution.about(name)


def _seconds(name: str) -> float:
    """How long it took the last time: here, else where the book was measured."""
    told = execution.about(name)
    return told.get("processor") or told.get("seconds") or _measured().get(name, 0.0)


def _measured() -> dict[str, float]:
    try:
        rows = results.benchmarks()["book"]["rows"]
        found = {row[0].removeprefix("chapter "): row[1] for row in rows if row[2] == "s"}
    except (ValueError, KeyError, TypeError, AttributeError, IndexError, OSError):
        return {}
    return {results.FORMER.get(name, name): seconds for name, seconds in found.items()}
