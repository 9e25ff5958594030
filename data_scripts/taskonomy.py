"""Taskonomy's published affinities and win rates, as a table.

Variants, the original first: taskonomy_affinity, taskonomy_pickles.
"""

from lib.data.commands import script

if __name__ == "__main__":
    raise SystemExit(script("taskonomy_affinity", "taskonomy_pickles"))
