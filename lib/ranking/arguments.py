"""What `lib.rank` refuses before it loads anything: each argument that cannot be meant, in one sentence."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

from lib.ranking.measures import nearest


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
