"""A chapter's parameters, checked: plain variables in, the experiment's frozen `Config` out.

A `Config` inherits from `Checked` and writes the limit of a field beside it: `epochs: Count`,
`rate: Annotated[float, limits(gt=0, le=1)]`. Only this module knows that pydantic checks them.
"""

from __future__ import annotations

import ast
import dataclasses
import difflib
import typing
from collections.abc import Iterable, Mapping
from functools import cache
from typing import Annotated, Any, NoReturn, TypeVar

from pydantic import AfterValidator, ConfigDict, TypeAdapter, ValidationError
from pydantic import Field as limits

from lib.engine.experiment import C, Experiment

__all__ = [
    "Checked", "Count", "Natural", "NotNegative", "Positive", "Some", "build", "check_names", "coerce",
    "configure", "configured", "declared", "limits", "one_of", "plain",
]  # fmt: skip

Item = TypeVar("Item")
Count = Annotated[int, limits(ge=1, le=1_000_000)]  # a million seeds or steps are a slip of the hand
Natural = Annotated[int, limits(ge=0)]
Positive = Annotated[float, limits(gt=0)]
NotNegative = Annotated[float, limits(ge=0)]
Some = Annotated[tuple[Item, ...], limits(min_length=1)]  # one or more

_PLAIN = (type(None), bool, int, float, str, list, tuple, dict)
_IPYTHON = {"In", "Out", "exit", "quit"}
_STRICT = ConfigDict(strict=True, allow_inf_nan=False)  # but an int serves for a float
_TYPES = {  # what pydantic calls an error of type -> what a reader calls the type
    "bool_type": "bool", "int_type": "int", "float_type": "float", "string_type": "str",
    "tuple_type": "a list", "none_required": "None",
}  # fmt: skip
_LIMITS = {  # another error -> what the value must be
    "greater_than": "above {gt}",
    "greater_than_equal": "at least {ge}",
    "less_than": "below {lt}",
    "less_than_equal": "at most {le}",
    "multiple_of": "a multiple of {multiple_of}",
    "finite_number": "a finite number",
    "literal_error": "{expected}",
    "value_error": "{error}",
    "too_short": "a list of {min_length} or more",
    "too_long": "a list of at most {max_length}",
    "missing": "a longer list",
}


class Checked:
    """What every `Config` is: a frozen dataclass whose fields have their types and keep their limits.

    A list becomes a tuple, and an int a float, where the field wants one. A `__post_init__` of its own, for
    limits between fields, calls this one first.

    Raises:
        TypeError: a value has another type than its field.
        ValueError: a value is outside its limits, not finite, or none of a `Literal`.
    """

    def __post_init__(self) -> None:
        for name, hint in _hints(type(self)).items():
            object.__setattr__(self, name, coerce(name, getattr(self, name), hint))


def one_of(known: Iterable[str]) -> AfterValidator:
    """The limit of a text that must be one of the `known`, for names that stand in a table elsewhere."""
    names = tuple(known)

    def check(value: str) -> str:
        if value not in names:
            raise ValueError(f"one of {', '.join(map(repr, names))}")
        return value

    return AfterValidator(check)


def configure(module: Experiment[C], namespace: Mapping[str, Any]) -> C:
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


def build(module: Experiment[C], values: Mapping[str, Any]) -> C:
    """The `Config` of `module` from {name: value}; without a `preset`, "quick"; None is the preset's value.

    Raises:
        ValueError, TypeError: as `configure`.
    """
    given = {name: value for name, value in values.items() if value is not None}
    preset = given.pop("preset", "quick")
    if not isinstance(preset, str) or preset not in module.PRESETS:
        raise ValueError(f"preset {preset!r} is not one of {module.NAME}'s: {', '.join(module.PRESETS)}")
    config = module.PRESETS[preset]
    hints = _hints(type(config))
    check_names(values, hints, f"the experiment {module.NAME}")
    try:
        given = {name: coerce(name, value, hints[name]) for name, value in given.items()}
        return dataclasses.replace(config, **given)
    except (ValueError, TypeError) as error:
        raise type(error)(f"{module.NAME}, preset {preset}: {error}") from None


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
        argument = call.args[0] if call.args else None
        return imported.get(argument.id, argument.id) if isinstance(argument, ast.Name) else None
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
        ValueError: a float is not finite, or a value is outside the limits or none of a `Literal`.
    """
    try:
        return _adapter(hint).validate_python(tuple(value) if isinstance(value, list) else value)
    except ValidationError as error:
        _refuse(name, value, error)


def _refuse(name: str, value: Any, error: ValidationError) -> NoReturn:
    """Raise what is wrong and what would be right, in one line."""
    found = error.errors(include_url=False)
    first = found[0]
    kind, given = first["type"], first["input"]
    inside = [step for step in first["loc"] if isinstance(step, int) and kind != "missing"]
    place = name + "".join(f"[{step}]" for step in inside)
    if kind == "float_type" and type(given) is int:  # larger than any float
        kind = "finite_number"
    if kind in _TYPES:
        wanted = " or ".join(dict.fromkeys(_TYPES.get(each["type"], each["msg"]) for each in found))
        remedy = f"; on a command line: -y '{name}: [1, 2]' (papermill), -p {name} '[1, 2]' (python -m lib)"
        listed = "a list" in wanted and not isinstance(value, list | tuple)
        raise TypeError(
            f"{place} must be {wanted}, not {given!r} ({type(given).__name__}){remedy if listed else ''}"
        )
    wanted = _LIMITS[kind].format(**first.get("ctx", {})) if kind in _LIMITS else first["msg"]
    raise ValueError(f"{place}={given!r} must be {wanted}")


def _hints(kind: Any) -> dict[str, Any]:
    """{field: its type, with its limits}."""
    hints = typing.get_type_hints(kind, include_extras=True)
    return {field.name: hints[field.name] for field in dataclasses.fields(kind)}


@cache
def _adapter(hint: Any) -> TypeAdapter[Any]:
    if isinstance(hint, range):
        hint = Annotated[int, limits(ge=hint.start, lt=hint.stop)]
    return TypeAdapter(hint, config=_STRICT)


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
