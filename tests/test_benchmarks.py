"""What is measured is kept whole and comes back; fits and limits are what they say. No time is judged."""

import io
import json

import pytest
import torch

from benchmarks import __main__ as command
from benchmarks import _record, before, book, growth, limits, transferability
from lib.base.tables import Table
from lib.chapters import benchmarks as plot
from lib.engine import results
from lib.measures import jacobian


def test_a_table_is_kept_with_machine_and_date_and_comes_back(tmp_path):
    table = Table(["what", "value"], [["a", torch.tensor(1.5)], ["b", None], ["c", 2]], "A caption", "a note")
    _record.keep("toy", table, tmp_path)
    found = results.benchmarks(tmp_path)["toy"]
    assert found["rows"] == [["a", 1.5], ["b", None], ["c", 2]]
    assert (found["columns"], found["caption"], found["note"]) == (["what", "value"], "A caption", "a note")
    assert {"torch", "threads", "processor"} <= found["environment"].keys()
    path = tmp_path / "toy.json"
    path.write_text(path.read_text().replace("1.5", "0.5"))
    with pytest.raises(ValueError, match=r"toy\.json is no recorded benchmark.*--record"):
        results.benchmarks(tmp_path)
    path.write_text("[1")
    with pytest.raises(ValueError, match="is no recorded benchmark"):
        results.benchmarks(tmp_path)


def test_every_recorded_benchmark_is_sound():
    assert {"transferability", "book", "attacks"} <= results.benchmarks().keys()
    for content in results.benchmarks().values():
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
        plot.growth({}, "a stamp")


def test_operations_are_counted_where_a_network_is_attacked():
    """A linear layer of 6 x 4 on 5 samples: a forward pass, and for each of 4 outputs a product back to x."""
    layer, x = torch.nn.Linear(6, 4).eval(), torch.zeros(5, 6)
    with limits.Operations() as counted:
        jacobian.jacobians(layer, x)
    assert counted.total == (1 + 4) * 2 * 5 * 6 * 4


def test_shares_of_the_time_are_shares():
    source, target = (torch.randn(300, 4, 6, dtype=torch.float64) for _ in range(2))
    found = transferability.shares(source, target, repeats=3)
    assert sum(found.values()) == pytest.approx(1)
    assert min(found.values()) > 0
    assert len(found) == len(transferability.PARTS) + 1


class Played:
    """A worker whose answers are known: seconds that grow by the round, and one value."""

    def __init__(self, seconds, value):
        self.seconds, self.value, self.stdin, self.stdout = seconds, value, io.StringIO(), self

    def readline(self):
        self.seconds += 1
        return json.dumps({"seconds": self.seconds, "values": [0.5, self.value]})


def test_a_call_beside_another_revision_is_a_ratio_of_medians():
    then, now = Played(0.0, 0.25), Played(6.0, 0.75)  # a round to warm up, then 2 to 10 and 8 to 16
    assert before.line("measure", then, now) == ["measure", 2.0, before.ASKED, 12.0, 6.0, 0.5]
    assert then.stdin.getvalue() == "measure\n" * (before.ROUNDS + 1)
    then.readline = lambda: ""
    with pytest.raises(RuntimeError, match="'measure' ended"):
        before.line("measure", then, now)


def test_the_code_of_a_folder_is_that_folder(tmp_path):
    (tmp_path / "lib").mkdir()
    with before.code_of(str(tmp_path)) as found:
        assert found == tmp_path


def test_a_failed_benchmark_leaves_the_others_their_turn(monkeypatch, capsys):
    tables = {"a": lambda: 1 / 0, "b": lambda: Table(["x"], [[1]])}
    modules = {f"benchmarks.{name}": type(name, (), {"rows": staticmethod(f)}) for name, f in tables.items()}
    kept = []
    monkeypatch.setattr(command, "NAMES", ["a", "b"])
    monkeypatch.setattr(command, "import_module", modules.get)
    monkeypatch.setattr(_record, "keep", lambda name, table: kept.append(name))
    monkeypatch.setattr("sys.argv", ["benchmarks", "--record"])
    with pytest.raises(SystemExit) as stopped:
        command.main()
    assert (stopped.value.code, kept) == (1, ["b"])
    assert "ZeroDivisionError" in capsys.readouterr().err


def test_the_book_is_timed_in_a_copy(monkeypatch):
    """Builds are played: each chapter's digest follows the file that it depends on."""
    builds = []

    def build(root, code=0):
        builds.append((root / "book/intro.md").read_text())
        experiment = (root / "lib/experiments/images/record.py").read_text()
        (root / "_build/executed").mkdir(parents=True, exist_ok=True)
        assert ("1 / 0" in (root / "book/definitions.md").read_text()) == bool(code)
        for name, digest in (("images", f"{len(experiment)}"), ("rbf", "same")):
            told = {"digest": digest, "seconds": 3.0, "memory": 500.0}
            content = {"metadata": {"transferability": told}}
            (root / f"_build/executed/{name}.ipynb").write_text(json.dumps(content))
        return float(len(builds)), 0.5

    monkeypatch.setattr(book, "build", build)
    table = book.rows()
    found = {row[0]: row[1:3] for row in table.rows}
    assert found["cold"] == [1, "s"]
    assert found["again, nothing changed"] == [2, "s"]
    assert found["again: processor time"] == [0.5, "s"]
    assert found["after a change of prose"] == [3, "s"]
    assert builds[0] == builds[1] != builds[2] == builds[3]
    assert found["after a change in the image experiment, which 1 chapters use"] == [4, "s"]
    assert found["cold beside 4 busy processes, over cold"] == [6, "times"]
    assert found["chapter images"] == [3.0, "s"]
    assert found["chapter images: memory at most"] == [500.0, "MiB"]
    for file in ("book/intro.md", "lib/experiments/images/record.py"):  # the project itself is as it was
        assert not {"A sentence more.", "# a comment more"} & set(
            (book.fingerprint.ROOT / file).read_text().split("\n")
        )
