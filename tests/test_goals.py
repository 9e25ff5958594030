"""What was asked of a benchmark is read from its table, and judged by the number to its left."""

import math

import pytest

from lib.planning import goals

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


def test_every_demand_is_judged():
    table = goals.judged(TABLES)
    assert [row[1:] for row in table.rows[:3]] == [
        ["a", 31.0, ">= 30", "yes"],
        ["b", 2.5, "<= 2", "no"],
        ["c", None, ">= 5", "not measured"],
    ]
    assert table.rows[3][1:] == ["32 outputs: pairs", 13, "<= 25", "yes"]
    assert (table.rows[4][1], table.rows[4][-1]) == ("32 outputs: sine", "no"), "not a number meets nothing"
    assert len(table.rows) == 5
    assert table.note.startswith("2 of 5 met")
    assert goals.judged({}).rows == []


@pytest.mark.parametrize(
    ("value", "asked", "wanted"),
    [(2, "<= 2", True), (2, "< 2", False), (2, ">= 2", True), (2, "> 2", False), (1e-4, "< 1e-3", True)],
)
def test_comparisons(value, asked, wanted):
    assert goals.met(value, asked) is wanted


@pytest.mark.parametrize("asked", ["about 30", ">= 30, or", "= 3"])
def test_what_cannot_be_read_is_an_error(asked):
    with pytest.raises(ValueError, match="asked = "):
        goals.met(1.0, asked)
