"""What `lib.rank` refuses before it loads anything: each argument that cannot be meant, in one sentence."""

from __future__ import annotations

import difflib
import math
from collections.abc import Iterable, Mapping
from os import PathLike
from typing import Any

from torch import nn


def models_by_name(models: Mapping[str, Any] | Iterable[Any]) -> dict[str, Any]:
    """{name: model} from a mapping, or from a list of names; white space in a name becomes one space.

    Raises ValueError or TypeError for no model, an empty name or one given twice, or a list of other things.
    """
    if isinstance(models, nn.Module):
        raise TypeError(
            f'models is one {type(models).__name__}: pass a dict name -> model, {{"mine": model}}'
        )
    if isinstance(models, str) or not isinstance(models, Mapping | Iterable):
        raise TypeError(f"models is {models!r}: pass a dict name -> model, or a list of names")
    pairs = list(models.items()) if isinstance(models, Mapping) else [(each, each) for each in models]
    found: dict[str, Any] = {}
    for given, model in pairs:
        if not isinstance(models, Mapping) and not isinstance(given, str | PathLike):
            raise TypeError(
                f"models lists a {type(given).__name__}, which has no name here: pass a dict name -> model, "
                '{"mine": model}'
            )
        name = " ".join(str(given).split())
        if not name or name in found:
            raise ValueError(
                f"models has {f'the name {name!r} twice' if name else 'an empty name'}: give each its own"
            )
        found[name] = model if isinstance(models, Mapping) else str(model)
    if not found:
        raise ValueError("models is empty: pass at least one model")
    return found


def whole(least: int, **values: Any) -> None:
    """Numbers of samples, steps and the like; ValueError unless each is an integer, `least` or more."""
    for name, value in values.items():
        if isinstance(value, bool) or not isinstance(value, int) or value < least:
            raise ValueError(f"{name}={value!r}: pass a whole number, {least} or more")


def radius(epsilon: Any) -> None:
    """None, or a positive number; else ValueError."""
    if epsilon is None:
        return
    if isinstance(epsilon, bool) or not isinstance(epsilon, int | float) or not 0 < epsilon < math.inf:
        raise ValueError(f"epsilon={epsilon!r}: pass a positive number, or None for the default")


def sizes(size: Any) -> None:
    """None, one side in pixels, or such by name; else ValueError."""
    for name, side in size.items() if isinstance(size, Mapping) else [("", size)]:
        if side is None:
            continue
        if isinstance(side, bool) or not isinstance(side, int) or side < 1:
            where = f"{{{name!r}: {side!r}}}" if name else repr(side)
            raise ValueError(f"size={where}: pass the side in pixels, one whole number, as in size=224")


def by_name(models: Mapping[str, Any], reference: bool, **given: Any) -> None:
    """Arguments that go by a model's name: ValueError for a name that is not there, with the nearest.

    "reference" names the reference, where one was passed.
    """
    known = [*models, *(["reference"] if reference else [])]
    for argument, values in given.items():
        for name in values if isinstance(values, Mapping) else ():
            if name not in known:
                raise ValueError(
                    f"{argument} names {name!r}, which is no model here{nearest(name, known)}: they are "
                    f"{', '.join(known)}"
                )


def nearest(name: object, known: Iterable[str]) -> str:
    """ " (did you mean ...?)", where one of the known names is near."""
    near = difflib.get_close_matches(str(name), list(known), n=1)
    return f" (did you mean {near[0]!r}?)" if near else ""
