"""TextAttack's TextFooler components on texts, candidates and a classifier given as files.

Run by its own environment: `python _textattack_peer.py FOLDER` reads FOLDER/job.json and the classifier, and
writes FOLDER/result.json. What TextAttack would download is left out: the candidates are the job's, and there
is no sentence encoder.
"""

import json
import sys
import time
from pathlib import Path

import torch
from _wordcnn import WordCNN
from textattack import Attack
from textattack.constraints.pre_transformation import (
    MaxModificationRate,
    RepeatModification,
    StopwordModification,
)
from textattack.goal_functions import UntargetedClassification
from textattack.models.wrappers import HuggingFaceModelWrapper, ModelWrapper
from textattack.search_methods import GreedyWordSwapWIR
from textattack.shared import AttackedText
from textattack.transformations import WordSwap


class Swap(WordSwap):
    """The job's candidates."""

    def __init__(self, candidates):
        super().__init__()
        self.candidates = candidates

    def _get_replacement_words(self, word):
        return self.candidates.get(word.lower(), [])


class Plain(ModelWrapper):
    """A function of a list of sentences."""

    def __init__(self, model):
        self.model = model

    def __call__(self, texts):
        with torch.no_grad():
            return self.model(list(texts))


def wrapped(folder, kind):
    """The job's classifier: the word CNN, or a BERT without padding ("bare") or in TextAttack's "wrapper"."""
    if kind == "cnn":
        return Plain(WordCNN.load(folder / "classifier.pt"))
    from transformers import AutoModelForSequenceClassification, AutoTokenizer

    tokenizer = AutoTokenizer.from_pretrained(folder / "model")
    model = AutoModelForSequenceClassification.from_pretrained(folder / "model").eval()
    if kind == "wrapper":
        return HuggingFaceModelWrapper(model, tokenizer)
    return Plain(lambda texts: model(**tokenizer(texts, padding=True, return_tensors="pt")).logits)


def main(folder):
    job = json.loads((folder / "job.json").read_text())
    torch.set_num_threads(1)
    constraints = [
        RepeatModification(),
        StopwordModification(stopwords=set(job["stop_words"])),
        MaxModificationRate(job["rate"]),
    ]
    search = GreedyWordSwapWIR("delete")
    model = wrapped(folder, job["classifier"])
    attack = Attack(UntargetedClassification(model), constraints, Swap(job["candidates"]), search)
    attack.attack(job["texts"][0], job["labels"][0])  # warms up
    attack.clear_cache()
    rows, begun = [], time.process_time()
    for text, label in zip(job["texts"], job["labels"]):
        result = attack.attack(text, label)
        rows.append(
            {
                "attacked": result.perturbed_text(),
                "flipped": result.perturbed_result.goal_status == 0,
                "queries": result.num_queries,
            }
        )
    seconds = time.process_time() - begun
    orders = []
    for text, label in list(zip(job["texts"], job["labels"]))[: job.get("orders", 0)]:
        attack.goal_function.init_attack_example(AttackedText(text), label)
        orders.append([int(i) for i in search._get_index_order(AttackedText(text))[0]])
    answer = {"seconds": seconds, "rows": rows, "orders": orders}
    (folder / "result.json").write_text(json.dumps(answer))


main(Path(sys.argv[1]))
