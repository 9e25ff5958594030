"""The paper's attacks: `virtual` (Def. 1), `pgd` and `textfooler` (App. G.1).

Each is loaded when it is first asked for, so that who attacks images depends on no English dictionary.
"""

import pkgutil
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from lib.attacks.projected import pgd as pgd
    from lib.attacks.tangent import virtual as virtual
    from lib.attacks.words.textfooler import textfooler as textfooler

# Public name -> `module:attribute`, as in `lib.FACE`. No module has the name of its attack, or importing it
# would hide the function. `base.fingerprint` reads this table too.
FACE = {
    "pgd": "lib.attacks.projected:pgd",
    "textfooler": "lib.attacks.words.textfooler:textfooler",
    "virtual": "lib.attacks.tangent:virtual",
}
__all__ = [*FACE]


def __getattr__(name: str) -> object:
    if name not in FACE:
        raise AttributeError(f"lib.attacks has no attack {name!r}: it has {', '.join(FACE)}")
    found: object = pkgutil.resolve_name(FACE[name])
    return found


def __dir__() -> list[str]:
    return sorted({*__all__, *(name for name in globals() if name.startswith("__"))})
