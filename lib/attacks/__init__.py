"""The paper's attacks: `virtual` (Def. 1), `pgd` and `textfooler` (App. G.1), imported when asked for."""

import sys
from importlib import import_module
from types import ModuleType
from typing import Any

_NAMES = ("pgd", "textfooler", "virtual")


def __getattr__(name: str) -> Any:
    if name not in _NAMES:
        raise AttributeError(f"lib.attacks has no attack {name!r}: it has {', '.join(_NAMES)}")
    return getattr(import_module(f"lib.attacks.{name}"), name)


class _Attacks(ModuleType):
    """Importing `lib.attacks.virtual` binds the module to the name; the function is what is meant."""

    def __setattr__(self, name: str, value: Any) -> None:
        bound = name in _NAMES and isinstance(value, ModuleType)
        super().__setattr__(name, getattr(value, name) if bound else value)


sys.modules[__name__].__class__ = _Attacks
