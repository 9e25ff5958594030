"""What the records of a text run are read by: measures, rivals, and readings of knowledge transfer."""

from __future__ import annotations

from collections.abc import Sequence

from lib.engine.results import Record, Value, at
from lib.experiments.common.observations import Observations, Readings
from lib.experiments.text.settings import UNTRAINED
from lib.measures import estimators

NAMES = {
    "imdb": "IMDB", "imdb_part": "IMDB", "ag_part": "AG", "ag_news": "AG",
    "fake_articles": "Fake, articles", "covid_posts": "Fake, COVID posts", "liar": "Fake, LIAR",
    "fake_news": "Fake", "yelp_reviews": "Yelp, reviews", "yelp_sentences": "Yelp, sentences",
    "yelp_polarity": "Yelp",
}  # fmt: skip


def title(name: str) -> str:
    """A data set's name for a reader: "Fake, LIAR" from "liar", "films" from "vader films"."""
    return NAMES.get(name, name.removeprefix("vader "))


READINGS = Readings(
    measures={
        "adversarial loss": at("attacks", "textfooler", "loss"),
        "adversarial loss, half": at("attacks", "half", "loss"),
        "adversarial loss, Def. 1": at("attacks", "definition_1", "loss"),
        "τ₁": at("tau1"),
        "τ₂": at("tau2"),
        "τ₁ τ₂": lambda r: float(r["tau1"] * r["tau2"]),
        "τ₂, contrasts": at("readings", "contrasts", "tau2"),
        "α²": at("alpha_squared"),
    },
    knowledge={
        "fine-tuned accuracy": at("knowledge", "tuned_accuracy"),
        "fine-tuned loss (−)": lambda r: -float(r["knowledge"]["tuned_loss"]),
        "probe accuracy": at("knowledge", "probe_accuracy"),
        "probe loss (−)": lambda r: -float(r["knowledge"]["probe_loss"]),
        "new layer accuracy": at("knowledge", "layer_accuracy"),
    },
    rivals={
        **{title: at("rivals", key) for key, title in estimators.RECORDED.items() if key != "h_score"},
        "nearness of the data": lambda r: -float(r["baselines"]["domain_distance"]),
        "source accuracy": at("baselines", "source_accuracy"),
        "same kind of task": at("same_task"),
    },
    headline=("adversarial loss", "fine-tuned accuracy"),  # what Sec. 4.2 claims to go together
    title=title,
    control=UNTRAINED.__eq__,
    ties="shared",
    section="4.2",
    scenario="data, text",
    first_seeds=3,
)


def rise(record: Record) -> float:
    """The reference's adversarial loss less its loss on the clean texts."""
    return float(record["attacks"]["textfooler"]["loss"] - record["attacks"]["clean"]["loss"])


def among_others(seen: Observations, measure: str, knowledge: str) -> float | None:
    """The mean of tau-b within seeds among the sources of another kind of task than the target's.

    Not planned: looked at after the first results. None for fewer than three such sources.
    """
    rows = seen.values("same kind of task")[:, 0] == 0
    if int(rows.sum()) < 3:
        return None
    taus = seen.link(measure, knowledge).among(rows).each
    return sum(taus) / len(taus)


def span(seen: Observations, value: Value, sources: Sequence[str] | None = None) -> tuple[float, float]:
    """The least and the largest mean over seeds of a source; a value that is not defined counts as 0."""
    found = [seen.mean(value, name) or 0.0 for name in sources or seen.sources]
    return min(found), max(found)
