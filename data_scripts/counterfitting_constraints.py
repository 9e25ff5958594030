"""Synonym and antonym pairs of PPDB and WordNet used in counter-fitting."""

from lib.data.commands import script

if __name__ == "__main__":
    raise SystemExit(script("counterfitting_constraints"))
