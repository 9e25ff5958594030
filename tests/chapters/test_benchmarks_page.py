"""What was asked of a benchmark is read from its table, and judged by the number to its left."""

import math

import pytest

from lib.chapters import benchmarks

MACHINE = {"date": "2026-11-22T10:00:00+00:00", "environment": {"processor": "a core", "threads": 2}}
TABLES = {
    "speed": {
        "columns": ["comparison", "ratio", "asked", "measured"],
        "rows": [
            ["a", 31.0, ">= 30", "3 ms"],
            ["b", 2.5, "<= 2", ""],
            ["c", None, ">= 5", "no peer"],
            ["d", 1.0, "", ""],
        ],
    },
    "sizes": {
        "columns": ["network", "pairs", "asked", "separated", "sine", "asked", "MiB"],
        "rows": [["32 outputs", 13, "<= 25", "7 of 8", math.nan, "< 1e-3", 4.0]],
    },
    "growth": {"columns": ["with", "seconds"], "rows": [["a", 1.0]]},
}
TABLES = {name: MACHINE | table for name, table in TABLES.items()}


def test_every_demand_is_judged():
    table = benchmarks.judged(TABLES)
    assert [row[1:] for row in table.rows[:3]] == [
        ["a", 31.0, ">= 30", "yes"],
        ["b", 2.5, "<= 2", "no"],
        ["c", None, ">= 5", "not measured"],
    ]
    assert table.rows[3][1:] == ["32 outputs: pairs", 13, "<= 25", "yes"]
    assert (table.rows[4][1], table.rows[4][-1]) == ("32 outputs: sine", "no"), "not a number meets nothing"
    assert len(table.rows) == 5
    assert table.note.startswith("2 of 5 met; measured 2026-11-22, a core, threads allowed: 2.")
    assert benchmarks.judged({}).rows == []


@pytest.mark.parametrize(("value", "answer"), [(1.5, "yes"), (2.5, "no")])
def test_two_ways_to_meet_one_demand_are_one_row(value, answer):
    rows = [
        ["loop over measure_jacobians, 9 x 4", 16.0, ">= 30"],
        ["measure_jacobians over its floor, 9 x 4", value, "<= 2"],
        ["measure_jacobians over its floor, 8 x 4", 3.0, "<= 2"],
    ]
    table = benchmarks.judged({"x": MACHINE | {"columns": ["measurement", "value", "asked"], "rows": rows}})
    assert [row[1] for row in table.rows] == ["the loop, or the floor, 9 x 4", rows[2][0]]
    assert [row[-1] for row in table.rows] == [answer, "no"]
    assert table.rows[0][3] == ">= 30 or <= 2"


def test_the_worst_chapter_stands_for_all():
    rows = [
        ["cold", 300.0, "s", "<= 600"],
        ["chapter one", 20.0, "s", "<= 60"],
        ["chapter one: memory", 900, "MiB", "<= 2048"],
        ["chapter two", 70.0, "s", "<= 60"],
        ["chapter two: memory", 800, "MiB", "<= 2048"],
    ]
    table = benchmarks.judged(
        {"book": MACHINE | {"columns": ["what", "measured", "unit", "asked"], "rows": rows}}
    )
    assert [row[1:] for row in table.rows] == [
        ["cold, s", 300.0, "<= 600", "yes"],
        ["the worst chapter, one: memory, MiB", 900, "<= 2048", "yes"],
        ["the worst chapter, two, s", 70.0, "<= 60", "no"],
    ]


@pytest.mark.parametrize(
    ("value", "asked", "wanted"),
    [(2, "<= 2", True), (2, "< 2", False), (2, ">= 2", True), (2, "> 2", False), (1e-4, "< 1e-3", True)],
)
def test_comparisons(value, asked, wanted):
    assert benchmarks.met(value, asked) is wanted


@pytest.mark.parametrize("asked", ["about 30", ">= 30, or", "= 3"])
def test_what_cannot_be_read_is_an_error(asked):
    with pytest.raises(ValueError, match="asked = "):
        benchmarks.met(1.0, asked)
