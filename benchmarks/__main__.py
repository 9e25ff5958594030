"""`python -m benchmarks NAME ...` prints one markdown table for each benchmark named."""

import argparse
import pkgutil
from importlib import import_module

import benchmarks

NAMES = sorted(m.name for m in pkgutil.iter_modules(benchmarks.__path__) if not m.name.startswith("_"))

parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
parser.add_argument("names", nargs="+", choices=NAMES, metavar="NAME", help=", ".join(NAMES))
for name in parser.parse_args().names:
    print(import_module(f"benchmarks.{name}").rows())
