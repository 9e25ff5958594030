"""Tiny-ImageNet at 32x32: 15 classes of vehicles and 19 of animals."""

from lib.data.commands import script

if __name__ == "__main__":
    raise SystemExit(script("tinyimagenet32"))
