"""The text experiment in miniature: a tiny random BERT, made-up data sets, a small thesaurus."""

import contextlib
import dataclasses

import pytest
import tinybert

from lib.engine import steps
from lib.experiments.text import attacking, networks, tangent
from lib.experiments.text import record as text

TINY = dataclasses.replace(
    text.PRESETS["reduced"],
    seeds=1, device="cpu", sources=("yelp_reviews", "ag_part", "liar"),
    train_texts=40, transfer_texts=24, test_texts=40, tokens=24, frozen_layers=2, epochs=4, batch_size=8,
    lr=3e-3, half=False, transfer_epochs=2, transfer_lr=1e-3, probe_strengths=(0.1, 1.0), tau_texts=24,
    attack_texts=10, least_words=8, rate=0.2, similarity=0.0, lengths=(8,), length_texts=8, null_repeats=20,
    floor=0.3,
)  # fmt: skip
JOB = {"target": "imdb_part", "source": "yelp_reviews", "seed": 0}
CACHED = (networks._encoder, networks._reader, networks._split, networks.target_part, networks._attacked_part,
          networks._attacked_texts, networks.reference_model, tangent._of_the_reference, attacking.allowed,
          attacking._pretrained)  # fmt: skip


@contextlib.contextmanager
def imitation(tmp_path_factory):
    """The small world in the place of the large one, with a store of its own."""
    folder = tinybert.save(tmp_path_factory.mktemp("bert"))
    four = ("world", "sports", "business", "science")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("TRANSFER_RUNS", str(tmp_path_factory.mktemp("runs")))
        patch.setattr(networks.words, "minilm", lambda: folder)
        patch.setattr(
            networks.text,
            "load",
            lambda n: tinybert.split(n, **({"classes": four} if n == "ag_part" else {})),
        )
        patch.setattr(attacking.words, "neighbours", lambda: tinybert.NEIGHBOURS)
        forget()
        yield
        forget()


def forget():
    """Empty what the process remembers."""
    for function in CACHED:
        function.cache_clear()


def made(job, config=TINY):
    """The record of a job, behind the engine's door but without its data."""
    with steps.door("cpu", {}):
        return text.run_job(config, job)


def models(config=TINY, source="yelp_reviews"):
    return networks.source_model(config, source, 0), networks.reference_model(config, 0)
