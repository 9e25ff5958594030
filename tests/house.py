"""The picture of ARCHITECTURE.md, drawn from the code: the rooms of `lib`, their floors, who imports whom.

    python tests/house.py      (or make house) writes book/_static/house.svg

Read from the syntax trees; the floors are import-linter's, from pyproject.toml. An arrow from one room to
another counts pairs of files: how many times a file of the one imports a file of the other.
"""

from __future__ import annotations

import ast
import re
import tomllib
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
PICTURE = ROOT / "book/_static/house.svg"
WIDTH, FLOOR, BOX = 960, 124, (150, 40)  # of the picture, from floor to floor, and of a room
COLOURS = ("#595959", "#8a3a6e", "#0072B2", "#B34A00", "#00735a", "#1d6fa5", "#8a6d00")  # dark enough to read
DOOR = "__main__"

Module = tuple[str, ...]
Point = tuple[float, float]


def floors() -> list[list[str]]:
    """The rooms, from the top floor to the ground."""
    config = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    contracts = config["tool"]["importlinter"]["contracts"]
    (law,) = [each for each in contracts if each["type"] == "layers"]
    return [re.findall(r"\w+", layer) for layer in law["layers"]]


def imports() -> set[tuple[Module, Module]]:
    """(importing file, imported file), as dotted parts inside `lib`; of all but the public face."""
    files = {
        path: path.relative_to(ROOT / "lib").with_suffix("").parts for path in (ROOT / "lib").rglob("*.py")
    }
    modules = {parts[:-1] if parts[-1] == "__init__" else parts for parts in files.values()} - {()}
    found = set()
    for path, parts in files.items():
        here = parts[:-1] if parts[-1] == "__init__" else parts
        for name in _imported(ast.parse(path.read_text(encoding="utf-8"))) if here else ():
            there = next((name[:end] for end in range(len(name), 0, -1) if name[:end] in modules), here)
            found |= {(here, there)} if there != here else set()
    return found


def _imported(tree: ast.Module) -> Iterator[Module]:
    for node in ast.walk(tree):
        names = [alias.name for alias in node.names] if isinstance(node, ast.Import | ast.ImportFrom) else []
        if isinstance(node, ast.ImportFrom):
            names = [f"{node.module}.{name}" for name in names]
        yield from (tuple(name.split(".")[1:]) for name in names if name.startswith("lib."))


def arrows() -> Counter[tuple[str, str]]:
    """How many imports lead from one room to another; the door counts as none."""
    pairs = [(here[0], there[0]) for here, there in imports()]
    return Counter(pair for pair in pairs if pair[0] != pair[1] and DOOR not in pair)


def circle() -> list[str]:
    """Files on a circle of imports, or on a way from one circle to another; none, if all is well."""
    left, before = imports(), None
    while left != before:
        before = left
        importing, imported = {here for here, _ in left}, {there for _, there in left}
        left = {(here, there) for here, there in left if here in imported and there in importing}
    return sorted({".".join(here) for here, _ in left})


def drawn() -> str:
    """The picture, as SVG."""
    rooms = [[room for room in floor if room != DOOR] for floor in floors()]
    rooms = [floor for floor in rooms if floor]
    spots = {room: _spot(i, j, len(floor)) for i, floor in enumerate(rooms) for j, room in enumerate(floor)}
    counts = arrows()
    height = FLOOR * len(rooms) + 20
    lines = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height}" role="img" '
        'font-family="Helvetica, Arial, sans-serif">',
        f"<title>The {len(spots)} rooms of lib and the {len(counts)} arrows between them</title>",
        f"<desc>{_told(counts)}</desc>",
        f'<rect width="{WIDTH}" height="{height}" fill="white"/>',
    ]
    for i in range(0, len(rooms), 2):
        lines.append(f'<rect y="{i * FLOOR + 10}" width="{WIDTH}" height="{FLOOR}" fill="#f2f4f6"/>')
    tails, tips = _ports(counts, spots, 0), _ports(counts, spots, 1)
    colours = {room: COLOURS[i % len(COLOURS)] for i, room in enumerate(spots)}
    for pair, count in sorted(counts.items()):
        lines.append(_arrow(tails[pair], tips[pair], colours[pair[0]], count, pair))
    lines += [_room(room, *spot, colours[room]) for room, spot in spots.items()]
    return "\n".join([*lines, "</svg>", ""])


def _told(counts: Counter[tuple[str, str]]) -> str:
    return "; ".join(f"{here} to {there}: {count}" for (here, there), count in sorted(counts.items()))


def _spot(floor: int, place: int, count: int) -> Point:
    """The middle of a room; floors are shifted against one another, so that arrows pass between rooms."""
    shift = (-330, 90)[floor % 2] if count == 1 and floor < 2 else (0, 36, 0, -36)[floor % 4]
    return WIDTH * (place + 0.5) / count + shift, FLOOR * (floor + 0.5) + 10


def _ports(
    counts: Counter[tuple[str, str]], spots: dict[str, Point], end: int
) -> dict[tuple[str, str], Point]:
    """Where each arrow leaves its room (end 0, below) or reaches it (end 1, above), side by side."""
    found = {}
    for room, (x, y) in spots.items():
        mine = [pair for pair in counts if pair[end] == room]
        mine.sort(key=lambda pair: spots[pair[1 - end]][0] - x)
        for i, pair in enumerate(mine):
            edge = y - BOX[1] / 2 - 1 if end else y + BOX[1] / 2
            found[pair] = x + BOX[0] * ((i + 0.5) / len(mine) - 0.5) * 0.92, edge
    return found


def _arrow(tail: Point, tip: Point, colour: str, count: int, pair: tuple[str, str]) -> str:
    """A curve as thick as its count, which stands near its tail."""
    (x, y), (u, v) = tail, tip
    v -= 7  # the head
    bend = min(70, (v - y) / 2)
    path = f"M{x:.0f} {y:.0f}C{x:.0f} {y + bend:.0f} {u:.0f} {v - bend:.0f} {u:.0f} {v:.0f}"
    width = 1 + min(count, 60) / 20
    head = f"M{u - 4:.0f} {v - 1:.0f}h8l-4 8z"
    return (
        f'<path d="{path}" fill="none" stroke="{colour}" stroke-width="{width:.1f}" stroke-opacity="0.75"/>'
        f'<path d="{head}" fill="{colour}"/>'
        f'<text x="{x:.0f}" y="{y + 14:.0f}" font-size="11" fill="{colour}" text-anchor="middle" '
        f'paint-order="stroke" stroke="white" stroke-width="4" data-arrow="{" ".join(pair)}">{count}</text>'
    )


def _room(name: str, x: float, y: float, colour: str) -> str:
    width, height = BOX
    return (
        f'<rect x="{x - width / 2:.0f}" y="{y - height / 2:.0f}" width="{width}" height="{height}" rx="6" '
        f'fill="white" stroke="{colour}" stroke-width="2"/>'
        f'<text x="{x:.0f}" y="{y + 5:.0f}" font-size="15" text-anchor="middle">{name}</text>'
    )


if __name__ == "__main__":
    PICTURE.write_text(drawn(), encoding="utf-8")
    print(f"{PICTURE.relative_to(ROOT)}: {len(arrows())} arrows between rooms")
    if found := circle():
        print(f"a circle among {', '.join(found)}")
