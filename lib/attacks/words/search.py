"""TextFooler's greedy search on one text: a `Run`, and a `Step` for each word that is tried."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from lib.attacks.words import tagging
from lib.attacks.words.options import Options
from lib.attacks.words.spelling import Words


def log_doubt(logits: Tensor, labels: Tensor) -> Tensor:
    """log(1 - p_label) for logits (n, classes), labels (n,): tells texts apart where p itself rounds to 1."""
    others = logits.scatter(1, labels[:, None], -torch.inf)
    return others.logsumexp(1) - logits.logsumexp(1)


def importance(before: Tensor, without: Tensor, labels: Tensor, flip_bonus: bool) -> Tensor:
    """p_y(text) - p_y(text without the word), and where that flips, the gain of the other label too.

    Logits (n, classes), y the labels (n,); Eq. 2 and 3 of Jin et al. (2019).
    """
    full, less = before.softmax(1), without.softmax(1)
    other = less.argmax(1)
    gain = (less - full).gather(1, other[:, None]).squeeze(1)
    loss = log_doubt(without, labels).exp() - log_doubt(before, labels).exp()
    return loss + gain * (other != labels) * flip_bonus


@dataclass(frozen=True)
class Answer:
    """What the classifier says of a sentence: logits (classes,), log(1 - p_label), is another label first."""

    logits: list[float]
    doubt: float
    flips: bool


class Run:
    """The attack on one text, between two rounds: the text as it stands and the words still to try."""

    def __init__(self, text: str, options: Options) -> None:
        self.text, self.options = text, options
        self.words = Words(text)
        self.untouched = tuple(self.words.pieces)
        self.budget = options.budget(len(self.words))
        self.todo: list[tuple[int, list[str]]] = []  # (word, candidates), the next one last
        self.changes: list[tuple[int, str, str]] = []
        self.queries = 0
        self.label: int
        self.before: Answer  # what the classifier says of the untouched text
        self.now: Answer  # and of the text as it stands

    def going(self) -> bool:
        """Is there a word to try, and leave to change one more?"""
        return bool(self.todo) and self.open()

    def open(self) -> bool:
        """Is there leave to change one more word?"""
        stopped = self.options.stop_at_flip and self.now.flips
        return len(self.changes) < self.budget and not stopped

    def masked(self, words: list[int]) -> list[str]:
        """The text without each of some words in turn, to see what they weigh."""
        if self.options.mask is None:
            return [self.words.without(index) for index in words]
        return [self.options.mask.join(self.words.around(index)) for index in words]

    def rank(self, found: list[tuple[int, list[str]]], importance: list[float]) -> None:
        """Order the words by importance, ties by place."""
        order = sorted(range(len(found)), key=importance.__getitem__, reverse=True)
        self.todo = [found[i] for i in reversed(order)]

    def choose(self, answers: list[Answer], similarity: list[float]) -> int | None:
        """The candidate to take, or None.

        The most similar of those that flip the label; if none does, the one of lowest p_y, provided that it
        lowers it. Ties go to the lowest p_y, then to the first.
        """
        flips = [i for i, answer in enumerate(answers) if answer.flips]
        if flips and not (self.now.flips and self.options.after_flip == "lowest"):
            return max(flips, key=lambda i: (similarity[i], answers[i].doubt))
        best = max(range(len(answers)), key=lambda i: answers[i].doubt)
        limit = self.before if self.options.improve_on == "original" else self.now
        return best if answers[best].doubt > limit.doubt else None

    def take(self, index: int, candidate: str, answer: Answer) -> None:
        """Make the change."""
        self.changes.append((index, self.words[index], candidate))
        self.words.replace(index, candidate)
        self.now = answer


class Step:
    """One word of one text, with the candidates that may take its place, fewer from stage to stage."""

    def __init__(self, run: Run) -> None:
        self.run = run
        self.index, self.candidates = run.todo.pop()
        if run.options.part_of_speech:
            fits = tagging.fits(run.words, self.index, self.candidates, run.options.noun_verb)
            self.candidates = [c for c, fit in zip(self.candidates, fits) if fit]
        self._window = run.words.window(self.index, run.options.window)

    def reference(self) -> str:
        """What the windows are compared with."""
        original = self.run.options.against == "original"
        pieces = self.run.untouched if original else self.run.words.pieces
        return "".join(pieces[self._window])

    def windows(self) -> list[str]:
        """The words around the change, with each candidate."""
        pieces, place = self.run.words.pieces[self._window], 2 * self.index + 1 - self._window.start
        before, after = "".join(pieces[:place]), "".join(pieces[place + 1 :])
        return [before + candidate + after for candidate in self.candidates]

    def keep(self, similarity: list[float]) -> None:
        """Drop the candidates below the threshold."""
        least = self.run.options.threshold(len(self.run.words))
        kept = [(c, alike) for c, alike in zip(self.candidates, similarity) if alike >= least]
        self.candidates, self._similarity = [c for c, _ in kept], [alike for _, alike in kept]

    def sentences(self) -> list[str]:
        """The whole text with each candidate."""
        before, after = self.run.words.around(self.index)
        return [before + candidate + after for candidate in self.candidates]

    def finish(self, answers: list[Answer]) -> None:
        """Take the best candidate, if one is good enough."""
        chosen = self.run.choose(answers, self._similarity) if self.candidates else None
        if chosen is not None:
            self.run.take(self.index, self.candidates[chosen], answers[chosen])
