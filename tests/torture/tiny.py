"""A small config of any experiment, found by trying; and what an error about one must look like."""

import dataclasses
import typing

from lib.engine import parameters


def check_message(error):
    text = str(error)
    assert "\n" not in text.strip(), text
    assert 10 < len(text) < 6000, text


def accepted(check, values):
    """True if `check(values)` raises nothing; what it raises must be clear."""
    try:
        check(values)
    except (ValueError, TypeError) as error:
        check_message(error)
        return False
    return True


def config_or_error(module, values):
    if not accepted(lambda values: parameters.build(module, values), values):
        return None
    config = parameters.build(module, values)
    assert isinstance(config, module.Config)
    return config


def tiny(module, chance, floor=1):
    """The quick preset with each whole number at, or a little above, the least accepted, and short lists.

    No number becomes smaller than `floor`, but `seeds`.
    """
    values = {}
    config = module.PRESETS["quick"]
    hints = typing.get_type_hints(module.Config)
    for field in dataclasses.fields(config):
        value = getattr(config, field.name)
        if hints[field.name] is int and value > 2:
            lowest = 1 if field.name == "seeds" else floor
            choices = [least for least in (1, 2, 3, 4, 8, 16, 32) if lowest <= least < value]
        elif isinstance(value, tuple) and len(value) > 1:
            choices = [[chance.choice(value)], list(value[:2])]
        else:
            continue
        for choice in choices[chance.randint(0, 1) :]:
            if config_or_error(module, values | {field.name: choice}) is not None:
                values[field.name] = choice
                break
    return parameters.build(module, values)
