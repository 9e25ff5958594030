"""What is wrong with a page, as lists of complaints: empty means nothing."""

import re
import socket
from functools import cached_property
from itertools import pairwise
from pathlib import Path
from urllib.parse import unquote, urlsplit

from bs4 import BeautifulSoup

LIMIT = 2_000_000  # bytes of a page with its pictures
HOST = re.compile(r"(?:[a-z0-9](?:[a-z0-9-]*[a-z0-9])?\.)+[a-z]{2,}", re.IGNORECASE)
MACHINE = re.compile(r"(?<![\w.])(?:/(?:home|Users|root|tmp|work|mnt|var/folders)/[\w.-]+|[A-Z]:\\+Users)")
LAUNCH = re.compile(r"mybinder\.org|colab\.research|deepnote\.com|jupyterhub|unpkg\.com/thebe", re.IGNORECASE)


class Page:
    """A built page, parsed once."""

    def __init__(self, path: Path):
        self.path = path
        self.text = path.read_text(encoding="utf-8")
        self.soup = BeautifulSoup(self.text, "html.parser")
        for repeated in self.soup.select(".onlyprint"):  # the theme's own title page, for printing only
            repeated.decompose()

    @cached_property
    def article(self):
        return self.soup.select_one("article") or self.soup

    @cached_property
    def anchors(self):
        return [tag["id"] for tag in self.soup.find_all(id=True)]

    @cached_property
    def targets(self):
        """Every address in the page, once."""
        found = [
            tag.get("href") or tag.get("src") for tag in self.soup.find_all(["a", "link", "img", "script"])
        ]
        return sorted({target for target in found if target and not target.startswith("data:")})


def outside(target):
    return bool(urlsplit(target).scheme or urlsplit(target).netloc)


def broken_links(page, pages):
    """Addresses inside the book that lead nowhere: no such file, or no such place in it."""
    found = []
    for target in filter(lambda target: not outside(target), page.targets):
        parts = urlsplit(target)
        place = page.path if not parts.path else (page.path.parent / unquote(parts.path)).resolve()
        if not place.is_file():
            found.append(f"{target}: no such file")
        elif (
            parts.fragment
            and place.stem in pages
            and unquote(parts.fragment) not in pages[place.stem].anchors
        ):
            found.append(f"{target}: no such place")
    return found


def doubtful_links(page):
    """Addresses outside that cannot be right: not https, no real host, a space, nothing to click on."""
    found = []
    for target in filter(outside, page.targets):
        parts = urlsplit(target)
        if parts.scheme == "mailto" and "@" in parts.path:
            continue
        if parts.scheme != "https" or not HOST.fullmatch(parts.hostname or "") or re.search(r"\s", target):
            found.append(target)
    for link in page.soup.find_all("a", href=outside):
        if not (link.get_text(strip=True) or link.get("aria-label") or link.find("img", alt=True)):
            found.append(f"{link['href']}: a link without a word")
    return found


def pictures_without_words(page):
    """Pictures whose alternative text is missing, a file's name, or only the caption again."""
    found = []
    for image in page.article.find_all("img"):
        alt = " ".join((image.get("alt") or "").split())
        figure = image.find_parent("figure")
        caption = " ".join(figure.figcaption.get_text().split()) if figure and figure.figcaption else ""
        if len(alt) < 15 or re.search(r"\.(png|webp|svg|jpe?g)$|_images/", alt) or alt == caption:
            found.append(f"{image.get('src')}: {alt!r}")
    return found


def heading_faults(page):
    """More or fewer than one title, or a level left out."""
    levels = [int(tag.name[1]) for tag in page.article.find_all(re.compile(r"^h[1-6]$"))]
    if levels.count(1) != 1 or levels[0] != 1:
        return [f"the levels are {levels}: one title, first"]
    return [f"h{a} is followed by h{b}" for a, b in pairwise(levels) if b > a + 1]


def weight(page):
    """Bytes of the page and of the pictures in it."""
    images = {page.path.parent / image["src"] for image in page.soup.find_all("img", src=True)}
    return page.path.stat().st_size + sum(place.stat().st_size for place in images if place.is_file())


def machine_traces(page):
    """Paths and names of the machine that built the page."""
    host = socket.gethostname()
    found = MACHINE.findall(page.text)
    return found + ([host] if len(host) > 7 and host in page.text else [])


def repeated_anchors(page):
    """Ids in two places, but for those that extensions give to every box: a link would lead to the first."""
    places = {}
    for tag in page.soup.find_all(id=True):
        places.setdefault(tag["id"], []).append(tag)
    apart = {name for name, (first, *more) in places.items() if any(first not in tag.parents for tag in more)}
    return sorted(apart - {"proof", "proof-content", "search-input"})


def launch_links(page, repository=""):
    """Buttons that start a notebook elsewhere, though not on this book's repository."""
    found = [target for target in page.targets if LAUNCH.search(target)]
    found += [
        script.get_text()[:60] for script in page.soup.find_all("script") if LAUNCH.search(script.get_text())
    ]
    return [target for target in found if not repository or repository not in target]


def failed_cells(page):
    """Outputs that are errors."""
    return [box.get_text()[-200:] for box in page.soup.select(".output.traceback, .traceback")]
