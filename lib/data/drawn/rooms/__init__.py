"""Rooms drawn by this project (Sec. 4.4, preset `quick`): photographs with exact maps and labels.

    from lib.data.drawn.rooms import rooms
    rooms(1500)                                  # rooms 0 to 1,499 of world 0, 48 x 64 pixels
    rooms([3, 7], size=(192, 256), samples=3)    # two of them, larger and smoother

A room is sampled (kinds, layout, furniture, fixtures, fittings, looks), traced (tracing) and shaded (shading,
textures); render puts the maps together.
"""

from lib.data.drawn.rooms.render import RenderedRooms, rooms

__all__ = ["RenderedRooms", "rooms"]
