"""Steps: computed once for a content, known by all that they may read, with seconds of their own."""

import time
from dataclasses import dataclass
from functools import partial

import pytest
import torch
from torch import nn

from lib.engine import steps, store


@dataclass(frozen=True)
class Config:
    device: str = "cpu"
    epochs: int = 2
    lr: float = 0.1
    epsilon: float = 1.0


@pytest.fixture(autouse=True)
def door():
    calls.clear()
    with steps.door("cpu", {"digits": "0" * 64}):
        yield


calls = []


def train(config, seed):
    calls.append("train")
    return {"weight": torch.full((1, 2), float(config.epochs + seed)), "bias": torch.zeros(1)}


def attack(config, model, x):
    calls.append("attack")
    return {"loss": (model(x).sum() * config.epsilon).item(), "pair": (1, "a")}


def other(config, model, x):
    calls.append("other")
    return 1


def reads_more(config):
    return config.lr


def slow():
    time.sleep(0.05)
    with steps.timed("inner"):
        time.sleep(0.1)


def model(value=1.0):
    found = nn.Linear(2, 1)
    with torch.no_grad():
        found.weight.fill_(value), found.bias.fill_(0)
    return found.eval()


def test_a_step_is_computed_once_and_gives_what_was_stored():
    config, x = steps.only(Config(), "epsilon"), torch.ones(3, 2)
    first, again = (steps.step("attack", attack, config, model(), x) for _ in range(2))
    assert first == again == {"loss": 6.0, "pair": (1, "a")}
    assert calls == ["attack"]


@pytest.mark.parametrize(
    "change",
    [
        lambda c, m, x: (steps.only(Config(epsilon=2.0), "epsilon"), m, x),
        lambda c, m, x: (c, model(2.0), x),
        lambda c, m, x: (c, m.train(), x),
        lambda c, m, x: (c, nn.Sequential(m), x),
        lambda c, m, x: (c, m, x + 1e-7),
        lambda c, m, x: (c, m, x.double().requires_grad_() * 0 + 1),
        lambda c, m, x: (c, m, x.reshape(3, 1, 2)),
    ],
)
def test_every_argument_counts_by_its_content(change):
    given = steps.only(Config(), "epsilon"), model(), torch.ones(3, 2)
    steps.step("attack", attack, *given)
    changed = change(*given)
    if changed[2].dtype == torch.float64:
        changed[1].double()
    steps.step("attack", attack, *changed)
    assert calls == ["attack", "attack"]


def test_what_does_not_count_is_the_name_the_device_and_a_field_left_out():
    x = torch.ones(3, 2)
    for name, config in [("a", Config()), ("b", Config(device="cpu:0")), ("c", Config(lr=3.0))]:
        steps.step(name, attack, steps.only(config, "epsilon"), model(), x)
    assert calls == ["attack"]


def test_the_function_the_data_and_the_kind_of_device_count():
    given = steps.only(Config(), "epsilon"), model(), torch.ones(3, 2)
    steps.step("a", attack, *given)
    steps.step("a", other, *given)
    with steps.door("cpu", {"digits": "1" * 64}):
        steps.step("a", attack, *given)
    with steps.door("cuda", {"digits": "0" * 64}):
        steps.step("a", attack, *given)
    assert calls == ["attack", "other", "attack", "attack"]


def test_a_field_that_is_not_named_cannot_be_read():
    config = steps.only(Config(), "epochs")
    assert (config.epochs, config.device) == (2, "cpu")
    with pytest.raises(AttributeError, match=r"no 'lr': name it in `only\(config, \.\.\., 'lr'\)`"):
        steps.step("read", reads_more, config)


def test_a_changed_dataclass_is_another_key():
    assert steps.identity(Config()) == steps.identity(Config(device="cuda"))
    assert steps.identity(Config()) != steps.identity(Config(lr=0.2))
    assert steps.identity({"a": [1, 2.0]}) != steps.identity({"a": [1, 2.5]})


def test_a_damaged_step_is_computed_again():
    train_it = partial(steps.step, "train", train, steps.only(Config(), "epochs"), 3)
    before = train_it()
    (path,) = store.root().glob("steps/*.pt")
    path.write_bytes(path.read_bytes()[:-40])
    with pytest.warns(UserWarning, match="damaged"):
        assert torch.equal(train_it()["weight"], before["weight"])
    assert calls == ["train", "train"]


@pytest.mark.parametrize("value", [object(), torch.Generator(), print, {1: model}, Config])
def test_an_argument_must_have_a_content(value):
    with pytest.raises(TypeError, match="is no argument of a step"):
        steps.step("train", train, value, 0)


def test_a_step_is_a_function_of_a_file_and_its_value_plain():
    with pytest.raises(TypeError, match="is no step: give a function from the top of a module"):
        steps.step("a", lambda: 1)
    with pytest.raises(TypeError, match="is no step"):
        steps.step("a", partial(train, Config()), 0)
    with pytest.raises(TypeError, match="not defined in a file"):
        steps.step("a", eval("lambda: 1", {}))
    with pytest.raises(TypeError, match="tensors or plain data"):
        steps.step("a", model)


def test_the_clock_counts_every_second_once():
    with steps.timed("outer"):
        slow()
    found = steps.seconds()
    assert 0.05 <= found["outer"] < 0.1 <= found["inner"] < 0.15


def test_a_stored_step_counts_what_it_took():
    steps.step("slow", slow)
    first = steps.seconds()
    with steps.door("cpu", {"digits": "0" * 64}):
        steps.step("called otherwise", slow)
        again = steps.seconds()
    assert again == {"called otherwise": first["slow"]}
    assert again["called otherwise"] > 0.04


def test_behind_the_door_the_cpu_has_one_thread():
    before = torch.get_num_threads()
    torch.set_num_threads(2)
    try:
        with steps.door("cpu", {}):
            assert torch.get_num_threads() == 1
        assert torch.get_num_threads() == 2
    finally:
        torch.set_num_threads(before)
