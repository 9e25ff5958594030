"""Names beside points, as many as can be read."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

HEIGHT, LETTER, SPACE = 0.045, 0.0135, 0.014  # of a label and of the gap before it, as shares of the axes
Box = tuple[float, float, float, float]  # left, right, bottom, top
OUTSIDE = 0.04  # how far a label may reach beyond the outermost points


def beside(
    x: NDArray[np.floating], y: NDArray[np.floating], names: Sequence[str], first: Sequence[int] = ()
) -> list[tuple[int, int]]:
    """(index, side) of the points to be named, side +1 for right and -1 for left.

    Points in `first` come first, then the outermost. A name is left out if on both sides it would cover
    another name or a point. Sizes suit a figure 7 inches wide and 6 high.
    """
    spots = np.stack([_unit(x), _unit(y)], axis=1)
    outer = np.abs(spots - np.median(spots, axis=0)).sum(1)
    outer[list(first)] += spots.size
    boxes: list[Box] = []
    kept = []
    for i in np.argsort(-outer).tolist():
        for side in (1, -1):
            box = _box(spots[i, 0], spots[i, 1], len(names[i]), side)
            free = not any(_meet(box, other) for other in boxes) and not _covers(box, np.delete(spots, i, 0))
            if free and box[0] > -OUTSIDE and box[1] < 1 + OUTSIDE:
                boxes.append(box)
                kept.append((i, side))
                break
    return kept


def _meet(one: Box, other: Box) -> bool:
    return not (one[1] < other[0] or other[1] < one[0] or one[3] < other[2] or other[3] < one[2])


def _unit(values: NDArray[np.floating]) -> NDArray[np.floating]:
    shifted = values - values.min()
    scaled: NDArray[np.floating] = shifted / max(shifted.max(), 1e-12)
    return scaled


def _box(x: float, y: float, letters: int, side: int) -> Box:
    ends = sorted((x + side * SPACE, x + side * (SPACE + LETTER * letters)))
    return ends[0], ends[1], y - HEIGHT / 2, y + HEIGHT / 2


def _covers(box: Box, spots: NDArray[np.floating]) -> bool:
    across = (spots[:, 0] > box[0]) & (spots[:, 0] < box[1])
    up = (spots[:, 1] > box[2] + HEIGHT / 4) & (spots[:, 1] < box[3] - HEIGHT / 4)
    return bool((across & up).any())
