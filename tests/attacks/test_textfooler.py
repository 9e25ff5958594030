"""The attack against a literal one, its budget on nasty texts, what it asks, and how often."""

import literal_textfooler
import pytest
import torch
import toywords
from hypothesis import given, settings
from hypothesis import strategies as st
from toywords import BARE, STOP, attack

from lib import attacks
from lib.attacks.words import tagging
from lib.attacks.words.candidates import Lookup
from lib.attacks.words.queries import Queries
from lib.attacks.words.search import Run
from lib.attacks.words.spelling import Words
from lib.attacks.words.textfooler import Options, _begin, _rank


@pytest.mark.parametrize("seed", range(6))
@pytest.mark.parametrize("similar", [False, True])
@pytest.mark.parametrize("stop_at_flip", [False, True])
def test_does_what_the_literal_one_does(seed, similar, stop_at_flip, monkeypatch):
    monkeypatch.setattr(tagging, "tag", lambda before, word, after: len(word) % 3)
    options = Options(
        rate=0.3,
        similarity=0.75 if similar else 0,
        stop_words=STOP,
        noun_verb=False,
        stop_at_flip=stop_at_flip,
    )
    classes, texts, candidates = 2 + seed % 2, toywords.texts(seed), toywords.thesaurus(seed)
    encode = toywords.batched(toywords.embedding) if similar else None
    found = attack(seed, texts, options, classes, encode)
    for text, ours in zip(texts, found):
        theirs = literal_textfooler.attack(
            toywords.classifier(seed, classes),
            text,
            candidates,
            rate=0.3,
            stop_words=STOP,
            fits=lambda words, i, c: len(words[i]) % 3 == len(c) % 3 and c != words[i],
            cosine=toywords.cosine if similar else None,
            threshold=0.75,
            stop_at_flip=stop_at_flip,
        )
        assert list(ours.changes) == theirs["changes"]
        assert ours.attacked == theirs["attacked"]
        assert ours.queries <= theirs["queries"]
    assert sum(len(a.changes) for a in found) > 10  # there was something to agree about


@pytest.mark.parametrize("flip_bonus", [False, True])
def test_order_of_importance_is_the_literal_one(flip_bonus):
    options = Options(stop_words=STOP, flip_bonus=flip_bonus)
    classify, candidates = toywords.classifier(3, 3), dict.fromkeys(toywords.VOCABULARY, ("other",))
    runs = [Run(text, options) for text in toywords.texts(3, count=20) if len(text.split()) > 9]
    ask = Queries(toywords.batched(classify), 64, "classify")
    _begin(runs, ask, None)
    _rank(runs, ask, Lookup(candidates, 50, STOP))
    for run in runs:
        wanted = literal_textfooler.attack(classify, run.text, {}, flip_bonus=flip_bonus)["order"]
        assert [i for i, _ in reversed(run.todo)] == [i for i in wanted if run.words[i] not in STOP]


NASTY = st.one_of(
    st.text(),
    st.lists(
        st.sampled_from(
            [
                *toywords.VOCABULARY[:12],
                "the",
                "don't",
                "well-made",
                "<br />",
                "&amp;",
                "🙂",
                "❤️",
                "é",
                "3.50",
                "电影很好看",
                "हिन्दी",
                "BANO",
                "Ko",
                "https://a.b/c?d=e",
                "...",
                "\n",
                "\u200b",
                "ﬁ",
                "ß",
                "x" * 60,
            ]
        )
    ).map(" ".join),
)


@settings(max_examples=60, deadline=None)
@given(st.lists(NASTY, max_size=4), st.sampled_from([0.0, 0.05, 0.1, 0.29, 1.0]), st.booleans())
def test_never_more_than_the_rate_and_nothing_else_is_touched(texts, rate, tagged):
    options = Options(rate=rate, similarity=0, part_of_speech=tagged)
    candidates = lambda word: [word[::-1] + "q", "replaced", "two words", "", "."]  # noqa: E731
    found = attack(1, texts, options, candidates=candidates)
    assert [a.original for a in found] == texts
    for a in found:
        before, after = Words(a.original), Words(a.attacked)
        assert a.words == len(before) == len(after)
        assert len(a.changes) <= rate * a.words + 1e-9
        assert a.attackable == (int(rate * a.words + 1e-9) >= 1)
        assert before.pieces[::2] == after.pieces[::2]
        changed = {i: (b, c) for i, b, c in a.changes}
        assert len(changed) == len(a.changes)  # no word twice
        assert {i: (b, c) for i, (b, c) in enumerate(zip(before, after)) if b != c} == changed


@pytest.mark.parametrize(
    "text",
    ["", " ", "film", "the of and " * 10, "🙂 ❤️ 👩‍👩‍👧", "<br /><br />", "电影很好看", "a b c d e f g h i"],
)
def test_texts_that_cannot_be_attacked_come_back_as_they_are(text):
    options = Options(similarity=0)
    (a,) = attack(0, [text], options, candidates=lambda word: ["replaced"])
    assert a.attacked == text
    assert a.changes == ()
    assert a.attackable == (len(Words(text)) > 9)
    assert a.queries == 1
    assert not a.flipped
    assert a.logits_before == a.logits_after


def test_a_text_of_two_thousand_words_spends_its_budget_and_no_more():
    def classify(texts):
        return torch.tensor([[500.0 - 10 * text.count("x"), 0.0] for text in texts])

    text = " ".join(toywords.VOCABULARY[i % 36] for i in range(2000))
    options = Options(similarity=0)
    (a,) = attacks.textfooler(classify, [text], candidates=lambda w: [f"{w}y", f"{w}x"], options=options)
    assert (a.words, len(a.changes), a.flipped) == (2000, 200, True)
    assert a.logits_after[0] < 0


def test_a_classifier_that_is_sure_is_attacked_too():
    """A margin of 90 is a probability that rounds to 1, also without a word."""
    sure = toywords.batched(lambda text: [100.0 - text.count("x"), 10.0])
    text = "bano ko xx li " + "fra " * 20
    (a,) = attacks.textfooler(sure, [text], candidates={"xx": ["y"], "li": ["lx", "lxx"]}, options=BARE)
    assert a.changes == ((3, "li", "lxx"),)


def test_every_sentence_is_asked_once_and_in_large_calls():
    asked, texts = [], toywords.texts(5, count=40)
    found = attack(5, [*texts, *texts], asked=asked)
    sentences = [sentence for call in asked for sentence in call]
    assert len(sentences) == len(set(sentences)) == sum(a.queries for a in found)
    rounds = max(len(a.changes) for a in found)
    assert len(asked[0]) == len(set(texts))
    assert len(asked) < 2 + 20 * rounds  # calls grow with the rounds, not with the texts
    assert [(a.attacked, a.changes) for a in found[:40]] == [(a.attacked, a.changes) for a in found[40:]]
    assert sum(a.queries for a in found[40:]) == 0
    small = attack(
        5, texts, Options(similarity=0, part_of_speech=False, stop_words=STOP, batch=7), asked=asked
    )
    assert max(map(len, asked[-3:])) <= 7
    assert [a.changes for a in small] == [a.changes for a in found[:40]]


def test_deterministic_and_alone_or_together_the_same():
    texts, encode = toywords.texts(6), toywords.batched(toywords.embedding)
    options = Options(rate=0.2, similarity=0.5)
    once, again = (attack(6, texts, options, encode=encode) for _ in range(2))
    assert once == again
    alone = [attack(6, [text], options, encode=encode)[0] for text in texts]
    assert [a.changes for a in alone] == [a.changes for a in once]


def test_progress_ends_with_all():
    seen = []
    attack(0, progress=lambda done, total: seen.append((done, total)))
    assert [done for done, _ in seen] == sorted(done for done, _ in seen)
    assert seen[-1] == (12, 12)


def test_no_texts():
    assert attack(0, []) == []
