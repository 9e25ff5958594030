"""The same attack as TextAttack's components make: run with TEXTATTACK_PYTHON naming a python that has it."""

import importlib
import os
import random

import pytest
import torch
import toywords

from lib.attacks.words.candidates import Lookup
from lib.attacks.words.queries import Queries
from lib.attacks.words.search import Run
from lib.attacks.words.stop_words import STOP_WORDS
from lib.attacks.words.textfooler import _begin, _rank
from lib.base import fingerprint

pytestmark = pytest.mark.skipif(
    "TEXTATTACK_PYTHON" not in os.environ, reason="TEXTATTACK_PYTHON names no python with TextAttack"
)


def test_textattack_changes_the_same_words_in_the_same_order(tmp_path, monkeypatch):
    monkeypatch.syspath_prepend(str(fingerprint.ROOT))
    bench = importlib.import_module("benchmarks.textfooler")
    draw = random.Random(0)
    words = [*toywords.VOCABULARY, "the", "of", "and", "film"]
    # No word twice, and filters enough that each weighs something: TextAttack breaks ties at random.
    texts = [" ".join(draw.sample(words, 10 * draw.randrange(1, 4))) for _ in range(40)]
    near = {word: [c for c in others if c != word] for word, others in toywords.thesaurus(0).items()}
    near = {word: list(dict.fromkeys(others)) for word, others in near.items() if others}

    with torch.random.fork_rng():
        torch.manual_seed(0)
        model = bench.WordCNN(words, width=16, filters=100).double().eval()
    model.save(tmp_path / "classifier.pt")
    ours = bench.timed(model, texts, near)
    theirs = bench.peer(tmp_path, "cnn", texts, near, ours, orders=len(texts))

    assert [a.attacked for a in ours["found"]] == [row["attacked"] for row in theirs["rows"]]
    assert [a.flipped for a in ours["found"]] == [row["flipped"] for row in theirs["rows"]]
    assert all(a.queries <= row["queries"] for a, row in zip(ours["found"], theirs["rows"]))
    assert sum(len(a.changes) for a in ours["found"]) > 20
    assert {a.flipped for a in ours["found"]} == {True, False}

    runs = [Run(text, bench.OPTIONS) for text in texts]
    with torch.no_grad():
        ask = Queries(lambda sentences: model(sentences), 2048, "classify")
        _begin(runs, ask, None)
        _rank(runs, ask, Lookup(near, 50, STOP_WORDS))
    for run, order in zip(runs, theirs["orders"]):
        replaceable = [i for i in order if run.words[i] in near]
        assert [i for i, _ in reversed(run.todo)] == replaceable
