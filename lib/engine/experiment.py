"""What the engine asks of an experiment: a module, `lib.experiments.<name>.record`, with these names."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import Field
from typing import Any, ClassVar, Protocol, TypeVar


class Settings(Protocol):
    """The config of an experiment: a frozen dataclass, of which every experiment has these fields."""

    __dataclass_fields__: ClassVar[dict[str, Field[Any]]]

    @property
    def preset(self) -> str:
        """quick, reduced or paper."""

    @property
    def seeds(self) -> int:
        """How many: 0 to seeds - 1."""

    @property
    def device(self) -> str | None:
        """As `devices.resolve_device` takes it; below the engine's door the name of one that is here."""


class DataSet(Protocol):
    """A data set that a run reads: `lib.data.registry` has them (`needed`), the engine knows no registry."""

    @property
    def name(self) -> str:
        """Under which its checksum stands in the record's key."""

    @property
    def items(self) -> int:
        """How many it holds, for a reader."""

    def digest(self) -> str | None:
        """sha256 of what is here, None if it is absent."""

    def remedy(self) -> str:
        """The sentence that tells how to get it."""


C = TypeVar("C", bound=Settings)


class Experiment(Protocol[C]):
    """A module with these names, and, where it has a use for them, with more:

    - `JOB_IGNORES`: fields that say which jobs there are, such as `seeds`. They leave the key of a record,
      and `run_job` sees None in their place.
    - `recompute(record)`: {name: value} of what follows from a record; `results --verify` compares.
    - `RERUN_TOLERANCE`: how far, relative, a record that is run again may lie from the recorded one.
    - `LABELS`: {preset: what a caption calls it}.
    """

    @property
    def __file__(self) -> str | None:
        """The module's file: the code of a record is what it imports."""

    @property
    def __name__(self) -> str:
        """The module's name, by which another process imports it."""

    @property
    def NAME(self) -> str:
        """As in `results/<name>-<preset>.json`."""

    @property
    def PRESETS(self) -> Mapping[str, C]:
        """The configs of quick, reduced and paper."""

    def datasets(self, config: C, /) -> Sequence[DataSet]:
        """What a run reads."""

    def jobs(self, config: C, /) -> list[dict[str, Any]]:
        """What there is to compute, one job a record, each plain data."""

    def run_job(self, config: C, job: dict[str, Any], /) -> dict[str, Any]:
        """The record of one job: plain data. See `lib.engine.steps` for what holds inside."""
