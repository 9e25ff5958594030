"""The text experiment on a tiny random BERT and made-up reviews: what a record holds, and its settings."""

import dataclasses
import json

import pytest
import tinybert
import torch
from tinytext import JOB, TINY, forget, imitation, made, models
from torch.nn import functional

from lib import attacks
from lib.attacks.words.spelling import Words
from lib.base import streams
from lib.data import registry
from lib.engine import parameters
from lib.experiments.common import stored
from lib.experiments.text import attacking, networks, settings, tangent
from lib.experiments.text import record as text
from lib.measures import transferability
from lib.models import reading


@pytest.fixture(scope="module", autouse=True)
def world(tmp_path_factory):
    with imitation(tmp_path_factory):
        yield


def texts():
    return networks.attacked_part(TINY).texts[: TINY.attack_texts]


@pytest.fixture(scope="module")
def record(world):
    return made(JOB)


def test_a_record_is_plain_and_the_same_each_time_on_any_number_of_threads(record, two_threads):
    assert json.loads(json.dumps(record, allow_nan=False)) == record
    forget()
    again = made(JOB)
    assert {k: v for k, v in again.items() if k != "seconds"} == {
        k: v for k, v in record.items() if k != "seconds"
    }
    assert {"tau", "attack", "knowledge", "rivals", "source", "reference"} <= record["seconds"].keys()


def test_another_probe_trains_nothing_and_attacks_nothing_again(monkeypatch):
    """Training, tau and attacks are steps: what they do not depend on leaves them as they were stored."""

    def never(*_, **__):
        raise AssertionError("computed again")

    forget()
    first = made(JOB)
    forget()
    for module, name in ((stored, "state"), (attacking, "textfooler"), (tangent, "jacobians")):
        monkeypatch.setattr(module, name, never)
    again = made(JOB, dataclasses.replace(TINY, probe_strengths=(1.0,), transfer_epochs=1))
    assert again["knowledge"] != first["knowledge"]
    for part in ("attacks", "textfooler", "readings", "by_length"):
        assert again[part] == first[part]
    with pytest.raises(AssertionError, match="computed again"):
        made(JOB, dataclasses.replace(TINY, similarity=0.1))
    forget()


def test_every_source_and_the_control_make_records():
    jobs = text.jobs(dataclasses.replace(TINY, seeds=2))
    assert [job["source"] for job in jobs[:4]] == ["yelp_reviews", "ag_part", "liar", "untrained"]
    assert [job["seed"] for job in jobs] == [0] * 4 + [1] * 4
    for job in jobs[1:4:2]:
        found = made(job)
        assert (found["baselines"]["source_accuracy"] is None) == (job["source"] == "untrained")
        json.dumps(found, allow_nan=False)


def test_the_adversarial_loss_is_the_reference_s_on_the_attacked_texts(record):
    source, reference = models()
    found = attacking.attack(TINY, source, texts())
    labels = networks.attacked_part(TINY).labels[:10]
    encoder = networks.encoder(TINY)
    logits = [reading.apply(reference, reading.sentences(encoder, [getattr(one, name) for one in found]))
              for name in ("original", "attacked")]  # fmt: skip
    losses = [functional.cross_entropy(each, labels).item() for each in logits]
    assert record["attacks"]["clean"]["loss"] == pytest.approx(losses[0], rel=1e-5)
    assert record["attacks"]["textfooler"]["loss"] == pytest.approx(losses[1], rel=1e-5)
    right = logits[0].argmax(1) == labels
    each = functional.cross_entropy(logits[1], labels, reduction="none")
    assert record["attacks"]["textfooler"]["loss_right"] == pytest.approx(
        (each * right).sum().item() / 10, rel=1e-5
    )
    assert any(one.changes for one in found)
    assert record["textfooler"]["changed"] == [len(one.changes) for one in found]
    assert record["textfooler"]["most_changed"] <= TINY.rate


def test_chance_changes_the_same_words_by_the_same_rules():
    """Random changes fill the same budget, are reproducible, and come from the same thesaurus."""
    first, again, other = (attacking.chance(TINY, seed) for seed in (0, 0, 1))
    assert first == again != other
    texts = networks.attacked_part(TINY).texts[:10]
    for item, changes in zip(texts, first):
        words = Words(item)
        assert len(changes) <= TINY.rate * len(words)
        for index, before, after in changes:
            assert words[index] == before
            assert after in tinybert.NEIGHBOURS[before]
    assert sum(map(len, first)) >= 10


def test_half_of_the_budget_is_the_beginning_of_the_attack(record):
    source, reference = models()
    found = attacking.attack(TINY, source, texts())
    with_half = dataclasses.replace(TINY, rate=TINY.rate / 2)
    halved = attacking.attack(with_half, source, texts())
    assert [one.attacked for one in halved] == [
        attacking.changed(one.original, one.changes[: attacking.budget(TINY, one, 0.5)]) for one in found
    ]
    direct = attacking.outcome(TINY, reference, [o.original for o in found], [o.attacked for o in halved])
    assert record["attacks"]["half"] == direct


def test_definition_1_moves_the_embeddings_by_epsilon_both_ways(record):
    """Text by text, with the attack of `lib.attacks.virtual`."""
    source, reference = models()
    part, losses = networks.attacked_part(TINY), {-1: 0.0, 1: 0.0}
    for item, label in zip(part.texts[:10], part.labels):
        alone = reading.sentences(networks.encoder(TINY), [item])
        (f, x, _), (judge, _, _) = (reading.on_words(m, alone, torch.arange(1)) for m in (source, reference))
        delta = attacks.virtual(f, x, TINY.epsilon)
        assert float(delta.norm()) == pytest.approx(TINY.epsilon)
        for sign in losses:
            losses[sign] += functional.cross_entropy(judge(x + sign * delta), label[None]).item() / 10
    assert record["attacks"]["definition_1"]["loss"] == pytest.approx(sum(losses.values()) / 2, rel=1e-4)
    assert losses[1] != pytest.approx(losses[-1], rel=1e-3)


def test_tau_is_that_of_the_definitions(record):
    """Against `transferability.measure` on one padded batch, by autograd through the whole model."""
    texts = networks.attacked_part(TINY).texts
    cached = reading.sentences(networks.encoder(TINY), texts)
    pair = [reading.on_words(model, cached, torch.arange(len(texts)))[:2] for model in models()]
    direct = transferability.measure(pair[0][0], pair[1][0], pair[0][1], chunk_size=len(texts))
    assert record["tau1"] == pytest.approx(direct.tau1, rel=1e-4)
    assert record["tau2"] == pytest.approx(direct.tau2, rel=1e-3)
    assert record["alpha_squared"] == pytest.approx(direct.alpha_squared, rel=1e-4)
    tokens = sum(len(row) - 2 for row in cached.ids) / len(texts)
    assert record["tau1_chance"] == pytest.approx(1 / (tokens * 32))


def test_contrasts_keep_all_but_what_the_outputs_share():
    stack = torch.randn(5, 4, 3, 2, generator=torch.Generator().manual_seed(0))
    found = tangent._contrasts(stack)
    assert found.shape == (5, 3, 3, 2)
    centred = stack - stack.mean(1, keepdim=True)
    torch.testing.assert_close(found.square().sum(1), centred.square().sum(1))
    torch.testing.assert_close(tangent._contrasts(stack + 7.0), found, atol=1e-4, rtol=1e-4)


def test_probabilities_are_differentiated():
    logits = torch.randn(4, 3, generator=torch.Generator().manual_seed(0))
    stack = torch.randn(4, 3, 2, 2, generator=torch.Generator().manual_seed(1))
    direct = torch.func.vmap(torch.func.jacrev(lambda z: z.softmax(0)))(logits)
    torch.testing.assert_close(tangent._softmax(stack, logits), torch.einsum("nij,njkl->nikl", direct, stack))


def test_tau2_of_deviations_is_definition_3_s():
    generator = torch.Generator().manual_seed(0)
    source, mixing = torch.randn(50, 3, generator=generator), torch.randn(2, 3, generator=generator)
    assert tangent.tau2(source, 0.01 * source @ mixing.T) == pytest.approx(
        transferability.tau2(source, source @ mixing.T)
    )
    noise = torch.randn(50, 2, generator=generator)
    assert tangent.tau2(source, noise) < 0.2
    assert tangent.tau2(torch.zeros(50, 3), noise) == 0.0
    some = (torch.arange(50) % 5 > 0).unsqueeze(1)  # texts that were not attacked ask nothing of the target
    assert tangent.tau2(some * source, noise) == pytest.approx(tangent.tau2(some * source, some * noise))


def test_outputs_that_repeat_one_another_make_tau2_collapse():
    """Definition 3 rescales all of A by its largest direction, and one of pure rounding is the largest."""
    generator = torch.Generator().manual_seed(0)
    margin = torch.randn(200, 1, generator=generator)
    opposite = torch.tensor([[1.0, -1.0]])
    whole = tangent.tau2(margin, margin @ opposite)
    rounded = margin @ opposite + 1e-6 * torch.randn(200, 2, generator=generator)
    target = margin @ opposite + 0.3 * torch.randn(200, 2, generator=generator) @ torch.tensor(
        [[1.0, -1.0], [0, 0]]
    )
    assert whole == pytest.approx(1.0)
    assert tangent.tau2(margin, target) > 0.8
    assert tangent.tau2(rounded, target) < 1e-3
    u, s, v = torch.linalg.svd(torch.linalg.lstsq(rounded, target).solution.mT)
    clipped = u @ torch.diag(s.clamp(max=float(target.norm() / rounded.norm()))) @ v
    left = (target - rounded @ clipped.mT).square().sum() / target.square().sum()
    assert left < 0.2  # cutting the large singular values alone, which the chapter recommends, does no harm


def test_readings_and_sizes_stand_in_the_record(record):
    contrasts = record["readings"]["contrasts"]
    assert contrasts["psi"] == pytest.approx(1.0)
    assert contrasts["tau2"] == pytest.approx(contrasts["r_squared"])
    assert record["by_scale"]["1.0"][0] == pytest.approx(record["tau2"], rel=1e-6)
    assert record["by_scale"]["0.0"][0] == pytest.approx(contrasts["tau2"], abs=0.05)
    assert record["by_length"]["8"]["chance"] > record["tau1_chance"]
    assert 0 <= record["textfooler"]["same_words"] <= 1
    assert 0 <= record["textfooler"]["tau1_textfooler"] <= 1


def test_the_same_attack_has_the_same_words():
    """The reference against itself: every changed word in common, displacements parallel."""
    _, reference = models()
    itself = attacking.attack(TINY, reference, texts())
    found = attacking.diagnostics(TINY, itself, [list(one.changes) for one in itself])
    assert found["same_words"] == pytest.approx(1.0)
    assert found["tau1_textfooler"] == pytest.approx(1.0)


def test_knowledge_is_measured_on_texts_that_nobody_was_trained_on(record):
    source, _ = models()
    train, test = (networks.target_part(TINY, name, 0) for name in ("transfer", "test"))
    assert (len(train[0]), len(test[0])) == (24, 40)
    before = {name: value.clone() for name, value in source.state_dict().items()}
    again = text.transferred(TINY, source, 0)
    assert again == record["knowledge"]
    assert all(torch.equal(before[name], value) for name, value in source.state_dict().items())
    split = networks.split("imdb_part")
    assert not set(split.train.texts) & set(split.test.texts)


def test_draws_are_balanced_and_follow_the_seed():
    part = networks.split("ag_part").train
    first, again, other = (networks.draw(part, 20, streams.generator(seed)) for seed in (0, 0, 1))
    assert first.texts == again.texts != other.texts
    assert set(first.counts().values()) == {5}
    assert networks.draw(part, 0, None) is part
    with pytest.raises(ValueError, match="have fewer"):
        networks.draw(part, 400, None)


def test_attacked_texts_are_cut_balanced_and_long_enough():
    part = networks.attacked_part(TINY)
    assert len(part) == 24
    assert part.labels[:10].sum() == 5
    encoder = networks.encoder(TINY)
    assert all(len(ids) <= TINY.tokens for ids in encoder.tokenise(part.texts))
    assert all(len(item.split()) >= TINY.least_words for item in part.texts)
    with pytest.raises(ValueError, match="tau_texts=99"):
        networks.attacked_part(dataclasses.replace(TINY, tau_texts=99))


@pytest.mark.parametrize("preset", list(text.PRESETS))
def test_presets_are_complete(preset):
    config = text.PRESETS[preset]
    assert parameters.build(text, {"preset": preset, "seeds": None}) == config
    assert len(text.jobs(config)) == config.seeds * (len(config.sources) + 1)
    assert config.encoder in {each.name for each in text.datasets(config)}
    assert config.rate == 0.1  # Sec. 4.2


def test_the_antonym_lists_count_among_the_data_where_they_are(monkeypatch):
    """A run with them is another run: its stamp and its key say so."""
    here = {"vader", "minilm"}
    monkeypatch.setattr(registry, "present", lambda name, root=None: name in here)
    assert text.datasets(text.PRESETS["quick"]) == registry.needed("vader", "minilm")
    here.add("counterfitting_constraints")
    more = registry.needed("vader", "minilm", "counterfitting_constraints")
    assert text.datasets(text.PRESETS["quick"]) == more
    assert more[-1] not in text.datasets(text.PRESETS["reduced"])


def test_the_paper_s_settings():
    config = text.PRESETS["paper"]
    assert text.datasets(config) == registry.needed(
        "imdb",
        "ag_news",
        "fake_news",
        "yelp_polarity",
        "bert",
        "counterfitted_vectors",
    )
    assert (config.lr, config.epochs, config.transfer_lr, config.transfer_epochs) == (3e-4, 100, 1e-4, 3)
    assert (config.attack_texts, config.train_texts, config.frozen_layers) == (100, 0, 0)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"seeds": 0}, "seeds=0"),
        ({"encoder": "gpt"}, "gpt"),
        ({"target": "films"}, "imdb_part.*vader films"),
        ({"sources": ("imdb_part",)}, "not the target"),
        ({"sources": ("liar", "liar")}, "each once"),
        ({"attack_texts": 25}, "tau_texts=24"),
        ({"lengths": (24,)}, "lengths"),
        ({"rate": 0.0}, "rate"),
        ({"candidates": "wordnet"}, "wordnet"),
        ({"train_texts": -1}, "train_texts=-1"),
    ],
)
def test_impossible_settings_are_named(changes, message):
    with pytest.raises(ValueError, match=message):
        dataclasses.replace(TINY, **changes)


def test_the_kind_of_task_is_known():
    assert settings.same_task(TINY, "yelp_sentences") == 1.0
    assert settings.same_task(TINY, "covid_posts") == 0.0
    assert settings.same_task(TINY, settings.UNTRAINED) is None
    assert settings.same_task(text.PRESETS["quick"], "vader tweets") == 1.0
