"""Tiny real instances of the published formats, in a root of their own."""

import gzip
import hashlib
import io
import json
import tarfile
import zipfile
from dataclasses import replace

import numpy as np
import pytest
from PIL import Image

from lib.data import registry
from lib.data.entry import File


@pytest.fixture
def root(tmp_path, monkeypatch):
    """An empty data root that the environment names."""
    place = tmp_path / "data"
    monkeypatch.setenv("TRANSFER_DATA", str(place))
    return place


@pytest.fixture
def tiny(root, monkeypatch):
    """Put a small instance of a data set in place: tiny(name, {file: content}, items)."""

    def put(name, contents, items):
        files = []
        for file, content in contents.items():
            place = root / name / file
            place.parent.mkdir(parents=True, exist_ok=True)
            place.write_bytes(content)
            files.append(File(file, "", len(content), "sha256:" + hashlib.sha256(content).hexdigest()))
        entry = replace(registry.get(name), files=tuple(files), items=items)
        monkeypatch.setitem(registry.CATALOGUE, name, entry)
        return entry

    return put


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
