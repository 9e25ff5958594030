"""Parameters that nobody foresaw: each gives a valid config or an error in one clear sentence, never else."""

import ast
import dataclasses
import random
import re
from functools import cache, partial

import pytest
from tiny import accepted, check_message, config_or_error, tiny

from lib.base import fingerprint
from lib.chapters import execution
from lib.engine import audit, parameters, runs

EXECUTED = 5
CLEAR = r"chapter {name} failed in cell \d+:\n.*\n(ValueError|TypeError): [^\n]{{10,}}"
CHEAP = ["definitions", "propositions", "theorem_1", "data", "cluster"]  # executed as a whole
STRANGE = [
    None, True, False, 0, 1, -1, 2, 3, 7, 10**400, -(10**9), 0.0, -0.0, 0.5, 1.0, 1e-300, 1e308,
    float("nan"), float("inf"), "", "cpu", "quick", "none", "a" * 5000, "'; rm -rf /", "\0", "héé",
    "__class__", [], [0], [1, 2], [-1], [[]], ["a"], [1e9], {}, {"a": 1}, (), (1,), b"bytes",
    object(), ..., 1j, int, print,
]  # fmt: skip


MANY = pytest.mark.parametrize("count", [50, pytest.param(500, marks=pytest.mark.torture)])
EXPERIMENTS = fingerprint.experiments()


def plain_hints(code):
    """{parameter: type} of `parameters.plain(globals(), ...)` in a chapter's code; {} if it configures."""
    calls = [node for node in ast.walk(ast.parse(code)) if isinstance(node, ast.Call)]
    found = [call for call in calls if ast.unparse(call.func) == "parameters.plain"]
    return {
        key.arg: eval(ast.unparse(key.value)) for call in found for key in call.keywords
    }  # int, str | None


class Validator:
    """What a chapter does with its parameters: `chapters.check`, and then the call in its second cell."""

    def __init__(self, name):
        self.name, self.book, self.defaults = name, execution.notebook(name), execution.defaults(name)
        code = execution._python(execution.code_cells(self.book))
        self.module = None if (hints := plain_hints(code)) else audit.experiment(execution._configured(code))
        self.hints = hints

    def known(self, name):
        """The value that a parameter has when the chapter is not told another."""
        return self.defaults[name] if self.hints else getattr(self.module.PRESETS["quick"], name, None)

    def __call__(self, values):
        execution.check(self.name, values)
        given = self.defaults | values
        if self.hints:
            parameters.plain(given, **self.hints)
        else:
            assert isinstance(parameters.build(self.module, given), self.module.Config)


validator = cache(Validator)


def near(chance, value):
    """A value like the preset's: what a hurried reader might type."""
    if isinstance(value, bool):
        return not value
    if isinstance(value, int):
        return chance.choice(
            [value, value + 1, value - 1, -value, 0, 1, 2, value * 2, float(value), str(value)]
        )
    if isinstance(value, float):
        return chance.choice([value, -value, value / 2, value * 3, 0.0, 1, 1.5, str(value)])
    if isinstance(value, str):
        return chance.choice([value, value.upper(), value[:-1], value + "s", value.split(" ")[0]])
    if isinstance(value, tuple | list):
        return chance.choice(
            [list(value), list(value)[:1], [*value, *value], [near(chance, item) for item in value], []]
        )
    return value


def drawn(chance, names, known_value, strange=0.4):
    """Some of the names, each with a strange value or one near the preset's; now and then a name misspelt."""
    chosen = chance.sample(names, chance.randint(1, min(3, len(names))))
    values = {}
    for name in chosen:
        known = known_value(name)
        odd = strange and (known is None or chance.random() < strange)
        values[name] = chance.choice(STRANGE) if odd else near(chance, known)
    if strange and chance.random() < 0.1:
        values[chosen[0][::-1]] = 1
    return values


@MANY
@pytest.mark.parametrize("name", execution.names())
def test_the_parameters_of_each_chapter(name, count, monkeypatch):
    check, chance, found = validator(name), random.Random(name), {True: 0, False: 0}
    monkeypatch.setattr(execution, "notebook", lambda asked: check.book)  # read once, not 500 times
    for _ in range(count):
        found[accepted(check, drawn(chance, list(check.defaults), check.known))] += 1
    assert min(found.values()) > count // 50, f"{found}: the draw tests only one of the two"
    with pytest.raises(ValueError, match="has no parameter"):
        check(drawn(chance, list(check.defaults), check.known, 0) | {"nothing": 1})


@pytest.mark.torture
@pytest.mark.parametrize("name", CHEAP)
def test_a_whole_chapter_with_drawn_parameters(name, tmp_path):
    """It is executed, or stops with an error that says which value is wrong."""
    check, chance = validator(name), random.Random(f"{name} {EXECUTED}")
    names = [each for each in check.defaults if each not in ("preset", "device")]
    values = drawn(chance, names, check.known, 0)
    while not accepted(check, values):
        values = drawn(chance, names, check.known, 0)
    out = tmp_path / "out.ipynb"
    try:
        found = execution.execute(name, values, out).read_text()
    except execution.ChapterError as error:
        found = str(error)
    assert out.exists() or re.fullmatch(CLEAR.format(name=name), found, re.DOTALL), f"{values}: {found}"


@MANY
@pytest.mark.parametrize("name", EXPERIMENTS)
def test_every_field_of_each_experiment(name, count):
    module, chance = audit.experiment(name), random.Random(name)
    fields = [field.name for field in dataclasses.fields(module.Config)]
    for _ in range(count):
        preset = chance.choice(list(module.PRESETS))
        values = drawn(chance, fields, partial(getattr, module.PRESETS[preset]))
        config = config_or_error(module, {"preset": preset} | values)
        if config is not None:
            assert isinstance(config.preset, str)


@pytest.mark.torture
@pytest.mark.parametrize("number", range(EXECUTED))
@pytest.mark.parametrize("name", EXPERIMENTS)
def test_tiny_settings_are_executed(name, number):
    """A record of plain numbers, or an error that says which setting is too small."""
    module, chance = audit.experiment(name), random.Random(f"{name} {number}")
    config = tiny(module, chance)
    job = chance.choice(module.jobs(config))
    try:
        record = runs.fresh(module, config, job)
    except FileNotFoundError as error:
        pytest.skip(str(error))
    except (ValueError, TypeError) as error:
        check_message(error)
        return
    assert isinstance(record, dict)
    assert record
