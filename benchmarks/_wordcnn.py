"""A word CNN (Kim, 2014), TextFooler's smallest target; needs torch alone, so that a peer can load it too."""

import json
import re

import torch
from torch import nn


class WordCNN(nn.Module):
    """Sentences -> logits: embeddings, windows of 3, 4 and 5 words, the largest response of each filter."""

    def __init__(self, vocabulary, width=50, filters=50, classes=2):
        super().__init__()
        self.vocabulary = list(vocabulary)
        self.place = {word: i + 1 for i, word in enumerate(self.vocabulary)}
        self.embed = nn.Embedding(len(self.vocabulary) + 1, width, padding_idx=0)
        self.windows = nn.ModuleList(nn.Conv1d(width, filters, size, padding=size - 1) for size in (3, 4, 5))
        self.head = nn.Linear(3 * filters, classes)

    def forward(self, texts):
        """Logits (N, classes) of a list of sentences."""
        ids = [self.ids(text) for text in texts]
        order = sorted(range(len(ids)), key=lambda i: len(ids[i]))
        rows = [None] * len(ids)
        for start in range(0, len(order), 64):
            chosen = order[start : start + 64]
            for i, row in zip(chosen, self.scores(self.padded([ids[i] for i in chosen]))):
                rows[i] = row
        return torch.stack(rows)

    def scores(self, ids):
        hidden = self.embed(ids).mT
        found = [torch.relu(window(hidden)).amax(2) for window in self.windows]
        return self.head(torch.cat(found, 1))

    def ids(self, text):
        return [self.place.get(word, 0) for word in re.findall(r"\w+", text.lower())] or [0]

    def padded(self, ids):
        length = max(map(len, ids))
        return torch.tensor([row + [0] * (length - len(row)) for row in ids])

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
