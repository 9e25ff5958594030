"""The picture in ARCHITECTURE.md shows the code: a dozen rooms, few arrows, no circle."""

import re

import house


def test_the_picture_is_the_code_s():
    assert house.PICTURE.read_text(encoding="utf-8") == house.drawn(), "draw it again: make house"


def test_its_numbers_are_the_arrows_between_rooms():
    told = re.findall(r'data-arrow="(\w+) (\w+)">(\d+)<', house.PICTURE.read_text(encoding="utf-8"))
    assert {(here, there): int(count) for here, there, count in told} == dict(house.arrows())


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
