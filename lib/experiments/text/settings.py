"""Settings of the text experiment (Sec. 4.2, App. G.1 and G.2), fixed before the recorded run was started."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Literal

from lib.data import text
from lib.engine.parameters import Checked, Count, Natural, Positive, Some, limits

UNTRAINED = "untrained"  # a control, not a source: the pretrained encoder with a head that was never trained
Tokens = Annotated[int, limits(ge=8)]  # below, little is left of a text
Candidates = Literal["embeddings", "counterfitted_neighbors", "counterfitted_vectors"]
Texts = Annotated[int, limits(ge=2)]
SENTIMENT = ("imdb", "imdb_part", "yelp_polarity", "yelp_reviews", "yelp_sentences")  # one kind of task


@dataclass(frozen=True)
class Config(Checked):
    """One text experiment. A data set is a name of `lib.data.text.SETS`, or "vader films" and the like."""

    preset: str
    seeds: Count  # the paper gives none; a seed changes the training texts drawn, the heads and the order
    device: str | None
    encoder: Literal["minilm", "bert"]  # App. G.2: "a Bert"
    target: str  # Sec. 4.2: IMDB
    sources: Some[str]  # Sec. 4.2: AG, Fake, Yelp
    train_texts: Natural  # of every source and of the reference, drawn by the seed; 0: all (App. G.2)
    transfer_texts: Natural  # of the target, for knowledge transfer; 0: all (App. G.2)
    test_texts: Natural  # most texts of a test part, for accuracies; 0: all
    tokens: Tokens  # texts are cut to so many, [CLS] and [SEP] included; the paper gives none
    frozen_layers: Natural  # lowest layers that all models share, as pretrained; App. G.2: none that it says
    pooling: Literal["mean", "cls"]  # the paper gives none
    dropout: Annotated[float, limits(ge=0, lt=1)]  # the paper gives none; BERT's own is 0.1
    epochs: Count  # App. G.2: 100
    batch_size: Count  # the paper gives none
    lr: float  # App. G.2: 3e-4, Adam
    schedule: str  # the paper gives none
    half: bool  # train in bfloat16, where weights stay float32; measured with float32 always
    transfer_epochs: Count  # App. G.2: 3
    transfer_lr: float  # App. G.2: 1e-4, Adam
    probe_strengths: tuple[float, ...]  # penalties of the linear layer, tried on the validation part
    tau_texts: Annotated[int, limits(ge=8)]  # of the target, for tau1 and tau2; the paper gives none
    attack_texts: Texts  # Sec. 4.2: 100, the first of them
    least_words: Count  # shorter texts of the target are not attacked: under 10, nothing may change
    candidates: Candidates  # App. G.1: "similar words in the dictionary"; TextFooler: counter-fitted vectors
    rate: Annotated[float, limits(gt=0, le=1)]  # Sec. 4.2: at most a tenth of the words
    similarity: float  # TextFooler's threshold: .5 in its article, .7 in its code
    epsilon: Positive  # of the Definition-1 attack on the word embeddings of a text, Euclidean
    lengths: tuple[Tokens, ...]  # shorter cuts at which tau1 and tau2 are measured again
    length_texts: Texts  # on so many texts
    null_repeats: Count  # permutations behind the nulls of tau2
    floor: float  # a reference model less accurate than this makes "not a test"; set before the runs

    def __post_init__(self) -> None:
        """Raise ValueError for what no run could use."""
        super().__post_init__()
        if 0 < self.test_texts < 6:
            raise ValueError(
                f"test_texts={self.test_texts} must be 0 (all) or at least 6: sources get a third"
            )
        for name in (self.target, *self.sources):
            split_name(name)
        if self.target in self.sources or len(set(self.sources)) < len(self.sources):
            raise ValueError(f"sources={self.sources}: name one or more, each once, and not the target")
        if max(self.attack_texts, self.length_texts) > self.tau_texts:
            raise ValueError(f"attack_texts and length_texts must be at most tau_texts={self.tau_texts}")
        if max(self.lengths, default=0) >= self.tokens:
            raise ValueError(f"lengths={self.lengths} must be at most tokens - 1 = {self.tokens - 1}")


def split_name(name: str) -> tuple[str, str | None]:
    """("vader", "films") or ("imdb_part", None): name in the data registry, and domain.

    Raises ValueError naming the known ones.
    """
    data, _, domain = name.partition(" ")
    if (data in text.SETS and not domain) or (data == "vader" and domain in text.DOMAINS):
        return data, domain or None
    known = [*text.SETS, *(f"vader {part}" for part in text.DOMAINS)]
    raise ValueError(f"no text data set is called {name!r}: use one of {', '.join(known)}")


def same_task(config: Config, source: str) -> float | None:
    """1 where source and target are both judgements of sentiment, else 0; None for the untrained control."""
    if source == UNTRAINED:
        return None
    names = [split_name(name)[0] for name in (source, config.target)]
    return float(all(name == "vader" or name in SENTIMENT for name in names))


STRENGTHS = (1e-3, 1e-2, 1e-1, 1.0, 10.0)

# `reduced` was sized by the time of one core (MiniLM: 10 ms for 40 tokens, a sixth of it a layer), before a
# result was seen: a record takes a minute and a half, half of it the attack (100 reviews, 50 queries each).
# Two of the six layers are trained, so that the four below are computed once for all models.
PRESETS = {
    "quick": Config(
        preset="quick", seeds=1, device=None, encoder="minilm",
        target="vader films", sources=("vader amazon", "vader editorials", "vader tweets"),
        train_texts=120, transfer_texts=80, test_texts=120, tokens=32, frozen_layers=5, pooling="mean",
        dropout=0.0, epochs=3, batch_size=16, lr=3e-4, schedule="onecycle", half=False,
        transfer_epochs=3, transfer_lr=1e-4, probe_strengths=STRENGTHS[1:],
        tau_texts=32, attack_texts=8, least_words=20, candidates="embeddings",
        rate=0.1, similarity=0.5, epsilon=1.0,
        lengths=(16,), length_texts=12, null_repeats=100, floor=0.6,
    ),
    "reduced": Config(
        preset="reduced", seeds=5, device=None, encoder="minilm",
        target="imdb_part",
        sources=("yelp_reviews", "yelp_sentences", "ag_part", "fake_articles", "covid_posts", "liar"),
        train_texts=800, transfer_texts=400, test_texts=600, tokens=40, frozen_layers=4, pooling="mean",
        dropout=0.0, epochs=3, batch_size=32, lr=3e-4, schedule="onecycle", half=True,
        transfer_epochs=3, transfer_lr=1e-4, probe_strengths=STRENGTHS,
        tau_texts=500, attack_texts=100, least_words=20, candidates="counterfitted_neighbors",
        rate=0.1, similarity=0.5, epsilon=1.0,
        lengths=(8, 16), length_texts=100, null_repeats=200, floor=0.65,
    ),
    "paper": Config(
        preset="paper", seeds=3, device=None, encoder="bert",
        target="imdb", sources=("ag_news", "fake_news", "yelp_polarity"),
        train_texts=0, transfer_texts=0, test_texts=0, tokens=256, frozen_layers=0, pooling="cls",
        dropout=0.1, epochs=100, batch_size=32, lr=3e-4, schedule="constant", half=True,
        transfer_epochs=3, transfer_lr=1e-4, probe_strengths=STRENGTHS,
        tau_texts=500, attack_texts=100, least_words=20, candidates="counterfitted_vectors",
        rate=0.1, similarity=0.5, epsilon=1.0,
        lengths=(16, 64, 128), length_texts=100, null_repeats=200, floor=0.65,
    ),
}  # fmt: skip
