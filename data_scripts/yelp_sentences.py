"""Single sentences of Yelp reviews, lower-cased and tokenised."""

from lib.data.commands import script

if __name__ == "__main__":
    raise SystemExit(script("yelp_sentences"))
