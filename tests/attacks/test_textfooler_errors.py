"""What TextFooler refuses, and how it says so."""

import pytest
import torch
from toywords import BARE, attack

from lib import attacks
from lib.attacks.words.textfooler import RELEASED, Options


@pytest.mark.parametrize(
    ("rows", "message"),
    [
        (torch.zeros(3, 2), r"\(3, 2\) for 1 sentences"),
        (torch.zeros(1), r"\(1,\) for 1 sentences"),
        (torch.zeros(1, 1), r"at least 2"),
        (torch.tensor([[0.0, torch.nan]]), "classify is not finite for the sentence 'bano'"),
    ],
)
def test_rows_that_do_not_fit_are_refused(rows, message):
    with pytest.raises(ValueError, match=message):
        attacks.textfooler(lambda texts: rows, ["bano"], candidates={}, options=BARE)


def test_wrong_arguments_are_refused():
    def classify(texts):
        return torch.zeros(len(texts), 2)

    with pytest.raises(TypeError, match="list of strings"):
        attacks.textfooler(classify, "one text", candidates={}, options=BARE)
    with pytest.raises(TypeError, match="returned a list: it must return a tensor"):
        attacks.textfooler(lambda texts: [[0, 0]], ["a"], candidates={}, options=BARE)
    with pytest.raises(ValueError, match=r"similarity = 0.5 needs `encode`"):
        attacks.textfooler(classify, ["a"], candidates={})
    with pytest.raises(TypeError, match="a Linear without a tokenizer"):
        attacks.textfooler(torch.nn.Linear(2, 2), ["a"], candidates={}, options=BARE)
    with pytest.raises(TypeError, match="candidates is a list"):
        attacks.textfooler(classify, ["a"], candidates=["b"], options=BARE)
    with pytest.raises(TypeError, match="candidates of 'bano' are the text 'ko'"):
        attack(0, ["bano " * 10], candidates={"bano": "ko"})


def test_a_classifier_may_not_change_its_width():
    widths = iter([2, 3])
    with pytest.raises(ValueError, match="rows of 3 after rows of 2"):
        attacks.textfooler(
            lambda texts: torch.zeros(len(texts), next(widths)),
            ["bano " * 10],
            candidates={"bano": ["ko"]},
            options=BARE,
        )


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"rate": 1.2}, r"lies in \[0, 1\]"),
        ({"rate": float("nan")}, r"lies in \[0, 1\]"),
        ({"similarity": 1.5}, r"similarity = 1.5: an angular threshold lies in \[-2.14, 1\]"),
        ({"measure": "cosine", "short_similarity": -2}, r"lies in \[-1.00, 1\]"),
        ({"measure": "euclidean"}, "choose angular or cosine"),
        ({"after_flip": "stop"}, "choose similar or lowest"),
        ({"batch": 0}, "batch = 0: pass at least 1"),
        ({"window": 0}, "window = 0"),
    ],
)
def test_options_out_of_range_are_refused(values, message):
    with pytest.raises(ValueError, match=message):
        Options(**values)


def test_the_budget_is_exact_in_decimals():
    assert [Options(rate=0.29).budget(n) for n in (0, 3, 4, 100)] == [
        0,
        0,
        1,
        29,
    ]  # 0.29 * 100 < 29 in floats
    assert [Options().budget(n) for n in (9, 10, 19, 30)] == [0, 1, 1, 3]
    assert RELEASED.budget(7) == 7
