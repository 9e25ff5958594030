"""A chapter's parameters, checked: plain variables in, the experiment's frozen `Config` out."""

from __future__ import annotations

import ast
import dataclasses
import difflib
import sys
import types
import typing
from collections.abc import Iterable, Mapping
from typing import Any

_PLAIN = (type(None), bool, int, float, str, list, tuple, dict)
_IPYTHON = {"In", "Out", "exit", "quit"}


def configure(module: Any, namespace: Mapping[str, Any]) -> Any:
    """The `Config` of the experiment `module`, from its preset and a chapter's parameters.

    Call it in the cell after the `parameters` cell: `config = parameters.configure(images, globals())`. Every
    plain variable of `namespace` is a parameter, and None means the preset's value. When the cell is run
    again in JupyterLab, what other cells have assigned since is left out.

    Raises:
        ValueError: an unknown preset or parameter, or a value that the `Config` refuses.
        TypeError: a value of another type than the field's.
    """
    return build(module, _parameters(namespace))


def plain(namespace: Mapping[str, Any], **hints: Any) -> None:
    """Check the parameters of a chapter without an experiment: only the names in `hints`, each of that type.

    `range(2, 100)` is the type of the whole numbers in it.

    Raises:
        ValueError, TypeError: as `configure`.
    """
    values = _parameters(namespace)
    check_names(values, hints, "this chapter")
    for name, value in values.items():
        coerce(name, value, hints[name])


def build(module: Any, values: Mapping[str, Any]) -> Any:
    """The `Config` of `module` from {name: value}; without a `preset`, "quick"; None is the preset's value.

    Raises:
        ValueError, TypeError: as `configure`.
    """
    given = {name: value for name, value in values.items() if value is not None}
    preset = given.pop("preset", "quick")
    if not isinstance(preset, str) or preset not in module.PRESETS:
        raise ValueError(f"preset {preset!r} is not one of {module.NAME}'s: {', '.join(module.PRESETS)}")
    config = module.PRESETS[preset]
    check_names(values, (field.name for field in dataclasses.fields(config)), f"the experiment {module.NAME}")
    hints = typing.get_type_hints(type(config))
    changes = {name: coerce(name, value, hints[name]) for name, value in given.items()}
    try:
        return dataclasses.replace(config, **changes)
    except ValueError as error:
        raise ValueError(f"{module.NAME}, preset {preset}: {error}") from None


def configured(code: str) -> str | None:
    """The experiment in `parameters.configure(<experiment>, globals())`, whatever it was imported as."""
    nodes = list(ast.walk(ast.parse(code)))
    imported = {
        a.asname or a.name: (node.module or "").rpartition(".")[2] if a.name == "record" else a.name
        for node in nodes
        if isinstance(node, ast.ImportFrom)
        for a in node.names
    }
    for call in _calls(nodes, "configure"):
        name = getattr(call.args[0], "id", None) if call.args else None
        return imported.get(name, name)
    return None


def declared(code: str) -> dict[str, Any]:
    """{name: type} in `parameters.plain(globals(), name=type, ...)`, read from the code and not executed."""
    calls = _calls(ast.walk(ast.parse(code)), "plain")
    return {item.arg: _hint(item.value) for call in calls for item in call.keywords if item.arg}


def check_names(names: Iterable[str], known: Iterable[str], owner: str) -> None:
    """Refuse names that are not known, with the likeliest one meant.

    Raises:
        ValueError: names the unknown parameter, the nearest known one, and all of them.
    """
    known = list(known)
    for name in names:
        if name not in known:
            near = difflib.get_close_matches(name, known, n=1)
            guess = f" Did you mean {near[0]!r}?" if near else ""
            raise ValueError(f"{owner} has no parameter {name!r}.{guess} It has: {', '.join(known)}.")


def coerce(name: str, value: Any, hint: Any) -> Any:
    """`value` as the type `hint`: an int serves for a float, a list for a tuple; a bool is never a number.

    Raises:
        TypeError: the value has another type.
        ValueError: a float is not finite, or a value is none of a `Literal`.
    """
    origin, arguments = typing.get_origin(hint), typing.get_args(hint)
    if hint is Any:
        return value
    if isinstance(hint, range):
        if coerce(name, value, int) not in hint:
            raise ValueError(f"parameter {name} = {value} must be {hint.start} or more, below {hint.stop}")
        return value
    if origin in (typing.Union, types.UnionType):
        return _first_that_fits(name, value, arguments)
    if origin is typing.Literal:
        if value not in arguments:
            raise ValueError(f"parameter {name} = {value!r} must be one of {', '.join(map(repr, arguments))}")
        return value
    kind = origin or hint
    if kind is tuple and isinstance(value, list | tuple):
        return _coerce_tuple(name, value, arguments)
    if kind is float and isinstance(value, int | float) and not isinstance(value, bool):
        if not abs(value) <= sys.float_info.max:  # an int may be larger
            raise ValueError(f"parameter {name} = {value} must be a finite number")
        return float(value)
    if not isinstance(value, kind) or (isinstance(value, bool) and kind is not bool):
        raise TypeError(
            f"parameter {name} must be {_named(hint)}, not {value!r} ({type(value).__name__})"
            + (_remedy(name) if kind in (tuple, list) else "")
        )
    return value


def _first_that_fits(name: str, value: Any, hints: tuple[Any, ...]) -> Any:
    for hint in sorted(hints, key=lambda hint: hint is not type(value)):  # the exact type first
        try:
            return coerce(name, value, hint)
        except TypeError:
            continue
    wanted = " or ".join(_named(hint) for hint in hints)
    remedy = _remedy(name) if any(typing.get_origin(hint) is tuple for hint in hints) else ""
    raise TypeError(f"parameter {name} must be {wanted}, not {value!r} ({type(value).__name__}){remedy}")


def _remedy(name: str) -> str:
    return f"; on a command line: -y '{name}: [1, 2]' (papermill), -p {name} '[1, 2]' (python -m lib)"


def _coerce_tuple(name: str, value: list | tuple, hints: tuple[Any, ...]) -> tuple:
    if len(hints) == 2 and hints[1] is Ellipsis:
        hints = (hints[0],) * len(value)
    if hints and len(hints) != len(value):
        raise ValueError(f"parameter {name} needs {len(hints)} values, not {len(value)}: {list(value)!r}")
    hints = hints or (Any,) * len(value)
    return tuple(coerce(f"{name}[{i}]", item, hint) for i, (item, hint) in enumerate(zip(value, hints)))


def _named(hint: Any) -> str:
    """A type as a reader says it: `a list of float`."""
    if hint is type(None):
        return "None"
    if typing.get_origin(hint) is tuple:
        inner = dict.fromkeys(_named(item) for item in typing.get_args(hint) if item is not Ellipsis)
        return f"a list of {' and '.join(inner)}"
    return getattr(hint, "__name__", str(hint))


def _calls(nodes: Iterable[ast.AST], name: str) -> list[ast.Call]:
    return [n for n in nodes if isinstance(n, ast.Call) and getattr(n.func, "attr", "") == name]


def _hint(node: ast.expr) -> Any:
    """The type that an expression such as `tuple[str, ...] | None` or `range(2, 100)` writes; else Any."""
    match node:
        case ast.Name(id="str" | "int" | "float" | "bool" as name):
            return {"str": str, "int": int, "float": float, "bool": bool}[name]
        case ast.Constant(value=None):
            return type(None)
        case ast.BinOp(left=left, op=ast.BitOr(), right=right):
            return typing.Union[_hint(left), _hint(right)]  # noqa: UP007
        case ast.Subscript(value=ast.Name(id="tuple"), slice=ast.Tuple(elts=[item, ast.Constant(value=end)])):
            return tuple[_hint(item), ...] if end is Ellipsis else Any  # type: ignore[misc]
        case ast.Call(func=ast.Name(id="range"), args=[ast.Constant(value=low), ast.Constant(value=high)]):
            return range(low, high)  # type: ignore[arg-type]
    return Any


def _parameters(namespace: Mapping[str, Any]) -> dict[str, Any]:
    """The plain, public variables; in a live notebook only those that a parameter cell assigned."""
    plain = {
        name: value
        for name, value in namespace.items()
        if type(value) in _PLAIN and not name.startswith("_") and name not in _IPYTHON
    }
    cells = namespace.get("In")
    assigned = _assigned(cells) if isinstance(cells, list) else set(plain)
    return {name: value for name, value in plain.items() if name in assigned}


def _assigned(cells: list[str]) -> set[str]:
    """Names that the parameter cells assign: the latest cell with `preset = ...`, and papermill's own."""
    own = [names for names in map(_targets, cells) if "preset" in names][-1:]
    injected = [_targets(cell) for cell in cells if cell.lstrip().startswith("# Parameters")]
    return set().union(*own, *injected)


def _targets(cell: str) -> set[str]:
    try:
        statements = ast.parse(cell).body
    except SyntaxError:  # a magic; no parameter cell has one
        return set()
    nodes = [node for item in statements if isinstance(item, ast.Assign) for node in item.targets]
    nodes += [item.target for item in statements if isinstance(item, ast.AnnAssign)]
    return {node.id for node in nodes if isinstance(node, ast.Name)}
