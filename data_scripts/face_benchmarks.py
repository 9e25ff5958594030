"""The seven verification benchmarks, in insightface's .bin format."""

from lib.data.commands import script

if __name__ == "__main__":
    raise SystemExit(script("face_benchmarks"))
