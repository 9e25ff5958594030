"""A data root of a test's own, and small data sets in it."""

import hashlib
from dataclasses import replace

import pytest

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
