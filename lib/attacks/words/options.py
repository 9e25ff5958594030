"""What may be chosen in TextFooler, and what an attack reports.

Three sources differ: the article (Jin et al., 2019), its public code (jind11/TextFooler, commit d47e724,
attack_classification.py), and the change that this paper makes (App. G.1). Each difference is a field below.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from fractions import Fraction
from typing import Literal

from lib.attacks.words.stop_words import STOP_WORDS

_CHOICES = {
    "after_flip": ("similar", "lowest"),
    "improve_on": ("current", "original"),
    "measure": ("angular", "cosine"),
    "against": ("previous", "original"),
}


@dataclass(frozen=True)
class Options:
    """How TextFooler attacks. The defaults are those of this book's experiments.

    Raises ValueError for a value out of its range.
    """

    rate: float = 0.10  # at most floor(rate * words) words change (Sec. 4.2: "less or equal to 0.1")
    # This paper goes on after the flip until the rate is reached (App. G.1); TextFooler stops at the flip.
    stop_at_flip: bool = False
    # After the flip: "similar" goes on as before it, with the most similar of the candidates whose label is
    # another (TextFooler with its stop taken out, which is all that App. G.1 says); "lowest" goes on
    # lowering the probability of the first label, which is a stronger attack.
    after_flip: Literal["similar", "lowest"] = "similar"
    # None deletes the word to see what it weighs (article); the code puts an unknown word there ("<oov>").
    mask: str | None = None
    # Where deleting flips, the other label's gain is added (article and code; TextAttack leaves it out).
    flip_bonus: bool = True
    # A change must lower the label's probability in the text as it stands ("current", article); the code
    # compares with the untouched text ("original") and so accepts steps backwards.
    improve_on: Literal["current", "original"] = "current"
    candidates: int = 50  # most candidates of a word (article and code)
    stop_words: bool | frozenset[str] = True  # True: STOP_WORDS; or a list of one's own, in lower case
    part_of_speech: bool = True  # a candidate must be tagged as the word is
    noun_verb: bool = True  # nouns and verbs may stand for one another (code; the article says the same tag)
    # Least similarity; 0 switches it off. The code's default is .7; its authors used .5 for their numbers
    # (jind11/TextFooler, issues 12 and 43).
    similarity: float = 0.5
    # "angular" is the code's 1 - arccos(cosine), so .5 asks for a cosine of .88; the article says cosine.
    measure: Literal["angular", "cosine"] = "angular"
    window: int | None = 15  # words around the change that are compared (code); None: the whole text
    short_similarity: float | None = 0.1  # the code's threshold for a text below the window; None: as any
    # The code compares with the text as it stands; "original" with the untouched one (issue 20 there).
    against: Literal["previous", "original"] = "previous"
    batch: int = 2048  # most sentences in one call of the classifier or the encoder

    def __post_init__(self) -> None:
        for name, known in _CHOICES.items():
            if getattr(self, name) not in known:
                raise ValueError(f"{name} = {getattr(self, name)!r}: choose {' or '.join(known)}")
        if not 0 <= self.rate <= 1:
            raise ValueError(f"rate = {self.rate}: the share of words that may change lies in [0, 1]")
        lowest = 1 - math.pi if self.measure == "angular" else -1
        for name in ("similarity", "short_similarity"):
            value = getattr(self, name)
            if value is not None and not lowest <= value <= 1:
                raise ValueError(f"{name} = {value}: an {self.measure} threshold lies in [{lowest:.2f}, 1]")
        for name in ("candidates", "batch", "window"):
            value = getattr(self, name)
            if value is not None and value < 1:
                raise ValueError(f"{name} = {value}: pass at least 1")

    def budget(self, words: int) -> int:
        """floor(rate * words), with the rate as it is written: .29 of 100 words are 29."""
        return math.floor(Fraction(repr(float(self.rate))) * words)

    def threshold(self, words: int) -> float:
        """The least similarity asked of a text with so many words; minus infinity if it is switched off."""
        if not self.similarity:
            return -math.inf
        short = self.window is not None and words < self.window
        return self.short_similarity if short and self.short_similarity is not None else self.similarity

    def left_alone(self) -> frozenset[str]:
        """The words that are never replaced."""
        if isinstance(self.stop_words, bool):
            return STOP_WORDS if self.stop_words else frozenset()
        return frozenset(self.stop_words)


DEFAULT = Options()
# The public code with its default arguments and BERT's own unknown word; it stops at the flip.
RELEASED = Options(rate=1.0, stop_at_flip=True, similarity=0.7, mask="[UNK]", improve_on="original")


@dataclass(frozen=True)
class Attacked:
    """One text after the attack."""

    original: str
    attacked: str  # equals `original` outside the changed words, letter for letter
    changes: tuple[tuple[int, str, str], ...]  # (index of the word, before, after), in the order made
    words: int
    attackable: bool  # floor(rate * words) is at least 1
    label: int  # what the attack leads away from: the classifier's own arg-max, or the label given
    logits_before: tuple[float, ...]
    logits_after: tuple[float, ...]
    flipped: bool  # the arg-max after the attack is not `label`
    queries: int  # sentences the classifier was asked for this text and for no text before it
    similarity: float | None  # cosine between the encodings of both whole texts; None without an encoder
    seconds: float = field(compare=False, default=0.0)  # a share of the time of all, by queries
