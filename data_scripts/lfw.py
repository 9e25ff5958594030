"""Labeled Faces in the Wild, deep-funneled, central crop, 96x96, with its pairs."""

from lib.data.commands import script

if __name__ == "__main__":
    raise SystemExit(script("lfw_96"))
