"""The parts of TextFooler: words and gaps, tags, candidates, stop words, what is asked."""

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from lib.attacks.words import candidates, tagging
from lib.attacks.words.candidates import Lookup, Nearest
from lib.attacks.words.queries import Queries
from lib.attacks.words.spelling import Words, cased_like, is_word, plain
from lib.attacks.words.stop_words import STOP_WORDS


@given(st.text())
def test_pieces_joined_are_the_text(text):
    words = Words(text)
    assert str(words) == text
    assert len(words.pieces) == 2 * len(words) + 1
    assert all(words)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", []),
        ("Don't stop, it’s well-made!", ["Don't", "stop", "it’s", "well-made"]),
        ("'quoted' rock'n'roll dogs'", ["quoted", "rock'n'roll", "dogs"]),
        ("great.<br /><br />the end", ["great", "the", "end"]),
        ("I <3 it, x < y", ["I", "3", "it", "x", "y"]),
        ("salt &amp; pepper &#39;", ["salt", "pepper"]),
        ("see https://a.b/c?d=e or www.f.g now", ["see", "or", "now"]),
        ("3.50 and 1,000. End", ["3.50", "and", "1,000", "End"]),
        ("so 🙂 good ❤️ 👍🏽!", ["so", "good"]),
        ("naïve cafe\u0301", ["naïve", "cafe\u0301"]),
        ("हिन्दी में", ["हिन्दी", "में"]),
        ("电影很好看。真的", ["电影很好看", "真的"]),
        ("snake_case", ["snake", "case"]),
        ("a--b", ["a", "b"]),
    ],
)
def test_what_a_word_is(text, words):
    assert list(Words(text)) == words


def test_words_are_cut_out_and_put_back():
    words = Words("A fine film, really.")
    assert words.around(2) == ("A fine ", ", really.")
    assert [words.without(i) for i in range(4)] == [
        "fine film, really.",
        "A film, really.",
        "A fine, really.",
        "A fine film,.",
    ]
    words.replace(1, "great")
    assert (words[1], str(words)) == ("great", "A great film, really.")


@pytest.mark.parametrize(
    ("index", "seen"), [(0, "a b c"), (1, "a b c"), (2, "b c d"), (4, "d e f"), (5, "d e f")]
)
def test_a_window_stays_inside_the_text(index, seen):
    words = Words("(a b c d e f)")
    assert "".join(words.pieces[words.window(index, 3)]) == seen
    assert words.pieces[words.window(index, None)] == words.pieces == words.pieces[words.window(index, 6)]
    assert 2 * index + 1 in range(13)[words.window(index, 3)]


def test_spelling_and_case():
    assert plain("Don’t") == "don't"
    assert [cased_like("good", m) for m in ("bad", "Bad", "BAD", "I", "é")] == [
        "good",
        "Good",
        "GOOD",
        "Good",
        "good",
    ]
    assert is_word("well-made")
    assert not any(map(is_word, ("", " a", "two words", "a.", "<br>")))


def test_function_words_are_stop_words_and_content_words_are_not():
    assert {"the", "i", "don't", "isn't", "can't", "it's", "with", "not", "s"} <= STOP_WORDS
    assert not STOP_WORDS & {"good", "bad", "film", "love", "boring", "wonderful", "car"}
    assert all(word == plain(word) for word in STOP_WORDS)


@pytest.mark.parametrize(
    ("text", "index", "fitting", "other"),
    [
        ("It was a terrible film, truly.", 3, "dreadful", "badly"),
        ("She quickly left the room.", 1, "hastily", "nice"),
        ("The actor in this movie was young.", 4, "film", "slowly"),
    ],
)
def test_a_candidate_must_have_the_same_part_of_speech(text, index, fitting, other):
    assert tagging.fits(Words(text), index, [fitting, other]) == [True, False]


def test_nouns_and_verbs_may_change_places_if_allowed():
    words = Words("They watch the movies at home.")
    assert tagging.tag(("They",), "watch", ("the", "movies")) == "VERB"
    assert tagging.fits(words, 3, ["walked"], noun_verb=True) == [True]
    assert tagging.fits(words, 3, ["walked"], noun_verb=False) == [False]


def test_the_tags_are_the_universal_ones():
    sentence = tuple("The very old man and I quickly gave 3 books to her , oh !".split())  # noqa: SIM905
    tags = [tagging.tag(sentence[:i], w, sentence[i + 1 :]) for i, w in enumerate(sentence)]
    wanted = "DET ADV ADJ NOUN CONJ PRON ADV VERB NUM NOUN ADP PRON . X .".split()  # noqa: SIM905
    assert [a == b for a, b in zip(tags, wanted)].count(True) >= 14


TOKENS = st.lists(st.text(min_size=1, max_size=30), max_size=4)


@given(TOKENS, st.text(min_size=1), TOKENS)
def test_anything_can_be_tagged(before, word, after):
    assert tagging.tag(tuple(before), word, tuple(after)) in {*tagging._CLASSES.values(), "X"}


def test_a_very_long_word_is_tagged_by_its_end():
    assert tagging.tag((), "x" * 5000 + "ization", ()) == "NOUN"


def test_a_candidate_takes_the_words_case_and_is_one_word():
    source = {"film": ["movie", "Film", "motion picture", "movie", "pic.", "flick", ""]}
    lookup = Lookup(source, 50, frozenset({"the"}))
    assert lookup("film") == ["movie", "flick"]
    assert lookup("FILM") == ["MOVIE", "FLICK"]
    assert lookup("unknown") == []
    assert Lookup(source, 1, frozenset())("Film") == ["Movie"]
    assert Lookup(lambda word: ["a"], 50, frozenset({"the"}))("The") == []


def test_nearest_words_of_many_are_those_of_one(monkeypatch):
    monkeypatch.setattr(candidates, "_CHUNK", 3)
    names = [f"w{i}" for i in range(20)]
    vectors = torch.randn(20, 5, generator=torch.Generator().manual_seed(0))
    together, single = (Nearest(names, vectors, None, 4, -1.0) for _ in range(2))
    together.look_up([*names, "unknown"])
    assert {w: together[w] for w in names} == {w: single[w] for w in names}
    cosine = torch.nn.functional.normalize(vectors, dim=1)
    order = (cosine @ cosine[3]).argsort(descending=True)[1:5]
    assert single["w3"] == [names[i] for i in order]
    with pytest.raises(ValueError, match="2 words have 20 vectors"):
        Nearest(names[:2], vectors, None, 4, 0.0)


def test_a_text_is_asked_once_and_remembered():
    asked = []

    def length(texts):
        asked.append(texts)
        return torch.tensor([[float(len(t)), 0.0] for t in texts])

    queries = Queries(length, 2, "classify")
    rows, new = queries.ask([["a", "bb", "a"], [], ["bb", "ccc"]])
    assert asked == [["a", "bb"], ["ccc"]]
    assert rows[:, 0].tolist() == [1, 2, 1, 2, 3]
    assert (rows.dtype, new) == (torch.float64, [2, 0, 1])
    assert queries.ask([["ccc", "\ud800"]])[1] == [1]  # a lone surrogate is a text too
    assert asked[-1] == ["\ud800"]


def test_gradients_are_not_kept():
    weight = torch.ones(2, requires_grad=True)
    queries = Queries(lambda texts: weight.expand(len(texts), 2) * 2, 2, "classify")
    assert not queries.ask([["a"]])[0].requires_grad
