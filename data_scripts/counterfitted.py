"""Counter-fitted word vectors, 65,713 words of 300 numbers.

Variants, the original first: counterfitted_vectors, counterfitted_neighbors.
"""

from lib.data.commands import script

if __name__ == "__main__":
    raise SystemExit(script("counterfitted_vectors", "counterfitted_neighbors"))
