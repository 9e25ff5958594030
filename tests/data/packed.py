"""Tiny real instances of the formats that data sets are published in: pictures, archives, rows."""

import gzip
import io
import json
import tarfile
import zipfile

import numpy as np
from PIL import Image


def picture(seed, size=(32, 32), form="PNG", mode="RGB"):
    """An encoded image of noise; PNG keeps its pixels."""
    shape = (size[1], size[0], 3) if mode == "RGB" else (size[1], size[0])
    pixels = np.random.default_rng(seed).integers(0, 256, shape, dtype=np.uint8)
    stream = io.BytesIO()
    Image.fromarray(pixels).save(stream, form)
    return stream.getvalue()


def tar(members, mode="w:gz"):
    """Bytes of a tar with these (name, content) members."""
    stream = io.BytesIO()
    with tarfile.open(fileobj=stream, mode=mode) as archive:
        for name, content in members:
            info = tarfile.TarInfo(name)
            info.size = len(content)
            archive.addfile(info, io.BytesIO(content))
    return stream.getvalue()


def zipped(members):
    """Bytes of a zip with these (name, content) members."""
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in members:
            archive.writestr(name, content)
    return stream.getvalue()


def jsonl(rows):
    """Gzipped json lines; letters outside ASCII stay as they are."""
    return gzip.compress("".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows).encode())
