import math

import pytest

from lib.base.tables import Table, number


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        (0.12345, "0.123"),
        (12.345, "12.3"),
        (1234.5, "1,234"),
        (0.0, "0"),
        (1.5e-7, "1.50e-7"),
        (-2.5e9, "-2.50e9"),
        (True, "yes"),
        (7, "7"),
        (12000, "12,000"),
        ("a", "a"),
        (None, "–"),
        (math.nan, "–"),
        (math.inf, "inf"),
    ],
)
def test_number(value, shown):
    assert number(value) == shown


def test_html_escapes_and_aligns():
    shown = Table(["name", "value"], [["a<b", 1.0], ["c", None]], note="quick & small")._repr_html_()
    assert "a&lt;b" in shown
    assert "quick &amp; small" in shown
    assert shown.count("text-right") == 3  # the head and two cells of the numeric column
    assert 'class="text-left">a' in shown


def test_markdown_round():
    lines = str(Table(["a|b", "n"], [["x", 2]], caption="T")).splitlines()
    assert lines == ["**T**", "", "| a\\|b | n |", "| --- | ---: |", "| x | 2 |"]


def test_a_short_row_is_refused():
    with pytest.raises(ValueError, match="row 1 has 1 cells"):
        Table(["a", "b"], [[1, 2], [1]])


def test_mathematics_is_marked_for_the_page_and_escaped():
    shown = Table(["x"], [["$a < b$ by `f`"]])._repr_html_()
    assert r'<span class="math notranslate nohighlight">\(a &lt; b\)</span> by <code>f</code>' in shown


def test_tau_b_is_typeset_in_a_page_and_plain_in_a_terminal():
    table = Table(["mean τ_b"], [["τ_b 0.5"]])
    assert table._repr_html_().count("τ<sub>b</sub>") == 2
    assert str(table).count("τ_b") == 2
