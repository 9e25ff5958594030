"""Yelp Polarity: reviews, positive and negative.

Variants, the original first: yelp_polarity, yelp_reviews.
"""

from lib.data.commands import script

if __name__ == "__main__":
    raise SystemExit(script("yelp_polarity", "yelp_reviews"))
