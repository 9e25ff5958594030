import csv
import gzip
import io
import random

import pytest
import torch
from packed import jsonl, tar

from lib.data import registry, splits, text
from lib.data.formats import texts as textfiles


def rows(number, label, word="text"):
    return [{"text": f"{word} {label} {i}", "label": label} for i in range(number)]


def put(tiny, name, train, test):
    files = [file.name for file in registry.get(name).files]
    contents = dict(zip(files, (jsonl(train), jsonl(test))))
    tiny(name, contents, len(train) + len(test))


def held(split):
    return [set(getattr(split, part).texts) for part in ("train", "valid", "test")]


def test_train_is_balanced_and_apart_from_test(tiny):
    train = rows(30, 0) + rows(50, 1)
    test = [{"text": "TEXT  0 7", "label": 0}, {"text": "text 1 9", "label": 1}, {"text": "new", "label": 1}]
    put(tiny, "yelp_reviews", train, test)
    split = text.load("yelp_reviews")
    train_texts, valid_texts, test_texts = held(split)
    assert split.train.counts() == {"negative": 27, "positive": 27}
    assert split.valid.counts() == {"negative": 2, "positive": 2}
    assert test_texts == {"TEXT  0 7", "text 1 9", "new"}  # as published
    assert not train_texts & valid_texts
    seen = {splits.normal(t) for t in train_texts | valid_texts}
    assert not seen & {splits.normal(t) for t in test_texts}
    for part in (split.train, split.valid):
        assert all(t.split()[1] == str(int(y)) for t, y in zip(part.texts, part.labels))


def test_repeated_and_contested_texts(tiny):
    repeated = [{"text": t, "label": 0} for t in ("Same thing", "same  thing", "SAME THING")]
    contested = [{"text": "both", "label": 0}, {"text": "Both", "label": 1}]
    empty = [{"text": " ", "label": 0}]
    put(tiny, "yelp_reviews", rows(10, 0) + rows(11, 1) + repeated + contested + empty, rows(1, 0, "other"))
    split = text.load("yelp_reviews")
    everything = [splits.normal(t) for part in (split.train, split.valid) for t in part.texts]
    assert everything.count("same thing") <= 1
    assert "both" not in everything
    assert "" not in everything
    assert len(everything) == 22


def test_the_split_does_not_depend_on_the_order_of_rows(tiny):
    train = rows(30, 0) + rows(40, 1) + [{"text": "TEXT 0 1", "label": 0}]
    test = rows(5, 0, "other") + rows(5, 1, "other")
    put(tiny, "yelp_reviews", train, test)
    first = text.load("yelp_reviews")
    train.reverse()  # so that the other spelling of "text 0 1" comes first
    random.Random(0).shuffle(test)
    put(tiny, "yelp_reviews", train, test)
    second = text.load("yelp_reviews")
    for part in ("train", "valid", "test"):
        a, b = getattr(first, part), getattr(second, part)
        assert a.texts == b.texts
        assert torch.equal(a.labels, b.labels)


def test_a_line_separator_inside_a_text_does_not_end_a_row(tiny):
    odd = "one\u2028two\x85three"
    put(tiny, "yelp_reviews", [{"text": odd, "label": 0}], rows(1, 1))
    assert textfiles.packed("yelp_reviews").train == [(odd, 0)]


@pytest.mark.parametrize("start", ["", "./"])
def test_imdb_as_published(start, tiny):
    members = [("aclImdb/README", b"read me"), ("aclImdb/train/unsup/0_0.txt", b"no label")]
    for part in ("train", "test"):
        for kind in ("neg", "pos"):
            members += [
                (f"aclImdb/{part}/{kind}/{i}_1.txt", f"{part} {kind}<br />{i}".encode()) for i in range(10)
            ]
    tiny("imdb", {"aclImdb_v1.tar.gz": tar([(start + name, content) for name, content in members])}, 40)
    split = text.load("imdb")
    assert split.train.counts() == split.valid.counts() | {"negative": 9, "positive": 9}
    assert sorted(split.test.texts) == sorted(
        f"test {kind} {i}" for kind in ("neg", "pos") for i in range(10)
    )
    assert all(("pos" in t) == bool(y) for t, y in zip(split.test.texts, split.test.labels))


def written(table):
    stream = io.StringIO()
    csv.writer(stream, quoting=csv.QUOTE_ALL).writerows(table)
    return stream.getvalue().encode()


def test_ag_news_as_published(tiny):
    table = [[c, f'Title {c} "{i}"', f"body\\of {i}"] for c in (1, 2, 3, 4) for i in range(10)]
    test = [[c, "Other", f"text {c}"] for c in (1, 2, 3, 4)]
    tiny("ag_news", {"train.csv": written(table), "test.csv": written(test)}, 44)
    split = text.load("ag_news")
    assert split.classes == ["world", "sports", "business", "science"]
    assert set(split.train.counts().values()) == {9}
    assert dict(zip(split.test.texts, split.test.labels.tolist())) == {
        f"Other text {c}": c - 1 for c in (1, 2, 3, 4)
    }
    assert 'Title 1 "3" body of 3' in split.train.texts + split.valid.texts


def test_yelp_polarity_as_published(tiny):
    table = [[label, f"review {label} {i}\\nsecond line"] for label in (1, 2) for i in range(10)]
    members = [("yelp_review_polarity_csv/readme.txt", b"x")]
    members += [
        (f"yelp_review_polarity_csv/{part}.csv", written(t))
        for part, t in (("train", table), ("test", [[2, "good"]]))
    ]
    tiny("yelp_polarity", {"yelp_review_polarity_csv.tgz": tar(members)}, 21)
    split = text.load("yelp_polarity")
    assert split.train.counts() == {"negative": 9, "positive": 9}
    assert (split.test.texts, split.test.labels.tolist()) == (["good"], [1])
    assert "review 1 0 second line" in split.train.texts + split.valid.texts


def test_kaggles_fake_news_as_published(tiny):
    table = [["id", "title", "author", "text", "label"]]
    table += [
        [i, f"title {i}", "", f"body {i}" * 20_000 if i == 1 else f"body {i}", i % 2] for i in range(200)
    ]
    table += [[999, "empty", "", " ", 1]]
    tiny("fake_news", {"train.csv": written(table)}, 200)
    split = text.load("fake_news")
    train, valid, test = held(split)
    assert 20 < len(test) < 60  # about a fifth
    assert not (train | valid) & test
    assert not any("empty" in t for t in train | valid | test)


HEAD = b"id,title,author,text,label\n"
GOOD = b"1,title,author,text,0\n"
FAULTS = {
    "another competition's": (b"PassengerId,Survived\n1,0\n", "near row 1: no column 'title'"),
    "rows cut short": (HEAD + GOOD + b"2,title\n", "near row 2: the row ends before its last column"),
    "field of 20 MB": (HEAD + GOOD + b"2,t,a," + b"x" * 20_000_000 + b",1\n", "near row 1: field larger"),
    "quote never closed": (HEAD + GOOD + b'2,"title,author,text,0\n' + GOOD * 9, "a quote is never closed"),
    "label is no number": (HEAD + b"1,title,author,text,fake\n", "near row 1: invalid literal .*'fake'"),
    "not text": (HEAD + b"\xff\xfe\x00", "near row 0: .*can't decode"),
}


@pytest.mark.parametrize("fault", FAULTS)
def test_kaggles_fake_news_with_a_fault(fault, tiny):
    content, words = FAULTS[fault]
    tiny("fake_news", {"train.csv": content}, 2)
    with pytest.raises(registry.Corrupt, match=rf"train.csv is not as published, .*{words}"):
        text.load("fake_news")


@pytest.mark.parametrize("line", [b"{", b"[]", b"{}", b'{"text": 1, "label": null}', b"[" * 200_000])
def test_json_lines_with_a_fault(line, tiny):
    content = gzip.compress(b'{"text": "a", "label": 0}\n' + line)
    tiny("yelp_reviews", {file.name: content for file in registry.get("yelp_reviews").files}, 2)
    with pytest.raises(registry.Corrupt, match=r"jsonl.gz is not as published, near row [12]"):
        text.load("yelp_reviews")


@pytest.mark.parametrize("label", [-1, 2])
def test_a_label_of_no_class_is_refused(label, tiny):
    put(tiny, "yelp_reviews", rows(30, 0) + rows(30, 1), rows(1, label))
    with pytest.raises(
        registry.Corrupt, match=rf"yelp_reviews has the labels \[{label}\]; its classes are 0 to 1"
    ):
        text.load("yelp_reviews")


@pytest.mark.parametrize("row", [b'"1","a"\n', b'"x","a","b"\n', b'"1","a'])
def test_ag_news_with_a_fault(row, tiny):
    tiny("ag_news", {"train.csv": b'"1","a","b"\n' + row, "test.csv": b""}, 2)
    with pytest.raises(registry.Corrupt, match=r"train.csv is not as published, near row"):
        text.load("ag_news")


@pytest.fixture
def vader(tiny):
    """The four domains: a sentence a line, ratings around the document's own sign."""

    def table(documents, sentences):
        lines = []
        for d in range(documents):
            for s in range(sentences):
                rating = (1 if d % 2 else -1) * (0.2 + s % 3)
                name = f"{d}_{s}" if sentences > 1 else f"{d}"
                lines.append(f"{name}\t{rating}\tdocument {d} sentence {s}")
        return "\r\n".join([*lines, ""]).encode()

    files = ("tweets", "movieReviewSnippets", "amazonReviewSnippets", "nytEditorialSnippets")
    inner = tar(
        [(f"hutto_ICWSM_2014/{f}_GroundTruth.txt", table(60, 1 if i < 2 else 6)) for i, f in enumerate(files)]
    )
    outer = tar([("vaderSentiment-3.3.2/additional_resources/hutto_ICWSM_2014.tar.gz", inner)])
    tiny("vader", {"vaderSentiment-3.3.2.tar.gz": outer}, 840)


@pytest.mark.parametrize("domain", ["amazon", "editorials"])
def test_vader_keeps_documents_together(domain, vader):
    split = text.vader(domain)
    documents = [{t.split()[1] for t in getattr(split, part).texts} for part in ("train", "valid", "test")]
    assert not documents[0] & documents[1] | documents[0] & documents[2] | documents[1] & documents[2]
    assert all(documents)
    for part in (split.train, split.valid, split.test):
        counts = part.counts()
        assert counts["negative"] == counts["positive"] > 0
        assert all(int(t.split()[1]) % 2 == y for t, y in zip(part.texts, part.labels))
        assert not any(t.endswith(("0", "3")) for t in part.texts)  # rated 0.2: below the margin


def test_vader_margin_and_domain_are_checked(vader):
    assert len(text.vader("amazon", margin=0).train) > len(text.vader("amazon").train)
    with pytest.raises(ValueError, match="domains tweets, films, amazon, editorials; got 'nyt'"):
        text.vader("nyt")
    with pytest.raises(ValueError, match="0 <= margin < 4"):
        text.vader("tweets", margin=4)


def test_take_is_balanced(tiny):
    put(tiny, "yelp_reviews", rows(30, 0) + rows(30, 1), rows(3, 0, "other"))
    part = text.load("yelp_reviews").train
    assert part.take(4).counts() == {"negative": 4, "positive": 4}
    assert set(part.take(4).texts) < set(part.take(9).texts)
    with pytest.raises(ValueError, match="100 items a class"):
        part.take(100)


def test_unknown_names():
    with pytest.raises(ValueError, match="known: imdb_part"):
        text.load("imbd")
    with pytest.raises(ValueError, match="got 'fake'"):
        text.textfooler("fake")


REAL = {  # train and valid a class; one set of each known flaw
    "imdb_part": (11_174, 1_241),
    "yelp_reviews": (3_182, 353),
    "covid_posts": (3_671, 407),
}


@pytest.mark.parametrize("name", REAL)
def test_the_real_texts_are_dealt_as_ever(name):
    if not registry.present(name):
        pytest.skip(f"{name} is not here: {registry.remedy(registry.get(name))}")
    split = text.load(name)
    assert (set(split.train.counts().values()), set(split.valid.counts().values())) == tuple(
        {n} for n in REAL[name]
    )
    train, valid, test = ({splits.normal(t) for t in texts} for texts in held(split))
    assert not train & valid | train & test | valid & test


@pytest.mark.parametrize("domain", text.DOMAINS)
def test_the_real_vader(domain):
    if not registry.present("vader"):
        pytest.skip("vader is not here: python data_scripts/vader.py")
    split = text.vader(domain)
    for part in (split.train, split.valid, split.test):
        assert part.counts()["negative"] == part.counts()["positive"] > 80
