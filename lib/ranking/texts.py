"""Text models of transformers, as functions of one gate a word.

Two text models share neither tokenizer nor embedding table, so the space in which the paper's attacks live
must be made: x holds a gate for each word of a text, 1 at the text itself, and every token's embedding is
multiplied by the gate of its word. The Jacobian says which words a model looks at, the attack which to turn
up and down. (The paper attacks one shared BERT by replacing words: `lib.attacks.textfooler`.)
"""

from __future__ import annotations

from copy import deepcopy
from dataclasses import dataclass, field
from typing import Any

import torch
from torch import Tensor, nn

from lib.measures.jacobian import Model
from lib.models import training
from lib.ranking.candidates import Passes
from lib.ranking.pretrained import text_model
from lib.ranking.targets import Target


@dataclass
class TextModel:
    """A transformers model with its tokenizer, on the texts of a target; features are the mean over tokens.

    Outputs are its logits, or the features where it has no classifier.
    """

    name: str
    model: Any
    tokenizer: Any
    texts: list[list[str]]
    width: int  # words a text has at most
    device: torch.device
    passes: Passes = field(default_factory=Passes)
    notes: list[str] = field(default_factory=list)

    def bind(self, rows: Tensor) -> Model:
        """gates (N, words) of the texts in `rows` -> outputs (N, m)."""
        run = self._bound(rows)
        return lambda gates: run(gates)[0]

    @torch.no_grad()
    def read(self, x: Tensor, rows: Tensor) -> tuple[Tensor, Tensor]:
        """Outputs and features of the texts in `rows`."""
        outputs, features = self._bound(rows)(x)
        return outputs.cpu(), features.cpu()

    def _bound(self, rows: Tensor) -> Any:
        options = {"is_split_into_words": True, "truncation": True, "padding": True, "return_tensors": "pt"}
        tokens = self.tokenizer([self.texts[i] for i in rows.tolist()], **options)
        words = [[self.width if w is None else w for w in tokens.word_ids(i)] for i in range(len(rows))]
        index = torch.tensor(words, device=self.device)  # the last gate is that of special tokens: always 1
        ids, mask = tokens["input_ids"].to(self.device), tokens["attention_mask"].to(self.device)
        table = self.model.get_input_embeddings()

        def run(gates: Tensor) -> tuple[Tensor, Tensor]:
            self.passes.count(gates)
            gates = gates.to(self.device)
            each = torch.cat([gates, gates.new_ones(len(gates), 1)], dim=1).gather(1, index)
            made = self.model(
                inputs_embeds=table(ids) * each.unsqueeze(-1), attention_mask=mask, output_hidden_states=True
            )
            shares = mask / mask.sum(1, keepdim=True)
            features = torch.einsum("nt,ntd->nd", shares.to(made.hidden_states[-1]), made.hidden_states[-1])
            return getattr(made, "logits", features), features

        return run


def wrap(name: str, given: Any, target: Target, device: torch.device | None) -> TextModel:
    """A candidate from a folder or name that transformers knows, or from (tokenizer, model).

    Raises ValueError or TypeError for a model that cannot be loaded, is in training mode, or whose tokenizer
    is not a fast one (which tells the word that each token is from).
    """
    pair = isinstance(given, tuple | list) and len(given) == 2
    tokenizer, model = given if pair else text_model(name, given)
    if not getattr(tokenizer, "is_fast", False) or not isinstance(model, nn.Module):
        raise TypeError(
            f"{name}: for texts pass a folder or name that transformers knows, or (tokenizer, model) with a "
            "fast tokenizer"
        )
    if any(part.training for part in model.modules()):
        raise ValueError(f"{name} is in training mode, where dropout may add chance: call model.eval() first")
    if device is not None:
        model.to(device)
    assert target.texts is not None
    where = next(model.parameters()).device
    return TextModel(name, model, tokenizer, target.texts, target.inputs.shape[1], where)


def untrained(like: TextModel, generator: torch.Generator) -> TextModel:
    """The same architecture with fresh weights, drawn from the generator: the baseline."""
    with training.seeded(generator):
        fresh = deepcopy(like.model)
        for part in fresh.modules():
            if hasattr(part, "reset_parameters"):
                part.reset_parameters()
    return TextModel("untrained", fresh.eval(), like.tokenizer, like.texts, like.width, like.device)
