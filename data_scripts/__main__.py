"""Bring all data sets of a preset or an experiment: python -m data_scripts reduced [--mirror DIR].

The first argument is a preset (quick, reduced, paper), an experiment (images, text, attributes, tasks), or
both ("images/reduced"); the others are those of a single data script.
"""

import sys

from lib.data import registry
from lib.data.commands import main

if __name__ == "__main__":
    if len(sys.argv) < 2 or sys.argv[1].startswith("-"):
        raise SystemExit(__doc__)
    chosen = registry.for_use(sys.argv[1])
    if not chosen:
        raise SystemExit(f"no data set is used by {sys.argv[1]!r}\n\n{__doc__}")
    raise SystemExit(main(chosen, sys.argv[2:], description=__doc__ or "", each=True))
