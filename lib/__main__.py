"""Alone, it lists experiments, presets and chapters; with a command, it does what stands beside it."""

from __future__ import annotations

import argparse
import ast
import sys
from collections.abc import Callable, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

from lib import __version__
from lib.base import fingerprint, project
from lib.base.extras import missing
from lib.chapters.kernels import TIMEOUT, ChapterError
from lib.data import commands as data_commands
from lib.engine import results
from lib.engine.places import JobFailed, place

# What loads torch is imported by the command that needs it: --help and --version are there at once.


def main(arguments: Sequence[str] | None = None) -> int:
    """Obey a command line. 0: done; 1: something was found wrong; 2: the command cannot be obeyed."""
    options = _parser().parse_args(arguments)
    action: Callable[[argparse.Namespace], int] = options.action
    try:
        return action(options)
    except KeyboardInterrupt:
        print("stopped; the same command goes on from here", file=sys.stderr)
        return 130
    except ModuleNotFoundError as error:
        if (error.name or "lib").partition(".")[0] == "lib":  # a mistake in the code, not in the set-up
            raise
        print(missing(error.name, "cluster" if error.name == "distributed" else "book"), file=sys.stderr)
    except (ValueError, TypeError, OSError, JobFailed, ChapterError) as error:
        print("\n".join([f"error: {error}", *getattr(error, "__notes__", ())]), file=sys.stderr)
    return 2


def _list(options: argparse.Namespace) -> int:
    from lib.chapters import doctor, execution

    print(doctor.experiments())
    absent = "\nThe chapters are not here: they lie in the project's folder."
    print("\nchapters: " + ", ".join(execution.names()) if project.BOOK_HERE else absent)
    print("\nNext: python -m lib run EXPERIMENT --preset quick, or python -m lib --help")
    return 0


def _run(options: argparse.Namespace) -> int:
    from lib.engine import audit, parameters, runs

    module = audit.experiment(options.experiment)
    preset = {"preset": options.preset} if options.preset else {}
    config = parameters.build(module, _values(options.parameter) | preset)
    name, overwrite = options.record or None, options.overwrite
    if options.record is not None:  # before hours of computing, not after them
        results.place_for(module.NAME, config.preset, name, overwrite=overwrite)
    result = runs.run(module, config, place=place(options.processes, options.scheduler))
    print(f"{result.experiment} · {result.caption}")
    print(f"{len(result.records)} records, {result.provenance['seconds']:.1f} s of computing")
    if options.record is not None:
        print(f"recorded in {results.record(result, name, overwrite=overwrite)}")
    return 0


def _results(options: argparse.Namespace) -> int:
    from lib.data import registry
    from lib.engine import audit

    paths = audit.paths()
    if not (options.verify or options.rerun):
        print(results.overview(results.recorded()) if paths else "no run has been recorded yet")
        return 0
    problems = [problem for path in paths for problem in audit.verify(path, registry.needed)]
    none = "no run has been recorded here: nothing was verified"
    whole = f"{len(paths)} recorded runs verified: nothing is wrong" if paths else none
    print("\n".join(problems) or whole)
    for path in paths if options.rerun and not problems else ():
        try:
            finding = audit.rerun(path, registry.needed)
        except FileNotFoundError as error:
            print(f"{path.name}: not re-run: {error}")
            continue
        print(f"{path.name}: {finding or 'agrees'}")
        problems += [finding] if finding else []
    return 1 if problems else 0


def _chapters(options: argparse.Namespace) -> int:
    from lib.chapters import book, execution, pages, refresh

    problems: list[str] = []
    if options.do == "run":
        print(execution.execute(options.name, _values(options.parameter), options.out, options.timeout))
    elif options.do == "refresh":
        outcome = refresh.refresh(timeout=options.timeout, jobs=options.jobs)
        problems = [f"failed: {name}; try {refresh.remedy(name)}" for name in outcome.failed]
        done = f"executed: {', '.join(outcome.executed)}" if outcome.executed else "every chapter is fresh"
        print("\n".join(problems) or done)
    elif options.do in ("build", "check"):
        problems = book.make(options.jobs) if options.do == "build" else pages.check_build()
        whole = f"{len(execution.toc())} pages, {len(execution.names())} with outputs: all there"
        print("\n".join(problems) or f"{whole}\nread it from {pages.HTML / 'index.html'}")
    else:
        from lib.chapters import doctor

        print(doctor.chapters())
    return 1 if problems else 0


def _verdict(options: argparse.Namespace) -> int:
    from lib.verdict import settings, summary

    project.need_book()
    recorded = settings.load()
    if options.write:
        written = [path.relative_to(fingerprint.ROOT) for path in summary.write(recorded)]
        print("written: " + ", ".join(map(str, written)) if written else "nothing to write: all is current")
        return 0
    print(summary.block(recorded, "book/"))
    behind = [str(path.relative_to(fingerprint.ROOT)) for path in summary.stale(recorded)]
    print(f"not current: {', '.join(behind)}; mend it with {summary.COMMAND}" if behind else "")
    return 1 if behind else 0


def _data(options: argparse.Namespace) -> int:
    from lib.data import catalogue, registry

    if not (options.names or options.check or options.force or options.mirror or options.root):
        from lib.chapters import doctor

        print(doctor.data())
        return 0
    chosen = [registry.get(name) for name in options.names or catalogue.CATALOGUE]
    return data_commands.obey(chosen, options, each=True)


def _doctor(options: argparse.Namespace) -> int:
    from lib.chapters import doctor

    print(doctor.report())
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m lib", description=__doc__)
    parser.set_defaults(action=_list)
    parser.add_argument("--version", action="version", version=f"lib {__version__}")
    commands = parser.add_subparsers(title="commands", metavar="COMMAND")
    run = _command(commands, "run", _run, "run an experiment, or go on with one that was stopped")
    run.add_argument("experiment", help="its name; python -m lib lists them")
    run.add_argument("--preset", help="quick (default), reduced or paper")
    _add_parameter(run, "a wrong name lists them all")
    run.add_argument("--record", nargs="?", const="", metavar="NAME", help="keep the run in results/")
    run.add_argument("--overwrite", action="store_true", help="even if a run is kept there already")
    run.add_argument("--processes", type=int, metavar="N", help="run jobs in N processes of this machine")
    run.add_argument("--scheduler", metavar="ADDRESS", help="run them on a Dask cluster, tcp://host:port")
    checks = _command(commands, "results", _results, "list the recorded runs, or check them")
    checks.add_argument("--verify", action="store_true", help="schema, checksums, numbers recomputed")
    again = "and one record of each run computed again; what is found is written into results/checked/"
    checks.add_argument("--rerun", action="store_true", help=f"{again} where new")
    _add_chapters(_command(commands, "chapters", _chapters, "list chapters, execute them, check pages"))
    verdict = _command(commands, "verdict", _verdict, "the verdict on the paper, from the recorded runs")
    verdict.add_argument("--write", action="store_true", help="mend it in README and landing page")
    data = _command(commands, "data", _data, "list data sets; with names or an option, fetch or check them")
    data.add_argument("names", nargs="*", metavar="DATASET", help="default: all of them")
    data_commands.add_options(data)
    _command(commands, "doctor", _doctor, "what is installed and here, and what each preset needs")
    return parser


def _add_chapters(parser: argparse.ArgumentParser) -> None:
    actions = parser.add_subparsers(dest="do")
    run = actions.add_parser("run", help="execute one chapter, with parameters")
    run.add_argument("name", help="of a chapter: its file in book/, without .md; python -m lib lists them")
    _add_parameter(run, "its parameters are in the chapter's first code cell")
    place = "where the executed notebook goes; default: _build/executed/, or _build/parameterised/ with -p"
    run.add_argument("-o", "--out", type=Path, metavar="FILE", help=place)
    refresh = actions.add_parser("refresh", help="execute the chapters that are stale")
    for each in (run, refresh):
        work = "seconds of processor time that a cell may take, and for which it may stand still"
        each.add_argument("--timeout", type=int, default=TIMEOUT, help=work)
    build = actions.add_parser("build", help="the whole book: stale chapters, pages, check")
    for each in (refresh, build):
        side = "chapters side by side; default: TRANSFER_JOBS, or by cores and memory"
        each.add_argument("--jobs", type=int, metavar="N", help=side)
    actions.add_parser("check", help="is every page built, with all its outputs?")


def _command(
    commands: Any, name: str, action: Callable[[argparse.Namespace], int], description: str
) -> argparse.ArgumentParser:
    parser: argparse.ArgumentParser = commands.add_parser(name, help=description, description=description)
    parser.set_defaults(action=action)
    return parser


def _add_parameter(parser: argparse.ArgumentParser, names: str) -> None:
    parser.add_argument(
        "-p", "--parameter", nargs=2, action="append", default=[], metavar=("NAME", "VALUE"),
        help="another value than the preset's, such as -p seeds 5; a list in quotes, -p widths '[20, 40]'; "
        + names,
    )  # fmt: skip


def _values(pairs: list[list[str]]) -> dict[str, Any]:
    """{name: value} of `-p name value`: a Python literal where it is one, else text."""
    values: dict[str, Any] = dict(pairs)
    for name, text in pairs:
        with suppress(ValueError, SyntaxError):
            values[name] = ast.literal_eval(text)
    return values


if __name__ == "__main__":
    raise SystemExit(main())
