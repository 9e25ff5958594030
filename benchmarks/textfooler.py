"""TextFooler against a literal implementation (a sentence a query) and against TextAttack's components.

The same classifier, candidates and stop words for all. Texts are cut to a multiple of ten words a-z, so that
all agree what a word is and how many are a tenth (TextAttack rounds up). Without sentence similarity and
parts of speech, because TextAttack's encoder is a download; "filters on" has both, against the literal one.
One thread, processor time; above 1, ours is faster.

What can be gained depends on the classifier. The word CNN is so cheap that the attack's own work counts;
MiniLM's arithmetic is nearly all of the time, for a sentence alone as in a batch. "Share of the floor" is the
time of the models alone, asked for the same sentences in one call, over that of the whole attack.

TextAttack 0.3.11 needs transformers below 5, so it has an environment of its own, whose python is named by
TEXTATTACK_PYTHON. With --no-deps: textattack==0.3.11, flair==0.15.1, OpenHowNet, bert-score, sentencepiece,
transformer-smaller-training-vocab; then torch, transformers==4.57.1 and what importing textattack asks for.
Files carry texts and results.
"""

from __future__ import annotations

import importlib.util
import json
import os
import subprocess
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from statistics import median
from typing import Any

import torch
from torch import Tensor
from torch.nn.functional import cosine_similarity

from benchmarks._classifiers import (
    PADDED,
    Function,
    candidates,
    classifier,
    cut,
    encoder,
    minilm,
    trained_cnn,
)
from benchmarks._wordcnn import WordCNN
from lib import attacks
from lib.attacks.words import tagging
from lib.attacks.words.stop_words import STOP_WORDS
from lib.attacks.words.textfooler import Attacked, Options
from lib.base import fingerprint
from lib.base.tables import Table
from lib.data import registry, text

__all__ = ["OPTIONS", "WordCNN", "peer", "rows", "timed"]

PEER = Path(__file__).with_name("_textattack_peer.py")
OPTIONS = Options(similarity=0, part_of_speech=False, stop_at_flip=True, flip_bonus=False)  # as the peer's
FILTERED = Options(stop_at_flip=True)  # the article's, with the thresholds of its code
REPEATS = 3  # of ours, the median; the others take longer, and run once
Row = list[Any]


def rows() -> Table:
    """Every comparison that the data here and TEXTATTACK_PYTHON allow."""
    needed = ("vader", "minilm", "counterfitted_neighbors")
    columns = ["comparison", "value", "asked", "measured"]
    if missing := [name for name in needed if not registry.present(name)]:
        return Table(columns, [[name, None, "", "not here"] for name in missing])
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        near = candidates()
        lines = [*_cnn("sentences", 400, 60, near), *_cnn("reviews", 60, 150, near), *_minilm(near)]
    finally:
        torch.set_num_threads(threads)
    note = (
        f"torch {torch.__version__}, processor time of one thread. Sentences: VADER's films; reviews: IMDB. "
        "Filters: parts of speech, and MiniLM's similarity."
    )
    return Table(columns, lines, caption="TextFooler", note=note)


def _cnn(domain: str, count: int, longest: int, near: dict) -> list[Row]:
    """A small word CNN trained on the domain: what is measured is mostly the attack's own work."""
    if domain == "reviews" and not registry.present("imdb_part"):
        return [["word CNN, reviews", None, "", "imdb_part is not here"]]
    data = text.load("imdb_part") if domain == "reviews" else text.vader("films")
    texts = cut(data.test.texts, count, longest)
    model = trained_cnn(cut(data.train.texts, None, longest, keep=data.train.labels), near, texts)
    name = f"word CNN, {domain}"
    ours = timed(model, texts, near)
    with tempfile.TemporaryDirectory() as folder:
        model.save(Path(folder) / "classifier.pt")
        theirs = peer(Path(folder), "cnn", texts, near, ours)
    return [
        *_literal_rows(name, [model], texts, near, ours, floor=True),
        *_peer_rows(name, ours, theirs),
    ]


def _minilm(near: dict, count: int = 6, longest: int = 20) -> list[Row]:
    """The packaged MiniLM with a logistic head, whose forward passes are nearly all of the time."""
    texts = cut(text.vader("films").test.texts, count, longest)
    model, tokenizer = minilm()
    bare, padded = classifier(model, tokenizer), classifier(model, tokenizer, PADDED)
    encode, name, public = (
        encoder(model, tokenizer),
        "MiniLM, sentences",
        f"padded to {PADDED} by the literal one",
    )
    ours = timed(bare, texts, near)
    lines = _literal_rows(name, [bare], texts, near, ours, floor=True)
    lines += _literal_rows(f"{name}, {public}", [padded], texts, near, ours)
    filtered = timed(bare, texts, near, FILTERED, encode)
    lines += _literal_rows(f"{name}, filters on", [bare, encode], texts, near, filtered, floor=True)
    with tempfile.TemporaryDirectory() as folder:
        model.save_pretrained(Path(folder) / "model")
        tokenizer.save_pretrained(Path(folder) / "model")
        for kind, how in (("bare", "no padding"), ("wrapper", "its own wrapper")):
            theirs = peer(Path(folder), kind, texts, near, ours)
            lines += _peer_rows(f"{name}, {how}", ours, theirs)
    return lines


def timed(
    model: Function,
    texts: list[str],
    near: dict[str, list[str]],
    options: Options = OPTIONS,
    encode: Function | None = None,
) -> dict[str, Any]:
    """Our attack: seconds after a warm-up, what it reports, and what it asked of either model."""
    asked: tuple[list[str], list[str]] = ([], [])

    def attack(some: list[str]) -> list[Attacked]:
        tagging.tag.cache_clear()
        for sentences in asked:
            sentences.clear()
        functions = {"encode": encode and _quiet(encode, asked[1]), "classify": _quiet(model, asked[0])}
        return attacks.textfooler(texts=some, candidates=near, options=options, **functions)

    attack(texts[:2])
    seconds = []
    for _ in range(REPEATS):
        begun = time.process_time()
        found = attack(texts)
        seconds.append(time.process_time() - begun)
    return {"seconds": median(seconds), "found": found, "asked": asked, "options": options}


def _quiet(function: Function, asked: list[str]) -> Function:
    """The function without gradients, and a list of all that it was asked."""

    @torch.no_grad()
    def answers(sentences: list[str]) -> Tensor:
        asked.extend(sentences)
        return function(sentences)

    return answers


def _literal_rows(
    name: str, models: list[Function], texts: list[str], near: dict, ours: dict, *, floor: bool = False
) -> list[Row]:
    """Against Algorithm 1 as it reads (tests/literal_textfooler.py); `models`: classifier, or encoder too."""
    literal = _load(fingerprint.ROOT / "tests" / "literal_textfooler.py").attack
    classify, *rest = [_one(model) for model in models]
    filters = {}
    if rest:
        encode = rest[0]
        filters = {
            "fits": _fits,
            "cosine": lambda a, b: float(cosine_similarity(encode(a), encode(b), 0).clamp(-1, 1)),
        }
    how = {"stop_words": STOP_WORDS, "stop_at_flip": True, "flip_bonus": ours["options"].flip_bonus}
    begun = time.process_time()
    found = [literal(lambda s: classify(s).tolist(), t, near, **how, **filters) for t in texts]
    seconds = time.process_time() - begun
    same = sum(a.attacked == b["attacked"] for a, b in zip(ours["found"], found))
    queries = sum(b["queries"] for b in found)
    asked = f"{_queries(ours)} queries against {queries}"
    note = f"{_speeds(ours, seconds)}; {asked}; {same} of {len(texts)} the same"
    line = [f"{name}: texts a second against the literal one", seconds / ours["seconds"], ">= 10", note]
    return [line, _floor_row(name, models, ours, seconds)] if floor else [line]


def _floor_row(name: str, models: list[Function], ours: dict, literal: float) -> Row:
    """How much of our time the models alone need for the same sentences, at once."""
    least = 0.0
    for model, sentences in zip(models, ours["asked"]):
        answers = _quiet(model, [])
        answers(sentences[:50])
        begun = time.process_time()
        answers(sentences)
        least += time.process_time() - begun
    counts = " + ".join(str(len(sentences)) for sentences in ours["asked"] if sentences)
    bound = f"without any work of its own it would be {literal / least:.1f} times the literal one"
    note = f"{1e3 * least:.0f} of {1e3 * ours['seconds']:.0f} ms for {counts} sentences; {bound}"
    return [f"{name}: share of the floor", least / ours["seconds"], "", note]


def _one(model: Function) -> Callable[[str], Tensor]:
    """A model that is asked a sentence at a time."""
    quiet = _quiet(model, [])
    return lambda sentence: quiet([sentence])[0]


def _fits(words: list[str], index: int, candidate: str) -> bool:
    """Is the candidate tagged as the word is, nouns as verbs? Both are tagged afresh, in nine words."""
    low = max(min(index - tagging.SPAN, len(words) - 2 * tagging.SPAN - 1), 0)
    before, after = words[low:index], words[index + 1 : low + 2 * tagging.SPAN + 1]
    kinds = {tagging.tag.__wrapped__((*before,), word, (*after,)) for word in (words[index], candidate)}
    return len(kinds) == 1 or kinds == {"NOUN", "VERB"}


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
