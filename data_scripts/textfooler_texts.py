"""The texts on which TextFooler was evaluated: IMDB, Yelp, AG."""

from lib.data.commands import script

if __name__ == "__main__":
    raise SystemExit(script("textfooler_texts"))
