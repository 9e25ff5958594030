"""The steps of a job - train, attack, read - each stored on its own, with the seconds that it took.

A job is computed behind one `door`, where device and threads are settled. Below it `config.device` is the
name of a device, so `torch.device(config.device)` is all that anybody asks, and a job on the CPU has one
thread: its sums, and every digit, are the same on any number of cores. (A CPU with other vector instructions
rounds otherwise.)
"""

from __future__ import annotations

import hashlib
import io
import sys
import warnings
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager, nullcontext
from contextvars import ContextVar
from dataclasses import dataclass, field, fields, is_dataclass
from functools import partial
from pathlib import Path
from time import perf_counter
from typing import Any, ParamSpec, TypeVar, cast

import torch
from torch import Tensor, nn

from lib.base import devices, fingerprint
from lib.engine import store

C = TypeVar("C")
P = ParamSpec("P")
T = TypeVar("T")
_PLAIN = (type(None), bool, int, float, str)


@dataclass
class _Job:
    """What is known below the door: kind of device, checksums of the data, and the clock."""

    device: str
    data: dict[str, str]
    seconds: dict[str, float] = field(default_factory=dict)
    inner: float = 0.0  # seconds of the parts inside the one that is being timed

    @property
    def key(self) -> dict[str, Any]:
        return {"device": self.device, "data": self.data}

    def add(self, name: str, seconds: float) -> None:
        if name:
            self.seconds[name] = self.seconds.get(name, 0.0) + seconds


_job: ContextVar[_Job | None] = ContextVar("job", default=None)


@contextmanager
def door(device: str, data: Mapping[str, str]) -> Iterator[None]:
    """What is inside is computed on a device that exists, with these data ({name: sha256}), as a job is."""
    job = _Job(torch.device(device).type, dict(data))
    token = _job.set(job)
    try:
        with devices.at_most_threads(1) if job.device == "cpu" else nullcontext():
            yield
    finally:
        _job.reset(token)


def step(name: str, function: Callable[P, T], *arguments: P.args, **keywords: P.kwargs) -> T:
    """`function(*arguments, **keywords)`, computed once and stored; its seconds stand under `name`, if any.

        def run_job(config, job):
            seed = job["seed"]
            learns = runs.only(config, "width", "epochs", "lr")
            state = runs.step("train", networks.train, learns, job["source"], seed)
            model = networks.build(config, state)
            reach = runs.only(config, "epsilon", "steps")
            attacks = runs.step("attack", attacking.cross, reach, model, reference, x, y, seed)
            with runs.timed("knowledge"):
                knowledge = learning.transferred(config, model, seed)
            return {**job, "attacks": attacks, "knowledge": knowledge, "seconds": runs.seconds()}

    The key of what is stored holds the code (the import closure of the module that defines the function),
    every argument by its content, and the job's kind of device and data; not `name`. So a changed probe in
    `learning` neither trains nor attacks again, if `networks` and `attacking` do not import it; and a network
    that is trained again to the same weights is not attacked again. What is stored is the state of a network,
    tensors, plain data (on the CPU); the first caller too gets what was read back from the store.

    Arguments are plain data, tensors, networks (by class, its code, weights and plain attributes), devices
    (by kind), and dataclasses of those, whose field `device` does not count. Give a config as `only` the
    fields that the step reads: a change of any other would compute it again.

    Raises:
        TypeError: the function is not defined at the top of a file, an argument is nothing of the kind, or
            what is returned cannot be read back safely.
    """
    source, job, clock = _defined_in(function), _job.get(), list[float]()
    if "<" in (qualname := getattr(function, "__qualname__", "<partial>")):
        raise TypeError(f"{function!r} is no step: give a function from the top of a module, and arguments")
    wanted = [qualname, [identity(value) for value in arguments], identity(dict(keywords))]

    def compute() -> bytes:
        with _clocked(name) as own:
            value = function(*arguments, **keywords)
        clock.extend(own)
        return _dump({"value": value, "seconds": own[0]})

    if not trusted(source):
        return cast(T, _load(compute())["value"])
    digest = store.digest({"step": wanted, "code": fingerprint.digest(source), "run": job and job.key})
    path = store.root() / "steps" / f"{source.stem}-{digest[:32]}.pt"
    found = store.once(path, compute, _load)
    assert found is not None  # it waited
    if job and not clock:
        job.add(name, found["seconds"])
    return cast(T, found["value"])


def only(config: C, *names: str) -> C:
    """`config` with these fields alone, and its device: all that a step may read, so that its key is whole.

    Reading another field raises AttributeError, which names the remedy.
    """
    return cast(C, _Fields({name: getattr(config, name) for name in ("device", *names)}))


@contextmanager
def timed(name: str) -> Iterator[None]:
    """The one clock of a record: the seconds inside count for `name`, and for no part around it."""
    with _clocked(name):
        yield


def seconds() -> dict[str, float]:
    """What the job at work has spent so far, by the names of its steps and timed parts.

    A step that was read from the store counts what it took when it was computed.
    """
    job = _job.get()
    return dict(job.seconds) if job else {}


def identity(value: Any) -> Any:
    """Plain data that are equal for equal values: an argument of a step in its key.

    Raises:
        TypeError: the value is no plain data, tensor, network or dataclass of those.
    """
    if type(value) in _PLAIN:
        return value
    if isinstance(value, torch.device):
        return {"device": value.type}
    if isinstance(value, list | tuple):
        return [identity(item) for item in value]
    if isinstance(value, dict):
        return {"dict": [[identity(name), identity(item)] for name, item in value.items()]}
    if isinstance(value, Tensor):
        return {"tensor": _tensor(value)}
    if isinstance(value, nn.Module):
        return {"network": _network(value)}
    if isinstance(value, _Fields):
        return {"fields": _undeviced(value.__dict__.items())}
    if is_dataclass(value) and not isinstance(value, type):
        own = ((each.name, getattr(value, each.name)) for each in fields(value))
        return {type(value).__qualname__: _undeviced(own)}
    raise TypeError(f"{value!r:.80} is no argument of a step: use plain data, tensors, networks, dataclasses")


def trusted(source: Path) -> bool:
    """False, with a warning, where a file was edited after this process may have imported it."""
    changed = fingerprint.changed(source)
    if changed:
        names = ", ".join(path.relative_to(fingerprint.ROOT).as_posix() for path in changed)
        advice = "nothing is stored until you restart it"
        warnings.warn(f"{names} changed after this process (kernel) started: {advice}", stacklevel=3)
    return not changed


class _Fields:
    """Some fields of a config; equal and hashed by them."""

    def __init__(self, values: dict[str, Any]):
        self.__dict__.update(values)

    def __getattr__(self, name: str) -> Any:
        raise AttributeError(f"this step's config has no {name!r}: name it in `only(config, ..., {name!r})`")

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _Fields) and self.__dict__ == other.__dict__

    def __hash__(self) -> int:
        return hash(tuple(self.__dict__.items()))


@contextmanager
def _clocked(name: str) -> Iterator[list[float]]:
    """In the end the list holds the seconds inside; outside of a job, where nobody asks, 0."""
    job, own = _job.get(), list[float]()
    if job is None:
        yield own
        own.append(0.0)
        return
    begun, outer, job.inner = perf_counter(), job.inner, 0.0
    try:
        yield own
    finally:
        whole = perf_counter() - begun
        own.append(whole - job.inner)
        job.add(name, own[0])
        job.inner = outer + whole


def _undeviced(items: Iterable[tuple[str, Any]]) -> list[Any]:
    return [[name, identity(item)] for name, item in items if name != "device"]


def _tensor(value: Tensor) -> list[Any]:
    flat = value.detach().cpu().contiguous().reshape(-1)
    content: Any = flat.view(torch.uint8).numpy() if flat.numel() else b""
    return [str(value.dtype), list(value.shape), hashlib.sha256(content).hexdigest()]


def _network(model: nn.Module) -> list[Any]:
    """Classes, their code and plain attributes, part by part; weights and buffers."""
    parts = []
    for name, part in model.named_modules():
        plain = {k: v for k, v in vars(part).items() if not k.startswith("_") and _is_plain(v)}
        parts.append([name, f"{type(part).__module__}.{type(part).__qualname__}", identity(plain)])
    files = {sys.modules[type(part).__module__].__file__ for part in model.modules()}
    code = [
        fingerprint.digest(Path(file)) for file in sorted(filter(None, files)) if fingerprint.inside(file)
    ]
    return [parts, code, [[name, _tensor(value)] for name, value in model.state_dict().items()]]


def _is_plain(value: Any) -> bool:
    return type(value) in _PLAIN or (isinstance(value, list | tuple) and all(map(_is_plain, value)))


def _defined_in(function: Callable[..., Any]) -> Path:
    while isinstance(function, partial):
        function = function.func
    path = getattr(function, "__globals__", {}).get("__file__")
    if path is None:
        raise TypeError(f"{function!r} is not defined in a file: the function of a step lives in lib")
    return Path(path)


def _dump(value: Any) -> bytes:
    stream = io.BytesIO()
    torch.save(value, stream)
    try:
        _load(stream.getvalue())
    except ValueError as error:
        raise TypeError(f"a step gives tensors or plain data (a model's state_dict()): {error}") from None
    return stream.getvalue()


def _load(content: bytes) -> Any:
    try:
        return torch.load(io.BytesIO(content), map_location="cpu", weights_only=True)
    except Exception as error:  # torch raises whatever its unpickler meets
        raise store.Unreadable(str(error).partition("\n")[0]) from None
