"""What `lib.rank` measures, beside the definitions: by sample, over resamples, and for texts."""

from types import SimpleNamespace

import pytest
import torch
from ranking_models import generator, pictures, small, wrap

from lib.measures import transferability
from lib.ranking import measures, references, resampling, targets
from lib.ranking.measures import Attacked, Evidence, Settings

# Measures


def measured(count=12, side=4):
    """Evidence of a small model against another, and what `transferability.measure` says of the two."""
    x, y = pictures(40, side=side)
    target = targets.load((x, y), pixels=8, words=4, most=1000, generator=generator())
    source, judge = wrap(small(outputs=4), x[:2]), wrap(small(outputs=2), x[:2])
    chosen = Settings(epsilon=0.1, steps=3, outputs=16, batch_size=16, seed=0, clip=(0.0, 1.0))
    rows = target.test[:count]
    return measures.evidence(source, judge, target, rows, chosen), transferability.measure(
        source, judge, x[rows]
    )


def test_tau_and_alpha_are_those_of_the_definitions():
    found, wanted = measured()
    assert found.value("tau1") == pytest.approx(wanted.tau1, rel=1e-5)
    assert found.value("tau2") == pytest.approx(wanted.tau2, rel=1e-4)
    assert found.value("alpha") == pytest.approx(wanted.alpha, rel=1e-5)
    rows = torch.tensor([0, 0, 3])
    assert found.value("tau1", rows) == pytest.approx(float(wanted.tau1_per_sample[rows].mean()), rel=1e-5)
    rows = torch.tensor([5, 0, 7, 2, 2])
    pair = wanted.deviation_source[rows], wanted.deviation_target[rows]
    assert found.value("tau2", rows) == pytest.approx(transferability.tau2(*pair), rel=1e-4)


def test_many_outputs_are_attacked_along_their_principal_directions():
    outputs = torch.randn(50, 3, generator=generator()) @ torch.randn(3, 40, generator=generator(1))
    chart, kept = measures._chart(outputs, 3)
    assert chart.shape == (3, 40)
    assert kept == pytest.approx(1)
    assert torch.allclose(chart @ chart.mT, torch.eye(3), atol=1e-5)
    assert measures._chart(outputs, 2)[1] < 1
    assert measures._chart(outputs, 40) == (None, 1.0)
    f = measures.charted(lambda x: x @ outputs[:5], chart)
    assert f(torch.ones(2, 5)).shape == (2, 3)


def test_probabilities_are_kept_or_made_and_features_are_none():
    logits = torch.randn(6, 3, generator=generator())
    features = torch.randn(6, 2, generator=generator(1))
    made = measures._probabilities(logits, features)
    assert torch.allclose(made, logits.double().softmax(1))
    assert torch.allclose(measures._probabilities(logits.softmax(1), features).float(), logits.softmax(1))
    assert measures._probabilities(logits, logits.clone()) is None
    assert measures._probabilities(logits[:, :1], features) is None


def test_the_attack_hurts_the_reference_more_than_noise():
    """The source is the reference itself: the loss after the attack is above that at the clean samples."""
    x, y = pictures(40)
    target = targets.load((x, y), pixels=8, words=4, most=1000, generator=generator())
    same = wrap(small(outputs=2))
    chosen = Settings(epsilon=0.2, steps=5, outputs=16, batch_size=16, seed=0, clip=(0.0, 1.0))
    rows = target.test[:10]
    found = measures.evidence(same, same, target, rows, chosen)
    own = same(target.inputs[rows]).argmax(1)
    clean = measures.cross_entropy(same, target.inputs[rows], rows, own)
    hurt = SimpleNamespace(attacked=found.attacked.loss, labels=target.labels[rows])
    wrong = own == hurt.labels  # virtual: it climbs away from the source's own answer
    assert found.value("tau1") == pytest.approx(1)
    assert bool((hurt.attacked[wrong] > clean[wrong]).all())


# Resamples


def made_evidence(name, tau1, hits):
    n = len(tau1)
    attacked = Attacked(*(torch.tensor(tau1),) * 3, torch.rand(n, 2), torch.rand(n, 2), torch.tensor(tau1))
    features = torch.randn(20, 3, generator=generator(1)).double()
    labels = torch.arange(20) % 2
    return Evidence(name, attacked, torch.tensor(hits), features, None, labels, (0.0, 0.0), 1.0)


def test_ranks_share_ties():
    low, high = resampling.ranks(torch.tensor([[3.0, 1.0, 2.0], [1.0, 1.0, 0.0], [5.0, 5.0, 5.0]]))
    assert low.tolist() == [[1, 3, 2], [1, 1, 3], [1, 1, 1]]
    assert high.tolist() == [[1, 3, 2], [2, 2, 3], [3, 3, 3]]


def test_a_clear_gap_is_one_rank_and_noise_spans_them():
    clear = made_evidence("clear", [0.9] * 30, [True] * 30)
    dull = made_evidence("dull", [0.1] * 30, [False] * 30)
    half = made_evidence("half", [0.0, 1.0] * 15, [True, False] * 15)
    other = made_evidence("other", [1.0, 0.0] * 15, [False, True] * 15)
    options = {"repeats": 200, "generator": generator()}
    apart = resampling.spread([dull, clear], "tau1", **options)
    assert apart.ranks == [(2, 2), (1, 1)]
    assert apart.first == [0, 1]
    near = resampling.spread([half, other], "probe accuracy", **options)
    assert near.ranks == [(1, 2), (1, 2)]
    assert near.first[0] == pytest.approx(0.5, abs=0.15)
    assert resampling.spread([half, other], "leep", **options) is None


def test_a_bootstrap_spreads_as_the_standard_error():
    values = torch.rand(100, generator=generator()).tolist()
    found = resampling.spread(
        [made_evidence("a", values, [True] * 100)], "tau1", repeats=800, generator=generator()
    )
    wanted = float(torch.tensor(values).std() / 10)
    assert float(found.draws.std()) == pytest.approx(wanted, rel=0.1)


def test_the_difference_to_the_first_is_taken_on_the_same_resamples():
    """Two measures that rise and fall together differ by a constant, however far both of them spread."""
    values = torch.rand(60, generator=generator()).tolist()
    pair = [
        made_evidence("a", values, [True] * 60),
        made_evidence("b", [v - 0.25 for v in values], [True] * 60),
    ]
    found = resampling.spread(pair, "tau1", repeats=300, generator=generator())
    assert float(found.draws.std(0).min()) > 0.02
    assert found.behind(0) == [pytest.approx((0, 0)), pytest.approx((-0.25, -0.25))]
    other = made_evidence("c", torch.rand(60, generator=generator(1)).tolist(), [True] * 60)
    found = resampling.spread([pair[0], other], "tau1", repeats=800, generator=generator())
    low, high = found.behind(0)[1]
    spread = (torch.tensor(values) - other.attacked.tau1).std() / 60**0.5
    assert high - low == pytest.approx(2 * 1.96 * float(spread), rel=0.1)


def test_measures_go_by_name_or_title():
    assert measures.named("τ₁") == measures.named("tau1") == "tau1"
    assert measures.named("LogME") == "logme"
    with pytest.raises(
        ValueError, match=r"'logm' is no measure \(did you mean 'logme'\?\): use one of probe"
    ):
        measures.named("logm")


def test_rivals_see_halves_of_every_class_without_repetition():
    labels = torch.tensor([0] * 7 + [1] * 4)
    rows = resampling._half(labels, generator())
    assert len(set(rows.tolist())) == len(rows) == 6
    assert torch.bincount(labels[rows]).tolist() == [4, 2]


# Texts


def test_the_bag_of_words_learns_which_words_tell():
    texts = [["good", "old", "day"], ["bad", "old", "day"]] * 20
    target = SimpleNamespace(
        texts=texts, inputs=torch.ones(40, 3), labels=torch.arange(40) % 2, classes=["g", "b"],
        fit=torch.arange(20), valid=torch.arange(20, 28), test=torch.arange(28, 40),
    )  # fmt: skip
    made = references.bag_of_words(target)
    logits = made.bind(target.test)(torch.ones(12, 3))
    assert torch.equal(logits.argmax(1), target.labels[target.test])
    off = torch.tensor([[0.0, 1.0, 1.0]]).repeat(12, 1)
    flat = made.bind(target.test)(off)
    assert torch.allclose(flat, flat[:1].expand_as(flat), atol=1e-5)  # without the word nothing tells
