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
from lib.base import streams
from lib.data import words
from lib.engine import runs
from lib.experiments.text import networks, tangent
from lib.experiments.text.settings import Config
from lib.measures import jacobian, singular
from lib.models import bert, reading

Outcome = dict[str, float]
Change = tuple[int, str, str]
Changes = list[list[Change]]  # of every text
SEEN = (*networks.ATTACKED, "attack_texts", "candidates", "rate", "similarity")  # what an attack depends on


def attacks(
    config: Config, source: bert.Classifier, reference: bert.Classifier, seed: int
) -> tuple[list[Attacked], Changes, Changes]:
    """The attack through the source, changes by chance, and those through the reference itself: stored."""
    seen = runs.only(config, *SEEN)
    found = [Attacked(**one) for one in runs.step("attack", attacked, seen, source)]
    by_chance = runs.step("chance", chance, seen, seed)
    itself = [one["changes"] for one in runs.step("white box", attacked, seen, reference)]
    return found, by_chance, itself


def attacked(config: Config, model: bert.Classifier) -> list[dict[str, Any]]:
    """`attack` on the config's texts, as plain data."""
    return [asdict(one) for one in attack(config, model, _texts(config))]


def attack(config: Config, model: bert.Classifier, texts: list[str]) -> list[Attacked]:
    """TextFooler through `model`, towards any class but the model's own choice."""
    read = networks.reader(config)
    return _textfooler(config, lambda asked: read(model, asked), texts)


def chance(config: Config, seed: int) -> Changes:
    """The changes of the same attack on a coin: the same words allowed, the same filters, random choices.

    The "classifier" answers by a hash of the text, and is never so sure as about the text as it stands, so
    that every change is welcome.
    """
    texts = _texts(config)
    clean = set(texts)

    def coin(asked: list[str]) -> Tensor:
        sure = [2.0 if item in clean else 1.0 + _hashed(item, seed) for item in asked]
        return torch.tensor([[value, 0.0] for value in sure])

    return [list(one.changes) for one in _textfooler(config, coin, texts, improve_on="original")]


def outcome(
    config: Config, reference: bert.Classifier, clean: Sequence[str], texts: Sequence[str]
) -> Outcome:
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
    config: Config, source: bert.Classifier, reference: bert.Classifier, found: list[Attacked],
    by_chance: Changes, itself: Changes,
) -> dict[str, Outcome]:  # fmt: skip
    """The reference's loss on texts changed in several ways; `textfooler` is the paper's.

    `half` stops at half of the allowed words; `chance` changes as many words of each text as `textfooler`
    did, but random ones; `white_box` attacks the reference through itself; `definition_1` moves the word
    embeddings by epsilon along the top singular vector, averaged over its two signs.
    """
    half = [one.changes[: budget(config, one, 0.5)] for one in found]
    as_many = [moves[: len(one.changes)] for one, moves in zip(found, by_chance)]
    clean = [one.original for one in found]
    texts = {
        "clean": clean,
        "textfooler": [one.attacked for one in found],
        "half": list(map(changed, clean, half)),
        "chance": list(map(changed, clean, as_many)),
        "white_box": list(map(changed, clean, itself)),
    }
    losses = {name: outcome(config, reference, clean, moved) for name, moved in texts.items()}
    return losses | {"definition_1": _on_embeddings(config, source, reference, len(found))}


def diagnostics(config: Config, found: list[Attacked], itself: Changes) -> dict[str, Any]:
    """How the attack went: flips of the source, words changed, queries, similarity, by text where useful."""
    attackable = [one for one in found if one.attackable]
    count = max(len(attackable), 1)
    shares = [len(one.changes) / one.words for one in attackable]
    alike = [one.similarity for one in attackable if one.similarity is not None]
    return {
        "texts": len(found),
        "attackable": len(attackable),
        "flipped": sum(one.flipped for one in attackable) / count,
        "changed": [len(one.changes) for one in found],
        "words": sum(one.words for one in found) / len(found),
        "share_changed": sum(shares) / count,
        "most_changed": max(shares, default=0.0),
        "queries": sum(one.queries for one in attackable) / count,
        "similarity": sum(alike) / max(len(alike), 1),
        **_words_in_common(config, found, itself),
    }


def deviations(
    config: Config, source: bert.Classifier, reference: bert.Classifier, found: list[Attacked],
    itself: Changes, seed: int,
) -> dict[str, float]:  # fmt: skip
    """tau2 with TextFooler in the place of Definition 1: what one gets who has only attacked sentences."""
    read, before = networks.reader(config), [one.original for one in found]
    after, alone = [one.attacked for one in found], list(map(changed, before, itself))
    mine, other = (read(model, after) - read(model, before) for model in (source, reference))
    separate = read(reference, alone) - read(reference, before)
    signs = torch.randint(0, 2, (len(mine), 1), generator=streams.generator(seed, "signs")) * 2 - 1
    order = torch.randperm(len(mine), generator=streams.generator(seed, "order"))
    return {
        "tau2_textfooler": tangent.tau2(mine, other),
        "tau2_textfooler_own": tangent.tau2(mine, separate),
        "tau2_textfooler_null": tangent.tau2(mine, other[order] * signs),
    }


def neighbours(config: Config, asked: Sequence[str]) -> list[tuple[str, list[str], list[str]]]:
    """(word, its nearest words in the encoder's own table, those of them left out as its opposites)."""
    opposite = lists.opposites()[1]
    every = lists.embedding_neighbours(*embeddings(config))
    return [(word, near := every[word], [n for n in near if opposite(word, n)]) for word in asked]


def changed(original: str, changes: Sequence[Change]) -> str:
    """The text with the changes made."""
    pieces = Words(original)
    for index, _, after in changes:
        pieces.replace(index, after)
    return str(pieces)


def budget(config: Config, one: Attacked, share: float) -> int:
    """How many words a share of the allowed rate is in one text."""
    return Options(rate=config.rate * share).budget(one.words)


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


def _textfooler(
    config: Config, classify: Callable[[list[str]], Tensor], texts: list[str], **more: Any
) -> list[Attacked]:
    options = Options(rate=config.rate, similarity=config.similarity, **more)
    lookup = allowed(runs.only(config, *networks.READS, "candidates"))
    return textfooler(classify, texts, candidates=lookup, encode=partial(_encode, config), options=options)


def _texts(config: Config) -> list[str]:
    return networks.attacked_part(config).texts[: config.attack_texts]


@torch.no_grad()
def _encode(config: Config, texts: list[str]) -> Tensor:
    """Sentence embeddings: the encoder as pretrained, the mean over tokens (MiniLM's own recipe)."""
    pretrained = _pretrained(networks.encoder(config))
    return normalize(networks.reader(config)(pretrained.features, texts), dim=1)


@lru_cache(maxsize=1)
def _pretrained(encoder: bert.Encoder) -> bert.Classifier:
    return bert.Classifier(encoder, 1, generator=torch.Generator(), pooling="mean")


def _hashed(item: str, seed: int) -> float:
    """A number in [0, 1) that depends on the text and the seed alone."""
    digest = hashlib.sha256(f"{seed} {item}".encode("utf-8", "surrogatepass")).digest()
    return int.from_bytes(digest[:8], "big") / 2**64


def _words_in_common(config: Config, found: list[Attacked], itself: Changes) -> dict[str, float]:
    """Do source and reference change the same words? tau1 with TextFooler's changes for directions.

    `tau1_textfooler`: the mean squared cosine of the two displacements of the word embeddings (the mean of a
    word's tokens); `same_words`: words that both change over words that either does.
    """
    cosines, shares = [], []
    for one, moves in zip(found, itself):
        first, second = (_displacements(config, changes) for changes in (one.changes, moves))
        if not first or not second:
            continue
        both = first.keys() & second.keys()
        inner = sum(float(first[i] @ second[i]) for i in both)
        sizes = [sum(float(move @ move) for move in side.values()) for side in (first, second)]
        cosines.append(inner**2 / (sizes[0] * sizes[1]))
        shares.append(len(both) / len(first.keys() | second.keys()))
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
) -> Outcome:
    """The reference after a step of config.epsilon along +v and -v of the source, averaged."""
    texts, labels = networks.attacked_texts(config), networks.attacked_part(config).labels
    losses, hits = [], []
    for index in reading.buckets(texts.ids[:count]):
        f, x, _ = reading.on_words(source, texts, index)
        right = singular.top_right(jacobian.jacobians(f, x, len(x))).reshape(x.shape).to(x)
        judge = reading.on_words(reference, texts, index)[0]
        for sign in (-1, 1):
            with torch.no_grad():
                logits = judge(x + sign * config.epsilon * right).cpu()
            losses.append(functional.cross_entropy(logits, labels[index], reduction="sum") / 2)
            hits.append((logits.argmax(1) == labels[index]).sum() / 2)
    return {"loss": float(sum(losses)) / count, "accuracy": float(sum(hits)) / count}
