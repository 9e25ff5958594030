"""Natural Images at 30x30: airplane, car, motorbike, cat, dog."""

from lib.data.commands import script

if __name__ == "__main__":
    raise SystemExit(script("natural_images"))
