"""Posts about COVID-19, real and fake (CONSTRAINT 2021)."""

from lib.data.commands import script

if __name__ == "__main__":
    raise SystemExit(script("covid_posts"))
