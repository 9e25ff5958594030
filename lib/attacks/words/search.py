"""TextFooler's greedy search on one text: a `Run`, and a `Step` for each word that is tried."""

from __future__ import annotations

import torch
from torch import Tensor

from lib.attacks.words import tagging
from lib.attacks.words.options import Options
from lib.attacks.words.spelling import Words


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

    def start(self, logits: Tensor, label: int | None) -> None:
        """Begin from the untouched text's logits (classes,); the label is their arg-max if None."""
        self.label = int(logits.argmax()) if label is None else label
        self.before = logits
        self._see(logits)
        self.first = self.now

    def going(self) -> bool:
        """Is there a word to try, and leave to change one more?"""
        return bool(self.todo) and self.open()

    def open(self) -> bool:
        """Is there leave to change one more word?"""
        stopped = self.options.stop_at_flip and self.flipped
        return len(self.changes) < self.budget and not stopped

    def masked(self, index: int) -> str:
        """The text without a word, to see what it weighs."""
        if self.options.mask is None:
            return self.words.without(index)
        return self.options.mask.join(self.words.around(index))

    def rank(self, found: list[tuple[int, list[str]]], without: Tensor) -> None:
        """Order the words by importance, ties by place; `without` are the logits (words, classes)."""
        order = self.importance(without).argsort(descending=True, stable=True).tolist()
        self.todo = [found[i] for i in reversed(order)]

    def importance(self, without: Tensor) -> Tensor:
        """p_y(text) - p_y(text without the word), and where that flips, the gain of the other label too.

        Eq. 2 and 3 of Jin et al. (2019).
        """
        full, less = self.before.softmax(0), without.softmax(1)
        other = less.argmax(1)
        gain = less.gather(1, other[:, None]).squeeze(1) - full[other]
        bonus = gain * (other != self.label) * self.options.flip_bonus
        loss = log_doubt(without, self.label).exp() - log_doubt(self.before[None], self.label).exp()
        return loss + bonus

    def choose(self, logits: Tensor, similarity: Tensor) -> int | None:
        """The candidate to take, or None, from logits (n, classes) and similarities (n,).

        The most similar of those that flip the label; if none does, the one of lowest p_y, provided that it
        lowers it. Ties go to the lowest p_y, then to the first.
        """
        doubts = log_doubt(logits, self.label)
        flips = logits.argmax(1) != self.label
        if flips.any() and not (self.flipped and self.options.after_flip == "lowest"):
            alike = similarity.where(flips, -torch.inf)
            return int(doubts.where(alike == alike.max(), -torch.inf).argmax())
        best = int(doubts.argmax())
        limit = self.first if self.options.improve_on == "original" else self.now
        return best if doubts[best] > limit else None

    def take(self, index: int, candidate: str, logits: Tensor) -> None:
        """Make the change."""
        self.changes.append((index, self.words[index], candidate))
        self.words.replace(index, candidate)
        self._see(logits)

    def _see(self, logits: Tensor) -> None:
        self.after = logits
        self.now = float(log_doubt(logits[None], self.label))
        self.flipped = int(logits.argmax()) != self.label


def log_doubt(logits: Tensor, label: int) -> Tensor:
    """log(1 - p_label) for logits (n, classes): tells texts apart where p itself rounds to 1."""
    others = logits.index_fill(1, torch.tensor(label), -torch.inf)
    return others.logsumexp(1) - logits.logsumexp(1)


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

    def keep(self, similarity: Tensor) -> None:
        """Drop the candidates below the threshold."""
        kept = similarity >= self.run.options.threshold(len(self.run.words))
        self.candidates = [c for c, keep in zip(self.candidates, kept.tolist()) if keep]
        self._similarity = similarity[kept]

    def sentences(self) -> list[str]:
        """The whole text with each candidate."""
        before, after = self.run.words.around(self.index)
        return [before + candidate + after for candidate in self.candidates]

    def finish(self, logits: Tensor) -> None:
        """Take the best candidate, if one is good enough."""
        chosen = self.run.choose(logits, self._similarity) if self.candidates else None
        if chosen is not None:
            self.run.take(self.index, self.candidates[chosen], logits[chosen])
