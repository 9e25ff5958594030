"""NYU Depth v2: rooms with depth and 40 classes, 160x120."""

from lib.data.commands import script

if __name__ == "__main__":
    raise SystemExit(script("nyuv2"))
