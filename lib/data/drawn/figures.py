"""Contact sheets of the faces and rooms that this project draws for the `quick` preset."""

from __future__ import annotations

import numpy as np
from matplotlib.figure import Figure

from lib.base import style
from lib.data.drawn import faces as drawn_faces
from lib.data.drawn import rooms as drawn_rooms

_PEOPLE = 6
_ROOMS = 4


def faces(*, pictures: int = 8) -> Figure:
    """A row a person, ``pictures`` moments each."""
    drawn = drawn_faces.faces(range(_PEOPLE), pictures, size=96)
    fig, ax = style.figure(height=7.0 * _PEOPLE / pictures)
    grid = drawn.images.reshape(_PEOPLE, pictures, *drawn.images.shape[1:])
    ax.imshow(grid.permute(0, 3, 1, 4, 2).flatten(2, 3).flatten(0, 1))
    style.bare(ax)
    return style.stamp(fig, f"generated: {_PEOPLE} people who do not exist, {pictures} images each · seed 0")


def rooms() -> Figure:
    """Rooms, and what is known exactly of each pixel: depth, normal, instance, class."""
    drawn = drawn_rooms.rooms(_ROOMS, size=(96, 128))
    rows = {
        "image": drawn.rgb.permute(0, 2, 3, 1).numpy(),
        "depth": drawn.depth.numpy(),
        "normal": (drawn.normals.permute(0, 2, 3, 1).numpy() + 1) / 2,
        "instance": drawn.instance.numpy() % 20,
        "class": drawn.semantic.numpy(),
    }
    fig, axes = style.figure(len(rows), _ROOMS, height=1.35 * len(rows), squeeze=False)
    for line, (name, maps) in zip(axes, rows.items()):
        for ax, picture in zip(line, maps):
            ax.imshow(np.clip(picture, 0, 1) if name == "normal" else picture,
                      cmap="viridis" if name == "depth" else "tab20", interpolation="nearest")  # fmt: skip
            style.bare(ax)
        line[0].set_ylabel(name)
    for ax, scene in zip(axes[0], drawn.scene.tolist()):
        ax.set_title(drawn.scenes[scene])
    return style.stamp(fig, f"generated: {_ROOMS} rooms, 128 x 96 pixels · seed 0")
