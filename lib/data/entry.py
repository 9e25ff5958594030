"""What the registry knows about a data set: plain, frozen records."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class File:
    """One file of a data set, as it lies in ``<root>/<data set>/<name>``.

    ``url`` is empty where no address serves this very file (packed substitutes, files behind an account).
    ``digest`` is ``"sha256:..."`` or the publisher's ``"md5:..."``; empty where nobody has published one: the
    sha256 of the first download is then recorded beside the file, and checked from then on.
    ``bytes`` is 0 where the length is not known beforehand.
    ``holds`` is (what, number), which ``--check`` counts: members of an archive that match a pattern, or
    "lines", "rows" of a csv with a header, "keys" of a json object.
    """

    name: str
    url: str = ""
    bytes: int = 0
    digest: str = ""
    holds: tuple[str, int] | None = None


def packed(name: str, bytes: int, what: str, number: int, sha256: str) -> File:
    """A file that no address serves: length and digest are those of the one that was packed."""
    return File(name, "", bytes, f"sha256:{sha256}", (what, number))


@dataclass(frozen=True)
class Dataset:
    """One variant of a data set: what it is, where it comes from, what may be done with it."""

    name: str
    what: str
    items: int
    source: str  # where the content was first published, for a reader
    licence: str
    files: tuple[File, ...] = ()
    used_by: tuple[str, ...] = ()  # "experiment/preset"
    lacks: str = ""  # what a substitute lacks against the original
    flaws: str = ""  # known flaws, and what the loader does about them
    manual: str = ""  # how to get it where a program may not: account, quota, licence click
    packaged: str = ""  # "package:path/inside" where an installed package ships it
    script: str = ""  # data_scripts/<script>.py; empty: called like the data set
    shown: bool = False  # the terms allow showing a few images in the book

    @property
    def command(self) -> str:
        """What a reader types to bring it."""
        return f"python data_scripts/{self.script or self.name}.py"
