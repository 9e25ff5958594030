"""Where replacements come from: counter-fitted vectors, the file of their neighbours, or any embedding.

And which pairs turn a meaning around, told by a rule where no list of antonyms is at hand.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from pathlib import Path

import torch
from torch import Tensor
from torch.nn.functional import normalize

from lib.attacks.words.spelling import cased_like, is_word, plain
from lib.data import registry
from lib.data import words as lists

Candidates = Mapping[str, Sequence[str]] | Callable[[str], Sequence[str]]
Pair = Callable[[str, str], bool]
_LISTS = "counterfitting_constraints"
CLEAR = 1.0  # a rating this far from 0, of at most 4, says that a word praises or blames
_NEGATING = ("un", "in", "im", "il", "ir", "dis", "non", "mis", "anti")
_CHUNK = 256  # rows of a similarity matrix made at once: 256 x 65,713 floats are 67 MB


class Nearest(Mapping[str, list[str]]):
    """Word -> its nearest words by cosine, the nearest first; computed when asked for, and remembered."""

    def __init__(
        self, words: Sequence[str], vectors: Tensor, banned: Pair | None, most: int, least: float
    ) -> None:
        if len(words) != len(vectors):
            raise ValueError(f"{len(words)} words have {len(vectors)} vectors: pass a row for each word")
        self._words, self._unit = list(words), normalize(vectors.float(), dim=1)
        self._place = {word: i for i, word in reversed(list(enumerate(self._words)))}
        self._banned, self._most, self._least = banned, most, least
        self._known: dict[str, list[str]] = {}

    def __getitem__(self, word: str) -> list[str]:
        if word not in self._place:
            raise KeyError(word)
        self.look_up([word])
        return self._known[word]

    def __contains__(self, word: object) -> bool:
        return word in self._place  # without looking for its neighbours

    def __iter__(self) -> Iterator[str]:
        return iter(self._place)

    def __len__(self) -> int:
        return len(self._place)

    def look_up(self, words: Iterable[str]) -> None:
        """Find the neighbours of many words at once, which is faster than one by one."""
        wanted = [w for w in dict.fromkeys(words) if w in self._place and w not in self._known]
        for start in range(0, len(wanted), _CHUNK):
            chunk = wanted[start : start + _CHUNK]
            cosines = self._unit[[self._place[w] for w in chunk]] @ self._unit.T
            # Some are dropped below: the word itself, its antonyms and other spellings of it.
            values, index = cosines.topk(min(4 * self._most + 8, len(self._words)), dim=1)
            for word, row, near in zip(chunk, values.tolist(), index.tolist()):
                self._known[word] = self._chosen(word, row, near)

    def _chosen(self, word: str, cosines: list[float], near: list[int]) -> list[str]:
        # Rounded, and ties by place, so that the order does not depend on what else was looked up.
        ranked = sorted((-round(cosine, 5), i) for cosine, i in zip(cosines, near) if cosine >= self._least)
        found = (self._words[i] for _, i in ranked)
        kept = (w for w in found if w != word and not (self._banned and self._banned(w, word)))
        return list(dict.fromkeys(kept))[: self._most]


def counter_fitted(words: Sequence[str], vectors: Tensor, *, most: int = 50, least: float = 0.5) -> Nearest:
    """Neighbours in counter-fitted vectors (Mrksic et al., 2016): N = 50 at a cosine of at least .5.

    The article asks for .7, its public code for .5. The vectors hold antonyms apart, so no list is needed.
    """
    return Nearest(words, vectors, None, most, least)


def embedding_neighbours(
    words: Sequence[str], vectors: Tensor, opposite: Pair | None = None, *, most: int = 8, least: float = 0.4
) -> Nearest:
    """Neighbours in a model's own token embeddings, but no pair that is `opposite` (see `opposites`).

    Only whole words of three or more letters a-z are kept. Such embeddings put "good" beside "bad": what
    `opposite` does not know stays in, and only the sentence similarity is against it.
    """
    whole = [i for i, w in enumerate(words) if len(w) > 2 and w.isascii() and w.isalpha() and w.islower()]
    return Nearest([words[i] for i in whole], vectors[torch.tensor(whole)], opposite, most, least)


def opposites(root: Path | None = None) -> tuple[str, Pair]:
    """(what decides, whether two words are opposites): a rule, and the antonym lists where they are.

    The rule is `opposed`, on VADER's ratings where these are. The lists are the two of counter-fitting.
    """
    here = opposites_data(root)
    rated = lists.valence(root) if "vader" in here else {}
    kinds = ("ppdb_antonyms", "wordnet_antonyms") if _LISTS in here else ()
    listed = {frozenset(pair) for kind in kinds for pair in lists.constraints(kind, root)}
    rules = ["opposite ratings"] * bool(rated) + ["prefixes"] + ["antonym lists"] * bool(kinds)
    name = " and ".join(filter(None, [", ".join(rules[:-1]), rules[-1]]))
    return name, lambda a, b: frozenset((a, b)) in listed or opposed(a, b, rated)


def opposed(first: str, second: str, valence: Mapping[str, float]) -> bool:
    """True if one word praises and the other blames, or if one denies the other.

    `valence`: ratings in [-4, 4] (`lib.data.words.valence`). Denying is by prefix ("unhappy") or by ending
    ("careful", "careless"). Of the pairs that the antonym lists of counter-fitting name among the nearest
    eight in MiniLM's embeddings the rule finds 36 % (143 of 402): it has no eye for "uncle" and "aunt", or
    "big" and "small". Of the pairs that it finds, 46 % are in these lists (143 of 311; they lack "boring"
    and "entertaining") and 1 % among the synonyms (`tests/attacks/test_textfooler_opposites.py`).
    """
    one, other = valence.get(first, 0.0), valence.get(second, 0.0)
    if one * other < 0 and min(abs(one), abs(other)) >= CLEAR:
        return True
    return _denies(first, second) or _denies(second, first)


def _denies(word: str, denied: str) -> bool:
    """Is `word` the other with "un-" or the like, or with "-less", also in the place of "-ful"?"""
    endings = f"{denied}less", f"{denied.removesuffix('ful')}less"
    return word in endings or word in [prefix + denied for prefix in _NEGATING]


def opposites_data(root: Path | None = None) -> list[str]:
    """What `opposites` would read, of what is here: names in the data registry."""
    return [name for name in ("vader", _LISTS) if registry.present(name, root)]


def found(
    embeddings: Callable[[], tuple[Sequence[str], Tensor]] | None = None, root: Path | None = None
) -> tuple[str, Candidates]:
    """(what they are, the best candidates that are here): vectors, else the file, else `embeddings()`.

    `embeddings` is called only if needed. Raises `registry.Missing` with the remedy if nothing is here.
    """
    if registry.present("counterfitted_vectors", root):
        return "counter-fitted vectors", counter_fitted(*lists.vectors(root))
    if registry.present("counterfitted_neighbors", root) or embeddings is None:
        return "counter-fitted neighbours", lists.neighbours(root)
    name, opposite = opposites(root)
    return f"embedding neighbours without opposites by {name}", embedding_neighbours(*embeddings(), opposite)


class Lookup:
    """Candidates for words as they stand in a text: spelled plainly to look up, in the word's case again."""

    def __init__(self, source: Candidates, most: int, left_alone: frozenset[str]) -> None:
        if not (callable(source) or isinstance(source, Mapping)):
            raise TypeError(
                f"candidates is a {type(source).__name__}: pass a mapping or a function of a word"
            )
        self._source, self._most, self._left_alone = source, most, left_alone
        self._plain: dict[str, list[str]] = {}
        self._known: dict[str, list[str]] = {}

    def prepare(self, words: Iterable[str]) -> None:
        """Tell which words will be asked for, so that neighbours are found for many at once."""
        if isinstance(self._source, Nearest):
            self._source.look_up(w for w in map(plain, words) if w not in self._left_alone)

    def __call__(self, word: str) -> list[str]:
        """The candidates of a word, at most `most`, each a single word; none for a word left alone."""
        if word not in self._known:
            key = plain(word)
            if key not in self._plain:
                self._plain[key] = [] if key in self._left_alone else self._looked_up(key)
            found = self._plain[key]
            self._known[word] = found if word == key else [cased_like(one, word) for one in found]
        return self._known[word]

    def _looked_up(self, key: str) -> list[str]:
        found = self._source.get(key, ()) if isinstance(self._source, Mapping) else self._source(key)
        if isinstance(found, str):
            raise TypeError(f"candidates of {key!r} are the text {found!r}: pass a list of words")
        single = (c for c in dict.fromkeys(list(found)[: self._most]) if is_word(c) and plain(c) != key)
        return list(single)  # one word for one word, so that the number of words stays what it is
