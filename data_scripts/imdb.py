"""IMDB reviews, positive and negative.

Variants, the original first: imdb, imdb_part.
"""

from lib.data.commands import script

if __name__ == "__main__":
    raise SystemExit(script("imdb", "imdb_part"))
