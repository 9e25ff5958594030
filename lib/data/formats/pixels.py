"""Image files to arrays: JPEG and PNG alone, whatever a file is called; others may call programs."""

from collections.abc import Iterator
from contextlib import contextmanager
from io import BytesIO

import numpy as np
from PIL import Image

FORMATS = ("JPEG", "PNG")


@contextmanager
def _opened(content: bytes) -> Iterator[Image.Image]:
    """The image; ValueError for what is none, is cut short, or has an absurd number of pixels."""
    try:
        with Image.open(BytesIO(content), formats=FORMATS) as image:
            image.load()
            yield image
    except (OSError, SyntaxError, Image.DecompressionBombError) as error:
        raise ValueError(f"an image of {len(content):,} bytes cannot be read ({error})") from error


def rgb(content: bytes, size: int | None = None) -> np.ndarray:
    """uint8 (3, H, W) of an encoded image; ``size`` shrinks or enlarges it to a square (bilinear)."""
    with _opened(content) as opened:
        image = opened.convert("RGB")
        if size is not None and image.size != (size, size):
            image = image.resize((size, size), Image.Resampling.BILINEAR)
        return np.asarray(image).transpose(2, 0, 1)


def grey(content: bytes) -> np.ndarray:
    """(H, W) of a one-channel image, 8 or 16 bits as stored."""
    with _opened(content) as image:
        return np.asarray(image)


def shrink(image: np.ndarray, size: int) -> np.ndarray:
    """uint8 (3, H, W) resized to a square (bilinear with anti-aliasing, as PIL does it)."""
    resized = Image.fromarray(image.transpose(1, 2, 0)).resize((size, size), Image.Resampling.BILINEAR)
    return np.asarray(resized).transpose(2, 0, 1)


def centre(image: np.ndarray, size: int) -> np.ndarray:
    """The middle square of uint8 (3, H, W), as wide as its shorter side, shrunk to (3, size, size)."""
    side = min(image.shape[1:])
    top, left = ((length - side) // 2 for length in image.shape[1:])
    return shrink(image[:, top : top + side, left : left + side], size)
