"""TextFooler as its Algorithm 1 reads, a sentence a query, on texts of words parted by single spaces.

Slow on purpose, and made without `lib`: what the fast one is measured against, in the tests and benchmarks.
"""

import math


def softmax(logits):
    top = max(logits)
    weights = [math.exp(value - top) for value in logits]
    return [weight / sum(weights) for weight in weights]


def doubt(p, label):
    """1 - p[label], added up from the others: it does not round to 0."""
    return sum(value for c, value in enumerate(p) if c != label)


def attack(
    classify,
    text,
    candidates,
    *,
    rate=0.1,
    stop_words=(),
    fits=lambda words, index, candidate: True,
    cosine=None,
    threshold=0.5,
    short_threshold=0.1,
    window=15,
    stop_at_flip=False,
    flip_bonus=True,
):
    """{"order": words by importance, "changes", "attacked", "queries"}; `classify` takes one sentence.

    `cosine(before, after)` compares two sentences, or None: then the least probability of the label decides.
    """
    words, queries = text.split(" "), 1
    first = softmax(classify(text))
    label = max(range(len(first)), key=first.__getitem__)

    scores = []
    for index in range(len(words)):
        p = softmax(classify(" ".join(words[:index] + words[index + 1 :])))
        queries += 1
        other = max(range(len(p)), key=p.__getitem__)
        scores.append(doubt(p, label) - doubt(first, label))
        if other != label and flip_bonus:
            scores[-1] += p[other] - first[other]
    order = sorted(range(len(words)), key=lambda index: -scores[index])

    asked = threshold if len(words) >= window else short_threshold
    budget, changes, flipped, now = math.floor(len(words) * rate + 1e-9), [], False, doubt(first, label)
    for index in order:
        if len(changes) >= budget or (flipped and stop_at_flip):
            break
        if words[index] in stop_words:
            continue
        low = max(min(index - window // 2, len(words) - window), 0)
        tried = []
        for candidate in candidates.get(words[index], ()):
            if not fits(words, index, candidate):
                continue
            changed, alike = [*words[:index], candidate, *words[index + 1 :]], 1.0
            if cosine is not None:
                before, after = words[low : low + window], changed[low : low + window]
                alike = 1 - math.acos(cosine(" ".join(before), " ".join(after)))
            if alike < asked:
                continue
            p = classify(" ".join(changed))
            queries += 1
            other = max(range(len(p)), key=p.__getitem__)
            tried.append((candidate, doubt(softmax(p), label), other, alike))
        flips = [entry for entry in tried if entry[2] != label]
        if flips:
            chosen = max(flips, key=lambda entry: (entry[3], entry[1]))
        elif tried:
            chosen = max(tried, key=lambda entry: entry[1])
            if not chosen[1] > now:
                continue
        else:
            continue
        changes.append((index, words[index], chosen[0]))
        words[index], now, flipped = chosen[0], chosen[1], chosen[2] != label
    return {"order": order, "changes": changes, "attacked": " ".join(words), "queries": queries}
