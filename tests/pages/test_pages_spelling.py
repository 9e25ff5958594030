"""Spelling of the prose: pyspellchecker's English, British endings, names in the bibliography, our own words.

A word that is right and unknown goes into `words.txt`, in its alphabetical place.
"""

import re
from pathlib import Path

import pytest
from bs4 import BeautifulSoup

from lib.chapters import execution

OWN = Path(__file__).with_name("words.txt")
SKIPPED = {"genindex", "prf-prf", "search", "references"}
NOT_PROSE = "pre, code, .math, script, style, .highlight, .bibtex-citation, .headerlink"
# A whole word of four letters or more, not a part of a path, a name in code or a formula.
WORD = re.compile(r"(?<![\w$\\./_-])[A-Za-z][a-z]{3,}(?:['’][a-z]+)?(?![\w/]*[_\w])")
BRITISH = ((r"is(e|es|ed|ing|er|ers|ation|ations)$", r"iz\1"), (r"our", "or"), (r"re(s|d)?$", r"er\1"),
           (r"ll(ed|ing|er|ers)$", r"l\1"), (r"ogue(s)?$", r"og\1"), (r"aero", "air"))  # fmt: skip


@pytest.fixture(scope="module")
def known():
    dictionary = pytest.importorskip("spellchecker").SpellChecker()
    own = set(OWN.read_text().split())
    bibliography = (execution.BOOK / "references.bib").read_text(encoding="utf-8").lower()
    cited = set(re.findall(r"[a-z]{4,}", bibliography))

    def check(word):
        whole = word.lower().replace("’", "'")
        word = whole.partition("'")[0]
        forms = [whole, word, *(re.sub(ending, american, word) for ending, american in BRITISH)]
        return word in own or word in cited or any(form in dictionary for form in forms)

    return check


def prose(markup):
    """The words of a page's article that are neither code nor formula nor a citation."""
    article = BeautifulSoup(str(markup), "html.parser")
    for box in article.select(NOT_PROSE):
        box.decompose()
    return WORD.findall(article.get_text(" "))


def test_every_word_is_known(built, known):
    unknown = {}
    for name, page in built.items():
        if name not in SKIPPED:
            wrong = sorted({word for word in prose(page.article) if not known(word)})
            unknown |= {name: wrong} if wrong else {}
    assert unknown == {}, f"misspelt, or right and missing in {OWN.name}"


def test_mistakes_are_found_and_code_is_not_read(known):
    page = "<p>A transfered modle, normalised colours, <code>sampels</code>, $lamda_x$, lib/recieve.py</p>"
    assert [word for word in prose(page) if not known(word)] == ["transfered", "modle"]


def test_own_words_are_sorted_and_needed(known):
    dictionary = pytest.importorskip("spellchecker").SpellChecker()
    words = OWN.read_text().split()
    assert words == sorted(set(words))
    assert [word for word in words if word in dictionary] == [], "the dictionary knows them"
