"""What the options of the attack change: when it stops, what it may take, what it takes first."""

import re

import pytest
import torch
import toywords
from toywords import STOP, attack

from lib import attacks
from lib.attacks.words.textfooler import Options


def test_goes_on_after_the_flip_unless_told_to_stop():
    on, off = attack(2), attack(2, options=Options(similarity=0, part_of_speech=False, stop_at_flip=True))
    flipped = [i for i, a in enumerate(off) if a.flipped]
    assert flipped
    assert any(len(on[i].changes) > len(off[i].changes) for i in flipped)
    assert all(on[i].changes[: len(off[i].changes)] == off[i].changes for i in flipped)
    assert all(on[i].flipped for i in flipped)


def test_after_the_flip_the_lowest_probability_does_more_damage():
    encode = toywords.batched(toywords.embedding)
    base = {"rate": 0.5, "similarity": 0.2, "part_of_speech": False, "stop_words": STOP}
    similar = attack(2, options=Options(**base), encode=encode)
    lowest = attack(2, options=Options(**base, after_flip="lowest"), encode=encode)

    def margin(a):
        return a.logits_after[a.label] - max(v for c, v in enumerate(a.logits_after) if c != a.label)

    assert sum(map(margin, lowest)) < sum(map(margin, similar))
    assert sum(a.similarity for a in similar) > sum(a.similarity for a in lowest)


def test_a_change_must_improve_on_the_text_as_it_stands():
    weights = {
        "a": 3.0,
        "b": 2.0,
        "worse": -2.0,
        "dull": 1.5,
    }  # "dull" for "b" raises what "worse" for "a" lowered
    weights = {"aa": 3.0, "bb": 1.0, "aaa": 1.0, "bbb": 1.5}

    def classify(texts):
        return torch.tensor([[sum(weights.get(w, 0.0) for w in t.split()), -1.0] for t in texts])

    text, candidates = "aa bb " + "the " * 18, {"aa": ["aaa"], "bb": ["bbb"]}
    for reference, changes in (("current", 1), ("original", 2)):
        options = Options(similarity=0, part_of_speech=False, improve_on=reference)
        (a,) = attacks.textfooler(classify, [text], candidates=candidates, options=options)
        assert len(a.changes) == changes


def test_mask_stands_where_the_word_was():
    asked, candidates = [], dict.fromkeys(("bano", "ko", "li"), ("other",))
    options = Options(similarity=0, mask="[UNK]")
    attack(0, ["bano, " + "ko " * 9 + "li"], options, asked=asked, candidates=candidates)
    assert "[UNK], " + "ko " * 9 + "li" in asked[1]
    asked.clear()
    attack(0, ["the bano, " + "ko " * 9 + "li."], asked=asked, candidates=candidates)
    assert "the, " + "ko " * 9 + "li." in asked[1]  # deleted with the space before it
    assert "the bano, " + "ko " * 8 + "li." in asked[1]


def test_stop_words_and_parts_of_speech_filter():
    weights = {"quickly": 1.0, "nice": 2.0, "the": 3.0, "well": 0.5}

    def classify(texts):
        return torch.tensor([[sum(weights.get(w, 0.0) for w in t.split()), 0.0] for t in texts])

    text = "they said that the nice film was very quickly made by the young men and women here"
    candidates = {"the": ["a"], "nice": ["car", "good"], "quickly": ["fast", "slow", "rapidly"]}

    def changes(**options):
        (a,) = attacks.textfooler(
            classify, [text], candidates=candidates, options=Options(rate=0.5, similarity=0, **options)
        )
        return {before: after for _, before, after in a.changes}

    assert changes(stop_words=False)["the"] == "a"
    assert "the" not in changes()
    assert "nice" not in changes(stop_words=frozenset({"nice"}))
    assert changes(part_of_speech=False)["nice"] == "car"
    assert changes()["nice"] == "good"


def test_similarity_decides_what_is_allowed_and_what_is_taken():
    encode = toywords.batched(toywords.embedding)
    found = [
        attack(
            4,
            options=Options(rate=0.4, similarity=s, part_of_speech=False, stop_words=STOP),
            encode=encode,
        )
        for s in (0.9, 0.75, 0.2)
    ]
    changes = [sum(len(a.changes) for a in some) for some in found]
    assert changes[0] < changes[1] < changes[2]
    assert all(a.similarity == pytest.approx(toywords.cosine(a.original, a.attacked)) for a in found[2])
    assert all(a.similarity == pytest.approx(1) for a in found[0] if not a.changes)
    strict = Options(
        rate=0.4,
        similarity=0.75,
        part_of_speech=False,
        stop_words=STOP,
        against="original",
        window=None,
    )
    drift = [a.similarity for a in attack(4, options=strict, encode=encode) if a.words > 14]
    assert (
        min(drift) > torch.tensor(0.25).cos()
    )  # against the untouched text the threshold holds for the whole


def test_short_texts_have_a_threshold_of_their_own():
    text, encode = " ".join(toywords.VOCABULARY[:12]), toywords.batched(toywords.embedding)
    base = {"similarity": 1.0, "part_of_speech": False}
    changes = {
        short: attack(0, [text], Options(short_similarity=short, **base), encode=encode)[0].changes
        for short in (0.1, None)
    }
    assert len(changes[0.1]) == 1
    assert len(changes[None]) == 0


def test_labels_given_or_the_classifiers_own():
    texts = toywords.texts(7)
    own = attack(7, texts)
    logits = torch.tensor([a.logits_before for a in own])
    assert [a.label for a in own] == logits.argmax(1).tolist()
    assert attack(7, texts, labels=[a.label for a in own]) == own
    wrong = attack(
        7, texts, labels=[1 - a.label for a in own], options=Options(similarity=0, stop_at_flip=True)
    )
    assert all(a.flipped and not a.changes and a.queries == 1 for a in wrong)
    with pytest.raises(ValueError, match="3 labels for 12"):
        attack(7, texts, labels=[0, 1, 0])
    with pytest.raises(ValueError, match="label 2: the classifier has the classes 0 to 1"):
        attack(7, texts, labels=[2] * 12)


def test_candidates_may_be_a_function_and_keep_the_case():
    text = "Bano KO li mu-ze don’t " + "fra " * 6
    (a,) = attack(
        0, [text], Options(rate=1, similarity=0, part_of_speech=False), candidates=lambda w: [w + "x"]
    )
    after = re.findall(r"\S+", a.attacked)
    for before, changed in (("Bano", "Banox"), ("KO", "KOX"), ("li", "lix")):
        assert before in text.split()
        assert after[text.split().index(before)] in (before, changed)
    assert {b: c for _, b, c in a.changes}.items() <= {
        "Bano": "Banox", "KO": "KOX", "li": "lix", "mu-ze": "mu-zex", "fra": "frax",
    }.items()  # fmt: skip
    assert len(a.changes) > 3
