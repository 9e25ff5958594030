import pytest

from lib import statistics
from lib.base import paper


@pytest.mark.parametrize(
    ("table", "column", "tau", "p"),
    [
        (paper.TEXT, "tau1", -1 / 3, 5 / 6),
        (paper.TEXT, "tau2", 1, 1 / 6),
        (paper.TEXT, "adversarial_loss", 1, 1 / 6),
        (paper.ATTRIBUTES, "tau1", 0.8, 5 / 120),
        (paper.ATTRIBUTES, "tau2", 0.4, 29 / 120),
        (paper.ATTRIBUTES, "adversarial_loss", 0.8, 5 / 120),
    ],
)
def test_the_printed_tables_order_as_they_do(table, column, tau, p):
    found = statistics.kendall(table.columns[column], table.columns["knowledge"])
    assert (found.tau, found.p_one_sided) == pytest.approx((tau, p))


def test_every_claim_has_its_own_key_page_and_place():
    assert len(paper.CLAIMS) == len(paper._CLAIMS)
    assert all(1 <= claim.page <= 26 and claim.place and claim.quote for claim in paper._CLAIMS)
    pages = [claim.page for claim in paper._CLAIMS]
    assert pages == sorted(pages)


def test_a_reading_of_a_damaged_print_is_marked():
    assert "0716" in paper.TEXT.doubts["Yelp", "adversarial_loss"]
    assert all(s in paper.TEXT.sources and c in paper.TEXT.columns for s, c in paper.TEXT.doubts)


def test_mistakes_are_named():
    with pytest.raises(ValueError, match="rbf_beta"):
        paper.claim("rbf_betta")
    with pytest.raises(ValueError, match="2 values for 1 sources"):
        paper.Table(1, "x", ("a",), {"tau1": (1.0, 2.0)})
