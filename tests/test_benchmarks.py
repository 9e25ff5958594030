"""What is measured is kept whole and comes back; fits and limits are what they say. No time is judged."""

import json

import pytest
import torch

from benchmarks import _record, growth, limits
from lib import figures, records
from lib.figures import growth as plot
from lib.tables import Table


def test_a_table_is_kept_with_machine_and_date_and_comes_back(tmp_path):
    table = Table(["what", "value"], [["a", torch.tensor(1.5)], ["b", None], ["c", 2]], "A caption", "a note")
    _record.keep("toy", table, tmp_path)
    found = records.benchmarks(tmp_path)["toy"]
    assert found["rows"] == [["a", 1.5], ["b", None], ["c", 2]]
    assert (found["columns"], found["caption"], found["note"]) == (["what", "value"], "A caption", "a note")
    assert {"torch", "threads", "processor"} <= found["environment"].keys()
    path = tmp_path / "toy.json"
    path.write_text(path.read_text().replace("1.5", "0.5"))
    with pytest.raises(ValueError, match=r"toy\.json is no recorded benchmark.*--record"):
        records.benchmarks(tmp_path)
    path.write_text("[1")
    with pytest.raises(ValueError, match="is no recorded benchmark"):
        records.benchmarks(tmp_path)


def test_every_recorded_benchmark_is_sound():
    for content in records.benchmarks().values():
        json.dumps(Table(content["columns"], content["rows"]).rows)


def test_exponents_are_slopes_of_the_upper_half():
    sizes = (1, 2, 4, 8, 16, 32)
    assert growth.exponent(sizes, [3 * size**1.7 for size in sizes]) == pytest.approx(1.7)
    assert growth.exponent(sizes, [9, 9, 9, 8, 16, 32]) == pytest.approx(1)


def test_the_share_of_the_limit(monkeypatch):
    """A product of 2 x 10^6 operations and 1000 bytes, on a machine of 10^9 and 10^3 a second."""
    a = torch.zeros(100, 100)
    monkeypatch.setattr(limits, "seconds", lambda work, repeats: 4.0)
    rates = {torch.float32: 1e9}
    by_bytes = limits.line("a", lambda: a @ a, torch.float32, 1000, rates, 1e3)
    assert by_bytes == ["a", 2e-3, 1e-3, 1.0, 4.0, 25.0]
    assert limits.line("a", lambda: a @ a, torch.float32, 0, rates, 1e3)[3] == pytest.approx(2e-3)


def test_curves_from_rows_and_their_figure():
    found = plot.curves([["a", 1, 2.0, None, ""], ["a", 2, 4.0, 1.0, "1"], ["b", 3, 9.0, 2.0, "2"]])
    assert found == {"a": [(1.0, 2.0), (2.0, 4.0)], "b": [(3.0, 9.0)]}
    fig = plot.growth(found, "a stamp")
    line = fig.axes[0].lines[0]
    assert (list(line.get_xdata()), list(line.get_ydata())) == ([1, 2], [1, 2])
    with pytest.raises(ValueError, match="there is no curve"):
        figures.growth.growth({}, "a stamp")
