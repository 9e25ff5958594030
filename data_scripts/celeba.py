"""CelebA: aligned faces with attributes and identities, 178x218.

Variants, the original first: celeba, celeba_299.
"""

from lib.data.commands import script

if __name__ == "__main__":
    raise SystemExit(script("celeba", "celeba_299"))
