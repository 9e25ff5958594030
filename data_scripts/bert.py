"""bert-base-uncased: 12 layers of 768."""

from lib.data.commands import script

if __name__ == "__main__":
    raise SystemExit(script("bert"))
