"""LIAR: statements of politicians, six degrees of truth folded in two."""

from lib.data.commands import script

if __name__ == "__main__":
    raise SystemExit(script("liar"))
