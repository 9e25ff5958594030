"""AG's News: world, sports, business, science and technology.

Variants, the original first: ag_news, ag_part.
"""

from lib.data.commands import script

if __name__ == "__main__":
    raise SystemExit(script("ag_news", "ag_part"))
