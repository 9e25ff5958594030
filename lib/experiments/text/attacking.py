"""TextFooler on the target's texts (Sec. 4.2, App. G.1): through a source, judged by the reference."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from dataclasses import asdict
from functools import lru_cache, partial
from typing import Any

import torch
from torch import Tensor
from torch.nn import functional
from torch.nn.functional import normalize

from lib.attacks.words import candidates as lists
from lib.attacks.words.spelling import Words
from lib.attacks.words.textfooler import Attacked, Options, textfooler
from lib.base import compute
from lib.data import words
from lib.engine import runs
from lib.experiments.text import networks, tangent
from lib.experiments.text.settings import Config
from lib.measures import jacobian, singular
from lib.models import bert, reading

Change = tuple[int, str, str]


def attack(config: Config, model: bert.Classifier, texts: list[str] | None = None) -> list[Attacked]:
    """TextFooler through `model` (on the config's texts), towards any class but the model's own choice."""
    read = networks.reader(config)
    return _textfooler(config, lambda asked: read(model, asked), texts or _texts(config))


def by_chance(config: Config, seed: int) -> list[list[Change]]:
    """The changes of the same attack on a coin: the same words allowed, the same filters, random choices.

    The "classifier" answers by a hash of the text, and is never so sure as about the text as it stands, so
    that every change is welcome.
    """
    clean = set(_texts(config))

    def coin(texts: list[str]) -> Tensor:
        sure = [2.0 if item in clean else 1.0 + _hashed(item, seed) for item in texts]
        return torch.tensor([[value, 0.0] for value in sure])

    return [list(found.changes) for found in _textfooler(config, coin, _texts(config), improve_on="original")]


def outcome(
    config: Config, reference: bert.Classifier, clean: Sequence[str], texts: Sequence[str]
) -> dict[str, float]:
    """The reference's cross-entropy with the true labels of the target, and its accuracy.

    `loss_right` sums over the texts that it got right when they were `clean`, and divides by all (as the
    authors' code does for images).
    """
    labels, read = networks.attacked_part(config).labels[: len(texts)], networks.reader(config)
    logits = read(reference, texts)
    right = read(reference, clean).argmax(1) == labels
    each = functional.cross_entropy(logits, labels, reduction="none")
    hits = (logits.argmax(1) == labels).double()
    loss, of_right = float(each.mean()), float((each * right).mean())
    return {"loss": loss, "loss_right": of_right, "accuracy": float(hits.mean())}


def cross_adversarial(
    config: Config, source: bert.Classifier, reference: bert.Classifier, found: list[Attacked], seed: int
) -> dict[str, dict[str, float]]:
    """The reference's loss on texts changed in several ways; `textfooler` is the paper's.

    `half` stops at half of the allowed words; `chance` changes as many words of each text as `textfooler`
    did, but random ones; `white_box` attacks the reference through itself; `definition_1` moves the word
    embeddings by epsilon along the top singular vector, averaged over its two signs.
    """
    half = [len(one.changes[: _budget(config, one, 0.5)]) for one in found]
    random, itself = _chance(config, seed), _white_box(config, seed)
    changed = {
        "clean": [one.original for one in found],
        "textfooler": [one.attacked for one in found],
        "half": [_changed(one.original, one.changes[:n]) for one, n in zip(found, half)],
        "chance": [_changed(one.original, moves[: len(one.changes)]) for one, moves in zip(found, random)],
        "white_box": [_changed(one.original, moves) for one, moves in zip(found, itself)],
    }
    losses = {name: outcome(config, reference, changed["clean"], texts) for name, texts in changed.items()}
    return losses | {"definition_1": _on_embeddings(config, source, reference, len(found))}


def diagnostics(config: Config, found: list[Attacked], seed: int) -> dict[str, Any]:
    """How the attack went: flips of the source, words changed, queries, similarity, by text where useful."""
    attackable = [one for one in found if one.attackable]
    alike = [one.similarity for one in attackable if one.similarity is not None]
    return {
        "texts": len(found),
        "attackable": len(attackable),
        "flipped": sum(one.flipped for one in attackable) / max(len(attackable), 1),
        "changed": [len(one.changes) for one in found],
        "words": sum(one.words for one in found) / len(found),
        "share_changed": sum(len(o.changes) / o.words for o in attackable) / max(len(attackable), 1),
        "most_changed": max((len(one.changes) / one.words for one in attackable), default=0.0),
        "queries": sum(one.queries for one in attackable) / max(len(attackable), 1),
        "similarity": sum(alike) / max(len(alike), 1),
        **_words_in_common(config, found, seed),
    }


def deviations(
    config: Config, source: bert.Classifier, reference: bert.Classifier, found: list[Attacked], seed: int
) -> dict[str, float]:
    """tau2 with TextFooler in the place of Definition 1: what one gets who has only attacked sentences."""
    read, before, after = networks.reader(config), *zip(*[(one.original, one.attacked) for one in found])
    mine, other = (read(model, after) - read(model, before) for model in (source, reference))
    itself = [_changed(one.original, moves) for one, moves in zip(found, _white_box(config, seed))]
    separate = read(reference, itself) - read(reference, before)
    signs = torch.randint(0, 2, (len(mine), 1), generator=compute.generator(seed, "signs")) * 2 - 1
    order = torch.randperm(len(mine), generator=compute.generator(seed, "order"))
    return {
        "tau2_textfooler": tangent.tau2(mine, other),
        "tau2_textfooler_own": tangent.tau2(mine, separate),
        "tau2_textfooler_null": tangent.tau2(mine, other[order] * signs),
    }


def _textfooler(
    config: Config, classify: Callable[[list[str]], Tensor], texts: list[str], **more: Any
) -> list[Attacked]:
    options = Options(rate=config.rate, similarity=config.similarity, **more)
    encode, lookup = partial(_encode, config), allowed(config)
    return textfooler(classify, texts, candidates=lookup, encode=encode, options=options)


@lru_cache(maxsize=1)
def allowed(config: Config) -> lists.Candidates:
    """The words that may replace one; "embeddings" are the encoder's own nearest without opposites."""
    if config.candidates == "counterfitted_neighbors":
        return words.neighbours()
    if config.candidates == "counterfitted_vectors":
        return lists.counter_fitted(*words.vectors())
    return lists.embedding_neighbours(*embeddings(config), lists.opposites()[1])


def embeddings(config: Config) -> tuple[list[str], Tensor]:
    """The encoder's tokens and their rows of the table (tokens, width)."""
    own = networks.encoder(config)
    vocabulary = own.tokenizer.convert_ids_to_tokens(list(range(own.tokenizer.vocab_size)))
    return list(vocabulary), own.words(torch.arange(len(vocabulary), device=own.device)).cpu()


def _texts(config: Config) -> list[str]:
    return networks.attacked_part(config).texts[: config.attack_texts]


@torch.no_grad()
def _encode(config: Config, texts: list[str]) -> Tensor:
    """Sentence embeddings: the encoder as pretrained, the mean over tokens (MiniLM's own recipe)."""
    return normalize(networks.reader(config)(_pretrained(config).features, texts), dim=1)


@lru_cache(maxsize=1)
def _pretrained(config: Config) -> bert.Classifier:
    return bert.Classifier(networks.encoder(config), 1, generator=torch.Generator(), pooling="mean")


def _hashed(item: str, seed: int) -> float:
    """A number in [0, 1) that depends on the text and the seed alone."""
    digest = hashlib.sha256(f"{seed} {item}".encode("utf-8", "surrogatepass")).digest()
    return int.from_bytes(digest[:8], "big") / 2**64


def _changed(original: str, changes: Sequence[Change]) -> str:
    pieces = Words(original)
    for index, _, after in changes:
        pieces.replace(index, after)
    return str(pieces)


def _budget(config: Config, one: Attacked, share: float) -> int:
    return Options(rate=config.rate * share).budget(one.words)


@lru_cache(maxsize=2)
def _chance(config: Config, seed: int) -> list[list[Change]]:
    return by_chance(config, seed)


@lru_cache(maxsize=2)
def _white_box(config: Config, seed: int) -> list[list[Change]]:
    """The changes that TextFooler makes through the reference itself, stored for all sources."""
    left_out = ("seeds", "device", "sources")
    kept = {name: value for name, value in asdict(config).items() if name not in left_out}
    key = {"white_box": kept, "seed": seed}
    return runs.artifact(key, partial(_attack_reference, config, seed))


def _attack_reference(config: Config, seed: int) -> list[list[Change]]:
    return [list(one.changes) for one in attack(config, networks.reference_model(config, seed)[0])]


def _words_in_common(config: Config, found: list[Attacked], seed: int) -> dict[str, float]:
    """Do source and reference change the same words? tau1 with TextFooler's changes for directions.

    `tau1_textfooler`: the mean squared cosine of the two displacements of the word embeddings (the mean of a
    word's tokens); `same_words`: words that both change over words that either does.
    """
    cosines, shares = [], []
    for one, moves in zip(found, _white_box(config, seed)):
        first, second = (_displacements(config, changes) for changes in (one.changes, moves))
        if not first or not second:
            continue
        inner = sum(float(first[i] @ second[i]) for i in first.keys() & second.keys())
        sizes = [sum(float(move @ move) for move in side.values()) for side in (first, second)]
        cosines.append(inner**2 / (sizes[0] * sizes[1]))
        shares.append(len(first.keys() & second.keys()) / len(first.keys() | second.keys()))
    count = max(len(cosines), 1)
    return {"tau1_textfooler": sum(cosines) / count, "same_words": sum(shares) / count}


def _displacements(config: Config, changes: Sequence[Change]) -> dict[int, Tensor]:
    """Index of a word -> how far its mean token embedding was moved."""
    return {i: _vector(config, after) - _vector(config, before) for i, before, after in changes}


def _vector(config: Config, word: str) -> Tensor:
    own = networks.encoder(config)
    return own.words(own.tokenise([word])[0][1:-1].to(own.device)).mean(0).double().cpu()


def _on_embeddings(
    config: Config, source: bert.Classifier, reference: bert.Classifier, count: int
) -> dict[str, float]:
    """The reference after a step of config.epsilon along +v and -v of the source, averaged."""
    texts, labels = tangent.texts_for_tau(config), networks.attacked_part(config).labels
    rows = reading.buckets(texts.ids[:count])
    losses, hits = [], []
    for index in rows:
        f, x, _ = reading.on_words(source, texts, index)
        right = singular.top_right(jacobian.jacobians(f, x, len(x))).reshape(x.shape).to(x)
        judge = reading.on_words(reference, texts, index)[0]
        for sign in (-1, 1):
            with torch.no_grad():
                logits = judge(x + sign * config.epsilon * right).cpu()
            losses.append(functional.cross_entropy(logits, labels[index], reduction="sum") / 2)
            hits.append((logits.argmax(1) == labels[index]).sum() / 2)
    return {"loss": float(sum(losses)) / count, "accuracy": float(sum(hits)) / count}
