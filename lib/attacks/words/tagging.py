"""Parts of speech in context, by HanTa's English model (Wartena, 2019), in the twelve universal classes."""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import lru_cache, partial
from typing import Any

from lib.attacks.words.spelling import Words

SPAN = 4  # words on either side that decide a tag (the public code's window of nine)
_LONGEST = 24  # letters of a word that are looked at, from its end: HanTa's time grows with their cube

# The British National Corpus's C5 tags by their first letters, longer ones first.
_CLASSES = {
    "AVP": "PRT", "CRD": "NUM", "ORD": "ADJ", "POS": "PRT", "AJ": "ADJ", "AT": "DET", "AV": "ADV",
    "CJ": "CONJ", "DP": "DET", "DT": "DET", "EX": "DET", "IN": "ADP", "NN": "NOUN", "NP": "NOUN",
    "PN": "PRON", "PR": "ADP", "PU": ".", "TO": "PRT", "XX": "ADV", "V": "VERB",
}  # fmt: skip


def fits(words: Words, index: int, candidates: Sequence[str], noun_verb: bool = True) -> list[bool]:
    """Which candidates are tagged, in this word's place, as the word itself is.

    `noun_verb` lets nouns and verbs stand for one another. Word and candidates are tagged in the same window
    of SPAN words on either side; the public code tags the word in the whole text, so that there a word can
    differ from itself.
    """
    before, after = _context(words, index)
    wanted = tag(before, words[index], after)
    allowed = {"NOUN", "VERB"} if noun_verb and wanted in ("NOUN", "VERB") else {wanted}
    return [tag(before, candidate, after) in allowed for candidate in candidates]


@lru_cache(maxsize=2**18)
def tag(before: tuple[str, ...], word: str, after: tuple[str, ...]) -> str:
    """Universal class of a word between its neighbours, "X" for what the tagger cannot place."""
    sentence = [w[-_LONGEST:] for w in (*before, word, *after)]
    try:
        found = _tagger().tag_sent(sentence, taglevel=0)[len(before)]
    except KeyError:  # HanTa: no path through such a sentence
        found = _tagger().tag_word(word[-_LONGEST:])[0][0]
    return next((kind for start, kind in _CLASSES.items() if found.startswith(start)), "X")


def _context(words: Words, index: int) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """The tokens on either side: words, and the marks that part sentences and clauses."""
    window, split = words.window(index, 2 * SPAN + 1), 2 * index + 1
    before = (token for i in range(window.start, split) for token in _tokens(words, i))
    after = (token for i in range(split + 1, window.stop) for token in _tokens(words, i))
    return tuple(before), tuple(after)


def _tokens(words: Words, piece: int) -> list[str]:
    text = words.pieces[piece]
    return [text] if piece % 2 else re.findall(r"[.,;:!?()]", text)[:2]


@lru_cache(maxsize=1)
def _tagger() -> Any:
    """HanTa's English tagger, which remembers the words it has analysed.

    Its model is a pickle inside its own package, so loading it runs what the package says: as installing any
    package does. The version is pinned.
    """
    from HanTa.HanoverTagger import HanoverTagger  # half a second: only where a tag is asked for

    tagger = HanoverTagger("morphmodel_en.pgz")
    tagger.analyze_forward = lru_cache(maxsize=2**16)(partial(HanoverTagger.analyze_forward, tagger))
    return tagger
