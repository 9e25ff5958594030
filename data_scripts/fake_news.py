"""Fake News (Kaggle competition of 2018): articles, reliable and not.

Variants, the original first: fake_news, fake_articles.
"""

from lib.data.commands import script

if __name__ == "__main__":
    raise SystemExit(script("fake_news", "fake_articles"))
