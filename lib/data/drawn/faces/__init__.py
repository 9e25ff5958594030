"""Faces drawn by this project (Sec. 4.3, preset `quick`): people who do not exist, with exact attributes.

    from lib.data.drawn.faces import faces
    faces(range(60), 20)                                       # 20 images each of 60 people, 48 x 48 pixels
    faces([3], 1, size=96, fixed={"Eyeglasses": True})         # one of them, larger, with glasses

A person and a moment are drawn (sitters, chance) and painted (scene) from head, features and hair.
"""

from lib.data.drawn.faces.render import NAMES, RenderedFaces, faces

__all__ = ["NAMES", "RenderedFaces", "faces"]
