"""Adversarial and knowledge transferability: the measured, tested half of the book.

`lib.rank(models, target)` ranks your own models, `lib.transferability.measure(source, target, x)` gives the
paper's measures; `lib.bounds`, `lib.jacobian`, `lib.attacks` and `lib.estimators` are what they rest on.
Each is loaded when it is first asked for, so that `import lib` costs nothing.
"""

import pkgutil
import warnings
from typing import TYPE_CHECKING

from lib.base import machine
from lib.base.version import VERSION

machine.wait_passively()
__version__ = VERSION

# Said once by tqdm, which transformers imports, in a kernel without widgets: no page here has any.
warnings.filterwarnings("ignore", "IProgress not found")

if TYPE_CHECKING:
    from lib import attacks as attacks
    from lib.measures import estimators as estimators
    from lib.measures import jacobian as jacobian
    from lib.measures import transferability as transferability
    from lib.ranking.call import rank as rank
    from lib.theory import bounds as bounds

# Public name -> the module that it is, or `module:attribute`. `base.fingerprint` reads this table too.
FACE = {
    "attacks": "lib.attacks",
    "bounds": "lib.theory.bounds",
    "estimators": "lib.measures.estimators",
    "jacobian": "lib.measures.jacobian",
    "rank": "lib.ranking.call:rank",
    "transferability": "lib.measures.transferability",
}
__all__ = ["__version__", *FACE]


def __getattr__(name: str) -> object:
    """A name of the face, loaded now. What its module cannot import is raised as it is."""
    if name not in FACE:
        raise AttributeError(f"module 'lib' has no attribute {name!r}: it has {', '.join(FACE)}")
    module, _, attribute = FACE[name].partition(":")
    found: object = pkgutil.resolve_name(f"{module}:{attribute}")  # without a colon it hides import errors
    return found


def __dir__() -> list[str]:
    return sorted({*__all__, *(name for name in globals() if name.startswith("__"))})
