"""The picture in ARCHITECTURE.md shows the code: a dozen rooms, few arrows, no circle."""

import re

import house


def test_the_picture_shows_the_rooms_and_arrows_of_the_code():
    """Its counts may lag behind by a third; an arrow or a room may not."""
    told = re.findall(r'data-arrow="(\w+) (\w+)">(\d+)<', house.PICTURE.read_text(encoding="utf-8"))
    shown = {(here, there): int(count) for here, there, count in told}
    counted = house.arrows()
    assert shown.keys() == counted.keys(), "draw it again: make house"
    for pair, count in counted.items():
        assert abs(shown[pair] - count) <= 2 + count / 3, f"{pair}: draw it again, make house"


def test_the_house_is_small_and_has_no_circle():
    rooms = [room for floor in house.floors() for room in floor if room != "__main__"]
    inside = {path.name for path in (house.ROOT / "lib").iterdir() if (path / "__init__.py").is_file()}
    assert set(rooms) == inside
    assert len(rooms) <= 12
    assert len(house.arrows()) < 60
    assert house.circle() == []


def test_a_circle_would_be_found(monkeypatch):
    a, b, c, d = ("a",), ("b",), ("c",), ("d",)
    monkeypatch.setattr(house, "imports", lambda: {(a, b), (b, c), (c, b), (d, a), (a, ("e",))})
    assert house.circle() == ["b", "c"]
