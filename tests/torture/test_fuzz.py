"""Parameters that nobody foresaw: each gives a valid config or an error in one clear sentence, never else."""

import dataclasses
import random

import pytest
from tiny import check_message, config_or_error, tiny

from lib import audit, chapters, closure, runs

COUNT, EXECUTED = 500, 5
STRANGE = [
    None, True, False, 0, 1, -1, 2, 3, 7, 10**400, -(10**9), 0.0, -0.0, 0.5, 1.0, 1e-300, 1e308,
    float("nan"), float("inf"), "", "cpu", "quick", "none", "a" * 5000, "'; rm -rf /", "\0", "héé",
    "__class__", [], [0], [1, 2], [-1], [[]], ["a"], [1e9], {}, {"a": 1}, (), (1,), b"bytes",
    object(), ..., 1j, int, print,
]  # fmt: skip


def module_of(chapter):
    """The experiment that a chapter configures, or None."""
    code = chapters._python(chapters._code_cells(chapters.notebook(chapter)))
    name = chapters._configured(code)
    return audit.experiment(name) if name in closure.experiments() else None


CHAPTERS = [name for name in chapters.names() if module_of(name) is not None]
EXPERIMENTS = closure.experiments()


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


def drawn(chance, names, config):
    """Some of the names, each with a strange value or one near the preset's; now and then a name misspelt."""
    chosen = chance.sample(names, chance.randint(1, min(3, len(names))))
    values = {}
    for name in chosen:
        known = getattr(config, name, None)
        values[name] = (
            chance.choice(STRANGE) if known is None or chance.random() < 0.4 else near(chance, known)
        )
    if chance.random() < 0.1:
        values[chosen[0][::-1]] = 1
    return values


@pytest.mark.parametrize("name", CHAPTERS)
def test_the_parameters_of_each_chapter(name):
    module, chance = module_of(name), random.Random(name)
    known, found = list(chapters.defaults(name)), {"config": 0, "error": 0}
    for _ in range(COUNT):
        values = drawn(chance, known, module.PRESETS["quick"])
        valid = config_or_error(module, values) is not None
        found["config" if valid else "error"] += 1
    assert min(found.values()) > COUNT // 50, f"{found}: the draw tests only one of the two"
    values = drawn(chance, known, module.PRESETS["quick"]) | {"nothing": 1}
    with pytest.raises(ValueError, match="has no parameter"):
        chapters.check(name, values)


@pytest.mark.parametrize("name", EXPERIMENTS)
def test_every_field_of_each_experiment(name):
    module, chance = audit.experiment(name), random.Random(name)
    fields = [field.name for field in dataclasses.fields(module.Config)]
    for _ in range(COUNT):
        preset = chance.choice(list(module.PRESETS))
        values = drawn(chance, fields, module.PRESETS[preset])
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
