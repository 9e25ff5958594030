"""What the data scripts do: bring data sets, check them, list them. One command line for all."""

from __future__ import annotations

import argparse
import fnmatch
import json
import os
import sys
from collections.abc import Sequence
from functools import partial
from pathlib import Path, PurePosixPath

from lib.data import cache, fetch, registry
from lib.data.entry import Dataset, File
from lib.data.fetch import PATIENT, Patience
from lib.data.formats import archives


def script(*names: str, arguments: Sequence[str] | None = None) -> int:
    """The main function of a data script for the variants ``names``, the original first; its exit code."""
    return main([registry.get(name) for name in names], arguments, description=registry.get(names[0]).what)


def main(
    variants: Sequence[Dataset],
    arguments: Sequence[str] | None = None,
    *,
    description: str = "",
    each: bool = False,
) -> int:
    """Parse the shared command line and obey it.

    Without ``each``, the data sets are variants of one: --variant picks, else the first that --mirror holds
    completely, else the first. With ``each``, all of them are meant.
    """
    parser = argparse.ArgumentParser(description=description)
    parser.set_defaults(variant=None)
    add_options(parser)
    if not each and len(variants) > 1:
        parser.add_argument("--variant", choices=[d.name for d in variants], help="which variant")
    return obey(variants, parser.parse_args(arguments), each)


def obey(variants: Sequence[Dataset], options: argparse.Namespace, each: bool) -> int:
    """Do what `add_options` has parsed; the exit code."""
    root = options.root or registry.root()
    chosen = list(variants) if each else [_choose(variants, options.variant, options.mirror)]
    if options.check and not each and not options.variant:
        here = [d for d in variants if any((root / d.name / file.name).exists() for file in d.files)]
        chosen = here or chosen
    failed = 0
    for entry in chosen:
        try:
            if options.check:
                lines = check(entry, root)
                failed += bool(lines)
            else:
                lines = obtain(entry, root, options.mirror, options.force)
            print("\n".join(lines) if lines else f"{entry.name}: as published, {entry.items:,} items")
        except (ValueError, OSError) as error:
            failed += 1
            print(f"{entry.name}: {error}", file=sys.stderr)
    return 1 if failed else 0


def obtain(
    entry: Dataset, root: Path, mirror: Path | None = None, force: bool = False, patience: Patience = PATIENT
) -> list[str]:
    """Bring every missing file of a data set, from ``mirror`` if it is there, else from its address.

    Files that are here are verified; ``force`` fetches them anew. Returns a line for each file. Raises
    FetchError, Missing or Corrupt.
    """
    if entry.packaged:
        if not registry.present(entry.name):
            raise registry.Missing(f"{entry.name} is not here. {registry.remedy(entry)}")
        return [f"{entry.name}: shipped with an installed package"]
    lines = []
    for file in entry.files:
        target = root / entry.name / file.name
        if target.exists() and not force:
            registry.verify(file, target)
            lines.append(f"{entry.name}: {file.name} is here")
            continue
        held = _in_mirror(entry, file, mirror)
        if held is None and not file.url:
            lacking = f"{file.name} is not here" if mirror is None else f"{mirror} has no {file.name}"
            raise registry.Missing(f"{lacking}. {advice(entry)}")
        _bring(file, held, target, force, patience)
        if force:
            registry.forget(target)
        size, digest = target.stat().st_size, registry.verify(file, target)
        lines.append(f"{entry.name}: {file.name}, {size:,} bytes, {digest}")
    return lines


def check(entry: Dataset, root: Path) -> list[str]:
    """What is wrong with a data set: every byte hashed again, items counted, decoded copies compared."""
    if entry.packaged:
        return [] if registry.present(entry.name) else [f"{entry.name} is not here. {registry.remedy(entry)}"]
    wrong = []
    for file in entry.files:
        place = root / entry.name / file.name
        if not place.exists():
            wrong.append(f"{entry.name}: {place} is not here. {registry.remedy(entry)}")
            continue
        try:
            registry.verify(file, place, afresh=True)
            if file.holds and (found := count(place, file.holds[0])) != file.holds[1]:
                wrong.append(f"{entry.name}: {place} holds {found:,} {file.holds[0]}, not {file.holds[1]:,}")
        except ValueError as error:
            wrong.append(f"{entry.name}: {error}")
    return wrong or [f"{entry.name}: {line}" for line in cache.problems(entry.name, root)]


def count(place: Path, what: str) -> int:
    """How many members of an archive match a pattern, or "lines", csv "rows" or json "keys" there are."""
    if what in ("lines", "rows", "keys"):
        content = archives.gunzip(place) if place.suffix == ".gz" else place.read_bytes()
        if what == "keys":
            return len(json.loads(content))
        return content.count(b"\n") - (what == "rows")
    return sum(fnmatch.fnmatch(PurePosixPath(name).name, what) for name in archives.names(place))


def _bring(file: File, held: Path | None, target: Path, force: bool, patience: Patience) -> None:
    """From a mirror, which holds it there, else by pip or from its address."""
    verify, digest = partial(registry.compare, file), file.digest.removeprefix("sha256:")
    if held is not None:
        fetch.copy(held, target, verify)
    elif file.url.startswith("pip:"):
        fetch.pip_download(file.url.removeprefix("pip:"), digest, target, verify)
    else:
        known = bool(file.digest)
        fetch.download(file.url, target, verify, bytes=file.bytes, known=known, anew=force, patience=patience)


def advice(entry: Dataset) -> str:
    """How to get a data set, and what a folder for --mirror would be made of."""
    lacking = [file.name for file in entry.files if not file.url]
    if not lacking or entry.manual:
        return registry.remedy(entry)
    return (
        f"{registry.remedy(entry)} No address serves {' and '.join(lacking)}: ask who has it, or use another "
        f"preset. Its content is from {entry.source.removesuffix(', packed')} (licence: {entry.licence})."
    )


def _in_mirror(entry: Dataset, file: File, mirror: Path | None) -> Path | None:
    """The file in a mirror, which may be flat or have a folder for each data set."""
    places = () if mirror is None else (mirror / entry.name / file.name, mirror / file.name)
    return next((place for place in places if place.is_file()), None)


def _choose(variants: Sequence[Dataset], name: str | None, mirror: Path | None) -> Dataset:
    if name:
        return next(d for d in variants if d.name == name)
    held = (d for d in variants if mirror and all(_in_mirror(d, f, mirror) for f in d.files))
    return next(held, variants[0])


def add_options(parser: argparse.ArgumentParser) -> None:
    """The options that every command about data has."""
    parser.add_argument("--root", type=Path, help=f"where data sets are kept (default {registry.root()})")
    parser.add_argument("--mirror", type=_folder, metavar="DIR", help="take the files from this folder")
    parser.add_argument("--check", action="store_true", help="hash and count what is here; fetch nothing")
    parser.add_argument("--force", action="store_true", help="fetch anew what is here")


def _folder(text: str) -> Path:
    path = Path(text).expanduser()
    if not path.is_dir():
        raise argparse.ArgumentTypeError(f"{os.fspath(path)!r} is not a folder")
    return path
