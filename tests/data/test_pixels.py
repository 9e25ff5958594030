import io

import numpy as np
import pytest
from packed import picture
from PIL import Image

from lib.data.formats import pixels

SCRIPT = b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 9 9\n(x) print\n"


def saved(form):
    stream = io.BytesIO()
    Image.new("RGB", (8, 8)).save(stream, form)
    return stream.getvalue()


def huge():
    """A PNG that says it is 60,000 pixels wide and high."""
    content = bytearray(picture(0))
    content[16:24] = (60_000).to_bytes(4, "big") * 2
    return bytes(content)


FAULTS = {
    "empty": b"",
    "text": b"no image",
    "PostScript": SCRIPT,
    "GIF": saved("GIF"),
    "cut short": picture(0)[:-900],
    "cut short (JPEG)": picture(0, (64, 64), "JPEG")[:-900],
    "huge": huge(),
}


@pytest.mark.parametrize("read", [pixels.rgb, pixels.grey])
@pytest.mark.parametrize("fault", FAULTS)
def test_what_is_no_sane_image_is_one_kind_of_error(fault, read):
    with pytest.raises(ValueError, match=r"^an image of [\d,]+ bytes cannot be read"):
        read(FAULTS[fault])


@pytest.mark.parametrize("form", pixels.FORMATS)
def test_the_formats_of_the_data_sets_are_read(form):
    content = picture(1, (32, 32), form)
    with Image.open(io.BytesIO(content)) as image:
        expected = np.asarray(image.convert("RGB")).transpose(2, 0, 1)
    np.testing.assert_array_equal(pixels.rgb(content), expected)
    np.testing.assert_array_equal(pixels.rgb(content, 32), expected)
