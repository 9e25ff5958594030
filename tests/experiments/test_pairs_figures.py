"""The figures of "Definitions" and "Propositions": what they show is what they were given."""

from dataclasses import replace

import pytest
from matplotlib.text import Text

from lib.base import style
from lib.experiments.pairs import attacks, figures, maps
from lib.experiments.pairs import record as theory
from lib.experiments.pairs.networks import networks
from lib.measures import transferability

CONFIG = replace(theory.PRESETS["quick"], seeds=2, samples=40, perturbations=(0.3, 1.0))
PAIR = networks(CONFIG, 0, 0.3)


def mapped():
    found = transferability.measure(PAIR.source, PAIR.target, PAIR.x)
    return [maps.candidates(found) | {"t": 0.3}]


def shrinking(stamp):
    rows = attacks.shrink(PAIR, [1e-3, 1e-2, 1e-1])
    return figures.shrinking(rows, {"remainder": 3.0, "both_signs": 4.0}, stamp)


FIGURES = {
    "key variables": lambda stamp: figures.key_variables(
        attacks.plane(replace(CONFIG, inputs=2), 1.0), stamp
    ),
    "tangents": lambda stamp: figures.tangents(attacks.tangent_against_exact(PAIR, [0.01, 1]), stamp),
    "companions": lambda stamp: figures.companions(maps.companions(CONFIG), stamp),
    "projections": lambda stamp: figures.projections(mapped(), stamp),
    "closed form": lambda stamp: figures.closed_form({"t = 1": [(0.5, 0.75)]}, stamp),
    "shrinking": shrinking,
}


@pytest.mark.parametrize("name", FIGURES)
def test_every_figure_is_labelled_stamped_and_legible(name):
    fig = FIGURES[name]("quick: a stamp")
    fig.canvas.draw()
    texts = [text for text in fig.findobj(Text) if text.get_text() and text.get_visible()]
    assert "quick: a stamp" in [text.get_text() for text in texts]
    assert min(text.get_fontsize() for text in texts) >= style.SMALLEST
    if name != "key variables":  # its axes are coordinates
        assert all(ax.get_ylabel() for ax in fig.axes)


def test_the_points_of_the_closed_form_are_drawn_where_they_are():
    (ax,) = figures.closed_form({"t = 1": [(0.5, 0.75), (0.8, 0.96)]}, "stamp").axes
    curve, points = ax.lines
    assert points.get_xydata().tolist() == [[0.5, 0.75], [0.8, 0.96]]
    assert curve.get_ydata()[50] == pytest.approx(0.75)


def test_every_companion_is_drawn():
    rows = maps.companions(CONFIG)
    (ax,) = figures.companions(rows, "stamp").axes
    dots = [line for line in ax.lines if line.get_marker() not in ("None", None)]
    assert sum(len(line.get_ydata()) for line in dots) == 5 * len(rows)
