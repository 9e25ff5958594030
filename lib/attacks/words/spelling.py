"""A text as words and what lies between them: joined again, they are the text, letter for letter."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator

# Marks that belong to the letter before them (accents, vowel signs), and the joiners of Persian and Hindi.
_MARKS = "\u200c\u200d" + "".join(
    chr(c) for c in range(0x300, 0x10000) if unicodedata.category(chr(c)).startswith("M")
)
_PART = rf"[^\W_](?:[^\W_]|[{_MARKS}])*"  # begins with a letter or digit, so an emoji's selector is no word
_WORD = rf"{_PART}(?:(?:['’‑-]|(?<=\d)[.,](?=\d)){_PART})*"
_OPAQUE = r"<[A-Za-z/!?][^<>]*>|&(?:\w+|\#\d+);|(?:https?://|www\.)\S+"  # markup, entities, addresses
_TOKENS = re.compile(rf"{_OPAQUE}|({_WORD})")


class Words:
    """The words of a text; markup, addresses and punctuation are none and stay as they are.

    A word begins with a letter or digit; apostrophes and hyphens inside belong to it, and so do points and
    commas inside a number. A script without spaces gives one word a run of letters.
    """

    def __init__(self, text: str) -> None:
        self.pieces: list[str] = []  # gap, word, gap, ..., word, gap
        end = 0
        for match in _TOKENS.finditer(text):
            if match[1]:
                self.pieces += [text[end : match.start()], match[1]]
                end = match.end()
        self.pieces.append(text[end:])

    def __len__(self) -> int:
        return len(self.pieces) // 2

    def __iter__(self) -> Iterator[str]:
        return iter(self.pieces[1::2])

    def __getitem__(self, index: int) -> str:
        return self.pieces[2 * index + 1]

    def __str__(self) -> str:
        return "".join(self.pieces)

    def replace(self, index: int, word: str) -> None:
        """Put another word in its place."""
        self.pieces[2 * index + 1] = word

    def around(self, index: int) -> tuple[str, str]:
        """The text before and after a word."""
        return "".join(self.pieces[: 2 * index + 1]), "".join(self.pieces[2 * index + 2 :])

    def without(self, index: int) -> str:
        """The text with a word deleted, and the space before it, or after it if it is the first."""
        before, after = self.around(index)
        if before[-1:].isspace():
            return before[:-1] + after
        return before + (after[1:] if not before and after[:1].isspace() else after)

    def window(self, index: int, size: int | None) -> slice:
        """The pieces of `size` words with this one in the middle, moved inside the text at its ends."""
        count = len(self)
        if size is None or size >= count:
            return slice(0, len(self.pieces))
        first = min(max(index - (size - 1) // 2, 0), count - size)
        return slice(2 * first + 1, 2 * (first + size))


def plain(word: str) -> str:
    """A word as lists spell it: lower case, straight apostrophe, plain hyphen."""
    lower = word.lower()
    return lower if lower.isascii() else lower.replace("’", "'").replace("‑", "-")


def is_word(text: str) -> bool:
    """True if the text is one word and nothing else."""
    if text.isascii() and text.isalnum():  # nearly all, and much faster
        return True
    found = Words(text)
    return len(found) == 1 and found[0] == text


def cased_like(word: str, model: str) -> str:
    """The word in the case of another: as it is, Capitalised, or in CAPITALS."""
    if len(model) > 1 and model.isupper():
        return word.upper()
    return word[:1].upper() + word[1:] if model[:1].isupper() else word
