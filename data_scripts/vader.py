"""Sentences rated from -4 to 4: tweets, film reviews, Amazon reviews, newspaper editorials."""

from lib.data.commands import script

if __name__ == "__main__":
    raise SystemExit(script("vader"))
