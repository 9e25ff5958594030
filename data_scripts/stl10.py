"""STL-10: labelled photographs of ten classes, 96x96."""

from lib.data.commands import script

if __name__ == "__main__":
    raise SystemExit(script("stl10"))
