"""Scanned handwritten digits, 8x8 grey levels, ten classes."""

from lib.data.commands import script

if __name__ == "__main__":
    raise SystemExit(script("digits"))
