"""What a classifier's logits say about a change: for the sentences of all texts at once, each a row."""

from __future__ import annotations

import torch
from torch import Tensor


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
