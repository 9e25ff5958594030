"""TextFooler (Jin et al., 2019) as this paper changes it (App. G.1), for many texts in step."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence

import torch
from torch import Tensor

from lib.attacks.words.candidates import Candidates, Lookup
from lib.attacks.words.options import DEFAULT, RELEASED, Attacked, Options
from lib.attacks.words.queries import Queries, Similarity, TextFunction
from lib.attacks.words.search import Answer, Run, Step, importance, log_doubt

__all__ = ["RELEASED", "Attacked", "Options", "textfooler"]


def textfooler(
    classify: TextFunction,
    texts: Sequence[str],
    *,
    candidates: Candidates,
    encode: TextFunction | None = None,
    options: Options = DEFAULT,
    labels: Sequence[int] | Tensor | None = None,
    progress: Callable[[int, int], None] | None = None,
) -> list[Attacked]:
    """Replace the words that matter most to the classifier by near synonyms, at most `options.rate` of them.

    With y a text's label (the classifier's own arg-max unless `labels` are given) and p_y its softmax
    probability: words in the order of p_y(text) - p_y(text without the word); for each, the candidates of the
    same part of speech that keep the meaning; of these the most similar one that flips the label, else the
    one of lowest p_y if that is lower than before. The end is when floor(rate * words) words are changed or
    none is left. Of fewer than 1 / rate words none may change: the text comes back as not attackable.

    `classify` maps a list of sentences to logits (N, classes), `encode` to embeddings (N, D); both get large
    lists in no order, up to `options.batch`, and no sentence twice. `candidates` is a mapping or a function
    from a word in lower case to other words, the best first. `progress(done, all)` is called every round.

    The result has the order of `texts` and is the same in every run, as far as the two functions are. Raises
    ValueError or TypeError for rows that do not fit the sentences or are not finite, a threshold without an
    encoder, a model without a tokenizer, and labels that the classifier does not have.
    """
    begun = time.perf_counter()
    if isinstance(texts, str) or not all(isinstance(text, str) for text in texts):
        raise TypeError("texts must be a list of strings")
    ask = Queries(classify, options.batch, "classify", least_width=2)
    similarity = Similarity(encode, options)
    lookup = Lookup(candidates, options.candidates, options.left_alone())
    runs = [Run(text, options) for text in texts]
    _begin(runs, ask, labels)
    _rank([run for run in runs if run.open()], ask, lookup)
    while active := [run for run in runs if run.going()]:
        _advance(active, ask, similarity)
        if progress is not None:
            progress(sum(not run.going() for run in runs), len(runs))
    return _reports(runs, similarity, begun)


def _begin(runs: list[Run], ask: Queries, labels: Sequence[int] | Tensor | None) -> None:
    """Classify the untouched texts and fix the labels."""
    given = None if labels is None else [int(label) for label in labels]
    if given is not None and len(given) != len(runs):
        raise ValueError(f"{len(given)} labels for {len(runs)} texts: pass one for each, or None")
    rows, asked = ask.ask([[run.text] for run in runs])
    wanted = rows.argmax(1) if given is None else torch.tensor(given, dtype=torch.int64)
    for label in wanted.tolist():
        if not 0 <= label < rows.shape[1]:
            raise ValueError(f"label {label}: the classifier has the classes 0 to {rows.shape[1] - 1}")
    for run, label, answer, new in zip(runs, wanted.tolist(), _answers(rows, wanted), asked):
        run.queries += new
        run.label, run.before, run.now = label, answer, answer


def _rank(runs: list[Run], ask: Queries, lookup: Lookup) -> None:
    """Order the replaceable words of all texts, in one call; a word without candidates needs no query."""
    lookup.prepare(word for run in runs for word in run.words)
    found = [[(i, c) for i, word in enumerate(run.words) if (c := lookup(word))] for run in runs]
    rows, asked = ask.ask([run.masked([i for i, _ in words]) for run, words in zip(runs, found)])
    if not runs:
        return
    owner = torch.arange(len(runs)).repeat_interleave(torch.tensor([len(words) for words in found]))
    before = torch.tensor([run.before.logits for run in runs], dtype=torch.float64)
    labels, bonus = torch.tensor([run.label for run in runs]), runs[0].options.flip_bonus
    weights = iter(importance(before[owner], rows, labels[owner], bonus).tolist())
    for run, words, new in zip(runs, found, asked):
        run.queries += new
        run.rank(words, [next(weights) for _ in words])


def _advance(runs: list[Run], ask: Queries, similarity: Similarity) -> None:
    """Try the next word of every text: all windows in one call, then all sentences in one."""
    steps = [Step(run) for run in runs]
    alike = similarity.of([step.reference() for step in steps], [step.windows() for step in steps])
    for step, values in zip(steps, alike):
        step.keep(values)
    rows, asked = ask.ask([step.sentences() for step in steps])
    labels = [step.run.label for step in steps for _ in step.candidates]
    answers = iter(_answers(rows, torch.tensor(labels, dtype=torch.int64)))
    for step, new in zip(steps, asked):
        step.run.queries += new
        step.finish([next(answers) for _ in step.candidates])


def _answers(rows: Tensor, labels: Tensor) -> list[Answer]:
    """Logits (n, classes) and labels (n,), read off once for all texts."""
    doubts, flips = log_doubt(rows, labels).tolist(), (rows.argmax(1) != labels).tolist()
    return [Answer(*each) for each in zip(rows.tolist(), doubts, flips)]


def _reports(runs: list[Run], similarity: Similarity, begun: float) -> list[Attacked]:
    after = [str(run.words) for run in runs]
    cosines = similarity.cosines([run.text for run in runs], [[text] for text in after])
    share = (time.perf_counter() - begun) / max(sum(run.queries for run in runs), 1)
    return [
        Attacked(
            original=run.text,
            attacked=text,
            changes=tuple(run.changes),
            words=len(run.words),
            attackable=run.budget > 0,
            label=run.label,
            logits_before=tuple(run.before.logits),
            logits_after=tuple(run.now.logits),
            flipped=run.now.flips,
            queries=run.queries,
            similarity=None if cosines is None else float(cosines[i]),
            seconds=share * run.queries,
        )
        for i, (run, text) in enumerate(zip(runs, after))
    ]
