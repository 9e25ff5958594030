"""A word CNN (Kim, 2014), TextFooler's smallest target; needs only torch, so that a peer can load it too.

For answers (`eval`) the embedding is folded into the filters: a table holds what each word adds in each place
of a window, so that a sentence costs additions only. It is then cheap enough to show what an attack costs.
"""

import json

import numpy as np
import torch
from torch import nn
from torch.nn import functional

BATCH = 128  # about the fastest on one thread


class WordCNN(nn.Module):
    """Sentences of words -> logits: windows of 3, 4 and 5 words, and the largest response of each filter."""

    def __init__(self, vocabulary, width=50, filters=50, classes=2):
        super().__init__()
        self.vocabulary = list(vocabulary)
        self.place = {word: i + 1 for i, word in enumerate(self.vocabulary)}
        self.embed = nn.Embedding(len(self.vocabulary) + 1, width, padding_idx=0)
        # Padding by the whole window: the response to nothing is always among those compared, so that a
        # sentence's logits do not depend on how long its company is.
        self.windows = nn.ModuleList(nn.Conv1d(width, filters, size, padding=size) for size in (3, 4, 5))
        self.head = nn.Linear(3 * filters, classes)
        self.tables = None

    def forward(self, texts):
        """Logits (N, classes) of a list of sentences."""
        ids = [self.ids(text) for text in texts]
        order = sorted(range(len(ids)), key=lambda i: len(ids[i]))
        parts = [order[start : start + BATCH] for start in range(0, len(order), BATCH)]
        found = torch.cat([self.scores(self.padded([ids[i] for i in part])) for part in parts])
        return found[torch.tensor(order).argsort()]

    def scores(self, ids):
        if self.tables is None:
            hidden = self.embed(ids).mT
            found = [window(hidden).amax(2) for window in self.windows]
        else:
            found = [self.response(ids, *pair) for pair in zip(self.windows, self.tables)]
        return self.head(torch.relu(torch.cat(found, 1)))

    def response(self, ids, window, table):
        """The largest response of each filter, (N, filters); `table` has a row for each place and word."""
        (size,), words = window.kernel_size, len(self.vocabulary) + 1
        places = functional.pad(ids, (size, size)).unfold(1, size, 1) + torch.arange(size) * words
        bags = places.transpose(0, 1).reshape(-1, size)  # place by place: so the largest is found faster
        sums = functional.embedding_bag(bags, table, mode="sum")
        return sums.view(-1, len(ids), window.out_channels).amax(0) + window.bias

    @torch.no_grad()
    def train(self, mode=True):
        """Fold the weights as they are now, for answers; or unfold them, for training."""
        weights = [window.weight.permute(2, 1, 0) for window in self.windows]  # (size, width, filters)
        self.tables = None if mode else [(self.embed.weight @ w).flatten(0, 1) for w in weights]
        return super().train(mode)

    def ids(self, text):
        return [self.place.get(word, 0) for word in text.lower().split()] or [0]

    def padded(self, ids):
        length = max(map(len, ids))
        rows = np.array([row + [0] * (length - len(row)) for row in ids])  # in less time than a tensor
        return torch.from_numpy(rows)

    def save(self, file):
        size = {"width": self.embed.embedding_dim, "filters": self.windows[0].out_channels}
        extra = {**size, "classes": self.head.out_features, "vocabulary": self.vocabulary}
        file.with_suffix(".json").write_text(json.dumps(extra))
        torch.save(self.state_dict(), file)

    @staticmethod
    def load(file):
        weights = torch.load(file, weights_only=True)
        model = WordCNN(**json.loads(file.with_suffix(".json").read_text()))
        model.to(weights["head.weight"].dtype).load_state_dict(weights)
        return model.eval()
