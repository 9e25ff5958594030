"""A wrong name, type or value stops at once, with a message that tells what to do."""

import dataclasses
from dataclasses import dataclass
from types import SimpleNamespace
from typing import Annotated, Any, Literal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lib.engine import parameters
from lib.engine.parameters import Checked, Count, NotNegative, Some, limits, one_of


@dataclass(frozen=True)
class Config(Checked):
    preset: str
    seeds: Count
    device: str | None
    epsilon: NotNegative
    widths: Some[Count]
    span: tuple[float, float]
    reading: Literal["a", "b"]
    exact: bool
    limit: int | None
    pairs: Annotated[int, limits(ge=5, lt=50, multiple_of=5)]
    rate: Annotated[float, limits(gt=0, le=1)]
    schedule: Annotated[str, one_of({"constant": 1, "cosine": 2})]

    def __post_init__(self):
        super().__post_init__()
        if self.limit is not None and self.limit < self.seeds:
            raise ValueError(f"limit={self.limit} must be at least seeds={self.seeds}")


QUICK = Config("quick", 3, None, 0.1, (50, 100), (0.0, 1.0), "a", False, None, 10, 0.5, "cosine")
TOY = SimpleNamespace(
    NAME="toy", PRESETS={"quick": QUICK, "paper": Config(**(vars(QUICK) | {"preset": "paper"}))}
)


def configured(**values):
    return parameters.configure(TOY, values)


def test_none_and_absent_mean_the_presets_value():
    assert configured() == configured(preset="quick", seeds=None, epsilon=None) == QUICK
    assert configured(preset="paper").preset == "paper"


def test_values_become_the_fields_types():
    config = configured(epsilon=1, widths=[1, 2], span=[0, 2], limit=5, exact=True, device="cpu")
    assert config == Config("quick", 3, "cpu", 1.0, (1, 2), (0.0, 2.0), "a", True, 5, 10, 0.5, "cosine")
    assert isinstance(config.epsilon, float)


def test_a_config_made_by_hand_is_checked_too_and_its_errors_are_one_line():
    assert dataclasses.replace(QUICK, widths=[1], epsilon=1).widths == (1,)
    assert hash(QUICK) == hash(dataclasses.replace(QUICK))
    for values in ({"seeds": 0}, {"widths": [1, "2"]}, {"limit": "x"}):
        with pytest.raises((ValueError, TypeError)) as error:
            dataclasses.replace(QUICK, **values)
        assert "\n" not in str(error.value)
        assert next(iter(values)) in str(error.value)


@pytest.mark.parametrize(
    ("values", "error", "message"),
    [
        (
            {"epsilonn": 1},
            ValueError,
            "toy has no parameter 'epsilonn'. Did you mean 'epsilon'. It has: p",
        ),
        ({"zzz": None}, ValueError, "no parameter 'zzz'. It has"),
        ({"preset": "fast"}, ValueError, "preset 'fast' is not one of toy's: quick, paper"),
        ({"preset": ["quick"]}, ValueError, r"preset \['quick'\] is not one of toy's: quick, paper"),
        ({"epsilon": -1}, ValueError, "toy, preset quick: epsilon=-1 must be at least 0"),
        ({"epsilon": "0.1"}, TypeError, r"epsilon must be float, not '0\.1' \(str\)"),
        ({"epsilon": True}, TypeError, "epsilon must be float, not True"),
        ({"epsilon": float("nan")}, ValueError, "epsilon=nan must be a finite number"),
        ({"epsilon": 10**400}, ValueError, "must be a finite number"),
        ({"seeds": 2.0}, TypeError, r"seeds must be int, not 2\.0 \(float\)"),
        ({"seeds": True}, TypeError, "seeds must be int, not True"),
        ({"exact": 1}, TypeError, "exact must be bool, not 1"),
        ({"widths": 50}, TypeError, r"widths must be a list, not 50.*-y 'widths: \[1, 2\]'"),
        ({"widths": [1, "2"]}, TypeError, r"widths\[1\] must be int"),
        ({"widths": [1, 0]}, ValueError, r"widths\[1\]=0 must be at least 1"),
        ({"widths": []}, ValueError, r"widths=\(\) must be a list of 1 or more"),
        ({"span": [1]}, ValueError, r"span=\(1,\) must be a longer list"),
        ({"span": [1, 2, 3]}, ValueError, r"span=\(1, 2, 3\) must be a list of at most 2"),
        ({"reading": "c"}, ValueError, "reading='c' must be 'a' or 'b'"),
        ({"limit": "x"}, TypeError, "limit must be int, not 'x'"),
        ({"limit": 2}, ValueError, "toy, preset quick: limit=2 must be at least seeds=3"),
        ({"pairs": 12}, ValueError, "pairs=12 must be a multiple of 5"),
        ({"pairs": 50}, ValueError, "pairs=50 must be below 50"),
        ({"rate": 0}, ValueError, "rate=0 must be above 0"),
        ({"rate": 1.5}, ValueError, "rate=1.5 must be at most 1"),
        ({"schedule": "steps"}, ValueError, "schedule='steps' must be one of 'constant', 'cosine'"),
        ({"schedule": 3}, TypeError, "schedule must be str, not 3"),
    ],
)
def test_what_is_wrong_is_said(values, error, message):
    with pytest.raises(error, match=message):
        configured(**values)


def test_only_plain_public_variables_are_parameters():
    import math

    namespace = {"__name__": "x", "_": 1, "_i": "a", "Out": {}, "math": math, "f": len, "epsilon": 0.5}
    assert parameters.configure(TOY, namespace).epsilon == 0.5


def test_in_a_live_notebook_later_variables_are_left_out_but_typos_are_not():
    cells = [
        "",
        "preset = 'quick'\nepsilon = None",
        "# Parameters\nepsilon = 0.5\n",
        "%matplotlib inline",
        "rows = [1]",
    ]
    namespace = {"In": cells, "preset": "quick", "epsilon": 0.5, "rows": [1], "total": 3}
    assert parameters.configure(TOY, namespace).epsilon == 0.5
    cells.append("preset = 'quick'\nepsilom = 1")
    with pytest.raises(ValueError, match="epsilom"):
        parameters.configure(TOY, namespace | {"epsilom": 1})


@given(st.one_of(st.booleans(), st.text(), st.lists(st.integers()), st.dictionaries(st.text(), st.none())))
def test_nothing_but_a_number_becomes_a_number(value):
    with pytest.raises(TypeError):
        parameters.coerce("x", value, float)


@given(st.integers(min_value=-(2**53), max_value=2**53) | st.floats(allow_nan=False, allow_infinity=False))
def test_every_finite_number_is_a_float(value):
    assert parameters.coerce("x", value, float) == value


def test_what_a_chapter_declares_is_read_and_not_executed():
    code = """parameters.plain(
        globals(), a=int, b=str | None, c=tuple[str, ...] | None, d=range(2, 10), e=open("/nowhere"), f=float,
    )"""
    found = parameters.declared(code)
    assert found == {
        "a": int, "b": str | None, "c": tuple[str, ...] | None, "d": range(2, 10), "e": Any, "f": float,
    }  # fmt: skip
    assert parameters.declared("config = parameters.configure(toy, globals())") == {}
    assert parameters.configured("from a import b as c\nparameters.configure(c, globals())") == "b"


def test_a_range_is_the_whole_numbers_in_it():
    assert parameters.coerce("x", 2, range(2, 10)) == 2
    for value in (1, 10, -3):
        with pytest.raises(ValueError, match=f"x={value} must be (at least 2|below 10)"):
            parameters.coerce("x", value, range(2, 10))
    for value in (2.0, "2", True, None):
        with pytest.raises(TypeError, match="x must be int"):
            parameters.coerce("x", value, range(2, 10))


def test_a_list_or_nothing_says_how_a_list_is_written():
    with pytest.raises(TypeError, match=r"x must be a list, not 'a' \(str\); on a command line: .*-p x '\["):
        parameters.coerce("x", "a", tuple[str, ...] | None)


def test_a_chapter_without_an_experiment():
    parameters.plain({"pictures": 8, "_hidden": 1, "In": []}, pictures=int)
    with pytest.raises(ValueError, match="Did you mean 'pictures'"):
        parameters.plain({"pictuers": 8}, pictures=int)
    with pytest.raises(TypeError, match="pictures must be int"):
        parameters.plain({"pictures": "many"}, pictures=int)
