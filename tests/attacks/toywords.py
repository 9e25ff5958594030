"""Toy classifiers, an encoder and a thesaurus over made-up words, in float64."""

import random
import re
import zlib
from itertools import pairwise

import torch

from lib import attacks
from lib.attacks.words.textfooler import Options

VOCABULARY = [
    a + b for a in ("ba", "ko", "li", "mu", "ze", "fra") for b in ("", "no", "ri", "tan", "dels", "p")
]
STOP = frozenset({"the", "of", "and"})


def value(*key):
    """A number in [-1, 1) for a key, the same in every process."""
    return zlib.crc32(repr(key).encode()) / 2**31 - 1


def tokens(text):
    return re.findall(r"\w+", text.lower())


def classifier(seed, classes=2, scale=1.0):
    """Weights of words and of neighbouring words, planted by `seed`: order and context both matter."""

    def logits(text):
        words = tokens(text)
        keys = [*words, *pairwise(words)]
        return [scale * sum(value(seed, c, key) for key in keys) for c in range(classes)]

    return logits


def batched(one, asked=None):
    """A function of a list of sentences from one of a single sentence; `asked` collects what it is given."""

    def many(texts):
        assert isinstance(texts, list)
        if asked is not None:
            asked.append(texts)
        return torch.tensor([one(text) for text in texts], dtype=torch.float64)

    return many


def embedding(text):
    """Vectors of words added up: changing one of fifteen moves it by about a quarter of a radian."""
    rows = [[value("vector", word, j) for j in range(12)] for word in tokens(text)] or [[1.0] * 12]
    return [sum(column) for column in zip(*rows)]


def cosine(before, after):
    a, b = (
        torch.nn.functional.normalize(torch.tensor(embedding(t), dtype=torch.float64), dim=0)
        for t in (before, after)
    )
    return float((a * b).sum().clamp(-1, 1))


def thesaurus(seed, most=4):
    """Each word with up to `most` others, some with none."""
    draw = random.Random(seed)
    return {word: draw.sample(VOCABULARY, draw.randrange(most + 1)) for word in VOCABULARY}


def texts(seed, count=12, longest=60):
    draw = random.Random(seed)
    words = VOCABULARY + sorted(STOP) * 4
    return [" ".join(draw.choices(words, k=draw.randrange(1, longest))) for _ in range(count)]


BARE = Options(similarity=0, part_of_speech=False, stop_words=STOP)


def attack(seed=0, given=None, options=BARE, classes=2, encode=None, asked=None, **more):
    classify = batched(classifier(seed, classes), asked)
    wanted = texts(seed) if given is None else given
    candidates = more.pop("candidates", thesaurus(seed))
    return attacks.textfooler(classify, wanted, candidates=candidates, encode=encode, options=options, **more)
