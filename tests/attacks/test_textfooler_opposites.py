"""Which words may not stand in for one another: the rule, the lists, and the rule held against the lists."""

import pytest
import torch

from lib.attacks.words import candidates
from lib.attacks.words.candidates import _NEGATING, opposed
from lib.data import registry, words

RATED = {"good": 1.9, "great": 3.1, "bad": -2.5, "weird": -0.7, "boring": -1.3}


@pytest.mark.parametrize(
    ("one", "other", "opposite"),
    [
        ("good", "bad", True),
        ("good", "great", False),
        ("bad", "boring", False),
        ("good", "weird", False),  # is hardly rated
        ("good", "film", False),  # is not rated
        ("happy", "unhappy", True),
        ("legal", "illegal", True),
        ("careful", "careless", True),
        ("end", "endless", True),
        ("careful", "harmless", False),
        ("careful", "carefully", False),
        ("hopeless", "helpless", False),
        ("same", "same", False),
    ],
)
def test_the_rule(one, other, opposite):
    assert opposed(one, other, RATED) is opposite
    assert opposed(other, one, RATED) is opposite


def test_embedding_neighbours_are_no_opposites():
    names = ["good", "great", "bad", "fine", "car", "##ing", "[CLS]", "ok"]
    vectors = torch.tensor([[1, 0], [4, 1], [2, 0.1], [1, 0.6], [0, 1], [1, 0], [1, 0], [1, 0.0]])
    opposite = lambda a, b: {a, b} == {"bad", "good"}  # noqa: E731
    found = candidates.embedding_neighbours(names, vectors, opposite, most=8, least=0.5)
    assert found["good"] == ["great", "fine"]
    assert found["bad"] == ["great", "fine"]
    assert found["car"] == ["fine"]
    assert set(found) == {"good", "great", "bad", "fine", "car"}
    assert found.get("ok") is None
    strict = candidates.embedding_neighbours(names, vectors, most=1, least=0.9)
    assert (strict["good"], strict["car"]) == (["bad"], [])
    every = ["##ing", "[CLS]", "ok", "bad", "great", "fine"]
    assert candidates.counter_fitted(names, vectors)["good"] == every


def test_lists_are_used_where_they_are_and_the_rule_always(monkeypatch):
    here = set()
    monkeypatch.setattr(registry, "present", lambda name, root=None: name in here)
    monkeypatch.setattr(words, "valence", lambda root=None: RATED)
    listed = {"ppdb_antonyms": {("big", "small")}, "wordnet_antonyms": {("aunt", "uncle")}}
    monkeypatch.setattr(words, "constraints", lambda kind, root=None: listed[kind])
    pairs = [("unhappy", "happy"), ("good", "bad"), ("small", "big"), ("uncle", "aunt"), ("good", "great")]

    def known():
        name, opposite = candidates.opposites()
        return name, [opposite(*pair) for pair in pairs]

    assert known() == ("prefixes", [True, False, False, False, False])
    here.add("vader")
    assert known() == ("opposite ratings and prefixes", [True, True, False, False, False])
    here.add("counterfitting_constraints")
    found = ("opposite ratings, prefixes and antonym lists", [True, True, True, True, False])
    assert known() == found
    assert candidates.opposites_data() == ["vader", "counterfitting_constraints"]


def test_the_best_candidates_that_are_here(tmp_path, monkeypatch):
    embeddings = lambda: (["happy", "fine", "unhappy"], torch.ones(3, 3))  # noqa: E731
    name, source = candidates.found(embeddings, tmp_path)
    assert (name, source["happy"]) == ("embedding neighbours without opposites by prefixes", ["fine"])
    with pytest.raises(registry.Missing, match="counterfitted_neighbors"):
        candidates.found(root=tmp_path)
    monkeypatch.setattr(registry, "present", lambda name, root=None: name == "counterfitted_neighbors")
    monkeypatch.setattr(words, "neighbours", lambda root: {"good": ["nice"]})
    assert candidates.found(embeddings, tmp_path) == ("counter-fitted neighbours", {"good": ["nice"]})
    monkeypatch.setattr(registry, "present", lambda name, root=None: True)
    monkeypatch.setattr(words, "vectors", lambda root: (["good", "well"], torch.ones(2, 3)))
    name, source = candidates.found(embeddings, tmp_path)
    assert (name, source["good"]) == ("counter-fitted vectors", ["well"])


NEEDED = ("minilm", "vader", "counterfitting_constraints")


@pytest.mark.skipif(
    not all(map(registry.present, NEEDED)), reason="needs the encoder, VADER and the antonym lists"
)
def test_what_the_rule_catches_of_the_two_lists():
    """The numbers in the docstring of `opposed`."""
    from transformers import AutoTokenizer, BertModel

    tokenizer = AutoTokenizer.from_pretrained(words.minilm())
    names = tokenizer.convert_ids_to_tokens(list(range(tokenizer.vocab_size)))
    table = BertModel.from_pretrained(words.minilm()).embeddings.word_embeddings.weight.detach()
    near = candidates.embedding_neighbours(names, table)
    kinds = ("ppdb_antonyms", "wordnet_antonyms", "ppdb_synonyms")
    first, second, synonyms = ({frozenset(pair) for pair in words.constraints(kind)} for kind in kinds)
    rated = words.valence()
    # No other words can be in a pair that the lists or the rule know.
    some = {w for pair in first | second for w in pair} | rated.keys()
    some |= {w for w in near for prefix in _NEGATING if prefix + w in near}
    some |= {prefix + w for w in near for prefix in _NEGATING}
    some |= {w for w in near if w.endswith("less") or w + "less" in near or w.endswith("ful")}
    some &= set(near)
    near.look_up(some)
    pairs = {frozenset((word, other)) for word in some for other in near[word]}
    listed = (first | second) & pairs
    caught = {pair for pair in pairs if opposed(*pair, rated)}
    assert [len(listed), len(caught), len(caught & listed)] == pytest.approx([402, 311, 143], rel=0.02)
    assert len(caught & synonyms) / len(caught) < 0.015
