"""TextFooler against a literal implementation (a sentence a query) and against TextAttack's components.

The same classifier, candidates and stop words for all; no sentence similarity, because TextAttack's encoder
is a download. Texts are cut to a multiple of ten words a-z, so that all agree what a word is and how many are
a tenth (TextAttack rounds up). One thread, processor time; above 1, ours is faster.

TextAttack 0.3.11 needs transformers below 5, so it has an environment of its own, whose python is named by
TEXTATTACK_PYTHON: textattack, flair==0.15.1, OpenHowNet, bert-score, transformer-smaller-training-vocab, all
with --no-deps; torch, transformers==4.57.1 and what importing textattack then asks for. Files carry texts and
results.
"""

from __future__ import annotations

import importlib.util
import json
import os
import re
import subprocess
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import torch
from torch import Tensor
from torch.nn import functional
from transformers import AutoModelForSequenceClassification, AutoTokenizer
from transformers.utils import logging

from benchmarks._wordcnn import WordCNN
from lib import attacks, closure
from lib.attacks.textfooler import Options
from lib.attacks.words.stop_words import STOP_WORDS
from lib.data import registry, text, words
from lib.tables import Table

PEER = Path(__file__).with_name("_textattack_peer.py")
OPTIONS = Options(similarity=0, part_of_speech=False, stop_at_flip=True, flip_bonus=False)  # as the peer's
PADDED = 128  # tokens that the public code pads every sentence to
Classify = Callable[[list[str]], Tensor]


def rows() -> Table:
    """Every comparison that the data here and TEXTATTACK_PYTHON allow."""
    if missing := [
        name for name in ("vader", "minilm", "counterfitted_neighbors") if not registry.present(name)
    ]:
        return Table(
            ["comparison", "value", "asked", "measured"], [[m, None, "", "not here"] for m in missing]
        )
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        lines = [*_cnn("sentences", 100, 60), *_cnn("reviews", 20, 150), *_minilm(count=6, longest=20)]
    finally:
        torch.set_num_threads(threads)
    note = (
        f"torch {torch.__version__}, processor time of one thread. Sentences: VADER's films; reviews: IMDB."
    )
    return Table(["comparison", "value", "asked", "measured"], lines, caption="TextFooler", note=note)


def _cnn(domain: str, count: int, longest: int) -> list[list[Any]]:
    """A small word CNN trained on the domain: what is measured is mostly the attack's own work."""
    if domain == "reviews" and not registry.present("imdb_part"):
        return [["word CNN, reviews", None, "", "imdb_part is not here"]]
    data = text.load("imdb_part") if domain == "reviews" else text.vader("films")
    texts, near = cut(data.test.texts, count, longest), candidates()
    model = trained_cnn(cut(data.train.texts, None, longest, keep=data.train.labels), near, texts)
    name = f"word CNN, {domain}"
    ours = timed(model, texts, near)
    with tempfile.TemporaryDirectory() as folder:
        model.save(Path(folder) / "classifier.pt")
        theirs = peer(Path(folder), "cnn", texts, near, ours)
    return [_literal_row(name, model, texts, near, ours), *_peer_rows(name, ours, theirs)]


def _minilm(count: int, longest: int) -> list[list[Any]]:
    """The packaged MiniLM with a logistic head, whose forward passes are nearly all of the time."""
    logging.set_verbosity_error()
    logging.disable_progress_bar()
    data, near = text.vader("films"), candidates()
    texts = cut(data.test.texts, count, longest)
    tokenizer = AutoTokenizer.from_pretrained(words.minilm())
    model = AutoModelForSequenceClassification.from_pretrained(words.minilm(), num_labels=2).eval()
    _fit_head(model, tokenizer, data.train.take(100))
    bare, padded = bucketed(model, tokenizer), bucketed(model, tokenizer, PADDED)
    ours = timed(bare, texts, near)
    name = "MiniLM, sentences"
    lines = [_literal_row(name, bare, texts, near, ours)]
    lines += [_literal_row(f"{name} padded to {PADDED} as in the public code", padded, texts, near, ours)]
    with tempfile.TemporaryDirectory() as folder:
        model.save_pretrained(Path(folder) / "model")
        tokenizer.save_pretrained(Path(folder) / "model")
        lines += _peer_rows(f"{name}, no padding", ours, peer(Path(folder), "bare", texts, near, ours))
        lines += _peer_rows(
            f"{name}, its own wrapper", ours, peer(Path(folder), "wrapper", texts, near, ours)
        )
    return lines


def timed(model: Classify, texts: list[str], near: dict[str, list[str]]) -> dict[str, Any]:
    """Our attack: seconds after a warm-up, and what it reports."""

    def classify(sentences: list[str]) -> Tensor:
        with torch.no_grad():
            return model(sentences)

    attacks.textfooler(classify, texts[:2], candidates=near, options=OPTIONS)
    begun = time.process_time()
    found = attacks.textfooler(classify, texts, candidates=near, options=OPTIONS)
    return {"seconds": time.process_time() - begun, "found": found}


def _literal_row(name: str, model: Classify, texts: list[str], near: dict, ours: dict) -> list[Any]:
    """Against Algorithm 1 as it reads: the tests' own reference implementation."""
    literal = _load(closure.ROOT / "tests" / "literal_textfooler.py").attack

    def one(sentence: str) -> list[float]:
        with torch.no_grad():
            return model([sentence])[0].tolist()

    begun = time.process_time()
    found = [literal(one, t, near, stop_words=STOP_WORDS, stop_at_flip=True, flip_bonus=False) for t in texts]
    seconds = time.process_time() - begun
    same = sum(a.attacked == b["attacked"] for a, b in zip(ours["found"], found))
    queries = sum(b["queries"] for b in found)
    asked = f"{_queries(ours)} queries against {queries}"
    note = f"{_speeds(ours, seconds)}; {asked}; {same} of {len(texts)} the same"
    return [f"{name}: texts a second against the literal one", seconds / ours["seconds"], ">= 10", note]


def peer(folder: Path, kind: str, texts: list[str], near: dict, ours: dict, orders: int = 0) -> dict | None:
    """What TextAttack makes of the same job, or None where it is not installed."""
    python = os.environ.get("TEXTATTACK_PYTHON")
    if not python:
        return None
    needed = {w for t in texts for w in t.split()} & near.keys()
    job = {
        "classifier": kind,
        "texts": texts,
        "labels": [a.label for a in ours["found"]],
        "candidates": {word: near[word] for word in sorted(needed)},
        "stop_words": sorted(STOP_WORDS),
        "rate": OPTIONS.rate,
        "orders": orders,
    }
    (folder / "job.json").write_text(json.dumps(job))
    stop_words = folder / "nltk" / "corpora" / "stopwords" / "english"  # TextAttack opens it when imported
    stop_words.parent.mkdir(parents=True, exist_ok=True)
    stop_words.write_text("\n".join(sorted(STOP_WORDS)))
    offline = {"NLTK_DATA": str(folder / "nltk"), "TA_CACHE_DIR": str(folder), "HF_HUB_OFFLINE": "1"}
    environment = os.environ | offline | {"TOKENIZERS_PARALLELISM": "false", "OMP_NUM_THREADS": "1"}
    done = subprocess.run([python, PEER, folder], env=environment, capture_output=True, text=True)
    if done.returncode:
        raise RuntimeError(f"TextAttack in {python} failed:\n{done.stderr[-2000:]}")
    return json.loads((folder / "result.json").read_text())


def _peer_rows(name: str, ours: dict, theirs: dict | None) -> list[list[Any]]:
    title = f"{name}: texts a second against TextAttack"
    if theirs is None:
        return [[title, None, ">= 5", "not installed: TEXTATTACK_PYTHON names no python"]]
    pairs = list(zip(ours["found"], theirs["rows"]))
    flips = f"flipped {sum(a.flipped for a, _ in pairs)} against {sum(r['flipped'] for _, r in pairs)}"
    same = sum(a.attacked == r["attacked"] for a, r in pairs)
    note = f"{_speeds(ours, theirs['seconds'])}; {flips}, {same} of {len(pairs)} the same"
    mine, other = _queries(ours), sum(r["queries"] for _, r in pairs)
    return [
        [title, theirs["seconds"] / ours["seconds"], ">= 5", note],
        [f"{name}: its queries for each of ours", other / mine, ">= 1", f"{other} to {mine}"],
    ]


def candidates() -> dict[str, list[str]]:
    """The neighbours file's words a-z."""
    plain = re.compile("[a-z]+").fullmatch
    found = {
        w: [c for c in near if plain(c) and c != w] for w, near in words.neighbours().items() if plain(w)
    }
    return {word: near for word, near in found.items() if near}


def cut(texts: Sequence[str], count: int | None, longest: int, keep: Tensor | None = None) -> Any:
    """The first texts of at least ten words, cut to a multiple of ten; with labels if they are given."""
    found = [re.findall("[a-z]+", t.lower())[:longest] for t in texts]
    pairs = [(" ".join(w[: len(w) // 10 * 10]), i) for i, w in enumerate(found) if len(w) >= 10][:count]
    return [t for t, _ in pairs] if keep is None else ([t for t, _ in pairs], keep[[i for _, i in pairs]])


def trained_cnn(train: tuple[list[str], Tensor], near: dict, texts: list[str], epochs: int = 3) -> WordCNN:
    """A CNN of 50 filters a width, over the training words and every candidate of the attacked ones."""
    sentences, labels = train[0][:2000], train[1][:2000]
    known = {w for t in [*sentences, *texts] for w in t.split()}
    known |= {c for t in texts for w in t.split() for c in near.get(w, ())}
    torch.manual_seed(0)
    model = WordCNN(sorted(known))
    optimizer = torch.optim.Adam(model.parameters(), 2e-3)
    for _ in range(epochs):
        for index in torch.randperm(len(sentences)).split(32):
            optimizer.zero_grad()
            logits = model([sentences[i] for i in index.tolist()])
            functional.cross_entropy(logits, labels[index]).backward()
            optimizer.step()
    return model.eval()


def bucketed(model: Any, tokenizer: Any, padded: int | None = None, size: int = 32) -> Classify:
    """Sentences of about the same length together, padded to the longest of them or to `padded` tokens."""

    def classify(sentences: list[str]) -> Tensor:
        order = sorted(range(len(sentences)), key=lambda i: len(sentences[i]))
        found = torch.empty(len(sentences), model.config.num_labels)
        for start in range(0, len(order), size):
            index = order[start : start + size]
            batch = [sentences[i] for i in index]
            padding = {"padding": "max_length" if padded else True, "max_length": padded or PADDED}
            found[index] = model(**tokenizer(batch, truncation=True, return_tensors="pt", **padding)).logits
        return found

    return classify


@torch.no_grad()
def _fit_head(model: Any, tokenizer: Any, part: text.Part) -> None:
    """A ridge classifier on the pooled features of a few training sentences."""
    batch = tokenizer(part.texts, truncation=True, max_length=64, padding=True, return_tensors="pt")
    features = model.bert(**batch).pooler_output
    wanted = functional.one_hot(part.labels, 2).float() - 0.5
    gram = features.T @ features + 0.1 * torch.eye(features.shape[1])
    model.classifier.weight.copy_((torch.linalg.solve(gram, features.T @ wanted) * 8).T)
    model.classifier.bias.zero_()


def _queries(ours: dict) -> int:
    return sum(a.queries for a in ours["found"])


def _speeds(ours: dict, seconds: float) -> str:
    count = len(ours["found"])
    return f"{count / ours['seconds']:.1f} texts/s against {count / seconds:.1f}"


def _load(path: Path) -> Any:
    spec = importlib.util.spec_from_file_location(path.stem, path)
    assert spec
    assert spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module
