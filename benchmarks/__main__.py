"""`python -m benchmarks [NAME ...]` prints a markdown table for each benchmark named, or for all."""

import argparse
import pkgutil
from importlib import import_module

import benchmarks

NAMES = sorted(m.name for m in pkgutil.iter_modules(benchmarks.__path__) if not m.name.startswith("_"))

parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
parser.add_argument("names", nargs="*", metavar="NAME", help=f"of {', '.join(NAMES)}; all if none is given")
chosen = parser.parse_args().names or NAMES
if unknown := set(chosen) - set(NAMES):
    parser.error(f"no benchmark is called {', '.join(sorted(unknown))}; there are: {', '.join(NAMES)}")
for name in chosen:
    print(import_module(f"benchmarks.{name}").rows())
