"""Pictures drawn by this project: rooms and faces, with exact labels."""

import numpy as np


def whole(name: str, value: object, least: int | None = None) -> int:
    """An int, Python's or numpy's, of at least so much; else TypeError or ValueError."""
    if isinstance(value, bool) or not isinstance(value, int | np.integer):
        raise TypeError(f"{name} must be an int, not {value!r}")
    if least is not None and value < least:
        raise ValueError(f"{name} must be at least {least}, not {value}")
    return int(value)
