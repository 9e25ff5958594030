"""Sentence classifiers on a shared, frozen encoder: cutting, masking, caching, and Definition 1's input."""

import pytest
import tinybert
import torch
from torch.nn import functional
from transformers import BertModel

from lib.base import streams
from lib.data import registry, words
from lib.measures import jacobian, transferability
from lib.models import bert, reading, training

TEXTS = [
    "good film",
    "the plot and the story, a dull ending . superb",
    "bad",
    "a grim house by the river and a window",
]


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return tinybert.save(tmp_path_factory.mktemp("bert"))


@pytest.fixture(scope="module")
def encoder(folder):
    return bert.Encoder(folder, frozen=2, max_tokens=32)


def classifier(encoder, *, seed=0, classes=2, **more):
    return bert.Classifier(encoder, classes, generator=torch.Generator().manual_seed(seed), **more)


@pytest.mark.parametrize("pooling", ["mean", "cls"])
@pytest.mark.parametrize("frozen", [0, 1, 3])
def test_the_parts_together_are_bert(folder, pooling, frozen):
    """Against transformers' own forward pass with its own attention mask, text by text."""
    encoder = bert.Encoder(folder, frozen=frozen, max_tokens=32)
    model = classifier(encoder, pooling=pooling)
    whole = BertModel.from_pretrained(str(folder), add_pooling_layer=False).eval()
    found = reading.apply(model, reading.sentences(encoder, TEXTS))
    for text, logits in zip(TEXTS, found):
        with torch.no_grad():
            last = whole(**encoder.tokenizer(text, return_tensors="pt")).last_hidden_state[0]
            pooled = last[0] if pooling == "cls" else last.mean(0)
            torch.testing.assert_close(logits, model.head(pooled), atol=1e-5, rtol=1e-4)


def test_company_changes_nothing(encoder):
    """A text's numbers do not depend on the other texts, on their order, or on the cache."""
    model = classifier(encoder)
    texts = [*TEXTS, *TEXTS[::-1], "a window . " * 3]
    alone = torch.cat([reading.apply(model, reading.sentences(encoder, [text])) for text in texts])
    reader = reading.Reader(encoder, keep=3)
    together = reading.apply(model, reading.sentences(encoder, texts))
    for found in (together, reader(model, texts), reader(model, texts), reader(model, texts[::-1]).flip(0)):
        torch.testing.assert_close(found, alone, atol=1e-6, rtol=0)
    assert len(reader._known) == 3


def test_frozen_layers_answer_once(encoder, monkeypatch):
    """The second model that asks about the same texts costs no pass through the frozen layers."""
    asked = []
    lower = bert.Encoder.lower
    monkeypatch.setattr(
        bert.Encoder, "lower", lambda self, x, mask: asked.append(len(x)) or lower(self, x, mask)
    )
    reader = reading.Reader(encoder)
    first = reader(classifier(encoder), [*TEXTS, TEXTS[0]])
    assert sum(asked) == len(TEXTS)
    assert torch.equal(first[0], first[-1])
    reader(classifier(encoder, seed=1), TEXTS)
    assert sum(asked) == len(TEXTS)


def test_training_moves_the_upper_layers_alone(encoder):
    texts = reading.sentences(encoder, TEXTS * 8)
    labels = torch.tensor([1, 0, 0, 1] * 8)
    model, before = classifier(encoder), classifier(encoder)
    lower = {name: value.clone() for name, value in encoder.bert.state_dict().items()}

    def trained(model):
        training.fit(
            reading.Trainee(model, texts), torch.arange(len(texts)), labels, loss=functional.cross_entropy,
            optimizer="adam", lr=1e-2, epochs=8, batch_size=8, generator=streams.generator(0, "fit"),
        )  # fmt: skip
        return model

    trained(model)
    assert (reading.apply(model, texts).argmax(1) == labels).all()
    assert all(torch.equal(lower[name], value) for name, value in encoder.bert.state_dict().items())
    assert not torch.equal(model.layers[0].output.dense.weight, before.layers[0].output.dense.weight)
    again = trained(classifier(encoder))
    assert all(torch.equal(a, b) for a, b in zip(model.state_dict().values(), again.state_dict().values()))


def test_dropout_is_off_unless_asked(encoder):
    texts = reading.sentences(encoder, TEXTS)
    assert all(part.p == 0 for part in classifier(encoder).modules() if isinstance(part, torch.nn.Dropout))
    noisy = classifier(encoder, dropout=0.5)
    hidden, mask = texts.batch(torch.arange(4))
    noisy.train()
    with training.seeded(torch.Generator().manual_seed(0)):
        assert not torch.equal(noisy(hidden, mask), noisy(hidden, mask))


def test_derivatives_leave_special_tokens_and_padding_alone(encoder):
    texts, index = reading.sentences(encoder, [TEXTS[0], TEXTS[2]]), torch.arange(2)
    model = classifier(encoder)
    f, x, inner = reading.on_words(model, texts, index)
    torch.testing.assert_close(f(x), reading.apply(model, texts), atol=1e-6, rtol=0)
    assert inner.sum(1).tolist() == [len(row) - 2 for row in texts.ids]
    stack = jacobian.jacobians(f, x, len(x)).unflatten(2, x.shape[1:])
    sizes = stack.norm(dim=(1, 3))
    assert (sizes[inner] > 0).all()
    assert (sizes[~inner] == 0).all()
    moved = x + ~inner.unsqueeze(-1) * torch.randn(x.shape)
    assert torch.equal(f(moved), f(x))


def test_derivatives_are_those_of_finite_differences(encoder):
    texts = reading.sentences(encoder, [TEXTS[1]])
    f, x, inner = reading.on_words(classifier(encoder), texts, torch.arange(1))
    stack = jacobian.jacobians(f, x, 1)
    step = torch.randn(x.shape, generator=torch.Generator().manual_seed(0)) * inner.unsqueeze(-1)
    scale = 1e-2 / step.norm()
    difference = (f(x + scale * step) - f(x - scale * step)) / (2 * scale)
    torch.testing.assert_close(stack[0] @ step.flatten(), difference[0], rtol=2e-2, atol=1e-3)


def test_longer_company_leaves_tau_where_it_was(encoder):
    """Padding adds columns of zeros: tau1 of a text is the same alone and beside a longer one."""
    models = classifier(encoder), classifier(encoder, seed=1)
    short = reading.sentences(encoder, TEXTS[:1])
    f, x, _ = zip(*[reading.on_words(model, short, torch.arange(1)) for model in models])
    alone = transferability.measure(*f, x[0])
    long = reading.sentences(encoder, [TEXTS[0], TEXTS[1]])
    stacks = []
    for model in models:
        g, z, _ = reading.on_words(model, long, torch.arange(2))
        stacks.append(jacobian.jacobians(g, z, 2))
    beside = transferability.measure_jacobians(*stacks)
    assert beside.tau1_per_sample[0] == pytest.approx(float(alone.tau1_per_sample[0]), abs=1e-5)


@pytest.mark.parametrize(
    ("text", "tokens", "cut"),
    [
        ("good film plot actor", 4, "good film"),
        ("good film plot actor", 60, "good film plot actor"),
        ("good film  ", 30, "good film"),
        ("good zzzzzz actor", 6, "good"),  # the second word's pieces would be cut in two
        ("zzzzzzzz actor", 5, "zzzzzzzz"),  # never nothing
        ("good, film", 4, "good,"),
        ("", 5, ""),
    ],
)
def test_a_text_is_cut_between_words(encoder, text, tokens, cut):
    assert encoder.cut(text, tokens) == cut


def test_a_folder_without_its_tokenizer_is_named(folder, tmp_path):
    for name in ("config.json", "model.safetensors"):
        (tmp_path / name).write_bytes((folder / name).read_bytes())
    with pytest.raises(FileNotFoundError, match=f"{tmp_path} has no tokenizer.*minilm"):
        bert.Encoder(tmp_path, frozen=0, max_tokens=16)
    with pytest.raises(FileNotFoundError, match="has no weights"):
        bert.Encoder(tmp_path / "nothing", frozen=0, max_tokens=16)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"frozen": 4, "max_tokens": 16}, "frozen=4.*0 to 3"),
        ({"frozen": -1, "max_tokens": 16}, "frozen=-1"),
        ({"frozen": 1, "max_tokens": 2}, "max_tokens=2"),
        ({"frozen": 1, "max_tokens": 65}, "model's 64"),
    ],
)
def test_impossible_encoders_are_refused(folder, options, message):
    with pytest.raises(ValueError, match=message):
        bert.Encoder(folder, **options)


def test_impossible_classifiers_are_refused(encoder):
    with pytest.raises(ValueError, match="pooling='max'"):
        classifier(encoder, pooling="max")
    with pytest.raises(ValueError, match="classes=0"):
        classifier(encoder, classes=0)


@pytest.mark.skipif(not registry.present("minilm"), reason="the packaged MiniLM is not fetched")
def test_the_packaged_encoder_knows_paraphrases():
    encoder = bert.Encoder(words.minilm(), frozen=6, max_tokens=32)
    assert (encoder.layers, encoder.width) == (6, 384)
    model = bert.Classifier(encoder, 2, generator=torch.Generator())
    texts = ["A man is playing a guitar.", "Someone plays the guitar.", "Interest rates rose on Monday."]
    found = functional.normalize(reading.apply(model.features, reading.sentences(encoder, texts)), dim=1)
    assert found[0] @ found[1] > 0.7 > 0.3 > found[0] @ found[2]
