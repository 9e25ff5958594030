"""`python -m benchmarks [NAME ...]` prints a markdown table for each benchmark named, or for all.

`--record` keeps them, with the machine and the date, for the page "Benchmarks" of the book.
"""

import argparse
import pkgutil
import traceback
from importlib import import_module

import benchmarks
from benchmarks import _record
from lib.base.tables import Table

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
    failed = [name for name in chosen if not measured(name, options.record)]
    if failed:
        parser.exit(1, f"failed: {', '.join(failed)}\n")


def measured(name, record):
    """Print a benchmark's table and perhaps keep it. False if it failed: the others have their turn."""
    try:
        table = import_module(f"benchmarks.{name}").rows()
    except ModuleNotFoundError as error:
        print(Table(["benchmark", "not run"], [[name, f"{error.name} is not installed"]]), end="\n\n")
        return True
    except Exception:
        traceback.print_exc()
        return False
    print(table, end="\n\n", flush=True)
    if record:
        _record.keep(name, table)
    return True


if __name__ == "__main__":  # a benchmark may start processes, which import this file again
    main()
