import pytest

from lib.data import figures, registry


@pytest.fixture
def nothing(root):
    """What is here when nothing was fetched: packaged sets only."""
    return registry.digests()


def words(fig):
    return " ".join(text.get_text() for holder in (fig, *fig.axes) for text in holder.texts)


def test_with_nothing_fetched_the_digits_are_shown(nothing):
    assert [name for name, digest in nothing.items() if digest] == ["digits"]
    fig = figures.sheet("digits", nothing, pictures=3)
    (ax,) = fig.axes
    assert [label.get_text() for label in ax.get_yticklabels()] == [str(digit) for digit in range(10)]
    canvas = ax.images[0].get_array()
    assert canvas.shape == (10 * 9, 3 * 9)
    assert canvas[:8, :8].max() > 128
    assert nothing["digits"][:12] in words(fig)


@pytest.mark.parametrize(
    ("draw", "name"),
    [
        (lambda here: figures.sheet("cifar10_jpg", here), "cifar10_jpg"),
        (figures.targets, "tinyimagenet32"),
        (figures.scenes, "nyuv2"),
        (figures.people, "celeba_299"),
    ],
)
def test_an_absent_set_is_a_sentence_that_says_how_to_get_it(draw, name, nothing, capsys):
    assert draw(nothing) is None
    shown = capsys.readouterr().out
    assert f"({name}) is not here" in shown
    assert registry.get(name).command in shown


@pytest.mark.parametrize("name", ["celeba_299", "celeba", "lfw_96", "face_benchmarks"])
def test_no_face_is_shown(name, nothing):
    with pytest.raises(ValueError, match="is not shown in the book"):
        figures.sheet(name, nothing | {name: "0"})


def test_tables_with_nothing_fetched(nothing):
    assert [row[0] for row in figures.counts(nothing).rows] == ["digits"]
    assert figures.counts(nothing).rows[0][2:] == ["104 to 113", "20", "50"]
    listed = {row[0]: row[3] for kind in figures.EXPERIMENTS for row in figures.entries(kind, nothing).rows}
    assert set(listed) == set(registry.CATALOGUE)
    assert [name for name, here in listed.items() if here] == ["digits"]
    assert {row[0] for row in figures.differences().rows} >= {"cifar10_jpg", "nyuv2", "celeba_299"}
