"""all-MiniLM-L6-v2: a sentence encoder of 22.7 million weights."""

from lib.data.commands import script

if __name__ == "__main__":
    raise SystemExit(script("minilm"))
