"""`python -m benchmarks [NAME ...]` prints a markdown table for each benchmark named, or for all.

`--record` keeps them, with the machine and the date, for the page "Benchmarks" of the book.
"""

import argparse
import pkgutil
from importlib import import_module

import benchmarks
from benchmarks import _record
from lib.tables import Table

NAMES = sorted(m.name for m in pkgutil.iter_modules(benchmarks.__path__) if not m.name.startswith("_"))


def main():
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument(
        "names", nargs="*", metavar="NAME", help=f"of {', '.join(NAMES)}; all if none is given"
    )
    parser.add_argument("--record", action="store_true", help="keep the tables in results/benchmarks/")
    options = parser.parse_args()
    chosen = options.names or NAMES
    if unknown := set(chosen) - set(NAMES):
        parser.error(f"no benchmark is called {', '.join(sorted(unknown))}; there are: {', '.join(NAMES)}")
    for name in chosen:
        table = measured(name)
        print(table, end="\n\n", flush=True)
        if options.record:  # one by one: those before a failure are kept
            _record.keep(name, table)


def measured(name):
    try:
        return import_module(f"benchmarks.{name}").rows()
    except ModuleNotFoundError as error:
        return Table(["benchmark", "not run"], [[name, f"{error.name} is not installed"]])


if __name__ == "__main__":  # a benchmark may start processes, which import this file again
    main()
