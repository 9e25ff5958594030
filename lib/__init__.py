"""Adversarial and knowledge transferability: the measured, tested half of the book.

The one law: data -> models -> attacks -> measures -> statistics -> figures -> chapters.
Nothing is imported here, so that a chapter depends only on what it uses. `lib.rank(models, target)` ranks
your own models: see `lib.ranking.call.rank`.
"""

import pkgutil
import warnings
from typing import Any

__version__ = "0.1.0"

# Said once by tqdm, which transformers imports, in a kernel without widgets: no page here has any.
warnings.filterwarnings("ignore", "IProgress not found")


def __getattr__(name: str) -> Any:
    """`lib.rank`, when asked for: resolved by name, so that no other chapter depends on it."""
    if name != "rank":
        raise AttributeError(f"module 'lib' has no attribute {name!r}")
    return pkgutil.resolve_name("lib.ranking.call:rank")
